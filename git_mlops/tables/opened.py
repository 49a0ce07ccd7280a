"""The bytes of a table that is text, and the record batches of an Arrow file: what is read piece by piece."""

import gzip
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

from git_mlops.tables.forms import Form

_FILE, _FEATHER_1 = b"ARROW1", b"FEA1"


def opened(path: Path, form: Form) -> IO[bytes]:
    """The bytes, unpacked."""
    if form.compression == "gzip":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if form.compression == "zstd":
        import pyarrow as pa

        path.stat()  # an error with its number, where there is no such file
        return io.BufferedReader(pa.input_stream(str(path), compression="zstd"))
    return path.open("rb")


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
