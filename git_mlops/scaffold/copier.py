"""Render a template with copier; the one file that imports it."""

import warnings
from collections.abc import Mapping
from pathlib import Path

import yaml

from git_mlops.errors import MlopsError

_CONFIG = "copier.yml"


def questions(template: Path) -> dict[str, str]:
    """What a template asks: key → the question, from its copier.yml."""
    values = yaml.safe_load((template / _CONFIG).read_text(encoding="utf-8"))
    return {key: details.get("help", "") for key, details in values.items() if not key.startswith("_")}


def render(template: Path, target: Path, answers: Mapping[str, str], hidden: Mapping[str, str]) -> None:
    """Render one of our own templates, without questions: what is not answered takes its default.

    Args:
        hidden: further values for the template that are no answers to its questions.

    Raises:
        MlopsError: the template refuses an answer (exit code 2).
    """
    import copier
    from copier.errors import CopierError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the template's author, who is us; not for the user's terminal
        try:
            copier.run_copy(
                str(template), target, data={**answers, **hidden}, defaults=True, quiet=True, unsafe=False
            )
        except (CopierError, ValueError) as error:
            raise MlopsError(f"the template refuses it: {error}") from error
