"""The content key: SHA-256 over a canonical text of what decides a result. Pure.

Each part has its own hash, so that "same code, other data" is a lookup. The first line of every text names
the algorithm: a later one can stand beside it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from git_mlops.jsonable import finite

ALGORITHM = "mlops-key 1 sha256"


class Datum(NamedTuple):
    """One data object a run depends on."""

    path: str
    algorithm: str
    hash: str
    size: int | None


class Key(NamedTuple):
    """Hashes of the parts; `text` of them is what the key itself is the hash of."""

    code: str
    data: str
    params: str
    environment: str
    command: str

    @property
    def text(self) -> str:
        """One line per part."""
        return _text("key", (f"{name} {value}" for name, value in self._asdict().items()), end="\n")

    @property
    def run(self) -> str:
        """The key: the trailer `Mlops-Run`."""
        return _sha256(self.text)


def code_part(entries: Iterable[tuple[str, str, str]]) -> str:
    """Of (path, mode, blob id), in any order."""
    return _sha256(_text("code", (f"{mode} {oid} {path}" for path, mode, oid in sorted(entries))))


def data_part(data: Iterable[Datum]) -> str:
    """Of the data objects, in any order."""
    ordered = sorted(data, key=lambda d: (d.path, d.algorithm, d.hash))
    lines = (f"{d.algorithm} {d.hash} {'-' if d.size is None else d.size} {d.path}" for d in ordered)
    return _sha256(_text("data", lines))


def params_part(params: Mapping[str, Mapping[str, object]]) -> str:
    """Of the values used, by file and dotted name."""
    return _sha256(_text("params", (canonical(params),)))


def environment_part(lock: bytes, interpreter: str) -> str:
    """Of environment.lock and the interpreter's version."""
    import hashlib

    return _sha256(_text("environment", (interpreter, hashlib.sha256(lock).hexdigest())))


def command_part(command: Sequence[str] | None, directory: str) -> str:
    """Of the argument list and where it runs; None for a pipeline, which is code."""
    return _sha256(_text("command", (canonical(None if command is None else [directory, *command]),)))


def canonical(value: object) -> str:
    """JSON that is the same for equal values: sorted keys, no spaces, non-finite numbers as text."""
    return json.dumps(
        finite(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str, allow_nan=False
    )


def _text(part: str, lines: Iterable[str], *, end: str = "\0") -> str:
    return "".join(line + end for line in (f"{ALGORITHM} {part}", *lines))


def _sha256(text: str) -> str:
    import hashlib  # 3 ms, and listings compute no key

    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
