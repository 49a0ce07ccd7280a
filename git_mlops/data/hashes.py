"""Hashes of workspace data, remembered: a file whose size, time and inode are the same is not read again.

The memory is private to the worktree, rebuildable, and replaced whole by an atomic rename.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TypeGuard

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo

_FORMAT = 1
_CHUNK = 1024 * 1024
_TICK = 20_000_000
"""Nanoseconds: two writes that are closer may have the same time (the clock ticks every 1 to 10 ms)."""
_WHOLE_SECOND = 1_000_000_000
_LARGE = 1024 * 1024
"""Bytes; for a file of this size it pays to wait for the next tick instead of reading it twice."""


class Seen(NamedTuple):
    """What the file system says of a file."""

    size: int
    time: int
    """Nanoseconds."""
    inode: int
    settled: bool
    """Whether any later write would change the time."""


def seen(file: Path | str) -> Seen | None:
    """A file as it is now (a link's target), or None."""
    try:
        stat = os.stat(file)  # noqa: PTH116  # callers with 20,000 files have text: each Path takes longer than this
    except OSError:
        return None
    age = time.time_ns() - stat.st_mtime_ns
    # a file system with whole seconds needs more
    window = _TICK if stat.st_mtime_ns % _WHOLE_SECOND else 2 * _WHOLE_SECOND
    return Seen(stat.st_size, stat.st_mtime_ns, stat.st_ino, age > window)


class Hashes:
    """Use it in a `with` block: what was learned is kept at its end."""

    def __init__(self, repo: Repo) -> None:
        self._file = repo.private_here / "hashes.json"
        self._root = repo.root
        state = self._load()
        self._known: dict[str, list[int | str]] = {
            path: known for path, known in _table(state, "files").items() if _is_known(known)
        }
        self.followed: dict[str, str] = {
            path: hash_ for path, hash_ in _table(state, "followed").items() if isinstance(hash_, str)
        }
        """Path of data → hash that it was brought to last."""
        self.parts: dict[str, list[str]] = {
            path: known for path, known in _table(state, "parts").items() if _is_part(known)
        }
        """Path of a directory without what was withdrawn → hash of its pointer, and those files."""
        self.withdrawn: frozenset[str] | None = None
        """Hashes of what was withdrawn, once somebody has asked."""
        self._before = (dict(self._known), dict(self.followed), dict(self.parts))

    def was_here(self, path: str) -> bool:
        """Whether this data, or a file of it, was ever seen in this worktree."""
        return path in self.followed or any(
            known == path or known.startswith(f"{path}/") for known in self._known
        )

    def _load(self) -> object:
        try:
            return json.loads(self._file.read_bytes())
        except (OSError, ValueError, RecursionError):
            return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (self._known, self.followed, self.parts) != self._before:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            state = {"version": _FORMAT, "files": self._known, "followed": self.followed}
            state |= {"parts": self.parts} if self.parts else {}
            replace_file(self._file, json.dumps(state, ensure_ascii=True).encode())

    def file(self, path: str) -> str | None:
        """The md5 of a workspace file, or None when there is none."""
        file = self._root / path
        now = seen(file)
        if now is None:
            self._known.pop(path, None)
            return None
        known = self._known.get(path)
        if known is not None and known[:3] == [*now[:3]]:
            return str(known[3])
        if not now.settled and now.size >= _LARGE:
            time.sleep(_TICK / 1e9)
            now = seen(file) or now
        try:
            hash_ = md5(file)
        except OSError as error:
            message = f"cannot read `{path}`: {error.strerror}"
            raise MlopsError(message, exit_code=CANNOT_EVALUATE) from error
        self._known.pop(path, None)
        if now.settled and (after := seen(file)) and after[:3] == now[:3]:
            self._known[path] = [*now[:3], hash_]
        return hash_

    def learn(self, path: str, hash_: str, before: Seen | None, object_: Callable[[], Path]) -> None:
        """Note a hash that somebody else computed, where it is certain without reading the file again.

        Args:
            before: the file as it was before they began.
            object_: tells the file in the cache that has these bytes.
        """
        now = seen(f"{self._root}/{path}")
        if now is None:
            return
        unchanged = before is not None and before.settled and before[:3] == now[:3]
        if unchanged or _same_file(self._root / path, object_()):
            self._known[path] = [*now[:3], hash_]
        else:
            self.file(path)

    def folder(self, path: str) -> dict[str, str]:
        """md5 of every file below a workspace directory, by its path in it."""
        below = {name: self.file(f"{path}/{name}") for name in walk(self._root / path)}
        return {name: hash_ for name, hash_ in below.items() if hash_ is not None}

    def forget(self, path: str) -> None:
        """Drop what is known of a file or of all below a directory."""
        for known in [p for p in self._known if p == path or p.startswith(path + "/")]:
            del self._known[known]


def _table(state: object, key: str) -> dict[str, object]:
    if not isinstance(state, dict) or state.get("version") != _FORMAT:
        return {}
    table = state.get(key)
    return table if isinstance(table, dict) else {}


def _is_known(value: object) -> TypeGuard[list[int | str]]:
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(isinstance(number, int) for number in value[:3])
        and isinstance(value[3], str)
    )


def _is_part(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(one, str) for one in value)


def _same_file(file: Path, other: Path) -> bool:
    try:
        return file.samefile(other)
    except OSError:
        return False


def walk(folder: Path) -> Iterator[str]:
    """Relative POSIX paths of all files below a directory."""
    for base, _folders, names in os.walk(folder):
        inner = os.path.relpath(base, folder).replace(os.sep, "/")
        yield from names if inner == "." else (f"{inner}/{name}" for name in names)


def md5(file: Path) -> str:
    """DVC's hash of a file's bytes."""
    digest = hashlib.md5(usedforsecurity=False)
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def md5_text(file: Path) -> str:
    """The hash that DVC 2 gave a text file: of its bytes with CRLF as LF."""
    digest = hashlib.md5(usedforsecurity=False)
    held = b""
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            chunk = held + chunk
            held = b"\r" if chunk.endswith(b"\r") else b""
            digest.update(chunk[: len(chunk) - len(held)].replace(b"\r\n", b"\n"))
    digest.update(held)
    return digest.hexdigest()


def md5_folder(files: dict[str, str]) -> str:
    """DVC's hash of a directory, from the md5 of its files by relative path."""
    items = [{"md5": files[path], "relpath": path} for path in sorted(files)]
    return hashlib.md5(json.dumps(items, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
