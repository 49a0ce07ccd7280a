"""Tables of files in batches, and into files whole: never more than a batch in memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.tables import forms, frames
from git_mlops.tables.forms import Form
from git_mlops.tables.nulls import NULLS

BATCH = 50_000


class Sink(Protocol):
    """Takes tables one after the other."""

    def write(self, table: Any) -> None:
        """Add its rows."""


def form_of(path: Path) -> Form:
    """How a file is read.

    Raises:
        MlopsError: its name is not that of a table.
    """
    form = forms.form_of(path.name)
    if form is None or form.kind == "sqlite":
        raise MlopsError(
            f"`{path}` is no table that can be scored", hint="Parquet, CSV, JSON lines and Arrow files are"
        )
    if not path.is_file():
        raise NotFoundError(f"no such file: `{path}`")
    return form


def is_text(form: Form) -> bool:
    """Whether all its cells are text."""
    return form.kind in ("csv", "tsv")


def batches(path: Path, form: Form, size: int = BATCH) -> Iterator[Any]:
    """Arrow tables of so many rows at most, in the order of the file.

    Raises:
        MlopsError: the file is damaged (2).
    """
    if form.kind == "parquet":
        yield from _parquet(path, size)
        return
    import polars as pl

    try:
        frame = frames.scan(path, form, NULLS if is_text(form) else ())
        for batch in frame.collect_batches(chunk_size=size, maintain_order=True):
            for start in range(0, batch.height, size):
                yield batch.slice(start, size).to_arrow()
    except (pl.exceptions.PolarsError, frames.FrameError, UnicodeDecodeError) as error:
        raise MlopsError(f"`{path}` cannot be read: {frames.reason(error)}") from error


def _parquet(path: Path, size: int) -> Iterator[Any]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, memory_map=False) as file:
            for batch in file.iter_batches(batch_size=size):
                yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError) as error:
        raise MlopsError(f"`{path}` cannot be read: {str(error).splitlines()[0]}") from error


def names(path: Path, form: Form) -> list[str]:
    """Its columns, also of a file without rows."""
    import polars as pl
    import pyarrow as pa
    from pyarrow import parquet

    try:
        if form.kind == "parquet":
            return list(parquet.read_schema(path).names)
        return frames.names(frames.scan(path, form))
    except (pl.exceptions.PolarsError, frames.FrameError, pa.ArrowException, UnicodeDecodeError) as error:
        raise MlopsError(f"`{path}` cannot be read: {frames.reason(error)}") from error


def whole_numbers(path: Path, form: Form, wanted: Sequence[str]) -> list[str]:
    """Of some columns of a file in which all is text, those of whole numbers, written as such: ids mostly."""
    if not is_text(form) or not wanted:
        return []
    import polars as pl

    try:
        cells = frames.scan(path, form, NULLS).select(wanted)
        plain = pl.all().str.contains(r"^(?:0|-?[1-9]\d{0,17})$").all() & pl.all().is_not_null().any()
        found = cells.select(plain).collect(engine="streaming").row(0)
    except (pl.exceptions.PolarsError, frames.FrameError, UnicodeDecodeError) as error:
        raise MlopsError(f"`{path}` cannot be read: {frames.reason(error)}") from error
    return [name for name, yes in zip(wanted, found, strict=True) if yes]


@contextmanager
def written(path: Path) -> Iterator[Sink]:
    """A file that is there when all of it is: under another name beside it until then.

    Raises:
        MlopsError: its name is not one that can be written.
    """
    form = forms.form_of(path.name)
    if form is None or form.packed or form.kind not in ("parquet", "csv"):
        raise MlopsError(f"`{path}` cannot be written", hint="`--out` takes .parquet and .csv")
    if path.is_dir() or not path.parent.is_dir():
        raise NotFoundError(f"`{path}` is no place for a file")
    beside = path.with_name(f".{path.name}.part")
    sink = _Parquet(beside) if form.kind == "parquet" else _Csv(beside)
    try:
        yield sink
        sink.close()
        beside.replace(path)
    finally:
        sink.close()
        beside.unlink(missing_ok=True)


class _Parquet:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, table: Any) -> None:
        from pyarrow import parquet

        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(_as(table, self._writer.schema))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class _Csv:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None
        self._schema: Any = None

    def write(self, table: Any) -> None:
        from pyarrow import csv

        if self._writer is None:
            self._schema = table.schema
            self._writer = csv.CSVWriter(
                str(self._path), self._schema, write_options=csv.WriteOptions(quoting_style="needed")
            )
        self._writer.write_table(_as(table, self._schema))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _as(table: Any, schema: Any) -> Any:
    """A later batch in the form of the first: one without a value has another type."""
    import pyarrow as pa

    if table.schema.equals(schema):
        return table
    try:
        return table.select(schema.names).cast(schema)
    except (pa.ArrowException, KeyError, ValueError) as error:
        said = str(error).splitlines()[0]
        raise MlopsError(
            f"the answers to one part of the rows differ in form from the others: {said}"
        ) from error
