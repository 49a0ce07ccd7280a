"""Large files in pieces, as the law reads them: rows of a CSV in batches, a few rows of a Parquet file.

A CSV is read by the same parser, with the same options, as when it is read whole (`tables.read`).
"""

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from git_mlops.schema import tables
from git_mlops.schema.tables import Header, Table, Wanted
from git_mlops.schema.text import open_, repeated
from git_mlops.tables.forms import Form
from git_mlops.tables.opened import arrow_batches, arrow_schema, parse_options, stream
from git_mlops.tables.settings import Dialect

_CHUNK = 1024 * 1024
_MOST_SPANS = 4
_ROWS = 64 * 1024


class Source(NamedTuple):
    """A CSV, and what must be known before it is read in pieces."""

    path: Path
    form: Form
    header: Header
    quoted: bool
    hexadecimal: bool
    """Whether `0x` stands anywhere, which Arrow would take for a number."""
    block: int
    """Bytes that are read at once; a row must fit in."""


def source(path: Path, form: Form, block: int) -> Source:
    """Look at the header, and at every byte once.

    Raises:
        UnreadableError: it is no CSV.
    """
    header = tables.header(path, form)
    mark = form.quote.encode() if form.quote else None
    quoted = hexadecimal = False
    with open_(path, form) as file:
        last = b""  # for a pair that two chunks share
        while chunk := file.read(_CHUNK):
            quoted = quoted or (mark is not None and mark in chunk)
            hexadecimal = hexadecimal or _hexadecimal(last + chunk)
            last = chunk[-1:]
    return Source(path, form, header, quoted, hexadecimal, block)


def _hexadecimal(chunk: bytes) -> bool:
    """One byte is sought much faster than two."""
    return (b"x" in chunk and b"0x" in chunk) or (b"X" in chunk and b"0X" in chunk)


def texts(source: Source) -> Iterator[Any]:
    """Every cell as text: Arrow record batches, columns by position."""
    import pyarrow as pa

    first = source.form.header  # the header is a record like any other
    for batch in _batches(source, dict.fromkeys(_places(source), pa.string()), skipped=0):
        rest = batch.slice(1) if first and batch.num_rows else batch
        first = first and not batch.num_rows
        if rest.num_rows:
            yield rest


def values(source: Source, wanted: Mapping[str, Wanted]) -> list[Iterator[Any]] | None:
    """Cells as what they are declared to be, in spans of the file that may be read side by side.

    None when Arrow might read a cell otherwise than `tables` does. Arrow raises ArrowInvalid at a cell of
    another type. What it takes, `tables` takes for the same value.
    """
    import pyarrow as pa

    types = dict.fromkeys(_places(source), pa.string())
    truths = set()
    for place, name in zip(types, source.header.names, strict=True):
        if (want := wanted.get(name)) is None or want.sort in ("string", "category"):
            continue
        kind = want.dtype.lower().removesuffix("[pyarrow]")
        if (want.sort == "int" and source.hexadecimal) or kind not in _ARROW:
            return None
        types[place] = pa.type_for_alias(_ARROW[kind])
        if want.sort == "bool":
            truths.add(want.coerce)
    if len(truths) > 1 or not source.header.simple or not _as_arrow_reads(source.form.dialect):
        return None
    spans = _spans(source)
    if len(spans) == 1:
        return [_batches(source, types, digits=True in truths, skipped=1)]
    return [_batches(source, types, digits=True in truths, skipped=int(s.start == 0), span=s) for s in spans]


def _as_arrow_reads(dialect: Dialect | None) -> bool:
    """Whether cells are written as most are; what stands between and around them, Arrow is told."""
    if dialect is None:
        return True
    plain = dialect.encoding == "utf-8" and dialect.decimal == "." and not dialect.dates
    return plain and dialect.header


class Span(NamedTuple):
    """Bytes of a file, whole lines."""

    start: int
    end: int


def _spans(source: Source) -> list[Span]:
    """As many as there are processors; one where a line may hide in quotes, or the file is short."""
    size = source.path.stat().st_size
    many = min(os.cpu_count() or 1, _MOST_SPANS, size // (2 * source.block))
    if source.quoted or source.form.packed or many < 2:
        return [Span(0, size)]
    ends = []
    with source.path.open("rb") as file:
        for number in range(1, many):
            file.seek(size * number // many)
            file.readline()
            ends.append(file.tell())
    places = sorted({0, *ends, size})
    return [Span(start, end) for start, end in pairwise(places)]


class _Bytes(io.RawIOBase):
    """A span of a file, as a file."""

    def __init__(self, path: Path, span: Span) -> None:
        self._file = path.open("rb", buffering=0)
        self._file.seek(span.start)
        self._left = span.end - span.start

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)[: self._left]
        count = self._file.readinto(view) or 0
        self._left -= count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


_ARROW = {
    **{f"{sign}int{bits}": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "float64": "float64", "float32": "float64", "bool": "bool", "boolean": "bool",
    "datetime64[ns]": "timestamp[ns]",
}  # fmt: skip


def _places(source: Source) -> list[str]:
    return [str(number) for number in range(len(source.header.names))]


def _batches(
    source: Source, types: Mapping[str, Any], *, skipped: int, digits: bool = False, span: Span | None = None
) -> Iterator[Any]:
    from pyarrow import csv as arrow

    options = arrow.ReadOptions(
        block_size=source.block, column_names=list(types), skip_rows=skipped, use_threads=span is None
    )
    with _stream(source, span) as stream:
        yield from arrow.open_csv(
            stream,
            read_options=options,
            parse_options=parse_options(source.form, quoted=source.quoted),
            convert_options=tables.convert_options(types, source.form.dialect, digits=digits),
        )


def _stream(source: Source, span: Span | None) -> Any:
    import pyarrow as pa

    if span is not None:
        return pa.PythonFile(_Bytes(source.path, span), mode="r")
    return stream(source.path, source.form)


def csv_table(source: Source, batches: Sequence[Any]) -> Table:
    """Rows of texts as a table of their own."""
    import pyarrow as pa

    whole, names = pa.Table.from_batches(batches), source.header.names
    return Table(source.path, source.form, whole.num_rows, repeated(names), tables.by_name(whole, names))


def parquet_table(path: Path, form: Form, rows: Sequence[int]) -> Table:
    """Some rows of a Parquet file, with all that it says of its columns."""
    import pyarrow as pa
    from pyarrow import parquet

    taken, start = [], 0
    with parquet.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            size = file.metadata.row_group(group).num_rows
            here = [row - start for row in rows if start <= row < start + size]
            taken += _taken(file, group, here) if here else []
            start += size
        schema = file.schema_arrow
    whole = pa.Table.from_batches(taken, schema)
    names = whole.column_names
    return Table(path, form, whole.num_rows, repeated(names), tables.by_name(whole, names), whole)


def arrow_table(path: Path, form: Form, rows: Sequence[int]) -> Table:
    """The same of an Arrow file."""
    import pyarrow as pa

    taken, start = [], 0
    for batch in arrow_batches(path):
        here = [row - start for row in rows if start <= row < start + batch.num_rows]
        start += batch.num_rows
        if here:
            taken.append(batch.take(here))
        if rows[-1] < start:
            break
    whole = pa.Table.from_batches(taken, arrow_schema(path))
    names = whole.column_names
    return Table(path, form, whole.num_rows, repeated(names), tables.by_name(whole, names), whole)


def _taken(file: Any, group: int, rows: Sequence[int]) -> list[Any]:
    taken, start = [], 0
    for batch in file.iter_batches(_ROWS, row_groups=[group]):
        here = [row - start for row in rows if start <= row < start + batch.num_rows]
        start += batch.num_rows
        if here:
            taken.append(batch.take(here))
        if rows[-1] < start:
            break
    return taken


class Labels(NamedTuple):
    """What a Parquet file says of itself."""

    names: tuple[str, ...]
    rows: int
    odd: frozenset[str]
    """Columns of which pandas makes something that the type alone does not tell."""
    indexes: frozenset[str]
    """Columns that are row labels to pandas."""


def arrow_labels(path: Path) -> Labels:
    """The same of an Arrow file, by reading one of its columns."""
    schema = arrow_schema(path)
    return _labels(schema, sum(batch.num_rows for batch in arrow_batches(path, schema.names[:1])))


def labels(path: Path) -> Labels:
    """From the footer alone."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        return _labels(file.schema_arrow, file.metadata.num_rows)


def _labels(schema: Any, rows: int) -> Labels:
    import pyarrow as pa

    said = schema.pandas_metadata or {}
    odd = {
        str(c.get("field_name")) for c in said.get("columns", ()) if str(c.get("numpy_type")) not in _PLAIN
    }
    odd |= {f.name for f in schema if pa.types.is_dictionary(f.type) and not _textual(f.type)}
    indexes = {name for name in said.get("index_columns", ()) if isinstance(name, str)}
    return Labels(tuple(schema.names), rows, frozenset(odd), frozenset(indexes))


def _textual(categories: Any) -> bool:
    import pyarrow as pa

    text = pa.types.is_string(categories.value_type) or pa.types.is_large_string(categories.value_type)
    return text and not categories.ordered


_PLAIN = {
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    *(f"{sign}nt{bits}" for sign in ("I", "UI") for bits in (8, 16, 32, 64)),
    "float32", "float64", "bool", "boolean", "object", "str", "string",
    "datetime64[ns]", "datetime64[us]", "datetime64[ms]", "datetime64[s]",
}  # fmt: skip
