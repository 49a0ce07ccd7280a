"""What commits say about themselves, remembered: SQLite beside the repository, keyed by commit id.

Only a cache: whatever is wrong with it (locked, corrupt, read-only, gone), git is asked instead. Rows never
change, because commits do not; another version of the reading code, or other settings, have their own rows.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from git_mlops.experiments.bulk import Loaded
from git_mlops.experiments.committed import Commit
from git_mlops.experiments.layout import Layout
from git_mlops.experiments.message import STATUSES, Message
from git_mlops.experiments.tree import Contents
from git_mlops.experiments.values import Values
from git_mlops.git.repo import Repo

READS = 1
"""To be raised with every change of what is read from a tree: rows of other numbers are not used."""

_FORMAT = 1
"""Of the tables."""
_MANY = 500
"""Parameters of one statement."""
_SPARE = 5000
"""Rows beyond those in use before the unused are dropped."""


class Cache:
    """Use it in a `with` block. Errors of the database are nobody's business: what it lacks is read anew."""

    def __init__(self, repo: Repo, params: Sequence[str]) -> None:
        self._file = repo.private / "cache.db"
        self._reading = json.dumps([READS, *params])
        self._db: sqlite3.Connection | None = None
        self._kind = 0
        self._layouts: dict[int, tuple[Layout, Layout]] = {}
        self._ids: dict[tuple[Layout, Layout], int] = {}

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
        self._db = sqlite3.connect(self._file, timeout=2, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version != _FORMAT:
            self._make()
        self._kind = self._id_of("readings", self._reading)

    def _make(self) -> None:
        assert self._db
        self._db.executescript(
            "BEGIN IMMEDIATE;"
            "DROP TABLE IF EXISTS commits; DROP TABLE IF EXISTS layouts; DROP TABLE IF EXISTS readings;"
            "CREATE TABLE readings (id INTEGER PRIMARY KEY, text TEXT UNIQUE NOT NULL);"
            "CREATE TABLE layouts (id INTEGER PRIMARY KEY, text TEXT UNIQUE NOT NULL);"
            "CREATE TABLE commits (reading INTEGER, oid TEXT, row TEXT NOT NULL, PRIMARY KEY (reading, oid))"
            " WITHOUT ROWID;"
            f"PRAGMA user_version = {_FORMAT};"
            "COMMIT;"
        )

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _id_of(self, table: str, text: str) -> int:
        assert self._db
        select = f"SELECT id FROM {table} WHERE text = ?"  # noqa: S608  # the table is one of two words above
        found = self._db.execute(select, (text,)).fetchone()
        if found is None:
            self._db.execute(f"INSERT OR IGNORE INTO {table} (text) VALUES (?)", (text,))  # noqa: S608  # as above
            found = self._db.execute(select, (text,)).fetchone()
        return int(found[0])

    def get(self, oids: Collection[str]) -> dict[str, Loaded]:
        """What is known of commits."""
        if self._db is None or not oids:
            return {}
        try:
            rows = self._rows(oids)
            self._read_layouts()
            return self._decoded(rows)
        except (sqlite3.Error, ValueError, TypeError, KeyError, IndexError, RecursionError):
            self._close()
            return {}

    def _rows(self, oids: Collection[str]) -> Mapping[str, str]:
        assert self._db
        if len(oids) > _MANY:
            sql = "SELECT oid, row FROM commits WHERE reading = ?"
            every = dict(self._db.execute(sql, (self._kind,)).fetchall())
            return {oid: every[oid] for oid in oids if oid in every}
        marks = ",".join("?" * len(oids))
        sql = f"SELECT oid, row FROM commits WHERE reading = ? AND oid IN ({marks})"  # noqa: S608  # question marks
        return dict(self._db.execute(sql, (self._kind, *oids)).fetchall())

    def _read_layouts(self) -> None:
        assert self._db
        for number, text in self._db.execute("SELECT id, text FROM layouts").fetchall():
            if number not in self._layouts:
                self._layouts[number] = pair = _layouts(json.loads(text))
                self._ids[pair] = number

    def _decoded(self, rows: Mapping[str, str]) -> dict[str, Loaded]:
        # one parser for all: half of the time of one for each
        values = json.loads(f"[{','.join(rows.values())}]")
        return {oid: self._loaded(oid, value) for oid, value in zip(rows, values, strict=True)}

    def _loaded(self, oid: str, value: Any) -> Loaded:
        tree, parents, time, title, text, key, status, version, older, layout, metrics, params, notes = value
        commit = Commit(
            oid, tree, tuple(parents), time, Message(title, text, key, STATUSES[status], version, bool(older))
        )
        return Loaded(commit, Contents(*self._layouts[layout], Values(metrics, params, tuple(notes))))

    def put(self, found: Iterable[Loaded], used: Collection[str] | None) -> None:
        """Remember; where far more is remembered than is in use (None: unknown), the rest is forgotten."""
        if self._db is None:
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            rows = [(self._kind, one.commit.oid, self._encoded(one)) for one in found]
            self._db.executemany("INSERT OR REPLACE INTO commits VALUES (?, ?, ?)", rows)
            (count,) = self._db.execute("SELECT count(*) FROM commits").fetchone()
            if used is not None and count > 2 * len(used) + _SPARE:
                self._forget(used)
            self._db.execute("COMMIT")
        except (sqlite3.Error, ValueError):
            self._close()

    def _forget(self, used: Collection[str]) -> None:
        assert self._db
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS used (oid TEXT PRIMARY KEY)")
        self._db.executemany("INSERT OR IGNORE INTO used VALUES (?)", [(oid,) for oid in used])
        self._db.execute(
            "DELETE FROM commits WHERE reading != ? OR oid NOT IN (SELECT oid FROM used)", (self._kind,)
        )

    def _encoded(self, one: Loaded) -> str:
        commit, contents = one
        said, pair = commit.message, (contents.layout, contents.declared)
        if pair not in self._ids:
            self._ids[pair] = self._id_of("layouts", json.dumps(pair))
        row = (
            commit.tree, commit.parents, commit.time, said.title, said.text, said.key,
            STATUSES.index(said.status), said.version, int(said.older), self._ids[pair],
            contents.values.metrics, contents.values.params, contents.values.notes,
        )  # fmt: skip
        return json.dumps(row, separators=(",", ":"))


def _layouts(value: Any) -> tuple[Layout, Layout]:
    one, other = (
        Layout(
            tuple(metrics),
            tuple((file, tuple(keys)) for file, keys in params),
            tuple(plots),
            tuple(outs),
            tuple(notes),
        )
        for metrics, params, plots, outs, notes in value
    )
    return one, other


def _removed(file: Path) -> bool:
    """Take a file away that is no database; it is only a cache."""
    try:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{file}{suffix}").unlink(missing_ok=True)
    except OSError:
        return False
    return True
