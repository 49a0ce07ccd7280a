"""Constraints on whole tables: rows, unique values, references, the newest row. One streaming pass each.

Memory grows with the number of distinct values that are compared, not with the rows beside them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from git_mlops.tables import frames
from git_mlops.tables.forms import Form
from git_mlops.tables.frames import FrameError
from git_mlops.tables.nulls import NULLS

if TYPE_CHECKING:
    import polars as pl

EXAMPLES = 5

Part = tuple[Path, Form]
"""A file of a table."""


class Repeated(NamedTuple):
    """Values that stand in more than one row."""

    values: int
    """How many distinct ones."""
    rows: int
    """Rows that they stand in."""
    examples: tuple[str, ...]


class Dangling(NamedTuple):
    """Values that the other table does not have."""

    values: int
    rows: int
    examples: tuple[str, ...]


def rows(parts: Sequence[Part]) -> int:
    """How many rows there are.

    Raises:
        FrameError: a file is not what its name says.
    """
    import polars as pl

    return int(_collected(_whole(parts).select(pl.len())).item())


def repeated(parts: Sequence[Part], columns: Sequence[str]) -> Repeated | None:
    """Values of columns, taken together, that repeat; rows with a null among them are left out.

    Raises:
        FrameError: a file is not what its name says, or lacks a column.
    """
    import polars as pl

    frame = _with(_whole(parts), columns).drop_nulls()
    twice = frame.group_by(*columns).len("_rows").filter(pl.col("_rows") > 1)
    total = _collected(twice.select(pl.len().alias("values"), pl.col("_rows").sum().alias("rows")))
    if total["values"][0] == 0:
        return None
    first = _collected(
        twice.top_k(EXAMPLES, by=["_rows", *columns], reverse=[False, *(True for _ in columns)])
    )
    return Repeated(total["values"][0], total["rows"][0], tuple(_shown(row[:-1]) for row in first.rows()))


def dangling(parts: Sequence[Part], column: str, others: Sequence[Part], other: str) -> Dangling | None:
    """Values of a column that no row of the other table has; nulls refer to nothing. Compared as text.

    Raises:
        FrameError: a file is not what its name says, or lacks the column.
    """
    import polars as pl

    mine = _with(_whole(parts), [column]).drop_nulls().select(_text(column).alias("value"))
    theirs = _with(_whole(others), [other]).drop_nulls().select(_text(other).alias("value")).unique()
    counted = mine.group_by("value").len("_rows")
    lost = counted.join(theirs, on="value", how="anti")
    total = _collected(lost.select(pl.len().alias("values"), pl.col("_rows").sum().alias("rows")))
    if total["values"][0] == 0:
        return None
    first = _collected(lost.top_k(EXAMPLES, by=["_rows", "value"], reverse=[False, True]))
    return Dangling(total["values"][0], total["rows"][0], tuple(_shown(row[:1]) for row in first.rows()))


def newest(parts: Sequence[Part], column: str) -> str | None:
    """The latest value of a date or time, in ISO 8601; None where there is none.

    Raises:
        FrameError: a file is not what its name says, or lacks the column.
    """
    import polars as pl

    found = _collected(_with(_whole(parts), [column]).select(pl.col(column).max())).item()
    if found is None or isinstance(found, str):
        return found
    return str(found.isoformat()) if hasattr(found, "isoformat") else str(found)


def _whole(parts: Sequence[Part]) -> "pl.LazyFrame":
    import polars as pl

    found = [frames.scan(path, form, NULLS) for path, form in parts]
    return found[0] if len(found) == 1 else pl.concat(found, how="diagonal_relaxed")


def _with(frame: "pl.LazyFrame", columns: Sequence[str]) -> "pl.LazyFrame":
    names = _names(frame)
    missing = [name for name in columns if name not in names]
    if missing:
        raise FrameError(f"it has no column `{missing[0]}`")
    return frame.select(*columns)


def _names(frame: "pl.LazyFrame") -> list[str]:
    import polars as pl

    try:
        return frame.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FrameError(frames.reason(error)) from error


def _collected(frame: "pl.LazyFrame") -> "pl.DataFrame":
    import polars as pl

    try:
        return frame.collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FrameError(frames.reason(error)) from error


def _text(column: str) -> "pl.Expr":
    import polars as pl

    return pl.col(column).cast(pl.String, strict=False)


def _shown(values: Sequence[object]) -> str:
    text = ", ".join(str(value) for value in values)
    return text if len(text) <= 80 else f"{text[:79]}…"  # a line
