"""Tables of SQLite, read row by row. The bytes of the file alone count, and nothing is written.

A database may come from anyone: only its tables are read, no view, trigger or module of it runs.
"""

import difflib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

_MAGIC = b"SQLite format 3\0"
_SMALLEST_LIMIT = 1024 * 1024
_HIDDEN = 1
_KIND = "SELECT type, sql FROM main.sqlite_master WHERE name = ? AND type IN ('table', 'view')"
_TABLES = (
    "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite#_%' ESCAPE '#' "
    "ORDER BY name"
)


class DatabaseError(ValueError):
    """What is wrong with a database, or that it has no such table."""


class Columns(NamedTuple):
    """A table of a database."""

    names: tuple[str, ...]
    truths: frozenset[int]
    """Which of them are declared to be Boolean: SQLite keeps 0 and 1."""


def tables(path: Path) -> list[str]:
    """The names of a database's tables.

    Raises:
        DatabaseError: it is none.
    """
    with _open(path) as database:
        return [str(name) for (name,) in database.execute(_TABLES)]


def columns(path: Path, table: str) -> Columns:
    """What columns a table has.

    Raises:
        DatabaseError: it is no database, or has no such table.
    """
    with _open(path) as database:
        return _columns(database, table)


def rows(path: Path, table: str) -> Iterator[tuple[object, ...]]:
    """Every row of a table, in the order in which they are stored.

    Raises:
        DatabaseError: it is no database, has no such table, or is damaged.
    """
    with _open(path) as database:
        found = _columns(database, table)
        asked = ", ".join(map(_quoted, found.names))
        number = 0
        try:
            # NOT INDEXED: else an index could give the rows in its own order
            for row in database.execute(f"SELECT {asked} FROM main.{_quoted(table)} NOT INDEXED"):  # noqa: S608  # quoted
                number += 1
                yield _with_truths(row, found.truths) if found.truths else row
        except sqlite3.Error as error:
            what = str(error).partition(" with text")[0]  # which may be anything, of any length
            raise DatabaseError(f"row {number + 1} cannot be read: {what}") from error


def _with_truths(row: tuple[object, ...], truths: frozenset[int]) -> tuple[object, ...]:
    return tuple(
        bool(cell) if place in truths and isinstance(cell, int) and cell in (0, 1) else cell
        for place, cell in enumerate(row)
    )


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can change nothing, not even beside the file."""
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
        size = os.fstat(file.fileno()).st_size
    if start != _MAGIC:
        raise DatabaseError("it is no database of SQLite")
    for beside, name in (("-wal", "write-ahead log"), ("-journal", "journal")):
        if _holds_something(Path(f"{path}{beside}")):
            what = (
                f"a {name} (`{path.name}{beside}`) stands beside it, so that the file alone is not the data"
            )
            raise DatabaseError(f"{what}; close whatever writes to it")
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as database:
            # no cell is larger than the file; what computes one that is, is out for memory
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(size, _SMALLEST_LIMIT))
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute("PRAGMA cell_size_check = ON")
            yield database
    except sqlite3.Error as error:
        raise DatabaseError(str(error)) from error


def _holds_something(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _columns(database: sqlite3.Connection, table: str) -> Columns:
    found = database.execute(_KIND, (table,)).fetchone()
    if found is None:
        raise DatabaseError(f"it has no table `{table}`; {_others(database, table)}")
    kind, sql = found
    if kind == "view":
        raise DatabaseError(f"`{table}` is a view; only tables are read")
    if str(sql).lstrip().upper().startswith("CREATE VIRTUAL"):
        raise DatabaseError(
            f"`{table}` is a virtual table, which other programs compute; only tables are read"
        )
    said = database.execute(f"PRAGMA main.table_xinfo({_quoted(table)})").fetchall()
    kept = [(str(name), str(kind)) for _id, name, kind, *_rest, hidden in said if hidden != _HIDDEN]
    truths = frozenset(place for place, (_name, kind) in enumerate(kept) if "BOOL" in kind.upper())
    return Columns(tuple(name for name, _kind in kept), truths)


def _others(database: sqlite3.Connection, table: str) -> str:
    names = [str(name) for (name,) in database.execute(_TABLES)]
    if not names:
        return "it has none"
    folded = [name for name in names if name.lower() == table.lower()]
    near = folded or difflib.get_close_matches(table, names, n=1)
    if near:
        return f"did you mean `{near[0]}`?"
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""  # a line
    return f"it has {', '.join(f'`{name}`' for name in names[:10])}{more}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
