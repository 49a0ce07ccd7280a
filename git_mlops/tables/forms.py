"""The forms of tables that can be read, told by the name in the repository (cache objects have no suffix).

How a CSV is written may be declared in mlops.yaml (`forms:`). Whoever loads the configuration declares it
here, once for the process: a form is asked for in many places that know a name and nothing else, and one of
them that forgot to pass the configuration on would read another table than all others.
"""

import json
import re
from typing import Literal, NamedTuple

from git_mlops.decode import DecodeError
from git_mlops.patterns import most_specific
from git_mlops.tables.settings import Dialect, Forms

Kind = Literal["csv", "tsv", "parquet", "arrow", "jsonl", "sqlite"]
Packing = Literal["gz", "zst"]

_SUFFIXES: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_DATABASES = (".db", ".sqlite", ".sqlite3")
_IN_DATABASE = re.compile(r"(.*?\.(?:db|sqlite3?))#(.+)", re.IGNORECASE | re.DOTALL)
_TEXTS = ("csv", "tsv", "jsonl")
_PACKINGS: dict[Packing, Literal["gzip", "zstd"]] = {"gz": "gzip", "zst": "zstd"}
KNOWN = (
    *_SUFFIXES,
    *(f"{suffix}.{by}" for suffix, kind in _SUFFIXES.items() if kind in _TEXTS for by in _PACKINGS),
    *(f"{suffix}#TABLE" for suffix in _DATABASES),
)


class Form(NamedTuple):
    """How the bytes are to be read."""

    kind: Kind
    packed: bool
    """Whether something that packs is around it."""
    by: Packing = "gz"
    """What packs, if anything does."""
    dialect: Dialect | None = None
    """What is declared of a CSV; None where that is nothing."""
    table: str = ""
    """Which one of a database."""

    def __str__(self) -> str:
        """What verdicts go by: another dialect makes another table of the same bytes."""
        if self.table:
            return f"{self.name}#{_digest(self.table)}"
        return self.name if self.dialect is None else f"{self.name}#{_digest(self.dialect._asdict())}"

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.kind}.{self.by}" if self.packed else self.kind

    @property
    def compression(self) -> Literal["gzip", "zstd"] | None:
        """What packs, as Arrow calls it."""
        return _PACKINGS[self.by] if self.packed else None

    @property
    def delimiter(self) -> str:
        """What stands between the cells of a CSV."""
        declared = self.dialect.delimiter if self.dialect else None
        return declared or ("\t" if self.kind == "tsv" else ",")

    @property
    def quote(self) -> str | None:
        """What stands around the cells of a CSV that need it."""
        return (self.dialect.quote or None) if self.dialect else '"'

    @property
    def encoding(self) -> str:
        """Of a form that is text."""
        return self.dialect.encoding if self.dialect else "utf-8"

    @property
    def header(self) -> bool:
        """Whether the first record of a CSV names its columns."""
        return self.dialect is None or self.dialect.header

    @property
    def text(self) -> bool:
        """Whether there are lines to point to."""
        return self.kind in _TEXTS


def file_and_table(name: str) -> tuple[str, str]:
    """`app.db#users` as the file and the table in it; of any other name the table is empty."""
    found = _IN_DATABASE.fullmatch(name)
    return (found[1], found[2]) if found else (name, "")


def is_database(name: str) -> bool:
    """Whether a file may hold many tables, each named `FILE#TABLE`."""
    return name.lower().endswith(_DATABASES)


def form_of(name: str) -> Form | None:
    """By suffix, whatever its case; None for what cannot be read."""
    if table := file_and_table(name)[1]:
        return Form("sqlite", packed=False, table=table)
    lower = name.lower()
    by = next((by for by in _PACKINGS if lower.endswith(f".{by}")), None)
    inner = lower.removesuffix(f".{by}") if by else lower
    kind = next((k for s, k in _SUFFIXES.items() if inner.endswith(s)), None)
    dialect = most_specific(name, _declared) if _declared else None
    kind = (dialect.kind if dialect else None) or kind
    if kind is None or (by and kind not in _TEXTS):
        return None
    kept = dialect._replace(kind=None) if dialect and kind in _CSV else None
    return Form(kind, by is not None, by or "gz", None if kept == _PLAIN else kept)


# -- what is declared ---------------------------------------------------------------------------------------

_CSV = ("csv", "tsv")
_PLAIN = Dialect()
_declared: Forms = {}
_TIMES = re.compile(r"(?:[^%]|%[YymdHIMSpbBjz%]|(?<=\.)%f)+")


def declare(found: Forms) -> None:
    """From now on, in this process, tables of these names are written so; all others are not."""
    _declared.clear()
    _declared.update(found)


def declared() -> str:
    """What verdicts on a directory of tables go by, besides its name; empty where nothing is declared."""
    return _digest({name: dialect._asdict() for name, dialect in _declared.items()}) if _declared else ""


def checked(found: Forms) -> Forms:
    """What is declared, if it makes sense.

    Raises:
        DecodeError: it makes none.
    """
    for name, dialect in found.items():
        for key, problem in _problems(name, dialect):
            raise DecodeError(f"forms.{name}.{key}", problem)
    return found


def _problems(name: str, dialect: Dialect) -> list[tuple[str, str]]:
    inner = name.lower().removesuffix(".gz").removesuffix(".zst")
    suffix = next((k for s, k in _SUFFIXES.items() if inner.endswith(s)), None)
    kind = dialect.kind or suffix
    found = []
    if kind is not None and kind not in _CSV:
        found.append((next(iter(_said(dialect)), "kind"), f"only a CSV has it, and the name says {kind}"))
    for key, text in (("delimiter", dialect.delimiter), ("quote", dialect.quote or None)):
        if text is not None and (len(text) != 1 or not text.isascii() or text in "\r\n\0"):
            found.append((key, f"expected one character of ASCII, not `{text!r}`"))
    if dialect.quote and dialect.quote == dialect.delimiter:
        found.append(("quote", "it is the delimiter, too"))
    if dialect.columns and dialect.header:
        found.append(("columns", "the header names the columns; without one, say `header: false`"))
    if len(set(dialect.columns)) < len(dialect.columns) or "" in dialect.columns:
        found.append(("columns", "a name stands twice, or is empty"))
    for column, text in dialect.dates.items():
        if "%" not in text or not _TIMES.fullmatch(text):
            known = "`%Y %y %m %d %H %I %M %S %p %b %B %j %z`, and `%f` after a point"
            found.append((f"dates.{column}", f"`{text}` is no format of times; known are {known}"))
    return found


def _said(dialect: Dialect) -> dict[str, object]:
    plain = _PLAIN._asdict()
    return {key: value for key, value in dialect._asdict().items() if value != plain[key]}


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=lambda inner: inner._asdict())
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
