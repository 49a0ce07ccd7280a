"""Tables as lazy Polars frames, so that a file larger than memory can be worked on in one streaming pass."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from git_mlops.tables.forms import Form

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
    if form.kind == "jsonl":
        return pl.scan_ndjson(path, infer_schema_length=None)
    return pl.scan_csv(
        path,
        separator="\t" if form.kind == "tsv" else ",",
        infer_schema=False,
        glob=False,
        raise_if_empty=False,
        null_values=["", *nulls] if nulls else None,
    )


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
