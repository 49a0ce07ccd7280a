"""Three-way merge of Parquet: values keep their types, the file its schema."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from git_mlops.data.threeway import (
    NOT_APPENDED,
    PLACE,
    CannotMergeError,
    Choose,
    Conflict,
    Counts,
    Outcome,
    Rows,
    Side,
    Sides,
    columns_of,
    has,
    named,
    of_both,
    paired,
    rows_of,
    settled,
    unique,
)
from git_mlops.tables.forms import Form

if TYPE_CHECKING:
    import polars as pl


def merge(sides: Sides, _form: Form, key: tuple[str, ...], target: Path, choose: Choose) -> Outcome:
    import polars as pl

    frames = [pl.read_parquet(file, glob=False) for file in sides]
    for frame, name in reversed([*zip(frames, Sides._fields, strict=True)]):
        has(frame.columns, key, name)
    schema = _types(frames)
    base, ours, theirs = (
        frame.cast({c: schema[c] for c in frame.columns})
        for frame in frames  # strict: what does not fit, fails
    )
    columns = columns_of(tuple(base.columns), tuple(ours.columns), tuple(theirs.columns))
    alike = base.columns == ours.columns == theirs.columns
    lazy = [frame.with_row_index(PLACE).lazy() for frame in (base, ours, theirs)]
    for frame_, name in zip(lazy, Sides._fields, strict=True):
        unique(frame_, key, name, named(key))
    lost: dict[Side, list[str]] = {}
    for side, other in (("ours", lazy[2]), ("theirs", lazy[1])):
        dropper: Side = "ours" if side == "ours" else "theirs"
        for column in columns.lost_by[dropper]:
            if paired(lazy[0], other, key, [column])["changed"].any():
                lost.setdefault(dropper, []).append(column)
    columns = settled(columns, lost, choose)
    compare = [c for c in columns.shared if c not in key]
    rows, every = rows_of(lazy[0], lazy[1], lazy[2], key, compare, alike=alike)
    typed = _Typed(base, ours, theirs, key, columns.result, choose, schema)
    return typed.merged(rows, every, columns.conflicts, sides, target)


def _types(frames: Sequence["pl.DataFrame"]) -> dict[str, "pl.DataType"]:
    """The type of each column: three-way, too."""
    found: dict[str, pl.DataType] = {}
    for name in dict.fromkeys(c for frame in frames for c in frame.columns):
        b, o, t = (frame.schema.get(name) for frame in frames)
        choice = o if t in (b, None) or o == t else t if o in (b, None) else None
        if choice is None:
            raise CannotMergeError(f"both sides changed the type of `{name}`")
        found[name] = choice
    return found


class _Typed:
    """A merge of frames: values keep their types."""

    def __init__(  # noqa: PLR0913, PLR0917  # three sides and how to join them
        self, base: "pl.DataFrame", ours: "pl.DataFrame", theirs: "pl.DataFrame", key: tuple[str, ...],
        columns: tuple[str, ...], choose: Choose, schema: Mapping[str, "pl.DataType"],
    ) -> None:  # fmt: skip
        self.base, self.ours, self.theirs = base, ours, theirs
        self.key, self.columns, self.choose, self.schema = key, columns, choose, schema
        self.conflicts: list[Conflict] = []

    def merged(
        self, rows: Rows, every: "pl.DataFrame", before: Sequence[Conflict], sides: Sides, target: Path
    ) -> Outcome:
        """Write the result where nothing is left to a person."""
        import polars as pl

        both = self._both(rows)
        dropped, append = set(rows.dropped), list(rows.new)
        for b, o in rows.theirs_gone:
            if self._gone(b, o, None) == "theirs":
                dropped.add(o)
        for b, t in rows.ours_gone:
            if self._gone(b, None, t) == "theirs":
                append.append(t)
        conflicts = (*before, *self.conflicts)
        if conflicts:
            return Outcome(conflicts)
        order = pl.Series("order", [o for o, _t in rows.theirs], dtype=pl.UInt32)
        taken = self._shaped(self.theirs[[t for _o, t in rows.theirs]]).with_columns(order.alias(PLACE))
        replaced = set(order.to_list()) | set(both[PLACE].to_list()) | dropped
        gone = pl.Series(sorted(replaced), dtype=pl.UInt32)
        kept = self._widened(every).filter(~pl.col(PLACE).is_in(gone.implode()))
        body = pl.concat([kept, taken, both]).sort(PLACE).drop(PLACE)
        new = self._shaped(self.theirs[sorted(append)])
        _write_parquet(pl.concat([body, new]), sides, target)
        counts = Counts(len(append), len(rows.both) + len(rows.theirs) + len(rows.twins), len(dropped))
        return Outcome((), counts.of(self.ours.columns, self.columns))

    def _shaped(self, frame: "pl.DataFrame") -> "pl.DataFrame":
        """The result's columns; those that it lacks are null."""
        import polars as pl

        return frame.select(
            [
                pl.col(c) if c in frame.columns else pl.lit(None, dtype=self.schema[c]).alias(c)
                for c in self.columns
            ]
        )

    def _widened(self, every: "pl.DataFrame") -> "pl.DataFrame":
        """Ours, with the columns that theirs added."""
        extra = [c for c in self.columns if c not in self.ours.columns]
        frame = self.ours.with_row_index(PLACE)
        if extra:
            added = self.theirs[every["t"].to_list()].select(extra).with_columns(every["o"].alias(PLACE))
            frame = frame.join(added, on=PLACE, how="left", maintain_order="left")
        return self._shaped(frame).with_columns(frame[PLACE])

    def _both(self, rows: Rows) -> "pl.DataFrame":
        """Rows that both changed, or both added, cell by cell."""
        import polars as pl

        places = [(o, t) for _b, o, t in rows.both] + rows.twins
        ours, theirs = self.ours[[o for o, _ in places]], self.theirs[[t for _, t in places]]
        base = pl.concat(
            [self.base[[b for b, *_ in rows.both]], self.base.clear(len(rows.twins))], rechunk=True
        )
        had = [True] * len(rows.both) + [False] * len(rows.twins)
        made = {c: self._column(c, base, ours, theirs, had) for c in self.columns}
        order = pl.Series(PLACE, [o for o, _ in places], dtype=pl.UInt32)
        return pl.DataFrame([*made.values(), order])

    def _column(
        self, name: str, base: "pl.DataFrame", ours: "pl.DataFrame", theirs: "pl.DataFrame", had: list[bool]
    ) -> "pl.Series":
        import polars as pl

        if name not in theirs.columns:
            return ours[name]
        if name not in ours.columns:
            return theirs[name]
        there = pl.Series(had, dtype=pl.Boolean)
        o, t = ours[name], theirs[name]
        b = base[name] if name in base.columns else pl.Series(name, [None] * o.len(), dtype=o.dtype)
        of_theirs = o.eq_missing(b) & there
        clash = ~of_theirs & o.ne_missing(t) & ~(t.eq_missing(b) & there)
        made = pl.select(pl.when(of_theirs).then(t).otherwise(o).alias(name)).to_series()
        for place in clash.arg_true().to_list():
            cells = (b[place] if had[place] else None, o[place], t[place])
            key = tuple(str(ours[column][place]) for column in self.key)
            conflict = Conflict(key, name, _text(cells[0]) if had[place] else None, *map(_text, cells[1:]))
            choice = self.choose(conflict)
            if choice is None:
                self.conflicts.append(conflict)
            elif choice.side == "value":
                value = pl.Series([choice.value or None]).cast(o.dtype)
                made = pl.concat([made[:place], value.alias(name), made[place + 1 :]])
            else:
                source = {"base": b, "ours": o, "theirs": t}[choice.side]
                made = pl.concat([made[:place], source[place : place + 1], made[place + 1 :]])
        return made

    def _gone(self, b: int, o: int | None, t: int | None) -> Side | None:
        side, place = (self.ours, o) if o is not None else (self.theirs, t)
        assert place is not None
        before, after = self.base.row(b, named=True), side.row(place, named=True)
        names = [c for c in before if c in after and _text(before[c]) != _text(after[c])]
        shown = ", ".join(f"{c}={_text(after[c])}" for c in names)
        old = ", ".join(f"{c}={_text(before[c])}" for c in names)
        key = tuple(str(before[c]) for c in self.key)
        conflict = Conflict(key, "", old, shown if o is not None else None, shown if t is not None else None)
        choice = self.choose(conflict)
        if choice is None or choice.side not in ("ours", "theirs"):
            self.conflicts.append(conflict)
            return None
        return "ours" if choice.side == "ours" else "theirs"


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _write_parquet(frame: "pl.DataFrame", sides: Sides, target: Path) -> None:
    """With the types, the metadata (pandas' index) and the compression of ours, as far as they apply."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    old = pq.ParquetFile(sides.ours)
    schema, table = old.schema_arrow, frame.to_arrow()
    own = {field.name: field for field in schema}
    fields = [own.get(field.name, field) for field in table.schema]
    with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):  # theirs changed its type
        table = table.cast(pa.schema(fields))
    if list(own) == frame.columns:
        table = table.replace_schema_metadata(schema.metadata)
    first = old.metadata.row_group(0).column(0) if old.metadata.num_row_groups and own else None
    packed = first.compression if first is not None else "snappy"
    pq.write_table(table, target, compression="none" if packed == "UNCOMPRESSED" else packed)


def append(sides: Sides, _form: Form, target: Path, *, union: bool = False) -> Outcome:
    import polars as pl

    base, ours, theirs = (pl.read_parquet(file, glob=False) for file in sides)
    if not base.schema == ours.schema == theirs.schema:
        raise CannotMergeError("there is no key, and the columns differ")
    if all(side.head(base.height).equals(base, null_equal=True) for side in (ours, theirs)):
        mine, other = ours[base.height :], theirs[base.height :]
        pairs = zip(mine.iter_rows(), other.iter_rows(), strict=False)
        same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
        _write_parquet(pl.concat([ours, other[same:]]), sides, target)
        return Outcome((), Counts(added=other.height - same))
    return _inserted((base, ours, theirs), sides, target, union=union)


def _inserted(
    frames: tuple["pl.DataFrame", "pl.DataFrame", "pl.DataFrame"], sides: Sides, target: Path, *, union: bool
) -> Outcome:
    import polars as pl

    base, ours, theirs = frames
    rows = [_hashes(frame) for frame in frames]
    gaps = [_gaps(base, side, rows[0], hashes) for side, hashes in zip((ours, theirs), rows[1:], strict=True)]
    if gaps[0] is None or gaps[1] is None:
        if not union:
            raise CannotMergeError(NOT_APPENDED)
        merged, new, gone = of_both(Counter(rows[0]), rows[1], rows[2])
        places = {hash_: n for n, hash_ in enumerate([*rows[1], *rows[2]])}
        _write_parquet(pl.concat([ours, theirs])[[places[hash_] for hash_ in merged]], sides, target)
        return Outcome((), Counts(added=new, removed=gone))
    order: list[int] = []
    for (mine, at), (other, _) in zip(gaps[0], gaps[1], strict=True):
        pairs = zip(mine, other, strict=False)
        same = sum(1 for _ in itertools.takewhile(lambda two: rows[1][two[0]] == rows[2][two[1]], pairs))
        order += [*mine, *(ours.height + place for place in other[same:])]
        order += [at] if at is not None else []
    _write_parquet(pl.concat([ours, theirs])[order], sides, target)
    return Outcome((), Counts(added=len(order) - ours.height))


_Gap = tuple[list[int], int | None]
"""Places of what a side inserted, and that of the row of base which comes next (None: the end)."""


def _gaps(base: "pl.DataFrame", side: "pl.DataFrame", rows: list[int], own: list[int]) -> list[_Gap] | None:
    """One before each row of base and one behind the last; None where the side lacks a row of base."""
    found: list[_Gap] = []
    places = iter(range(len(own)))
    for row in rows:
        inserted: list[int] = []
        for at in places:
            if own[at] == row:
                found.append((inserted, at))
                break
            inserted.append(at)
        else:
            return None
    kept = [at for _, at in found if at is not None]
    if not side[kept].equals(base, null_equal=True):
        return None  # two rows of one hash
    return [*found, (list(places), None)]


def _hashes(frame: "pl.DataFrame") -> list[int]:
    import polars as pl

    text = pl.selectors.categorical().cast(pl.String)  # the same number may be another category elsewhere
    return frame.with_columns(text).hash_rows().to_list()


def hashes(file: Path) -> list[int]:
    """Of every row."""
    import polars as pl

    try:
        return _hashes(pl.read_parquet(file, glob=False))
    except pl.exceptions.PolarsError as error:
        raise CannotMergeError(str(error)) from error


def without_rows(ours: Path, theirs: Path, target: Path) -> None:
    """Of the columns that both have."""
    import polars as pl

    names = pl.read_parquet_schema(theirs)
    pl.read_parquet(ours, n_rows=0, glob=False).select(
        [name for name in pl.read_parquet_schema(ours) if name in names]
    ).write_parquet(target)
