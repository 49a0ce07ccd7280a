"""The `tables:` and `folders:` sections of mlops.yaml: what a schema has no word for."""

from typing import Literal, NamedTuple

from git_mlops.decode import Size


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


class Folder(NamedTuple):
    """Constraints on a directory of files that are no table: images, texts, sounds."""

    files: Rows | None = None
    types: tuple[str, ...] = ()
    """Patterns of the names that may be there: `*.jpg`, `labels.csv`."""
    smallest: Size = Size(1)
    """An empty file is almost always an accident."""
    largest: Size | None = None
    duplicates: Literal["error", "warning", "off"] = "warning"
    """What files with the same bytes are."""


Folders = dict[str, Folder]
"""Path or pattern of directories → their constraints."""
