"""Requests and answers as Parquet files: a thread writes them, in parts that appear when they are complete.

`<folder>/<version>/<time>-<process>-<number>.parquet`, one row for each row of a request (docs/formats.md).
"""

import datetime as dt
import hashlib
import os
import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote


class Keeping(NamedTuple):
    """What is kept, and how much."""

    sample: float = 1.0
    redact: tuple[str, ...] = ()
    size: int = 1 << 30
    part_rows: int = 50_000
    part_seconds: float = 10.0
    waiting: int = 10_000
    """Requests that wait to be written; more are dropped, and counted."""


class Entry(NamedTuple):
    """One request that was answered."""

    request: str
    time: float
    model: str
    version: str
    role: str
    seconds: float
    rows: Any
    """An Arrow table; None for an array."""
    answers: Any
    """An Arrow table."""


class Log:
    """Open until it is closed; what was added before is written then."""

    def __init__(self, folder: Path, keeping: Keeping) -> None:
        self._folder, self._keeping = folder, keeping
        self._queue: queue.Queue[Entry | None] = queue.Queue(keeping.waiting)
        self._open: dict[str, list[Any]] = {}
        self._rows: dict[str, int] = {}
        self._part = 0
        self.dropped = 0
        self.problem: str | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # there may be people's data in it
        _sweep(folder)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def wants(self, request: str) -> bool:
        """Whether a request is one of the sample; the same for all versions that answer it."""
        if self._keeping.sample >= 1:
            return True
        at = int.from_bytes(hashlib.sha256(request.encode()).digest()[:4]) / 2**32
        return at < self._keeping.sample

    def add(self, entry: Entry) -> None:
        """Keep it, soon. Whoever answers requests never waits for a disk."""
        try:
            self._queue.put_nowait(entry)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what is left."""
        self._queue.put(None)
        self._thread.join(timeout=30)

    def _work(self) -> None:
        last = time.monotonic()
        while True:
            ended = False
            with suppress(queue.Empty):
                entry = self._queue.get(timeout=self._keeping.part_seconds / 4)
                ended = entry is None
                if entry is not None:
                    self._take(entry)
            if ended or time.monotonic() - last > self._keeping.part_seconds:
                last = time.monotonic()
                for version in [*self._open]:
                    self._write(version)
            if ended:
                return

    def _take(self, entry: Entry) -> None:
        """Kept tables are cheap until there are many of them; then they are a part."""
        made = table(entry, self._keeping.redact)
        before = self._open.setdefault(entry.version, [])
        if before and before[-1].schema != made.schema:
            self._write(entry.version)
        self._open.setdefault(entry.version, []).append(made)
        self._rows[entry.version] = self._rows.get(entry.version, 0) + made.num_rows
        if self._rows[entry.version] >= self._keeping.part_rows:
            self._write(entry.version)

    def _write(self, version: str) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        tables, rows = self._open.pop(version, []), self._rows.pop(version, 0)
        if not tables:
            return
        stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S.%f")
        self._part += 1
        target = self._folder / quote(version) / f"{stamp}-{os.getpid()}-{self._part}.parquet"
        beside = target.with_name(f".{target.name}.tmp")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            parquet.write_table(pa.concat_tables(tables), beside, compression="zstd")
            with beside.open("rb") as file:
                os.fsync(file.fileno())
            beside.replace(target)
            self.problem = None
            _thin(self._folder, self._keeping.size)
        except (OSError, pa.ArrowException) as error:
            self.dropped += rows
            self.problem = str(error)
            beside.unlink(missing_ok=True)


def table(entry: Entry, redact: Sequence[str]) -> Any:
    """The rows of an entry as they are kept."""
    import pyarrow as pa

    count = entry.answers.num_rows
    when = dt.datetime.fromtimestamp(entry.time, dt.UTC)
    made: dict[str, Any] = {
        "time": pa.array([when] * count, pa.timestamp("us", "UTC")),
        "request": pa.array([entry.request] * count, pa.string()),
        "row": pa.array(range(count), pa.int32()),
        "model": pa.array([entry.model] * count, pa.string()),
        "version": pa.array([entry.version] * count, pa.string()),
        "role": pa.array([entry.role] * count, pa.string()),
        "ms": pa.array([entry.seconds * 1000] * count, pa.float32()),
    }
    for side, rows in (("in", entry.rows), ("out", entry.answers)):
        for name in rows.column_names if rows is not None else ():
            if not any(fnmatchcase(name, pattern) for pattern in redact):
                made[f"{side}.{name}"] = rows.column(name)
    return pa.table(made)


def _sweep(folder: Path) -> None:
    """What a killed server had begun."""
    for file in folder.glob("*/.*.tmp"):
        pid = file.name.split("-")[-2]
        if pid.isdigit() and not _alive(int(pid)):
            file.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _thin(folder: Path, most: int) -> None:
    """The oldest parts go."""
    parts = sorted(folder.glob("*/*.parquet"), key=lambda file: file.name, reverse=True)
    total = 0
    for number, file in enumerate(parts):
        total += file.stat().st_size
        if total > most and number:
            file.unlink(missing_ok=True)
