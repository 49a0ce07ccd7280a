"""A report as data: a verdict, sections, tables. Each way to show it is one module with `render`.

Every text in it is data, whoever wrote it: the renderers make it inert, never its makers.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

Outcome = Literal["pass", "fail", "unknown", "none"]
"""`unknown`: could not be evaluated. `none`: nothing to judge."""


class Cell(NamedTuple):
    """One cell that is more than text."""

    text: str
    outcome: Outcome = "none"
    number: bool = False


class Table(NamedTuple):
    """Rows below a header; plain texts are cells, too."""

    header: tuple[str, ...]
    rows: Sequence[Sequence[str | Cell]]
    caption: str = ""


class Picture(NamedTuple):
    """A drawing of ours."""

    name: str
    svg: bytes
    """Made by this package: no text in it is markup."""
    text: str
    """The same for who cannot see it: a sparkline, figures."""


class Section(NamedTuple):
    """One subject."""

    title: str
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    folded: bool = False
    """Details: closed until someone asks for them; the first to go where there is too little room."""


class Document(NamedTuple):
    """The whole report."""

    title: str
    outcome: Outcome
    verdict: str
    """Why, in one line."""
    sections: tuple[Section, ...] = ()


MARKS: dict[Outcome, str] = {"pass": "✅", "fail": "❌", "unknown": "⚠️", "none": ""}
WORDS: dict[Outcome, str] = {
    "pass": "pass",
    "fail": "fail",
    "unknown": "not comparable",
    "none": "",
}


def cells(table: Table) -> list[list[Cell]]:
    """The rows, each cell whole."""
    return [[value if isinstance(value, Cell) else Cell(value) for value in row] for row in table.rows]


def without_empty(table: Table) -> Table:
    """Without the columns that say nothing in any row."""
    rows = cells(table)
    kept = [number for number in range(len(table.header)) if any(row[number].text for row in rows)]
    header = tuple(table.header[number] for number in kept)
    return table._replace(header=header, rows=[[row[number] for number in kept] for row in rows])


def numeric(table: Table) -> list[bool]:
    """Which columns hold numbers and nothing else."""
    columns = list(zip(*cells(table), strict=True))
    return [
        any(one.number for one in column) and all(one.number or not one.text for one in column)
        for column in columns
    ] or [False] * len(table.header)
