"""Both sides of a comparison from their files: an even sample, and counts of every row. With Polars.

A file may be larger than memory: it is read in streaming passes, and of more than `ROWS` rows an even part
is kept. The reference decides what a column is; the same files give the same answer.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from git_mlops.monitor.shuffled import Column
from git_mlops.tables import frames
from git_mlops.tables.forms import KNOWN, Form, form_of
from git_mlops.tables.frames import FrameError
from git_mlops.tables.nulls import NULLS

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["number", "category", "text", "time", "key", "other"]
"""`text` is compared by its length alone; `time`, `key` and `other` are not."""

ROWS = 100_000
_CELLS = 20_000_000
"""In memory, of one side; of a wider table fewer rows are kept."""
_FEWEST = 10_000
_MOST_CATEGORIES = 500
_KEY = re.compile(r"id|uuid|key|index|.*(_id|_uuid|_key|Id|ID)", re.ASCII)
_NUMBER = (
    r"^\s*[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$|^\s*[+-]?(?i:inf|infinity)\s*$"
)
_TIME = r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$"


class Part(NamedTuple):
    """A file of a side."""

    path: Path
    form: Form


class Side(NamedTuple):
    """Tables of one side, and what to call them."""

    parts: tuple[Part, ...]
    said: str


class Counted(NamedTuple):
    """Of every row of one side."""

    rows: int
    nulls: int
    """With NaN, which stands for nothing in a table of numbers."""
    infinite: int
    unreadable: int
    """Cells that are not of the kind that the reference has there."""
    low: float | None
    high: float | None


class Compared(NamedTuple):
    """A column of both sides."""

    name: str
    kind: Kind
    values: Column
    """Of the sample."""
    reference: Counted
    current: Counted
    categories: tuple[str, ...] = ()
    """What the codes stand for."""
    new: Mapping[str, int] = {}
    """Category that the reference does not have at all → its rows, of every row."""
    outside: int = 0
    """Rows beyond the least or the largest number of the reference, of every row."""


class Left(NamedTuple):
    """A column that is not compared."""

    name: str
    why: str


class Both(NamedTuple):
    """Two sides, ready to be compared."""

    rows: tuple[int, int]
    kept: tuple[int, int]
    """Rows of the samples."""
    columns: tuple[Compared, ...]
    left: tuple[Left, ...]
    missing: tuple[str, ...]
    """Columns of the reference that the current side lacks."""
    extra: tuple[str, ...]
    types: Mapping[str, tuple[str, str]]
    """Columns of another type on the current side: both."""
    times: Mapping[str, tuple[str, str]]
    """Column → its newest time on both sides."""


def parts_of(path: Path) -> list[Part]:
    """A table, or all tables of a directory.

    Raises:
        FrameError: there is none.
    """
    if not path.exists():
        raise FrameError("no such file or directory")
    if path.is_file():
        form = form_of(path.name)
        if form is None:
            raise FrameError(f"its name says no form of a table that is known: {', '.join(KNOWN)}")
        return [Part(path, form)]
    files = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    found = [Part(file, form) for file in files if (form := form_of(file.name))]
    if not found:
        raise FrameError("there is no table in this directory")
    return found


def scan(parts: Sequence[Part]) -> "pl.LazyFrame":
    """The files as one lazy table; those of no bytes (a log that was only begun) are left out.

    Raises:
        FrameError: all are.
    """
    import polars as pl

    every = [frames.scan(part.path, part.form, NULLS) for part in parts if part.path.stat().st_size]
    if not every:
        raise FrameError("it is empty: nothing can be compared")
    return every[0] if len(every) == 1 else pl.concat(every, how="diagonal_relaxed")


def names(frame: "pl.LazyFrame") -> list[str]:
    """The columns of a table.

    Raises:
        FrameError: it is no table.
    """
    import polars as pl

    try:
        return frames.names(frame)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise FrameError(frames.reason(error)) from error


def read(
    reference: "pl.LazyFrame", current: "pl.LazyFrame", *, skip: Sequence[str] = (), most: int = ROWS
) -> Both:
    """Both sides.

    Args:
        skip: columns to leave out.
        most: rows of a side that are kept at the most.

    Raises:
        FrameError: a file is not what its name says.
    """
    import polars as pl

    try:
        return _read(reference, current, frozenset(skip), most)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise FrameError(frames.reason(error)) from error


def _read(reference: "pl.LazyFrame", current: "pl.LazyFrame", skip: frozenset[str], most: int) -> Both:
    theirs, ours = frames.names(reference), frames.names(current)
    most = max(min(most, _CELLS // max(len(theirs), 1)), min(most, _FEWEST))
    wanted = [name for name in theirs if name in set(ours) and name not in skip]
    old_rows, old = _sample(reference.select(wanted), most)
    new_rows, new = _sample(current.select(wanted), most)
    kinds = {name: _kind(name, old[name]) for name in wanted}
    types = {
        name: (_type(old[name]), _type(new[name]))
        for name in wanted
        if kinds[name] in ("number", "time") and len(new) and _other(kinds[name], new[name])
    }
    usable = [name for name in wanted if kinds[name] in ("number", "category", "text") and name not in types]
    counts = _counts(reference, old, usable, kinds, whole=len(old) == old_rows)
    limits = {name: (counts[name].low, counts[name].high) for name in usable}
    counted = _counts(current, new, usable, kinds, whole=len(new) == new_rows)
    outside = _outside(current, new, limits, whole=len(new) == new_rows)
    columns = []
    for name in usable:
        values, categories = _values(name, kinds[name], old[name], new[name])
        found = Compared(name, kinds[name], values, counts[name], counted[name], categories)
        columns.append(found._replace(outside=outside.get(name, 0)))
    named = [one.name for one in columns if one.kind == "category"]
    unseen = _unseen(
        reference, current, (old, new), named, whole=(len(old) == old_rows, len(new) == new_rows)
    )
    return Both(
        rows=(old_rows, new_rows),
        kept=(len(old), len(new)),
        columns=tuple(one._replace(new=unseen.get(one.name, {})) for one in columns),
        left=tuple(Left(n, _WHY[kinds[n]]) for n in wanted if kinds[n] in _WHY)
        + tuple(Left(n, "left out by mlops.yaml") for n in theirs if n in skip),
        missing=tuple(name for name in theirs if name not in {*ours, *skip}),
        extra=tuple(name for name in ours if name not in set(theirs)),
        types=types,
        times={n: (_newest(old[n]), _newest(new[n])) for n in wanted if kinds[n] == "time"},
    )


_WHY: dict[str, str] = {
    "key": "it tells rows apart: each has a value of its own",
    "time": "a time, which moves by itself",
    "other": "its type cannot be compared",
}


# -- a sample -----------------------------------------------------------------------------------------------


def _sample(frame: "pl.LazyFrame", most: int) -> tuple[int, "pl.DataFrame"]:
    """How many rows there are, and every so-manieth: a prime number, not to beat in time with the data."""
    import polars as pl

    rows = int(frame.select(pl.len()).collect(engine="streaming").item())
    step = _prime(-(-rows // most))
    return rows, (frame if step == 1 else frame.gather_every(step)).collect(engine="streaming")


def _prime(least: int) -> int:
    step = max(least, 1)
    while step > 1 and any(step % part == 0 for part in range(2, int(step**0.5) + 1)):
        step += 1
    return step


def _kind(name: str, series: "pl.Series") -> Kind:
    import polars as pl

    kind, cells = series.dtype, series.drop_nulls()
    if kind == pl.Boolean:
        return "category"
    if kind.is_temporal():
        return "other" if kind in (pl.Duration, pl.Time) else "time"
    if kind.is_numeric():
        return "key" if _is_key(name, cells) and kind.is_integer() else "number"
    if kind not in (pl.String, pl.Categorical, pl.Enum):
        return "other"
    if not len(cells):
        return "category"
    if kind == pl.String and bool(cells.str.contains(_NUMBER).all()):
        return "key" if _is_key(name, cells) and not bool(cells.str.contains(r"[.eE]").any()) else "number"
    if kind == pl.String and bool(cells.str.contains(_TIME).all()):
        return "time"
    distinct = cells.n_unique()
    if distinct <= max(20, min(_MOST_CATEGORIES, len(cells) // 5)):
        return "category"
    return "key" if _is_key(name, cells) else "text"


def _is_key(name: str, cells: "pl.Series") -> bool:
    return len(cells) > 1 and _KEY.fullmatch(name) is not None and cells.n_unique() == len(cells)


def _type(series: "pl.Series") -> str:
    return str(series.dtype).lower()


def _other(kind: Kind, series: "pl.Series") -> bool:
    """Whether nothing of a column is of the kind that the reference has there."""
    import polars as pl

    cells = series.drop_nulls()
    if not len(cells):
        return False
    if kind == "time":
        return not (cells.dtype.is_temporal() or cells.dtype == pl.String)
    if cells.dtype in (pl.String, pl.Categorical, pl.Enum):
        return cells.cast(pl.String).cast(pl.Float64, strict=False).null_count() == len(cells)
    return not (cells.dtype.is_numeric() or cells.dtype == pl.Boolean)


def _newest(series: "pl.Series") -> str:
    cells = series.drop_nulls()
    if not len(cells):
        return ""
    newest: Any = cells.max()
    return str(newest.isoformat()) if hasattr(newest, "isoformat") else str(newest)


# -- every row ----------------------------------------------------------------------------------------------


def _as(name: str, kind: Kind, dtype: "pl.DataType") -> "pl.Expr":
    """A column as numbers or as text, null where it is neither; NaN is nothing."""
    import polars as pl

    cell = pl.col(name)
    if kind == "number":
        text = cell.cast(pl.String) if dtype in (pl.Categorical, pl.Enum) else cell
        number = (text.str.strip_chars() if dtype == pl.String else text).cast(pl.Float64, strict=False)
        return pl.when(number.is_nan()).then(None).otherwise(number).alias(name)
    text = cell.cast(pl.String, strict=False)
    return (text.str.len_chars().cast(pl.Float64) if kind == "text" else text).alias(name)


def _counts(
    frame: "pl.LazyFrame",
    sample: "pl.DataFrame",
    names: Sequence[str],
    kinds: Mapping[str, Kind],
    *,
    whole: bool,
) -> dict[str, Counted]:
    import polars as pl

    if not names:
        return {}
    asked = [pl.len().alias("rows")]
    for number, name in enumerate(names):
        dtype = sample[name].dtype
        cell = _as(name, kinds[name], dtype)
        there = pl.col(name).is_not_null()
        if dtype.is_float():
            there &= ~pl.col(name).is_nan()
        asked.append((~there).sum().alias(f"{number} nulls"))
        asked.append((there & cell.is_null()).sum().alias(f"{number} bad"))
        if kinds[name] != "category":
            finite = cell.filter(cell.is_finite())
            asked += [cell.is_infinite().sum().alias(f"{number} inf")]
            asked += [finite.min().alias(f"{number} low"), finite.max().alias(f"{number} high")]
    source = sample.lazy() if whole else frame
    row = source.select(asked).collect(engine="streaming").row(0, named=True)
    return {
        name: Counted(
            row["rows"], row[f"{n} nulls"] or 0, row.get(f"{n} inf") or 0, row[f"{n} bad"] or 0,
            row.get(f"{n} low"), row.get(f"{n} high"),
        )
        for n, name in enumerate(names)
    }  # fmt: skip


def _outside(
    frame: "pl.LazyFrame",
    sample: "pl.DataFrame",
    limits: Mapping[str, tuple[float | None, float | None]],
    *,
    whole: bool,
) -> dict[str, int]:
    """Rows beyond the limits; of the text's length nobody asks."""
    known = {
        name: (low, high) for name, (low, high) in limits.items() if low is not None and high is not None
    }
    asked = []
    for name, (low, high) in known.items():
        cell = _as(name, "number", sample[name].dtype)
        asked.append(((cell < low) | (cell > high)).sum().alias(name))
    if not asked:
        return {}
    source = sample.lazy() if whole else frame
    return {
        str(n): int(v or 0)
        for n, v in source.select(asked).collect(engine="streaming").row(0, named=True).items()
    }


def _unseen(
    reference: "pl.LazyFrame",
    current: "pl.LazyFrame",
    samples: "tuple[pl.DataFrame, pl.DataFrame]",
    names: Sequence[str],
    *,
    whole: tuple[bool, bool],
) -> dict[str, dict[str, int]]:
    """Values of the current side that the reference has in no row, with how many rows have them."""
    import polars as pl

    found: dict[str, dict[str, int]] = {}
    old, new = samples
    for name in names:
        known = old.select(_as(name, "category", old[name].dtype))[name].drop_nulls().unique()
        cell = _as(name, "category", new[name].dtype)
        source = new.lazy() if whole[1] else current.select(name)
        fresh = source.select(cell).filter(pl.col(name).is_not_null() & ~pl.col(name).is_in(known.implode()))
        counts = fresh.group_by(name).len("n").top_k(_MOST_CATEGORIES, by="n").collect(engine="streaming")
        if counts.height and not whole[0]:  # the sample may just not have had it
            asked = _as(name, "category", old[name].dtype).is_in(counts[name].implode())
            here = reference.select(_as(name, "category", old[name].dtype)).filter(asked)
            seen = here.unique().collect(engine="streaming")[name]
            counts = counts.filter(~pl.col(name).is_in(seen.implode()))
        if counts.height:
            ordered = counts.sort(["n", name], descending=[True, False])
            found[name] = {str(value): int(n) for value, n in ordered.iter_rows()}
    return found


# -- as the tests have it -----------------------------------------------------------------------------------


def _values(name: str, kind: Kind, old: "pl.Series", new: "pl.Series") -> tuple[Column, tuple[str, ...]]:
    import polars as pl

    sides = [series.to_frame().select(_as(name, kind, series.dtype))[name] for series in (old, new)]
    if kind != "category":
        numbers = [side.cast(pl.Float64).fill_null(float("nan")).to_numpy() for side in sides]
        return Column(name, numbers[0], numbers[1]), ()
    every = pl.concat(sides).drop_nulls().value_counts(name="n").sort(["n", name], descending=[True, False])
    names = every[name].to_list()
    codes = [
        side.replace_strict(names, range(len(names)), default=-1, return_dtype=pl.Int32)
        .fill_null(-1)
        .to_numpy()
        if names
        else np.full(len(side), -1, np.int32)
        for side in sides
    ]
    return Column(name, codes[0], codes[1]), tuple(map(str, names))
