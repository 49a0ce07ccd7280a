"""Our part of git's configuration: the diff and merge drivers, and where our hooks are.

It stands in a file of its own, which the repository's configuration includes at its end: one line to add, one
line to take away again, and nothing that others wrote is changed.
"""

import shlex
from collections.abc import Iterator
from pathlib import Path

from git_mlops.errors import MlopsError
from git_mlops.git import config as git_config
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo
from git_mlops.hooks import place as places
from git_mlops.hooks.place import Place
from git_mlops.hooks.shims import encoded, python

_HEAD = "# made by `git mlops hooks install`; `git mlops hooks remove` takes it away\n"


def connect(repo: Repo, chosen: Place) -> Iterator[Path]:
    """Write our settings and include them, for the repository and, where it has its own, this worktree.

    Yields the files that changed.
    """
    shared = places.plain(repo)
    if chosen.included == shared.included:
        yield from _include(shared, _drivers() + _hooks_path(chosen))
        return
    beside = places.beside(repo)
    theirs = _hooks_path(beside._replace(former="kept")) if beside.folder.is_dir() else ""
    yield from _include(shared, _drivers() + theirs)
    yield from _include(chosen, _hooks_path(chosen))


def disconnect(place: Place) -> Iterator[Path]:
    """Undo `connect`, leaving every other byte as it is."""
    if git_config.exclude(place.config, place.included.name):
        yield place.config
    place.included.unlink(missing_ok=True)


def _include(place: Place, text: str) -> Iterator[Path]:
    content = encoded(_HEAD + text)
    if not place.included.exists() or place.included.read_bytes() != content:
        replace_file(place.included, content)
        yield place.included
    if git_config.include(place.config, place.included.name):
        yield place.config


def _hooks_path(place: Place) -> str:
    return f"[core]\n\thooksPath = {_quoted(str(place.folder))}\n" if place.former else ""


def _drivers() -> str:
    # -P: a file of the repository must never be imported in place of Python's own
    start = f"{shlex.quote(python())} -P -m git_mlops.hooks"
    return (
        f'[diff "mlops"]\n\ttextconv = {_quoted(f"{start} diff-pointer")}\n'
        f'[merge "mlops"]\n\tname = data pointers of git-mlops\n'
        f"\tdriver = {_quoted(f'{start} merge-pointer %O %A %B %L %P')}\n"
    )


def _quoted(value: str) -> str:
    """A value in the grammar of git's configuration."""
    if "\n" in value:
        raise MlopsError(f"a path with a line break cannot stand in git's configuration: {value!r}")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
