"""Start a project: a template rendered into a git repository of its own, whole or not at all."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from git_mlops.errors import MlopsError
from git_mlops.git.refs import Move, move
from git_mlops.git.repo import Repo, discover, head
from git_mlops.git.run import git
from git_mlops.scaffold import copier, origin, templates, workflows


def create(template: str, target: Path, answers: Mapping[str, str], *, ask: bool = False) -> Repo:
    """The new project's repository. Its first commit is the template; the generated pipelines are staged.

    `target` does not exist, is empty, or is a repository with no files. The project appears in one rename (in
    an existing directory: one per entry), so that an interrupted start leaves nothing behind.

    Args:
        ask: put the questions that are not answered to the user.

    Raises:
        NotFoundError: no such template, or an answer to no question of it.
        MlopsError: the target is not empty, or an answer is refused (exit code 2).
    """
    templates.refuse_unknown(template, answers)
    _refuse_files(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    given = {"project_name": _name(target, template), "branch": _branch(target), **answers}
    with tempfile.TemporaryDirectory(prefix=".mlops-new-", dir=target.parent) as folder:
        made = Path(folder, "project")
        copier.render(template, made, given, ask=ask)
        fresh = not (target / ".git").exists()
        if fresh:
            _started(made, template)
        _place(made, target)
    repo = discover(target)
    if not fresh:
        _commit(repo, template)
    return repo


def surrounding(target: Path) -> Path | None:
    """The top of the repository that `target` would stand inside, if any."""
    if (target / ".git").exists():
        return None
    there = next(path for path in (target.absolute(), *target.absolute().parents) if path.is_dir())
    top = git("rev-parse", "--show-toplevel", cwd=there, ok=(0, 128), foreign=True)
    return Path(os.fsdecode(top.rstrip(b"\n"))) if top else None


def _started(made: Path, template: str) -> None:
    """A repository of its own, on the branch that was answered."""
    branch = copier.answered((made / copier.ANSWERS).read_bytes()).values["branch"]
    git("init", "-q", "-b", branch, cwd=made, foreign=True)
    _commit(discover(made), template)


def _commit(repo: Repo, template: str) -> None:
    """The rendered files as a commit on the branch, and what is generated from them beside it."""
    before = head(repo)
    rendered = origin.tree(repo, repo.root)
    commit = origin.record(repo, rendered, template, *([before] if before else []))
    move(repo, [Move("HEAD", commit, before)], f"mlops new: {template}")
    repo.git("read-tree", commit)
    repo.git("update-index", "-q", "--refresh", ok=(0, 1))
    workflows.write(repo)


def _refuse_files(target: Path) -> None:
    if target.is_symlink() and not target.exists():
        raise MlopsError(f"`{target}` is a broken link", hint="choose another directory")
    if not target.exists():
        return
    if not target.is_dir():
        raise MlopsError(f"`{target}` is a file", hint="choose another directory")
    tracked = (target / ".git").exists() and git("ls-files", "-z", cwd=target, foreign=True)
    if tracked or any(path.name != ".git" for path in target.iterdir()):
        raise MlopsError(
            f"`{target}` is not empty",
            hint="choose a new directory, or run `git mlops scaffold TEMPLATE` in a repository",
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
