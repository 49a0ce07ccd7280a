"""Rows whose values bring types of their own, in pieces: JSON lines and tables of SQLite."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from git_mlops.schema.tables import Table
from git_mlops.schema.text import UnreadableError, objects
from git_mlops.tables import databases
from git_mlops.tables.forms import Form

_FEWEST, _MOST = 100, 20_000
_CELL = 50
"""Bytes that a cell is taken for."""
_MOST_NAMES = 5000


class Piece(NamedTuple):
    """Some rows that follow each other."""

    columns: Mapping[str, list[object]]
    lines: Sequence[int]
    """Of JSON lines the line of each row."""

    @property
    def num_rows(self) -> int:
        """How many, by the name that Arrow has for it."""
        return len(self.lines)


def rows_at_once(block: int, columns: int) -> int:
    """How many rows are held at once, where so many bytes may be."""
    return min(_MOST, max(_FEWEST, block // max(1, _CELL * columns)))


def names(path: Path, form: Form) -> tuple[str, ...]:
    """The columns, in the order in which they first stand.

    Raises:
        UnreadableError: a line is no JSON object, or there are more columns than a table has.
        DatabaseError: there is no such table.
    """
    if form.kind == "sqlite":
        return databases.columns(path, form.table).names
    found: dict[str, None] = {}
    for _line, record in objects(path, form):
        found.update(dict.fromkeys(record))
        if len(found) > _MOST_NAMES:
            raise UnreadableError(f"it has more than {_MOST_NAMES} columns")
    if not found:
        raise UnreadableError("it has no columns")
    return tuple(found)


def pieces(path: Path, form: Form, names: Sequence[str], size: int) -> Iterator[Piece]:
    """All rows; a value that a line lacks is None.

    Raises:
        UnreadableError: a line is no JSON object.
        DatabaseError: the database is damaged.
    """
    rows: Iterator[tuple[int, Iterable[object]]]
    if form.kind == "sqlite":
        rows = enumerate(databases.rows(path, form.table))
    else:
        rows = ((line, map(record.get, names)) for line, record in objects(path, form))
    while taken := list(islice(rows, size)):
        columns = zip(*(row for _line, row in taken), strict=True)
        yield Piece(dict(zip(names, map(list, columns), strict=True)), [line for line, _row in taken])


def table(path: Path, form: Form, names: Sequence[str], rows: Sequence[int], size: int) -> Table:
    """Some rows, with their lines by their places in the file."""
    cells: dict[str, list[object]] = {name: [] for name in names}
    lines: dict[int, int] = {}
    start = 0
    for piece in pieces(path, form, names, size):
        here = [row - start for row in rows if start <= row < start + piece.num_rows]
        for name, column in cells.items():
            column += [piece.columns[name][row] for row in here]
        lines |= {start + row: piece.lines[row] for row in here}
        start += piece.num_rows
        if not rows or rows[-1] < start:
            break
    return Table(path, form, len(lines), (), cells, line_numbers=lines)
