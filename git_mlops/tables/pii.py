"""Columns of a table that hold personal data or secrets: kind, number and share, never a value."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from git_mlops.tables.forms import Form
from git_mlops.tables.frames import FrameError, reason, scan
from git_mlops.tables.kinds import KINDS, of_text, phones_by_name

if TYPE_CHECKING:
    import polars as pl

SAMPLE = 50_000
"""Rows that are looked at, spread evenly; a smaller table is looked at whole."""
_LOOKED_AT = 20_000
"""Candidates of one column and kind that are looked at exactly."""
_FEW = 3
"""So many card numbers must stand in a column of bare numbers: one of ten numbers passes Luhn's check."""
LINES = "lines of the file"
"""Stands for a column where a file cannot be read as a table."""
_BATCH = 64
"""Columns at a time."""


class Hit(NamedTuple):
    """One kind in one column."""

    column: str
    kind: str
    number: int
    rows: int
    """Rows with a value that were looked at."""


class Looked(NamedTuple):
    """What a look at a table came to."""

    columns: tuple[str, ...]
    hits: tuple[Hit, ...]
    rows: int
    """Rows that were looked at."""
    sampled: bool


def columns(path: Path, form: Form) -> tuple[str, ...]:
    """The names of a table's columns.

    Raises:
        FrameError: it is no table of the form.
    """
    import polars as pl

    try:
        return tuple(scan(path, form).collect_schema().names())
    except pl.exceptions.PolarsError as error:
        if not form.text:
            raise FrameError(reason(error)) from error
        return ()
    except (OSError, ValueError) as error:
        raise FrameError(reason(error)) from error


def look(path: Path, form: Form, *, whole: bool = False, skip: frozenset[str] = frozenset()) -> Looked:
    """Scan a table.

    Args:
        path: where the bytes are.
        form: how they are to be read.
        whole: every row, not a sample; the same bytes always give the same sample.
        skip: columns that are not looked into.

    Raises:
        FrameError: it is no table of the form.
    """
    import polars as pl

    try:
        return _look(scan(path, form), whole=whole, skip=skip)
    except pl.exceptions.PolarsError as error:
        if not form.text:
            raise FrameError(reason(error)) from error
    except (OSError, ValueError) as error:
        raise FrameError(reason(error)) from error
    try:
        return _look(_lines(path), whole=whole, skip=frozenset())
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise FrameError(reason(error)) from error


def _lines(path: Path) -> "pl.LazyFrame":
    """A file that is no table of its form (ragged, not UTF-8), line by line."""
    import polars as pl

    return pl.scan_csv(
        path, separator="\x01", has_header=False, new_columns=[LINES], quote_char=None, glob=False,
        encoding="utf8-lossy", infer_schema=False, truncate_ragged_lines=True,
    )  # fmt: skip


def _look(lazy: "pl.LazyFrame", *, whole: bool, skip: frozenset[str]) -> Looked:
    import polars as pl

    names = lazy.collect_schema().names()
    step = 1 if whole else _prime(_rows(lazy) // SAMPLE)
    sample = lazy.gather_every(step) if step > 1 else lazy
    texts = [name for name in names if name not in skip]
    found = [
        hit for start in range(0, len(texts), _BATCH) for hit in _hits(sample, texts[start : start + _BATCH])
    ]
    rows = int(sample.select(pl.len()).collect(engine="streaming").item())
    return Looked(tuple(names), tuple(found), rows, step > 1)


def _prime(least: int) -> int:
    """The next prime: the sample must not beat in time with what repeats in the data. 1 stays 1."""
    step = max(least, 1)
    while step > 1 and any(step % part == 0 for part in range(2, int(step**0.5) + 1)):
        step += 1
    return step


def _rows(lazy: "pl.LazyFrame") -> int:
    import polars as pl

    return int(lazy.select(pl.len()).collect(engine="streaming").item())


def _hits(sample: "pl.LazyFrame", names: list[str]) -> list[Hit]:
    """Two passes: which columns have candidates at all, then the candidates of these."""
    schema = sample.collect_schema()
    texts = {name: text for name in names if (text := _text(name, schema[name])) is not None}
    if not texts:
        return []
    asked = [
        text.str.contains(kind.quick).sum().alias(f"{number}\n{key}")
        for number, text in enumerate(texts.values())
        for key, kind in KINDS.items()
    ]
    counted = [
        (text.str.len_bytes() > 0).sum().alias(f"{number}\n") for number, text in enumerate(texts.values())
    ]
    counts = sample.select(*asked, *counted).collect(engine="streaming").row(0, named=True)
    found = []
    for number, (name, text) in enumerate(texts.items()):
        rows = counts[f"{number}\n"] or 0
        for key in KINDS:
            candidates = counts[f"{number}\n{key}"] or 0
            if candidates:
                few = text.filter(text.str.contains(KINDS[key].quick))
                found += _hit(sample, name, few, key, candidates, rows)
        if not any(hit.column == name and hit.kind == "phone" for hit in found):
            found += _named(sample, name, text, rows)
    return found


def _text(name: str, dtype: "pl.DataType") -> "pl.Expr | None":
    """A column as text; None for what can hold nothing of the kind."""
    import polars as pl

    column = pl.col(name)
    if dtype == pl.String:
        return column
    if dtype in (pl.Categorical, pl.Enum, pl.Int64, pl.UInt64):
        return column.cast(pl.String)
    if isinstance(dtype, pl.Struct):
        return column.struct.json_encode()
    if isinstance(dtype, pl.List) and dtype.inner == pl.String:
        return column.list.join(" ")
    return None


def _hit(
    sample: "pl.LazyFrame", name: str, candidates: "pl.Expr", key: str, number: int, rows: int
) -> list[Hit]:
    kind = KINDS[key]
    values = sample.select(candidates.head(_LOOKED_AT).alias("x")).collect(engine="streaming")["x"].to_list()
    real = [value for value in values if kind.exact(value)]
    if not real or len(real) < kind.alone * len(values):
        return []
    if key == "card" and all(value.isdigit() for value in real) and len(set(real)) < _FEW:
        return []
    count = len(real) if number == len(values) else round(number * len(real) / len(values))
    return [Hit(name, key, count, rows)]


def _named(sample: "pl.LazyFrame", name: str, text: "pl.Expr", rows: int) -> list[Hit]:
    """Numbers in a column that is called `phone`."""
    if not phones_by_name(name, ["0475123456"]):
        return []
    values = sample.select(text.drop_nulls().head(_LOOKED_AT).alias("x")).collect(engine="streaming")["x"]
    real = len(phones_by_name(name, values.to_list()))
    if real < max(_FEW, len(values) // 2):
        return []
    return [Hit(name, "phone", round(rows * real / len(values)), rows)]


def shown(column: str, columns: tuple[str, ...]) -> str:
    """A column's name; its number where the name itself is such a value, as in a file without a header."""
    if column == LINES:
        return "the file"
    return f"column {columns.index(column) + 1}" if of_text(column) else f"column `{column}`"
