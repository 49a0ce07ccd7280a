"""Paths of the user into repository paths, and repository paths into files that are really inside."""

import glob
import os
import posixpath
from collections.abc import Sequence
from pathlib import Path

from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.git.repo import Repo


def inside(repo: Repo, path: str) -> Path:
    """The file at a repository path.

    Raises:
        MlopsError: a symbolic link on the way leads out of the repository.
    """
    file = repo.root / path
    parent = Path(os.path.realpath(file.parent))
    if not parent.is_relative_to(os.path.realpath(repo.root)):
        raise MlopsError(f"`{path}` leads out of the repository through a symbolic link")
    return file


def given(repo: Repo, words: Sequence[str], *, here: Path | None = None) -> list[str]:
    """Repository paths of existing files and directories, as typed: relative to `here`, patterns expanded.

    Raises:
        MlopsError: nothing there, or outside the repository, or inside git's or DVC's own directory.
    """
    base = here or Path.cwd()
    found = [path for word in words for path in _expanded(base, word)]
    return list(dict.fromkeys(relative(repo, path) for path in found))


def _expanded(base: Path, word: str) -> list[Path]:
    path = base / word
    if os.path.lexists(path):
        return [path]
    # not Path.glob: it refuses absolute patterns and sees hidden files
    matches = sorted(glob.glob(word, root_dir=base, recursive=True)) if glob.has_magic(word) else []  # noqa: PTH207  # see above
    if not matches:
        raise NotFoundError(
            f"`{word}` matches no file" if glob.has_magic(word) else f"no such file: `{word}`"
        )
    return [base / match for match in matches]


def relative(repo: Repo, file: Path) -> str:
    """The repository path of a file, which need not exist."""
    whole = (
        Path(os.path.realpath(file.parent)) / file.name
        if file.name not in ("", "..")
        else Path(os.path.realpath(file))
    )
    try:
        path = whole.relative_to(os.path.realpath(repo.root)).as_posix()
    except ValueError:
        raise MlopsError(f"`{file}` is outside the repository {repo.root}") from None
    path = posixpath.normpath(path)
    if path == ".":
        raise MlopsError("the whole repository cannot be data", hint="name a file or a directory in it")
    if path.split("/")[0] in (".git", ".dvc") or "/.git/" in f"/{path}/":
        raise MlopsError(f"`{path}` belongs to git or DVC, not to the data")
    return path
