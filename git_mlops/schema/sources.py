"""Schemas as the user names them: a file, or `REV:path` of any commit."""

import difflib
import os
from pathlib import Path
from typing import NamedTuple

from git_mlops.errors import NotFoundError
from git_mlops.git import objects
from git_mlops.git.repo import Repo
from git_mlops.schema.compare import Change, compare
from git_mlops.schema.load import Schema, load


class Difference(NamedTuple):
    """What `diff` compared."""

    old: str
    new: str
    changes: list[Change]


def diff(repo: Repo, old: str, new: str | None = None) -> Difference:
    """Compare two schemas; one alone is compared with what HEAD has of it.

    Raises:
        MlopsError: one of them does not exist, or is no schema.
    """
    if new is None:
        # `REV:path` alone: as it was then, and as it is now
        was_named = _file(repo, old) is None and ":" in old
        new = _path(repo, old.partition(":")[2]) if was_named else old
        old = old if was_named else f"HEAD:{_path(repo, old)}"
    theirs = read(repo, new)
    return Difference(old, new, compare(read(repo, old), theirs))


def read(repo: Repo, spec: str) -> Schema:
    """The schema that is named.

    Raises:
        MlopsError: it does not exist, or is no schema.
    """
    file = _file(repo, spec)
    if file is not None:
        return load(file.read_bytes(), spec)
    revision, colon, path = spec.partition(":")
    if not colon or "\n" in spec:
        raise NotFoundError(f"no such schema: `{spec}`", hint=_near(repo, spec))
    name = f"{revision}:{_path(repo, path)}"
    content = objects.read_blobs(repo, [name]).get(name)
    if content is None:
        raise NotFoundError(
            f"`{name}` does not exist", hint=f"`git ls-tree -r {revision or 'HEAD'}` lists files"
        )
    return load(content, name)


def _file(repo: Repo, spec: str) -> Path | None:
    """A file as named from where the user stands, or from the top."""
    for folder in (repo.root / repo.prefix, repo.root):
        if (folder / spec).is_file():
            return folder / spec
    return None


def _path(repo: Repo, name: str) -> str:
    """The repository path of a name."""
    if not (repo.root / repo.prefix / name).exists() and (repo.root / name).exists():
        return name
    joined = os.path.normpath(repo.root / repo.prefix / name)
    return Path(joined).relative_to(repo.root).as_posix() if Path(joined).is_relative_to(repo.root) else name


def _near(repo: Repo, spec: str) -> str | None:
    folder = repo.root / "schemas"
    names = [f"schemas/{file.name}" for file in folder.glob("*.y*ml")] if folder.is_dir() else []
    close = difflib.get_close_matches(spec, names, n=1, cutoff=0.5)
    return f"did you mean `{close[0]}`?" if close else None
