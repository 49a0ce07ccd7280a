"""`PATH.conflicts`: a line for each conflicting cell, for people, and to be filled in. Hidden from git."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from git_mlops.data import places
from git_mlops.data.pointers import PATHSPECS
from git_mlops.data.threeway import Choice
from git_mlops.errors import MlopsError
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo

if TYPE_CHECKING:  # 40 ms, and mostly nothing is merged
    from git_mlops.data.merging import Result
    from git_mlops.data.threeway import Choose, Conflict

SUFFIX = ".conflicts"
_FIELDS = ("column", "base", "ours", "theirs", "take")
_SIDES: dict[str, Literal["ours", "theirs", "base"]] = {"ours": "ours", "theirs": "theirs", "base": "base"}
_ABSENT = "(none)"
"""No such row, file or column on that side."""


def path_of(pointer: str) -> str:
    """The repository path of the conflicts file of a pointer."""
    return pointer.removesuffix(".dvc") + SUFFIX


def write(repo: Repo, pointer: str, result: Result) -> str:
    """Write it, out of git's sight; its repository path."""
    path = path_of(pointer)
    file = places.inside(repo, path)
    if file.exists() and not _excluded(repo, path):
        raise MlopsError(f"`{path}`, where the conflicts would stand, is a file of yours")
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, text(result.key, result.conflicts).encode("utf-8", "surrogateescape"))
    _exclude(repo, _line(path), there=True)
    return path


def remove(repo: Repo, pointer: str) -> None:
    """Take it away again, if it is ours."""
    path = path_of(pointer)
    if not _excluded(repo, path):
        return
    places.inside(repo, path).unlink(missing_ok=True)
    _exclude(repo, _line(path), there=False)


def half_removed(repo: Repo) -> dict[str, Literal["ours", "theirs"]]:
    """Pointers in conflict that one side removed and the other changed → who removed it.

    Git calls no merge driver for those, so nothing was said of them.
    """
    stages: dict[str, set[str]] = {}
    for line in repo.paths("ls-files", "-u", "-z", "--", *PATHSPECS):
        before, _, path = line.partition("\t")
        stages.setdefault(path, set()).add(before[-1])
    return {
        path: "theirs" if "2" in found else "ours"
        for path, found in stages.items()
        if "1" in found and len(found) == 2
    }


def text(key: Sequence[str], conflicts: Sequence[Conflict]) -> str:
    """CSV: the columns of the key, then column, base, ours, theirs, and what to take (empty as yet)."""
    rows: list[tuple[str, ...]] = [(*key, *_FIELDS)]
    for one in conflicts:
        cells = (_ABSENT if value is None else value for value in (one.base, one.ours, one.theirs))
        rows.append((*_padded(one.key, len(key)), one.column, *cells, ""))
    # Python quotes a carriage return only where it ends lines
    every = any("\r" in cell for row in rows for cell in row)
    stream = io.StringIO()
    if every:
        csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    else:
        csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


def _padded(key: Sequence[str], length: int) -> list[str]:
    return [*key, *("" for _ in range(length - len(key)))]


def read(repo: Repo, pointer: str) -> Choose:
    """What was filled in: `ours`, `theirs`, `base`, or `=VALUE`.

    Raises:
        MlopsError: not such a file, or a line says something else.
    """
    path = path_of(pointer)
    file = places.inside(repo, path)
    try:
        lines = list(csv.reader(io.StringIO(_content(file), newline="")))
    except (csv.Error, OSError) as error:
        raise MlopsError(f"cannot read `{path}`: {error}") from error
    if not lines or tuple(lines[0][-len(_FIELDS) :]) != _FIELDS:
        raise MlopsError(f"`{path}` does not end with the columns {', '.join(_FIELDS)}")
    chosen: dict[tuple[tuple[str, ...], str], Choice] = {}
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(lines[0]):
            raise MlopsError(f"`{path}`, record {number}: {len(line)} cells for {len(lines[0])} columns")
        if line[-1].strip():
            chosen[tuple(line[: -len(_FIELDS)]), line[-len(_FIELDS)]] = _choice(path, number, line[-1])
    width = len(lines[0]) - len(_FIELDS)
    return lambda conflict: chosen.get((tuple(_padded(conflict.key, width)), conflict.column))


def _choice(path: str, number: int, said: str) -> Choice:
    word = said.strip()
    if word.startswith("="):
        return Choice("value", said.partition("=")[2])
    if word in _SIDES:
        return Choice(_SIDES[word])
    raise MlopsError(
        f"`{path}`, record {number}: `{word}` is nothing to take", hint="`ours`, `theirs`, `base` or `=VALUE`"
    )


def _content(file: Path) -> str:
    return file.read_bytes().decode("utf-8-sig", "surrogateescape")


def _line(path: str) -> str:
    """The path as a pattern of git's."""
    escaped = "".join(f"\\{char}" if char in "\\*?[" else char for char in path)
    return "/" + (escaped[:-1] + "\\ " if escaped.endswith(" ") else escaped)


def _excluded(repo: Repo, path: str) -> bool:
    """Whether we wrote it: a file of the user's own is not in the list."""
    file = repo.common_dir / "info" / "exclude"
    wanted = _line(path).encode("utf-8", "surrogateescape")
    return file.exists() and wanted in file.read_bytes().splitlines()


def _exclude(repo: Repo, line: str, *, there: bool) -> None:
    """In `.git/info/exclude`, which is private to the clone."""
    file = repo.common_dir / "info" / "exclude"
    old = file.read_bytes() if file.exists() else b""
    raw = line.encode("utf-8", "surrogateescape")
    lines = old.splitlines(keepends=True)
    if there == any(one.rstrip(b"\r\n") == raw for one in lines):
        return
    if there:
        new = old + (b"" if old.endswith(b"\n") or not old else b"\n") + raw + b"\n"
    else:
        new = b"".join(one for one in lines if one.rstrip(b"\r\n") != raw)
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, new)
