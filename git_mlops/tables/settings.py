"""The `forms:`, `tables:` and `folders:` sections of mlops.yaml: what a schema has no word for."""

from typing import Literal, NamedTuple

from git_mlops.decode import Size

Encoding = Literal[
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "iso-8859-2",
    "iso-8859-5", "iso-8859-7", "iso-8859-9",
    "iso-8859-15", "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254",
    "windows-1257", "koi8-r", "mac-roman", "cp437", "cp850", "shift_jis", "euc-jp", "gb18030", "big5",
    "euc-kr",
]  # fmt: skip
"""Of text; Python's names. `utf-16` and `utf-32` begin with a byte order mark."""


class Dialect(NamedTuple):
    """How a CSV is written that is not written as most are."""

    kind: Literal["csv", "tsv"] | None = None
    """For names that do not say it: `.txt`, `.data`."""
    delimiter: str | None = None
    """What stands between the cells, one character; else a comma, or a tab in a `.tsv`."""
    encoding: Encoding = "utf-8"
    quote: str = '"'
    """What stands around cells; empty: nothing does, and every `"` is itself."""
    decimal: Literal[".", ","] = "."
    """With a comma, `1.5` is no number: nobody knows whether its point groups thousands."""
    header: bool = True
    """Whether the first line names the columns; else they are `columns`, or `column_1`, `column_2`, …"""
    columns: tuple[str, ...] = ()
    nulls: tuple[str, ...] = ()
    """Further cells that are null."""
    dates: dict[str, str] = {}  # noqa: RUF012  # the default of a frozen tuple
    """Column → format of its times (`%d/%m/%Y`); what is written otherwise is no time."""


Forms = dict[str, Dialect]
"""Path or pattern of tables → how they are written."""


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
