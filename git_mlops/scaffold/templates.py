"""The templates: what there is, what each asks, and the one folder that is rendered.

A template is folders of templates/project laid over one another: what several templates share stands once,
in a folder that starts with `_`. Files that end in `.jinja` are rendered; `parts/` is what they include.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from git_mlops import resources
from git_mlops.decode import unknown
from git_mlops.errors import NotFoundError
from git_mlops.scaffold.ci_providers import PROVIDERS

CONFIG = "copier.yml"


class Template(NamedTuple):
    """A folder in templates/project."""

    summary: str
    """A noun phrase, for listings."""
    first: tuple[str, ...]
    """The commands to go on with, in the new project."""
    layers: tuple[str, ...] = ("_common", "_model", "_pipeline")
    """What lies below it, the lowest first."""


class Question(NamedTuple):
    """What a template asks."""

    key: str
    help: str
    default: str
    """As text; it may depend on other answers."""
    choices: tuple[str, ...] = ()


def _first(data: str) -> tuple[str, ...]:
    return ("python src/make_data.py", "git mlops init", f"git mlops add {data}")


TEMPLATES: dict[str, Template] = {
    "tabular": Template(
        "a class or a number from a table: real data, schema, pipeline, tests", _first("data/patients.csv")
    ),
    "timeseries": Template(
        "a series forecast one month ahead, measured on the future only", _first("data/months.csv")
    ),
    "text": Template("texts of four kinds, told apart by their words", _first("data/texts.csv")),
    "image": Template(
        "pictures of ten kinds, with scikit-learn or PyTorch on a CPU", _first("data/labels.csv data/digits")
    ),
    "llm-eval": Template(
        "prompts and questions for a language model, its answers measured and gated",
        _first("data/questions.jsonl"),
        ("_common",),
    ),
    "minimal": Template(
        "one stage that trains and measures, and its tests: the least that has everything",
        _first("data/irises.csv"),
        ("_common", "_model"),
    ),
}


def known(name: str) -> Template:
    """The template of this name.

    Raises:
        NotFoundError: there is none.
    """
    if name not in TEMPLATES:
        raise NotFoundError(f"no template `{name}`", hint=unknown(name, TEMPLATES, "").hint)
    return TEMPLATES[name]


def questions(name: str) -> list[Question]:
    """What the template asks, in its order."""
    return [
        Question(key, one.get("help", ""), str(one.get("default", "")), tuple(one.get("choices", ())))
        for key, one in _settings(name).items()
        if not key.startswith("_") and one.get("when", True) is not False
    ]


def refuse_unknown(name: str, answers: Mapping[str, str]) -> None:
    """No answer is to nothing.

    Raises:
        NotFoundError: no such template, or it does not ask for one of these.
    """
    known(name)
    asked = [question.key for question in questions(name)]
    for key in answers:
        if key not in asked:
            hint = unknown(key, asked, "").hint
            raise NotFoundError(f"the template `{name}` does not ask for `{key}`", hint=hint)


def assemble(name: str, folder: Path) -> None:
    """Lay the template's folders over one another in `folder`, which does not exist."""
    for layer in _folders(name):
        shutil.copytree(layer, folder, dirs_exist_ok=True, ignore=_LEFT_OUT)
    text = yaml.safe_dump(_settings(name), sort_keys=False, allow_unicode=True)
    (folder / CONFIG).write_text(text, encoding="utf-8")


_LEFT_OUT = shutil.ignore_patterns(CONFIG, "__pycache__", "*.py[co]", ".*_cache")


def _settings(name: str) -> dict[str, Any]:
    """The copier.yml of all its folders; the upper one's question takes the place of a lower one's."""
    found: dict[str, Any] = {}
    for layer in _folders(name):
        if (layer / CONFIG).exists():
            own = yaml.safe_load((layer / CONFIG).read_text(encoding="utf-8"))
            # in the place of the upper one: its default may depend on what is asked before it there
            found = {key: value for key, value in found.items() if key not in own} | own
    found["provider"]["choices"] = [*PROVIDERS, "none"]
    return found


def _folders(name: str) -> list[Path]:
    return [resources.path("templates", "project", layer) for layer in (*known(name).layers, name)]


def rows(name: str) -> list[tuple[str, str, str, str]]:
    """What it asks, for a table: a default that depends on other answers is not shown."""
    return [
        (one.key, one.help, ", ".join(one.choices), "…" if "{" in one.default else one.default)
        for one in questions(name)
    ]


def plain(name: str) -> dict[str, object]:
    """A template for programs."""
    template = known(name)
    asked = [one._asdict() for one in questions(name)]
    return {"name": name, "summary": template.summary, "first": template.first, "questions": asked}
