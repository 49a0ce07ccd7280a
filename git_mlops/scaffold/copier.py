"""Render a template with copier; the one file that imports it."""

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import yaml

from git_mlops import __version__
from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.scaffold import templates

ANSWERS = ".copier-answers.yml"
_OURS = "git-mlops:"


class Answers(NamedTuple):
    """Which template a project is of, of which version, and what was answered."""

    template: str
    version: str
    values: dict[str, str]


def render(name: str, target: Path, answers: Mapping[str, str], *, ask: bool = False) -> None:
    """Render one of our own templates into `target`; its answers are recorded there.

    Args:
        ask: put the questions that are not answered to the user; else they take their defaults.

    Raises:
        MlopsError: the template refuses an answer (exit code 2).
        KeyboardInterrupt: the user answered with Ctrl-C.
    """
    import copier
    from copier.errors import CopierError

    with tempfile.TemporaryDirectory(prefix="mlops-template-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the template's author, who is us; not for the user's terminal
        source = Path(folder, name)
        templates.assemble(name, source)
        given = {**answers, "mlops_version": __version__, "mlops_template": name}
        try:
            copier.run_copy(str(source), target, data=given, defaults=not ask, quiet=True, unsafe=False)
        except KeyboardInterrupt:
            raise KeyboardInterrupt from None
        except (CopierError, ValueError) as error:
            raise MlopsError(f"the template refuses it: {error}") from error


def answered(content: bytes) -> Answers:
    """What a project's `.copier-answers.yml` says.

    Raises:
        MlopsError: it is not what git-mlops wrote (exit code 2). NotFoundError: of a template that is none.
    """
    try:
        values = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError) as error:
        raise MlopsError(f"`{ANSWERS}` is not valid YAML") from error
    source = values.get("_src_path") if isinstance(values, dict) else None
    if not isinstance(source, str) or not source.startswith(_OURS):
        raise MlopsError(
            f"`{ANSWERS}` is not of a template of git-mlops",
            hint="`copier update` updates a project that copier started",
        )
    template = source.removeprefix(_OURS)
    if template not in templates.TEMPLATES:
        raise NotFoundError(f"`{ANSWERS}` names a template `{template}` that this git-mlops does not have")
    asked = {question.key for question in templates.questions(template)}
    given = {key: _text(value) for key, value in values.items() if key in asked}
    return Answers(template, str(values.get("_commit", "")), given)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
