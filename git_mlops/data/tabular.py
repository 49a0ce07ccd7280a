"""Tables measured for their profile, with Polars: a few streaming passes, a few columns in memory at a time.

The same bytes give the same figures whatever the number of threads: every figure comes from a sorted column
or is a count. Texts are counted by their hash; only those that are frequent are read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from git_mlops.data.profile import Column, Profile, rounded, shortened
from git_mlops.data.settings import Level
from git_mlops.tables.forms import Form
from git_mlops.tables.frames import FrameError, names, reason, scan
from git_mlops.tables.nulls import NULLS

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["int64", "float64", "bool", "date", "datetime", "string"]
"""What a column of text can be."""

_AT_ONCE = 16_000_000
"""Cells in memory at the same time, of eight bytes each."""
_GLANCE = 500
_MOST_TOP, _RAREST = 5, 1000
"""So many values are named, if each stands in at least one of so many rows, and twice."""
_QUANTILES = (("p05", 0.05), ("p50", 0.5), ("p95", 0.95))
_TIMES = (
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
)
_LOOKS: tuple[tuple[Kind, str], ...] = (
    ("int64", r"[+-]?(0|[1-9][0-9]*)"),
    ("float64", r"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|(?i:inf|infinity))"),
    ("bool", r"(?i:true|false)"),
    ("date", r"\d{4}-\d\d-\d\d"),
    ("datetime", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?"),
)
_KEY = re.compile(r"id|uuid|key|index|.*(_id|_uuid|_key|Id|ID)", re.ASCII)


class _Read(NamedTuple):
    """A column in memory: numbers and times as they are, what nests as nothing, texts as their hash.

    Texts of which there seem to be few are there themselves.
    """

    name: str
    kind: str
    cells: "pl.Series"


def measure(
    path: Path,
    form: Form,
    levels: Mapping[str, Level] | None = None,
    *,
    key: Sequence[str] = (),
    only: Iterable[str] | None = None,
) -> Profile:
    """The profile of a file.

    Args:
        path: the file, which may be an object of the cache.
        form: how to read it.
        levels: how much may be said of each column; of one that is not named, everything.
        key: the declared key.
        only: the columns to measure, instead of all.

    Raises:
        FrameError: the file is not what its name says.
    """
    import polars as pl

    try:
        frame = scan(path, form, NULLS)
        found = names(frame)
        chosen = found if only is None else [name for name in found if name in set(only)]
        rows, read = _columns(path, form, frame, [n for n in chosen if (levels or {}).get(n) != "none"])
        return _profile(frame, rows, read, levels or {}, tuple(key) if set(key) <= set(found) else ())
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise FrameError(reason(error)) from error


def columns_of(path: Path, form: Form) -> list[str]:
    """The names of a table's columns, from its beginning."""
    import polars as pl

    try:
        return names(scan(path, form))
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise FrameError(reason(error)) from error


# -- columns in memory, a few at a time ---------------------------------------------------------------------


def _columns(
    path: Path, form: Form, frame: "pl.LazyFrame", names: Sequence[str]
) -> tuple[int, Iterator[_Read]]:
    """How many rows there are, and every column."""
    import polars as pl

    if form.kind in ("csv", "tsv") and names:
        head = frame.head(_GLANCE).collect(engine="streaming")
        rows = _about(path, form, head)
        if rows is not None and rows * len(names) <= _AT_ONCE:
            read = list(_texts(frame, head, names))
            return len(read[0].cells), iter(read)
    rows = int(frame.select(pl.len()).collect(engine="streaming").item())
    at_once = max(1, _AT_ONCE // max(rows, 1))
    parts = [names[start : start + at_once] for start in range(0, len(names), at_once)]
    if form.kind in ("csv", "tsv"):
        return rows, (one for part in parts for one in _texts(frame, head, part))
    return rows, (one for part in parts for one in _values(frame, part))


def _about(path: Path, form: Form, head: "pl.DataFrame") -> int | None:
    """Roughly how many rows a text table has, without reading it."""
    if form.packed:
        return None
    return path.stat().st_size * head.height // max(1, int(head.estimated_size()) // 4)


def _values(frame: "pl.LazyFrame", names: Sequence[str]) -> Iterator[_Read]:
    schema = frame.select(names).collect_schema()
    asked = [_comparable(name, kind).alias(str(n)) for n, (name, kind) in enumerate(schema.items())]
    found = frame.select(asked).collect(engine="streaming")
    for number, (name, kind) in enumerate(schema.items()):
        yield _Read(name, _type_name(kind), found[str(number)])


def _texts(frame: "pl.LazyFrame", head: "pl.DataFrame", names: Sequence[str]) -> Iterator[_Read]:
    """Cells of text in the narrowest type that holds all of them; the first rows tell which ones to try."""
    import polars as pl

    tries = _possible(head, names)
    texts_ = [name for name in names if tries[name] == ["string"]]
    few = {name for name in texts_ if 2 * head[name].n_unique() < head.height}
    asked = [
        (pl.col(name) if name in few else _read_as(name, kind)).alias(f"{n} {kind}")
        for n, name in enumerate(names)
        for kind in tries[name]
    ]
    asked += [
        pl.col(name).is_null().alias(f"{n} None") for n, name in enumerate(names) if tries[name] != ["string"]
    ]
    found = frame.select(asked).collect(engine="streaming")
    left: list[str] = []
    for number, name in enumerate(names):
        nulls = None if tries[name] == ["string"] else int(found[f"{number} None"].sum())
        fits = [k for k in tries[name] if nulls in (None, found[f"{number} {k}"].null_count())]
        if not fits or nulls == len(found):
            left.append(name)
        else:
            yield _Read(name, fits[0], found[f"{number} {fits[0]}"])
    if left:
        texts = frame.select(_read_as(name, "string").alias(name) for name in left).collect(
            engine="streaming"
        )
        yield from (_Read(name, "string", texts[name]) for name in left)


def _possible(head: "pl.DataFrame", names: Sequence[str]) -> dict[str, list[Kind]]:
    """Column → the types that its first cells look like. All at once: 2,000 columns are no 10,000 calls."""
    import polars as pl

    asked = [
        pl.col(name).str.contains(f"^(?:{look})$").all().alias(f"{n} {kind}")
        for n, name in enumerate(names)
        for kind, look in _LOOKS
    ]
    fits = head.select(asked).row(0, named=True) if names else {}
    return {
        name: [kind for kind, _look in _LOOKS if fits[f"{n} {kind}"]] or ["string"]
        for n, name in enumerate(names)
    }


def _read_as(name: str, kind: Kind) -> "pl.Expr":
    """The cells as a type, null where they are not of it; texts as their hash."""
    import polars as pl

    cell = pl.col(name)
    match kind:
        case "int64":  # `007` is a name, not a number
            named = cell.str.starts_with("0") & (cell.str.len_bytes() > 1)
            return pl.when(named).then(None).otherwise(cell.cast(pl.Int64, strict=False))
        case "float64":
            point = cell.str.starts_with("0.") | cell.str.starts_with("0e") | cell.str.starts_with("0E")
            named = cell.str.starts_with("0") & (cell.str.len_bytes() > 1) & ~point
            return pl.when(named).then(None).otherwise(cell.cast(pl.Float64, strict=False))
        case "bool":
            truth = cell.str.to_lowercase()
            return pl.when(truth.is_in(["true", "false"])).then(truth == "true").otherwise(None)
        case "date":
            return cell.str.to_date("%Y-%m-%d", strict=False, exact=True)
        case "datetime":
            return pl.coalesce(_time(cell, form) for form in _TIMES)
    return pl.when(cell.is_not_null()).then(cell.hash())


def _time(cell: "pl.Expr", form: str) -> "pl.Expr":
    import polars as pl

    zoned = form.endswith("z")
    time = cell.str.to_datetime(
        form, strict=False, exact=True, time_unit="us", time_zone="UTC" if zoned else None
    )
    return time.dt.replace_time_zone(None) if zoned else time.cast(pl.Datetime("us"))


def _type_name(kind: "pl.DataType") -> str:
    return {"categorical": "category", "enum": "category", "boolean": "bool"}.get(
        name := kind.base_type().__name__.lower(), name
    )


# -- the figures --------------------------------------------------------------------------------------------


def _profile(
    frame: "pl.LazyFrame", rows: int, read: Iterable[_Read], levels: Mapping[str, Level], key: tuple[str, ...]
) -> Profile:
    columns: dict[str, Column] = {}
    frequent: dict[str, dict[int, int]] = {}
    for name, kind, cells in read:
        columns[name], top = _column(cells, kind, full=levels.get(name, "full") == "full")
        frequent |= {name: top} if top else {}
    for name, named in _named(frame, frequent).items():
        columns[name] = {**columns[name], "top": named}
    columns = {name: columns[name] for name in frame.collect_schema().names() if name in columns}
    return Profile(rows, columns, key or _key(columns, rows))


def _comparable(name: str, kind: "pl.DataType") -> "pl.Expr":
    import polars as pl

    cell = pl.col(name)
    if kind.is_decimal():
        return cell.cast(pl.Float64)
    if kind.is_numeric() or kind.is_temporal() or kind == pl.Boolean:
        return cell
    if _is_text(kind):
        text = cell.cast(pl.String)
        return pl.when(text.is_not_null()).then(text.hash())
    if kind == pl.Binary:
        return pl.when(cell.is_not_null()).then(cell.hash())
    return pl.when(cell.is_not_null()).then(pl.lit(0, pl.UInt8))


def _is_text(kind: "pl.DataType") -> bool:
    import polars as pl

    return kind in (pl.String, pl.Categorical, pl.Enum)


def _column(series: "pl.Series", kind: str, *, full: bool) -> tuple[dict[str, Any], dict[int, int]]:
    """What is said of a column, and, for hashed texts, row → count of those that are frequent."""
    import polars as pl

    found: dict[str, Any] = {"type": kind, "nulls": series.null_count()}
    cells = series.drop_nulls()
    if series.dtype.is_float() and (nans := int(cells.is_nan().sum())):
        found["nans"] = nans
        cells = cells.drop_nans()
    if kind in ("list", "array", "struct", "object", "null"):
        return found, {}
    if kind in ("string", "category", "binary"):
        counts = cells.value_counts(name="count")
        found["distinct"] = counts.height
        many = _frequent(counts, len(cells)) if full and kind != "binary" else {}
        if not many or series.dtype != pl.String:
            return found, _first_rows(series, many)
        return {**found, "top": _top(many)}, {}
    cells = cells.sort()
    found["distinct"] = int((cells != cells.shift()).sum()) + 1 if len(cells) else 0
    if full and len(cells):
        if series.dtype == pl.Boolean:
            found["top"] = {
                str(v).lower(): n for v, n in ((True, int(cells.sum())), (False, int((~cells).sum()))) if n
            }
        else:
            found |= _spread(cells)
    return found, {}


def _spread(cells: "pl.Series") -> dict[str, Any]:
    """Of sorted cells. A quantile is a value that is there; only the mean and what follows are computed."""
    last = len(cells) - 1
    places = [("min", 0), *((name, round(share * last)) for name, share in _QUANTILES), ("max", last)]
    found = {name: _plain(cells[place]) for name, place in places}
    if cells.dtype.is_numeric():
        floats = cells.cast(pl_float())
        mean, largest = floats.mean(), max(abs(floats[0]), abs(floats[-1]))
        std = floats.std(ddof=0)
        # what is left of numbers that cancel each other out is noise
        found["mean"] = 0.0 if abs(mean) < largest * 1e-12 else rounded(mean)  # type: ignore[arg-type]
        found["std"] = 0.0 if std < largest * 1e-12 else rounded(std)  # type: ignore[arg-type]
    return found


def pl_float() -> "type[pl.Float64]":
    import polars as pl

    return pl.Float64


def _plain(value: object) -> object:
    if isinstance(value, float):
        return rounded(value)
    return (
        value if isinstance(value, int) else value.isoformat() if hasattr(value, "isoformat") else str(value)
    )


def _frequent(counts: "pl.DataFrame", cells: int) -> dict[Any, int]:
    """Text or hash → count of the values worth a name; with those that tie for the last place."""
    import polars as pl

    least = max(2, -(-cells // _RAREST))
    many = counts.filter(pl.col("count") >= least).sort("count", descending=True)
    if many.height > _MOST_TOP:
        many = many.filter(pl.col("count") >= many["count"][_MOST_TOP - 1])
    return dict(many.iter_rows())


def _first_rows(hashes: "pl.Series", counts: Mapping[int, int]) -> dict[int, int]:
    """Row in which a hash stands first → its count."""
    import polars as pl

    if not counts:
        return {}
    chosen = pl.Series(list(counts), dtype=hashes.dtype).implode()
    found = pl.DataFrame({"hash": hashes}).with_row_index("row").filter(pl.col("hash").is_in(chosen))
    first = found.group_by("hash").agg(pl.min("row"))
    return {row: counts[hash_] for hash_, row in first.iter_rows()}


def _named(frame: "pl.LazyFrame", frequent: Mapping[str, Mapping[int, int]]) -> dict[str, dict[str, int]]:
    """Column → value → count, from the row in which each value stands. One pass for all columns."""
    import polars as pl

    if not frequent:
        return {}
    numbers = sorted({row for rows in frequent.values() for row in rows})
    texts = frame.select(
        pl.col(name).cast(pl.String).alias(str(number)) for number, name in enumerate(frequent)
    )
    wanted = pl.Series(numbers, dtype=pl.get_index_type()).implode()
    found = texts.with_row_index("row").filter(pl.col("row").is_in(wanted)).collect(engine="streaming")
    rows = {row[0]: row[1:] for row in found.iter_rows()}
    return {
        name: _top({rows[row][number]: count for row, count in counts.items()})
        for number, (name, counts) in enumerate(frequent.items())
    }


def _top(counts: Mapping[str, int]) -> dict[str, int]:
    """The most frequent first, then by the value."""
    top: dict[str, int] = {}
    for count, text in sorted((-count, text) for text, count in counts.items())[:_MOST_TOP]:
        top.setdefault(shortened(text), -count)
    return top


def _key(columns: Mapping[str, Column], rows: int) -> tuple[str, ...]:
    """A column that could be the key: named like one, unique and without nulls."""
    named = [name for name in columns if _KEY.fullmatch(name)]
    fitting = [n for n in named if columns[n].get("distinct") == rows and not columns[n]["nulls"]]
    order = {name: (name.lower() != "id", number) for number, name in enumerate(columns)}
    return (min(fitting, key=order.__getitem__),) if rows and fitting else ()
