"""Model files without loading them: which imports their pickles hold, whatever is packed around these.

Pickles stand alone, in joblib's files (also compressed), in zips (PyTorch, NumPy's `.npz`), in tars (old
PyTorch), behind the header of a NumPy array of objects. Keras keeps marshalled code in its configuration.
"""

import bz2
import gzip
import io
import lzma
import re
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple, cast

from git_mlops.data.pickles import (
    BrokenPickleError,
    Budget,
    Import,
    TooLargeError,
    looks_like_one,
    walk,
)

MOST_UNPACKED = 2 << 30
"""Bytes that may come out of what is packed in one file."""
_MOST_MEMBERS = 20_000
_IN_MEMORY = 32 << 20
_CHUNK = 1 << 20
_HEAD = 300
_DEEPEST = 3
_ACCIDENT = 3
"""Opcodes that anything may begin with."""

_PICKLED = (".pkl", ".pickle", ".joblib", ".p", ".dill", ".sav")
_LAMBDA = re.compile(rb'"class_name":\s*"(?:Lambda|TFOpLambda|>Lambda)"')
_OLD = re.compile(rb"[(\]}]|c[A-Za-z_][\w.]*\n")
"""How pickles of Python 2 begin."""


class Scanned(NamedTuple):
    """What is known of one file."""

    kind: str | None
    """How it was read: `pickle`, `zip of pickles`, …; None when nothing in it is executed on loading."""
    imports: tuple[Import, ...] = ()
    hidden: tuple[Import, ...] = ()
    """Seen only by another reader than the usual one; most are accidents, unless they are dangerous."""
    code: tuple[str, ...] = ()
    """Code that is no import: Keras's Lambda layers."""
    problem: str | None = None
    """Why not all of it could be read."""


class _Scan:
    """One file being looked through."""

    def __init__(self) -> None:
        self.budget = Budget()
        self.left = MOST_UNPACKED
        self.kinds: set[str] = set()
        self.code: set[str] = set()
        self.problem: str | None = None

    def look(self, file: IO[bytes], size: int, name: str, depth: int = 0) -> None:
        """Add what a file holds: it can be read and positioned, and is so long.

        Args:
            name: tells what it claims to be; what does not look like a pickle must be one by its name.
        """
        file.seek(0)
        head = file.read(_HEAD)
        file.seek(0)
        if depth > _DEEPEST:
            raise TooLargeError("it is packed too deeply")
        opened = _packed(head)
        if opened is not None:
            self._unpacked(lambda: opened(file), name, depth)
            file.seek(0)
            self._pickle(file, size, head, "")  # what begins like both can be both
        elif head.startswith(b"\x04\x22\x4d\x18"):
            self.kinds.add("lz4")
            self.problem = "it is packed with lz4, which cannot be looked into"
        elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            self._zip(file, depth)
        elif head[257:262] == b"ustar" or (depth == 0 and _is_old_tar(file, head, size)):
            self._tar(file, depth)
        elif head.startswith(b"\x93NUMPY"):
            self._array(file, size, head)
        elif head.startswith(b"\x89HDF\r\n\x1a\n") or name.endswith("config.json"):
            self._keras(file)
        else:
            self._pickle(file, size, head, name)

    def _pickle(self, file: IO[bytes], size: int, head: bytes, name: str) -> None:
        certain, named = looks_like_one(head), name.lower().endswith(_PICKLED)
        before = self.budget.opcodes
        found: set[Import] = set()
        try:
            walk(file, size, self.budget, found)
        except BrokenPickleError as error:
            certain = certain or (named and before - self.budget.opcodes > _ACCIDENT)
            if certain:
                self.problem = f"it is a broken pickle: {error}"
            else:
                # most likely no pickle at all; if it is one, this is what matters
                self.budget.hidden |= found
                return
        finally:
            if certain:
                self.budget.imports |= found
        self.budget.imports |= found
        if found or certain or named:
            self.kinds.add("pickle")

    def _array(self, file: IO[bytes], size: int, head: bytes) -> None:
        """A NumPy file; only an array of objects is a pickle."""
        length, start = (
            (struct.unpack_from("<H", head, 8)[0], 10)
            if head[6:7] == b"\x01"
            else (struct.unpack_from("<I", head, 8)[0], 12)
        )
        file.seek(start)
        header = file.read(min(length, _CHUNK))
        if b"O" not in header:
            return
        file.seek(start + length)
        self.kinds.add("array of objects")
        try:
            walk(file, size, self.budget, self.budget.imports)
        except BrokenPickleError as error:
            self.problem = f"its array of objects is a broken pickle: {error}"

    def _keras(self, file: IO[bytes]) -> None:
        kept = b""
        while chunk := file.read(_CHUNK):
            if _LAMBDA.search(kept + chunk):
                self.kinds.add("Keras model")
                self.code.add("a Lambda layer, which is Python code")
                return
            kept = chunk[-100:]

    def _zip(self, file: IO[bytes], depth: int) -> None:
        try:
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
                if len(members) > _MOST_MEMBERS:
                    raise TooLargeError(f"more than {_MOST_MEMBERS:,} members")
                for member in members:
                    if not member.is_dir():
                        self._member(partial(_opened, archive, member), member.filename, depth)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
            if isinstance(error, TooLargeError):
                raise
            self.kinds.add("zip")
            self.problem = f"it is a broken zip: {error}"

    def _tar(self, file: IO[bytes], depth: int) -> None:
        try:
            with tarfile.open(fileobj=file, mode="r:") as archive:
                for number, member in enumerate(archive):
                    if number > _MOST_MEMBERS:
                        raise TooLargeError(f"more than {_MOST_MEMBERS:,} members")
                    if member.isreg():
                        self._member(partial(_extracted, archive, member), member.name, depth)
        except (tarfile.TarError, ValueError) as error:
            self.kinds.add("tar")
            self.problem = f"it is a broken tar: {error}"

    def _member(self, opened: Callable[[], IO[bytes]], name: str, depth: int) -> None:
        """Storages of tensors make up most of a model, and are told by their first bytes."""
        with opened() as stream:
            head = stream.read(_HEAD)
        if _interesting(head, name):
            self._unpacked(opened, name, depth)

    def _unpacked(self, opened: Callable[[], IO[bytes]], name: str, depth: int) -> None:
        """What comes out of a stream, as far as it does: code before a break would have run."""
        with _spool() as (spool, file):
            size, problem = 0, None
            try:
                with opened() as stream:
                    while chunk := _some(stream):
                        size += len(chunk)
                        self.left -= len(chunk)
                        if self.left < 0:
                            raise TooLargeError(f"more than {MOST_UNPACKED >> 30} GiB when unpacked")
                        spool(chunk)
            except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError) as error:
                problem = f"`{name}` cannot be unpacked: {str(error) or type(error).__name__}"
            self.look(file(), size, name, depth + 1)
            if problem and (self.kinds or name.lower().endswith(_PICKLED)):
                self.kinds.add("packed file")
                self.problem = problem


def scan(file: Path, name: str) -> Scanned:
    """What loading a file could run.

    Args:
        file: where the bytes are; an object of a cache has no suffix.
        name: its path in the repository.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb") as content:
        return scan_stream(content, file.stat().st_size, name)


def scan_bytes(content: bytes, name: str) -> Scanned:
    """The same of what is in memory."""
    return scan_stream(io.BytesIO(content), len(content), name)


def scan_stream(file: IO[bytes], size: int, name: str) -> Scanned:
    """The same of a file that is open."""
    state = _Scan()
    try:
        state.look(file, size, name)
    except TooLargeError as error:
        state.kinds.add("file")
        state.problem = f"too large to be looked through: {error}"
    except (struct.error, MemoryError, RecursionError) as error:
        state.kinds.add("file")
        state.problem = f"it is broken: {type(error).__name__}"
    budget = state.budget
    if not (state.kinds or budget.hidden):
        return Scanned(None)
    kind = ", ".join(sorted(state.kinds)) or None
    hidden = tuple(sorted(budget.hidden - budget.imports))
    return Scanned(kind, tuple(sorted(budget.imports)), hidden, tuple(sorted(state.code)), state.problem)


def _interesting(head: bytes, name: str) -> bool:
    lower = name.lower()
    known = head.startswith((b"PK\x03\x04", b"\x93NUMPY", b"\x89HDF"))
    named = lower.endswith((*_PICKLED, "config.json"))
    return known or named or looks_like_one(head) or bool(_OLD.match(head)) or _packed(head) is not None


def _packed(head: bytes) -> Callable[[IO[bytes]], IO[bytes]] | None:
    """How to unpack what begins like this; None when it is not packed."""
    if head.startswith(b"\x1f\x8b"):
        return lambda file: cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb"))
    if head.startswith(b"BZh"):
        return lambda file: cast("IO[bytes]", bz2.BZ2File(file))
    if head.startswith((b"\xfd7zXZ\x00", b"\x5d\x00\x00")):
        return lambda file: cast("IO[bytes]", lzma.LZMAFile(file))
    if len(head) > 2 and head[0] & 0x8F == 0x08 and int.from_bytes(head[:2], "big") % 31 == 0:
        return lambda file: _Inflated(file, 0)
    if re.match(rb"ZF0x[0-9a-f]+ *", head):  # joblib before 0.10
        return lambda file: _Inflated(file, 22 if head[21:22] == b" " else 21)
    return None


class _Inflated(io.RawIOBase, IO[bytes]):
    """A zlib stream as a file that can only be read on."""

    def __init__(self, file: IO[bytes], start: int) -> None:
        file.seek(start)
        self._file, self._engine = file, zlib.decompressobj()

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; empty at the end."""
        while not self._engine.eof:
            data = self._engine.unconsumed_tail or self._file.read(1 << 16)
            out = self._engine.decompress(data, size if size > 0 else _CHUNK)
            if out or not data:
                return out
        return b""


def _some(stream: IO[bytes]) -> bytes:
    """What one step gives: with more, an error at the end would take along what came before it."""
    return cast("bytes", getattr(stream, "read1", stream.read)(_CHUNK))


def _opened(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    """A member whatever its checksum says: PyTorch does not compare it either."""
    stream = archive.open(member)
    vars(stream)["_expected_crc"] = None
    return stream


def _extracted(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    return archive.extractfile(member) or io.BytesIO()


def _is_old_tar(file: IO[bytes], head: bytes, size: int) -> bool:
    """A tar without `ustar`: its header's sum says so."""
    if size < 512 or not head[:1].isalnum():
        return False
    file.seek(0)
    block = file.read(512)
    file.seek(0)
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape").size <= size
    except tarfile.TarError:
        return False


@contextmanager
def _spool() -> Iterator[tuple[Callable[[bytes], object], Callable[[], IO[bytes]]]]:
    """Where to write what is unpacked, and the file of it: in memory while it is small, else on disk."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spooled:

        def file() -> IO[bytes]:
            spooled.flush()
            return spooled._file  # noqa: SLF001  # its reads are three times as quick

        yield spooled.write, file
