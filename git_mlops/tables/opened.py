"""The bytes of a table that is text, and the record batches of an Arrow file: what is read piece by piece."""

import codecs
import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from git_mlops.tables.forms import Form

_FILE, _FEATHER_1 = b"ARROW1", b"FEA1"


_CHUNK = 256 * 1024
LARGEST_ROW = 1024 * 1024 * 1024


def opened(path: Path, form: Form) -> IO[bytes]:
    """The bytes, unpacked and in UTF-8, whatever encoding is declared."""
    raw = _unpacked(path, form)
    return raw if form.encoding == "utf-8" else io.BufferedReader(_Recoded(raw, form.encoding), _CHUNK)


def undecodable(path: Path, form: Form) -> int:
    """The first line that is not in the declared encoding."""
    decoder = codecs.getincrementaldecoder(form.encoding)()
    line = 1
    with _unpacked(path, form) as raw:
        while chunk := raw.read(_CHUNK):
            before = decoder.getstate()
            try:
                line += decoder.decode(chunk).count("\n")
            except UnicodeError:
                decoder.setstate(before)
                return line + _breaks(decoder, chunk)
    return line


def _breaks(decoder: codecs.IncrementalDecoder, chunk: bytes) -> int:
    """How many lines end before what cannot be decoded."""
    found = 0
    with suppress(UnicodeError):
        for at in range(len(chunk)):
            found += decoder.decode(chunk[at : at + 1]).count("\n")
    return found


def stream(path: Path, form: Form) -> Any:
    """The same for Arrow."""
    import pyarrow as pa

    if form.encoding != "utf-8":
        return pa.PythonFile(opened(path, form), mode="r")
    return pa.input_stream(str(path), compression=form.compression)


def parse_options(form: Form, *, quoted: bool) -> Any:
    """How Arrow finds the cells of a CSV."""
    from pyarrow import csv as arrow

    return arrow.ParseOptions(
        delimiter=form.delimiter,
        quote_char=form.quote or False,
        newlines_in_values=quoted and bool(form.quote),
    )


def reader_of(text: IO[str], form: Form, *, strict: bool = False) -> Any:
    """How Python finds the records of a CSV."""
    csv.field_size_limit(LARGEST_ROW)
    if form.quote is None:
        return csv.reader(text, delimiter=form.delimiter, strict=strict, quoting=csv.QUOTE_NONE)
    return csv.reader(text, delimiter=form.delimiter, strict=strict, quotechar=form.quote)


class _Recoded(io.RawIOBase):
    """Text in another encoding, as UTF-8."""

    def __init__(self, raw: IO[bytes], encoding: str) -> None:
        self._raw, self._decoder = raw, codecs.getincrementaldecoder(encoding)()
        self._ready, self._ended = memoryview(b""), False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._ended:
            chunk = self._raw.read(_CHUNK)
            self._ended = not chunk
            self._ready = memoryview(self._decoder.decode(chunk, final=self._ended).encode("utf-8"))
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def _unpacked(path: Path, form: Form) -> IO[bytes]:
    if form.compression == "gzip":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if form.compression == "zstd":
        import pyarrow as pa

        path.stat()  # an error with its number, where there is no such file
        return io.BufferedReader(pa.input_stream(str(path), compression="zstd"))
    return path.open("rb")


def csv_names(path: Path, form: Form) -> list[str]:
    """The columns of a declared CSV, each by a name of its own."""
    with io.TextIOWrapper(opened(path, form), encoding="utf-8-sig", newline="") as text:
        first: list[str] = next((record for record in reader_of(text, form) if record), [])
    names: list[str] = []
    for name in first if form.header else unnamed(form, len(first))[: len(first)]:
        names.append(name if name not in names else f"{name}_duplicated_{names.count(name) - 1}")
    return names


def unnamed(form: Form, width: int) -> list[str]:
    """What the columns of a CSV without a header are called."""
    declared = list(form.dialect.columns) if form.dialect else []
    return [*declared, *(f"column_{number}" for number in range(len(declared) + 1, width + 1))]


def csv_batches(path: Path, form: Form, only: Sequence[str] | None) -> Iterator[Any]:
    """Every cell of a declared CSV as text, none of them null."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    names = csv_names(path, form)
    with stream(path, form) as source:
        yield from arrow.open_csv(
            source,
            read_options=arrow.ReadOptions(
                block_size=4 * 1024 * 1024, column_names=names, skip_rows_after_names=int(form.header)
            ),
            parse_options=parse_options(form, quoted=True),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=None if only is None else list(only),
            ),
        )


def arrow_schema(path: Path) -> Any:
    """The schema of an Arrow file, from its beginning or its end."""
    import pyarrow as pa

    with pa.OSFile(str(path)) as source:
        return _reader(source, _start(path)).schema


def arrow_batches(path: Path, only: Sequence[str] | None = None) -> Iterator[Any]:
    """The record batches of an Arrow file, which may be of either sort: the file, or the stream.

    Args:
        only: the columns to read, each of which stands once.

    Raises:
        pyarrow.ArrowInvalid: it is none, or its content contradicts itself. An Arrow file is memory as it
            stands: one that is wrong would crash who trusts it, so everything is looked at.
    """
    import pyarrow as pa

    with pa.OSFile(str(path)) as source:
        start = _start(path)
        options = None
        if only is not None:
            names = arrow_schema(path).names
            options = pa.ipc.IpcReadOptions(included_fields=[names.index(name) for name in only])
        reader = _reader(source, start, options)
        for number in range(reader.num_record_batches) if start == _FILE else _endless():
            try:
                batch = reader.get_batch(number) if start == _FILE else reader.read_next_batch()
            except StopIteration:
                return
            batch.validate(full=True)
            yield batch


def _endless() -> Iterator[int]:
    while True:
        yield 0


def _start(path: Path) -> bytes:
    import pyarrow as pa

    with path.open("rb") as file:
        start = file.read(len(_FILE))
    if start.startswith(_FEATHER_1):
        raise pa.ArrowInvalid("it is Feather of version 1; write it as version 2, which is Arrow")
    return start


def _reader(source: Any, start: bytes, options: Any = None) -> Any:
    import pyarrow as pa

    return (pa.ipc.open_file if start == _FILE else pa.ipc.open_stream)(source, options=options)
