"""Start a project: a template rendered into a git repository of its own, whole or not at all."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from git_mlops import __version__, resources
from git_mlops.decode import unknown
from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.git.repo import Repo, discover
from git_mlops.git.run import git
from git_mlops.scaffold import copier


class Template(NamedTuple):
    """A folder in templates/project."""

    summary: str
    """A noun phrase, for listings."""
    first: tuple[str, ...]
    """The commands to go on with, in the new project."""


TEMPLATES: dict[str, Template] = {
    "tabular": Template(
        "classification of a table: real data, schema, pipeline, tests",
        ("python src/make_data.py", "git mlops init", "git mlops add data/patients.csv"),
    ),
}


def create(template: str, target: Path, answers: Mapping[str, str]) -> Repo:
    """The new project's repository, with nothing committed yet.

    `target` does not exist, is empty, or is a repository with no files. The project appears in one rename (in
    an existing directory: one per entry), so that an interrupted start leaves nothing behind.

    Raises:
        NotFoundError: no such template, or an answer to no question of it.
        MlopsError: the target is not empty, or an answer is refused (exit code 2).
    """
    source = _source(template, answers)
    _refuse_files(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    given = {"project_name": _name(target, template), "branch": _branch(target), **answers}
    with tempfile.TemporaryDirectory(prefix=".mlops-new-", dir=target.parent) as folder:
        made = Path(folder, "project")
        copier.render(source, made, given, {"mlops_version": __version__})
        if not (target / ".git").exists():
            git("init", "-q", "-b", given["branch"], cwd=made, foreign=True)
        _place(made, target)
    return discover(target)


def surrounding(target: Path) -> Path | None:
    """The top of the repository that `target` would stand inside, if any."""
    if (target / ".git").exists():
        return None
    there = next(path for path in (target.absolute(), *target.absolute().parents) if path.is_dir())
    top = git("rev-parse", "--show-toplevel", cwd=there, ok=(0, 128), foreign=True)
    return Path(os.fsdecode(top.rstrip(b"\n"))) if top else None


def _source(template: str, answers: Mapping[str, str]) -> Path:
    if template not in TEMPLATES:
        raise NotFoundError(f"no template `{template}`", hint=unknown(template, TEMPLATES, "").hint)
    source = resources.path("templates", "project", template)
    asked = copier.questions(source)
    for key in answers:
        if key not in asked:
            raise NotFoundError(
                f"the template `{template}` does not ask for `{key}`", hint=unknown(key, asked, "").hint
            )
    return source


def _refuse_files(target: Path) -> None:
    if target.is_symlink() and not target.exists():
        raise MlopsError(f"`{target}` is a broken link", hint="choose another directory")
    if not target.exists():
        return
    if not target.is_dir():
        raise MlopsError(f"`{target}` is a file", hint="choose another directory")
    if any(path.name != ".git" for path in target.iterdir()):
        raise MlopsError(
            f"`{target}` is not empty", hint="choose a new directory, or run `git mlops init` in this one"
        )


def _branch(target: Path) -> str:
    """The branch that exists, the one git is configured to start with, or `main`."""
    if (target / ".git").exists():
        named = git("symbolic-ref", "--short", "-q", "HEAD", cwd=target, ok=(0, 1), foreign=True)
    else:
        named = git("config", "--get", "init.defaultBranch", cwd=target.parent, ok=(0, 1), foreign=True)
    return named.decode("utf-8", "replace").strip() or "main"


def _name(target: Path, template: str) -> str:
    name = target.absolute().name if target.name not in ("", "..") else target.resolve().name
    return name if name.strip() and name.isprintable() else template


def _place(made: Path, target: Path) -> None:
    if not target.exists():
        made.rename(target)
        return
    for path in sorted(made.iterdir()):
        path.rename(target / path.name)
