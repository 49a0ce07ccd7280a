"""Hashes of workspace data, remembered: a file whose size, time and inode are the same is not read again.

The memory is private to the worktree, rebuildable, and replaced whole by an atomic rename.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo

_FORMAT = 1
_CHUNK = 1024 * 1024


class Hashes:
    """Use it in a `with` block: what was learned is kept at its end."""

    def __init__(self, repo: Repo) -> None:
        self._file = repo.private_here / "hashes.json"
        self._root = repo.root
        self._known: dict[str, list[object]] = self._load("files")
        self.followed: dict[str, str] = self._load("followed")
        """Path of data → hash that it was brought to last."""
        self._before = json.dumps([self._known, self.followed])

    def _load(self, key: str) -> dict:  # type: ignore[type-arg]  # JSON
        try:
            state = json.loads(self._file.read_bytes())
            return dict(state[key]) if state["version"] == _FORMAT else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if json.dumps([self._known, self.followed]) != self._before:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            state = {"version": _FORMAT, "files": self._known, "followed": self.followed}
            replace_file(self._file, json.dumps(state, ensure_ascii=True).encode())

    def file(self, path: str) -> str | None:
        """The md5 of a workspace file, or None when there is none."""
        try:
            stat = (self._root / path).stat()
        except OSError:
            self._known.pop(path, None)
            return None
        signature: list[object] = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
        known = self._known.get(path)
        if known is None or known[:3] != signature:
            known = [*signature, md5(self._root / path)]
            # a file that is still being written in this clock tick would look unchanged afterwards
            if (self._root / path).stat().st_mtime_ns == stat.st_mtime_ns:
                self._known[path] = known
        return str(known[3])

    def folder(self, path: str) -> dict[str, str]:
        """md5 of every file below a workspace directory, by its path in it."""
        below = {name: self.file(f"{path}/{name}") for name in walk(self._root / path)}
        return {name: hash_ for name, hash_ in below.items() if hash_ is not None}

    def forget(self, path: str) -> None:
        """Drop what is known of a file or of all below a directory."""
        for known in [p for p in self._known if p == path or p.startswith(path + "/")]:
            del self._known[known]


def walk(folder: Path) -> Iterator[str]:
    """Relative POSIX paths of all files below a directory."""
    for base, _folders, names in os.walk(folder):
        yield from (os.path.relpath(os.path.join(base, name), folder).replace(os.sep, "/") for name in names)


def md5(file: Path) -> str:
    """DVC's hash of a file's bytes."""
    digest = hashlib.md5(usedforsecurity=False)
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def md5_text(file: Path) -> str:
    """The hash that DVC 2 gave a text file: of its bytes with CRLF as LF."""
    return hashlib.md5(file.read_bytes().replace(b"\r\n", b"\n"), usedforsecurity=False).hexdigest()


def md5_folder(files: dict[str, str]) -> str:
    """DVC's hash of a directory, from the md5 of its files by relative path."""
    items = [
        {"md5": files[path], "relpath": path} for path in sorted(files, key=lambda p: tuple(p.split("/")))
    ]
    return hashlib.md5(json.dumps(items, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
