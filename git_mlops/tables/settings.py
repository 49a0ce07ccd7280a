"""The `tables:` section of mlops.yaml: what a schema has no word for."""

from typing import NamedTuple


class Rows(NamedTuple):
    """How many rows there may be."""

    min: int = 1
    max: int | None = None


class Fresh(NamedTuple):
    """How old the newest row may be."""

    column: str
    """A date or time; without a zone it is UTC."""
    within: str
    """`36h`, `7d`, `4w`."""


class Table(NamedTuple):
    """Constraints on a table as a whole; a directory of files counts as one table."""

    rows: Rows | None = None
    unique: tuple[str, ...] = ()
    """A column, or several joined by `+`, whose values do not repeat; a row with a null does not count."""
    references: dict[str, str] = {}  # noqa: RUF012  # the default of a frozen tuple
    """Column → `PATH:COLUMN` of another table that has each of its values."""
    fresh: Fresh | None = None


Tables = dict[str, Table]
"""Path or pattern of tables → their constraints."""
