"""What commits say about themselves, remembered: SQLite beside the repository.

Only a cache: whatever is wrong with it (locked, corrupt, read-only, gone), git is asked instead. What it says
of a commit never changes, because commits do not; another version of the reading code, or other settings,
have pages of their own. Each text has a checksum: what it does not fit is as good as not there.
"""

import json
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from git_mlops import __version__
from git_mlops.experiments.known import SIZE, Page, Writer
from git_mlops.git.repo import Repo

READS = 2
"""To be raised with every change of what is read from a commit: pages of other numbers are not used."""

_FORMAT = 5
"""Of the tables."""
_FEW = 30
"""For so many, only the pages that they are on are read."""
_MUCH = 4 * 1024 * 1024
"""Bytes of a database that take as long to read as git to list the refs."""
_SPARE = 5000
"""Commits beyond those in use before the unused are dropped."""
_SMALL = 20
"""Pages less than half full before they become one."""
_WAIT = 2.0
"""Seconds for another process to finish writing."""


class Cache:
    """Use it in a `with` block. Errors of the database are nobody's business: what it lacks is read anew."""

    def __init__(self, repo: Repo, params: Sequence[str]) -> None:
        self._file = repo.private / "cache.db"
        self._reading = json.dumps([__version__, READS, *params])
        self._db: sqlite3.Connection | None = None
        self._pages: dict[int, Page] = {}
        self._all = False

    def __enter__(self) -> Self:
        for _attempt in range(2):
            try:
                self._open()
            except sqlite3.DatabaseError as error:
                self._close()
                if isinstance(error, sqlite3.OperationalError) or not _removed(self._file):
                    break
            except OSError:
                break
            else:
                break
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _open(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(self._file, timeout=_WAIT, isolation_level=None)
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version != _FORMAT:
            self._make()

    def _make(self) -> None:
        assert self._db
        self._db.execute("PRAGMA synchronous = OFF")  # what a crash loses is read again
        self._db.execute("PRAGMA journal_mode = DELETE")  # WAL takes longer to set up, and knows no NFS
        self._db.executescript(
            "BEGIN IMMEDIATE;"
            "DROP TABLE IF EXISTS commits; DROP TABLE IF EXISTS layouts; DROP TABLE IF EXISTS readings;"
            "DROP TABLE IF EXISTS pages;"
            "CREATE TABLE pages (id INTEGER PRIMARY KEY AUTOINCREMENT, reading TEXT NOT NULL,"
            " size INTEGER NOT NULL, sum INTEGER NOT NULL,"
            " oids BLOB NOT NULL, facts BLOB NOT NULL, vals BLOB NOT NULL, details BLOB NOT NULL);"
            f"PRAGMA user_version = {_FORMAT};"
            "COMMIT;"
        )

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def ahead(self) -> Self:
        """Read what is much already now, while git says which refs there are."""
        with suppress(OSError):
            if self._file.stat().st_size > _MUCH:
                self._all = True
                self._get(None)
        return self

    def get(self, oids: Collection[str]) -> list[Page]:
        """What is known of commits, and of others that happened to be at hand."""
        if oids and not self._all:
            self._get(oids)
        return list(self._pages.values()) if oids else []

    def _get(self, oids: Collection[str] | None) -> None:
        if self._db is None:
            return
        try:
            self._read(oids)
        except (sqlite3.Error, ValueError, TypeError, KeyError, IndexError, RecursionError):
            self._close()
            self._pages.clear()

    def _read(self, oids: Collection[str] | None) -> None:
        assert self._db
        where = "reading = ?"
        if oids is not None and len(oids) <= _FEW:
            pages = self._db.execute("SELECT id, oids FROM pages WHERE reading = ?", (self._reading,))
            asked = [oid.encode() for oid in oids]
            holding = [number for number, text in pages if any(oid in text for oid in asked)]
            where = f"reading = ? AND id IN ({','.join(map(str, holding))})"
        sql = f"SELECT id, sum, oids, facts, vals, details FROM pages WHERE {where} ORDER BY id"  # noqa: S608  # numbers
        for number, sum_, *texts in self._db.execute(sql, (self._reading,)):
            if _sum(texts) == sum_:
                self._pages[number] = Page.decoded(*texts)

    def put(self, found: Iterable[Page], used: Collection[str] | None) -> None:
        """Remember; where far more is remembered than is in use (None: unknown), the rest is forgotten."""
        if self._db is None:
            return
        try:
            self._db.execute("PRAGMA synchronous = OFF")
            self._db.execute("BEGIN IMMEDIATE")
            if used is not None:
                self._tidy(used)
            self._write(found)
            self._db.execute("COMMIT")
        except (sqlite3.Error, ValueError):
            self._close()

    def _write(self, found: Iterable[Page]) -> None:
        assert self._db
        for page in found:
            texts = page.encoded
            self._db.execute(
                "INSERT INTO pages (reading, size, sum, oids, facts, vals, details)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (self._reading, len(page.oids), _sum(texts), *texts),
            )

    def _tidy(self, used: Collection[str]) -> None:
        """Make many small pages few, and forget what is not used any more when it is much."""
        assert self._db
        sql = "SELECT total(size), total(size <= ? AND reading = ?) FROM pages"
        total, small = self._db.execute(sql, (SIZE // 2, self._reading)).fetchone()
        much = total > 2 * len(used) + _SPARE
        if not much and small <= _SMALL:
            return
        left, writer, kept = set(used), Writer(), []
        for number, page in self._pages.items():
            still = [one for oid, one in zip(page.oids, page.known(), strict=True) if oid in left]
            left.difference_update(page.oids)
            if len(still) > SIZE // 2:
                kept.append(number)
                continue
            for one in still:
                writer.add(one.page.raw(one.number), one.status, one.contents)
        gone = self._pages.keys() - set(kept)
        numbers = f"NOT IN ({','.join(map(str, kept))})" if much else f"IN ({','.join(map(str, gone))})"
        self._db.execute(f"DELETE FROM pages WHERE id {numbers}")  # noqa: S608  # numbers alone
        self._write(writer.end())


def _sum(texts: Iterable[bytes]) -> int:
    found = 0
    for text in texts:
        found = zlib.crc32(text, found)
    return found


def _removed(file: Path) -> bool:
    """Take a file away that is no database; it is only a cache."""
    try:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{file}{suffix}").unlink(missing_ok=True)
    except OSError:
        return False
    return True
