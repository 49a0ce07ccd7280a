"""Tables as lazy Polars frames, so that a file larger than memory can be worked on in one streaming pass."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from git_mlops.tables.dialects import as_others
from git_mlops.tables.forms import Form
from git_mlops.tables.opened import arrow_batches, arrow_schema, csv_batches, csv_names, unnamed
from git_mlops.tables.settings import Dialect

if TYPE_CHECKING:
    import polars as pl


class FrameError(ValueError):
    """A file that is not what its name says, and why."""


def scan(path: Path, form: Form, nulls: Sequence[str] = ()) -> "pl.LazyFrame":
    """A file, not read yet; Polars raises its own errors when it is.

    CSV cells are text, as the file has them; an empty cell is null. Other forms bring types of their own.

    Args:
        path: the file.
        form: how to read it, because an object of the cache has no suffix.
        nulls: further cells of a CSV that are null.
    """
    import polars as pl

    if form.kind == "parquet":
        return pl.scan_parquet(path, glob=False)
    if form.kind == "arrow":
        return _arrow(path)
    if form.kind == "jsonl":
        return pl.scan_ndjson(path, infer_schema_length=None)
    if form.kind == "sqlite":
        raise FrameError("tables of a database are checked against schemas only")
    if form.dialect is not None:
        return _written(path, form, form.dialect, nulls)
    return pl.scan_csv(
        path,
        separator=form.delimiter,
        infer_schema=False,
        glob=False,
        raise_if_empty=False,
        null_values=["", *nulls] if nulls else None,
    )


def _written(path: Path, form: Form, dialect: Dialect, nulls: Sequence[str]) -> "pl.LazyFrame":
    """A CSV of which something is declared, its cells as those of all others."""
    import polars as pl

    empty = ["", *nulls, *dialect.nulls]
    if form.encoding == "utf-8":
        frame = pl.scan_csv(
            path, separator=form.delimiter, quote_char=form.quote, has_header=form.header, infer_schema=False,
            with_column_names=partial(_renamed, form), glob=False, raise_if_empty=False, null_values=empty,
        )  # fmt: skip
        return as_others(frame, dialect)

    def schema() -> "pl.Schema":
        try:
            return pl.Schema(dict.fromkeys(csv_names(path, form), pl.String()))
        except (ValueError, EOFError, zlib.error) as error:
            raise pl.exceptions.ComputeError(reason(error)) from error

    def frames(only: Sequence[str] | None) -> "Iterator[pl.DataFrame]":
        for batch in csv_batches(path, form, only):
            yield pl.DataFrame(batch)

    cell = pl.all()
    frame = _source(frames, schema).with_columns(pl.when(~cell.is_in(empty)).then(cell))
    return as_others(frame, dialect)


def _renamed(form: Form, names: list[str]) -> list[str]:
    return names if form.header else unnamed(form, len(names))[: len(names)]


def _arrow(path: Path) -> "pl.LazyFrame":
    """Record batch by record batch: Polars itself reads one of the two sorts of Arrow files only."""
    import polars as pl
    import pyarrow as pa

    def schema() -> "pl.Schema":
        try:
            return pl.DataFrame(pa.Table.from_batches([], arrow_schema(path))).schema
        except (pa.ArrowException, ValueError) as error:
            raise pl.exceptions.ComputeError(reason(error)) from error

    def frames(only: Sequence[str] | None) -> "Iterator[pl.DataFrame]":
        for batch in arrow_batches(path, only):
            yield pl.DataFrame(pa.Table.from_batches([batch]))

    return _source(frames, schema)


def _source(
    frames: "Callable[[Sequence[str] | None], Iterable[pl.DataFrame]]", schema: "Callable[[], pl.Schema]"
) -> "pl.LazyFrame":
    """A lazy frame of frames that are made one after the other, each time it is read."""
    from polars.io.plugins import register_io_source

    def read(
        only: list[str] | None, predicate: "pl.Expr | None", rows: int | None, _size: int | None
    ) -> "Iterator[pl.DataFrame]":
        left = rows
        for frame in _named(frames(only)):
            part = frame if left is None else frame.head(left)
            left = None if left is None else left - part.height
            part = part if only is None else part.select(only)
            yield part if predicate is None else part.filter(predicate)
            if left == 0:
                return

    return register_io_source(read, schema=schema)


def _named(frames: "Iterable[pl.DataFrame]") -> "Iterator[pl.DataFrame]":
    """Whatever another library finds wrong, as an error of Polars: its callers know those."""
    import polars as pl
    import pyarrow as pa

    try:
        yield from frames
    except (pa.ArrowException, UnicodeError, EOFError, zlib.error) as error:
        raise pl.exceptions.ComputeError(reason(error)) from error


def names(frame: "pl.LazyFrame") -> list[str]:
    """The names of a frame's columns, from the beginning of its file.

    Raises:
        FrameError: Polars reads a header that is no UTF-8 without a word.
    """
    found = frame.collect_schema().names()
    if any("\ufffd" in name or "\0" in name for name in found):
        raise FrameError("its header is no UTF-8 text")
    return found


def reason(error: BaseException) -> str:
    """What Polars says, as one line for people."""
    return str(error).strip().split("\n", 1)[0]
