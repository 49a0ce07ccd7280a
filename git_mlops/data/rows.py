"""Two tables compared row by row, with Polars: by key, or as multisets of whole rows without one.

Both are streamed as hashes (of the key, of the rest) into one grouping, never as a join that repeated keys
could blow up. Only rows that differ are looked at cell by cell. Large tables go part by part, by the key's
hash, so that memory is bounded.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from git_mlops.tables.forms import Form
from git_mlops.tables.frames import FrameError, names, reason, scan
from git_mlops.tables.nulls import NULLS

if TYPE_CHECKING:
    import polars as pl

PART = 8_000_000
"""Rows of both tables that are grouped at the same time."""
_CELLS = 60_000_000
"""Cells of rows that differ, held at the same time."""
_MOST_PAIRS = 100
_ALIKE = 0.95
"""The share of equal cells from which a column counts as renamed."""

Row = Mapping[str, Any]


class Columns(NamedTuple):
    """How the columns of two tables belong together."""

    both: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...] = ()
    """Old and new name, guessed: the cells are the same."""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Old and new name of all columns that can be compared."""
        return [*((name, name) for name in self.both), *self.renamed]


class Examples(NamedTuple):
    """Some rows, in the order of the files."""

    added: tuple[Row, ...] = ()
    removed: tuple[Row, ...] = ()
    changed: tuple[tuple[Row, Row], ...] = ()
    """As they were and as they are."""


class Difference(NamedTuple):
    """From `a` to `b`."""

    rows: tuple[int, int]
    key: tuple[str, ...]
    """Empty: whole rows were compared, so that none is changed: it is removed and added."""
    added: int
    removed: int
    changed: int
    columns: Columns
    cells: Mapping[str, int]
    """New name of a column → how many of its cells changed, where any did."""
    examples: Examples = Examples()
    repeated_key: bool = False
    """A key was given, and it does not tell the rows apart."""


class _Side(NamedTuple):
    frame: "pl.LazyFrame"
    schema: "Mapping[str, pl.DataType]"


class _Pair(NamedTuple):
    """Two tables, and how their rows are told apart."""

    a: _Side
    b: _Side
    key: tuple[str, ...]
    columns: Columns

    def hashes(self, side: int, part: tuple[int, int] = (0, 1)) -> "pl.LazyFrame":
        """Of every row: `kh` of the key, `rh` of the rest, its number `i`; of one part out of so many."""
        import polars as pl

        pairs = self.columns.pairs
        whole = [self.cell(side, pair) for pair in pairs] or [pl.lit(0)]
        rest = [self.cell(side, pair) for pair in pairs if pair[0] not in self.key]
        keys = [self.cell(side, (name, name)) for name in self.key]
        frame = (self.a, self.b)[side].frame.select(
            _hash(keys or whole).alias("kh"), _hash(rest if keys else []).alias("rh")
        )
        frame = frame.with_row_index("i")
        return frame if part[1] == 1 else frame.filter(pl.col("kh") % part[1] == part[0])

    def cell(self, side: int, pair: tuple[str, str]) -> "pl.Expr":
        """A column in the type in which both sides can be compared."""
        import polars as pl

        kinds = (self.a.schema[pair[0]], self.b.schema[pair[1]])
        return _as_comparable(pl.col(pair[side]), kinds[side], kinds[1 - side])


def compare(
    a: tuple[Path, Form], b: tuple[Path, Form], key: Sequence[str] = (), *, examples: int = 0
) -> Difference:
    """Compare two files.

    Args:
        a: the old table, which may be an object of the cache.
        b: the new one.
        key: columns that tell the rows apart; ignored where a side lacks one.
        examples: how many rows to show of each sort.

    Raises:
        FrameError: a file is not what its name says.
    """
    import polars as pl

    try:
        sides = (_side(*a), _side(*b))
        both = tuple(name for name in sides[0].schema if name in sides[1].schema)
        columns = Columns(
            both,
            tuple(name for name in sides[1].schema if name not in both),
            tuple(name for name in sides[0].schema if name not in both),
        )
        usable = tuple(key) if key and set(key) <= set(both) else ()
        return _compare(_Pair(*sides, usable, columns), examples)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise FrameError(reason(error)) from error


def _side(path: Path, form: Form) -> _Side:
    frame = scan(path, form, NULLS)
    names(frame)
    return _Side(frame, dict(frame.collect_schema()))


def _compare(pair: _Pair, examples: int) -> Difference:
    rows = _rows(pair.a), _rows(pair.b)
    found = _Found(examples)
    if pair.columns.added and pair.columns.removed:
        pair = pair._replace(columns=pair.columns._replace(**_renamed(pair)))
    for part in _parts(rows):
        differing = _differing(pair, part)
        if pair.key and _ambiguous(differing):
            done = _compare(pair._replace(key=()), examples)
            return done._replace(repeated_key=True)
        found.take(pair, differing, part)
    return Difference(
        rows, pair.key, found.added, found.removed, found.changed, pair.columns,
        {name: count for name, count in found.cells.items() if count}, found.examples(pair),
    )  # fmt: skip


def _rows(side: _Side) -> int:
    import polars as pl

    return int(side.frame.select(pl.len()).collect(engine="streaming").item())


def _parts(rows: tuple[int, int]) -> Iterator[tuple[int, int]]:
    count = max(1, -(-sum(rows) // PART))
    yield from ((number, count) for number in range(count))


def _differing(pair: _Pair, part: tuple[int, int]) -> "pl.DataFrame":
    """The keys whose rows are not the same on both sides: how many each has, and where the first is."""
    import polars as pl

    nothing = pl.lit(None, pl.get_index_type())
    sides = [
        pair.hashes(side, part).select(
            "kh",
            pl.lit(1 - side, pl.Int64).alias("na"),
            pl.lit(side, pl.Int64).alias("nb"),
            (pl.lit(0, pl.UInt64) if side else pl.col("rh")).alias("ra"),
            (pl.col("rh") if side else pl.lit(0, pl.UInt64)).alias("rb"),
            (nothing if side else pl.col("i")).alias("ia"),
            (pl.col("i") if side else nothing).alias("ib"),
        )
        for side in (0, 1)
    ]
    grouped = pl.concat(sides).group_by("kh").agg(pl.sum("na", "nb", "ra", "rb"), pl.min("ia", "ib"))
    same = (pl.col("na") == pl.col("nb")) & (pl.col("ra") == pl.col("rb"))
    return grouped.filter(~same).collect(engine="streaming")


def _ambiguous(differing: "pl.DataFrame") -> bool:
    import polars as pl

    return differing.select(((pl.col("na") > 1) | (pl.col("nb") > 1)).any()).item() is True


class _Found:
    """What the parts add up to."""

    def __init__(self, examples: int) -> None:
        self.added = self.removed = self.changed = 0
        self.cells: dict[str, int] = {}
        self._most = examples
        self._kept: dict[str, pl.DataFrame] = {}

    def take(self, pair: _Pair, differing: "pl.DataFrame", part: tuple[int, int]) -> None:
        import polars as pl

        more, fewer = pl.col("nb") - pl.col("na"), pl.col("na") - pl.col("nb")
        changed = differing.filter(more == 0)
        self.added += int(differing.select(more.clip(lower_bound=0).sum()).item() or 0)
        self.removed += int(differing.select(fewer.clip(lower_bound=0).sum()).item() or 0)
        self.changed += changed.height
        for name, count in _cells(pair, changed["kh"]).items():
            self.cells[name] = self.cells.get(name, 0) + count
        if self._most:
            self._keep("added", differing.filter(more > 0), pl.col("ib"))
            self._keep("removed", differing.filter(fewer > 0), pl.col("ia"))
            # the same rows whichever side is the old one
            self._keep("changed", changed, pl.col("ia").cast(pl.UInt64) + pl.col("ib").cast(pl.UInt64))

    def _keep(self, sort: str, rows: "pl.DataFrame", order: "pl.Expr") -> None:
        import polars as pl

        new = rows.select(order.alias("order"), "kh", "ia", "ib")
        both = pl.concat([self._kept[sort], new]) if sort in self._kept else new
        self._kept[sort] = both.sort("order", "kh").head(self._most)

    def examples(self, pair: _Pair) -> Examples:
        if not self._most:
            return Examples()
        added, removed, changed = (self._kept[sort] for sort in ("added", "removed", "changed"))
        old = _fetched(pair.a, [*removed["ia"], *changed["ia"]])
        new = _fetched(pair.b, [*added["ib"], *changed["ib"]])
        return Examples(
            tuple(new[number] for number in added["ib"]),
            tuple(old[number] for number in removed["ia"]),
            tuple((old[i], new[j]) for i, j in zip(changed["ia"], changed["ib"], strict=True)),
        )


def _fetched(side: _Side, numbers: Sequence[int]) -> dict[int, Row]:
    """Rows by their number."""
    import polars as pl

    if not numbers:
        return {}
    wanted = pl.Series(numbers, dtype=pl.get_index_type()).implode()
    names = [f"c{number}" for number in range(len(side.schema))]
    columns = [pl.col(name).alias(short) for name, short in zip(side.schema, names, strict=True)]
    rows = side.frame.select(columns).with_row_index("i").filter(pl.col("i").is_in(wanted))
    found = rows.collect(engine="streaming").rows()
    return {row[0]: dict(zip(side.schema, row[1:], strict=True)) for row in found}


def _cells(pair: _Pair, keys: "pl.Series") -> dict[str, int]:
    """How many cells of each column differ in the rows with these keys."""
    import polars as pl

    pairs = [(old, new) for old, new in pair.columns.pairs if old not in pair.key]
    if not len(keys) or not pairs:
        return {}
    counts: dict[str, int] = {}
    at_once = max(1, _CELLS // (2 * len(keys)))
    for chosen in _batched(pairs, at_once):
        sides = []
        for side in (0, 1):
            cells = [pair.cell(side, each).alias(f"{'ab'[side]}{n}") for n, each in enumerate(chosen)]
            key = _hash([pair.cell(side, (name, name)) for name in pair.key]).alias("kh")
            sides.append((pair.a, pair.b)[side].frame.select(key, *cells))
        wanted = pl.LazyFrame({"kh": keys})
        a, b = (side.join(wanted, on="kh", how="semi") for side in sides)
        joined = a.join(b, on="kh", how="inner")
        unequal = [
            pl.col(f"a{n}").ne_missing(pl.col(f"b{n}")).sum().alias(str(n)) for n in range(len(chosen))
        ]
        row = joined.select(unequal).collect(engine="streaming").row(0)
        counts |= {new: int(count) for (_old, new), count in zip(chosen, row, strict=True)}
    return counts


def _batched(items: Sequence[tuple[str, str]], size: int) -> Iterator[Sequence[tuple[str, str]]]:
    yield from (items[start : start + size] for start in range(0, len(items), size))


# -- columns that have another name ---------------------------------------------------------------------


def _renamed(pair: _Pair) -> dict[str, tuple[Any, ...]]:
    """What changes in `Columns` where a column that is gone is one that came."""
    found: list[tuple[str, str]] = []
    for old, new in _alike(pair):
        if not any(old == o or new == n for o, n in found):
            found.append((old, new))
    return {
        "renamed": tuple(found),
        "added": tuple(name for name in pair.columns.added if name not in {n for _o, n in found}),
        "removed": tuple(name for name in pair.columns.removed if name not in {o for o, _n in found}),
    }


def _alike(pair: _Pair) -> Iterable[tuple[str, str]]:
    """Pairs of columns with the same content, the most alike first."""
    pairs = list(itertools.product(pair.columns.removed, pair.columns.added))
    pairs = [each for each in pairs if _kin(pair.a.schema[each[0]], pair.b.schema[each[1]])]
    if not pairs or len(pairs) > _MOST_PAIRS:
        return []
    scores = _by_row(pair, pairs) if pair.key else _by_content(pair, pairs)
    ranked = sorted((-score, n) for n, score in enumerate(scores) if score >= _ALIKE)
    return [pairs[number] for _score, number in ranked]


def _kin(a: "pl.DataType", b: "pl.DataType") -> bool:
    return a == b or (a.is_numeric() and b.is_numeric())


def _by_row(pair: _Pair, pairs: Sequence[tuple[str, str]]) -> list[float]:
    """The share of equal cells in the rows whose key occurs once on both sides."""
    import polars as pl

    sides = []
    for side in (0, 1):
        key = _hash([pair.cell(side, (name, name)) for name in pair.key]).alias("kh")
        cells = [pair.cell(side, each).hash().alias(f"{'ab'[side]}{n}") for n, each in enumerate(pairs)]
        there = [
            pair.cell(side, each).is_not_null().alias(f"{'ab'[side]}t{n}") for n, each in enumerate(pairs)
        ]
        frame = (pair.a, pair.b)[side].frame.select(key, *cells, *there)
        sides.append(frame.group_by("kh").agg(pl.all().first(), pl.len().alias("n")).filter(pl.col("n") == 1))
    joined = sides[0].join(sides[1], on="kh", how="inner")
    equal = [
        (pl.col(f"a{n}").eq_missing(pl.col(f"b{n}")))
        .filter(pl.col(f"at{n}") | pl.col(f"bt{n}"))
        .mean()
        .alias(str(n))
        for n in range(len(pairs))
    ]
    return [float(score or 0) for score in joined.select(equal).collect(engine="streaming").row(0)]


def _by_content(pair: _Pair, pairs: Sequence[tuple[str, str]]) -> list[float]:
    """1 where both columns hold the same cells in any order, else 0."""
    sums = []
    for side in (0, 1):
        asked = [pair.cell(side, each).hash().sum().alias(str(n)) for n, each in enumerate(pairs)]
        there = [pair.cell(side, each).count().alias(f"t{n}") for n, each in enumerate(pairs)]
        frame = (pair.a, pair.b)[side].frame.select(*asked, *there).collect(engine="streaming")
        sums.append(frame.row(0, named=True))
    a, b = sums
    return [float(a[str(n)] == b[str(n)] and a[f"t{n}"] == b[f"t{n}"] > 0) for n in range(len(pairs))]


# -- cells ----------------------------------------------------------------------------------------------


def _hash(cells: "Sequence[pl.Expr]") -> "pl.Expr":
    import polars as pl

    if not cells:
        return pl.lit(0, pl.UInt64)
    if len(cells) == 1:
        return cells[0].hash()
    return pl.struct(cell.alias(str(number)) for number, cell in enumerate(cells)).hash()


def _as_comparable(cell: "pl.Expr", kind: "pl.DataType", other: "pl.DataType") -> "pl.Expr":
    import polars as pl

    if kind.is_nested():
        cell, kind = pl.struct(cell.alias("c")).struct.json_encode(), pl.String()
    if kind == other and kind not in (pl.Categorical, pl.Enum):
        return cell
    if kind.is_numeric() and other.is_numeric():
        whole = kind.is_integer() and other.is_integer()
        return cell.cast(pl.Int64 if whole and pl.UInt64 not in (kind, other) else pl.Float64)
    if kind.is_temporal() and other.base_type() == kind.base_type():
        return cell.cast(pl.Datetime("us")) if kind.base_type() == pl.Datetime else cell
    return cell.cast(pl.String, strict=False)
