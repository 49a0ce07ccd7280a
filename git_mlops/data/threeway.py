"""What three versions of a table have in common: values of a merge, its columns, its rows by key. Pure."""

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

if TYPE_CHECKING:
    import polars as pl

Side = Literal["ours", "theirs"]
T = TypeVar("T")


class Conflict(NamedTuple):
    """What both sides changed, to different ends."""

    key: tuple[str, ...]
    """Of the row; the name of the file, in a directory; empty for a whole column."""
    column: str
    """Empty for a whole row or file."""
    base: str | None
    """None: there is no such row, column or file."""
    ours: str | None
    theirs: str | None


class Choice(NamedTuple):
    """How a conflict ends: as one side has it, or with a cell of its own."""

    side: Side | Literal["base", "value"]
    value: str = ""


Choose = Callable[[Conflict], Choice | None]
"""None: it stays a conflict."""


class Sides(NamedTuple):
    """Three versions of a file."""

    base: Path
    ours: Path
    theirs: Path


class Counts(NamedTuple):
    """What theirs brought to ours."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    new_columns: tuple[str, ...] = ()
    lost_columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = (f"{number} {kind}" for kind, number in zip(self._fields, self[:3], strict=False) if number)
        return ", ".join(parts) or "none"

    def columns(self) -> str:
        """Empty where theirs brought and dropped none."""
        parts = [f"{named(self.new_columns)} added"] if self.new_columns else []
        parts += [f"{named(self.lost_columns)} removed"] if self.lost_columns else []
        return ", ".join(parts)

    def of(self, before: Sequence[str], after: Sequence[str]) -> "Counts":
        """With the columns that the result has and ours had not, and the other way round."""
        new = tuple(name for name in after if name not in before)
        return self._replace(new_columns=new, lost_columns=tuple(c for c in before if c not in after))


class Outcome(NamedTuple):
    """With conflicts, nothing was written."""

    conflicts: tuple[Conflict, ...]
    counts: Counts = Counts()


class CannotMergeError(ValueError):
    """These files cannot be merged row by row, and why."""


def nothing_chosen(_conflict: Conflict) -> Choice | None:
    """Every conflict stays one."""
    return None


NOT_APPENDED = "there is no key, and more than new rows changed"


def together(ours: Sequence[T], theirs: Sequence[T]) -> list[T]:
    """Rows that both inserted at one place: those of ours, then what theirs has beside the same beginning."""
    pairs = zip(ours, theirs, strict=False)
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    return [*ours, *theirs[same:]]


def of_both(base: "Counter[T]", ours: Sequence[T], theirs: Sequence[T]) -> tuple[list[T], int, int]:
    """Every row that a side added, and none that a side removed; how many theirs added and removed.

    By how often each row is there: the side counts that changed the number, and of two the larger one.
    """
    mine, other = Counter(ours), Counter(theirs)
    want = {row: _number(base[row], mine[row], other[row]) for row in mine.keys() | other.keys()}
    result: list[T] = []
    used: Counter[T] = Counter()
    for row in itertools.chain(ours, theirs):
        if used[row] < want[row]:
            used[row] += 1
            result.append(row)
    return result, sum((used - mine).values()), sum((mine - used).values())


def _number(base: int, ours: int, theirs: int) -> int:
    if ours == base:
        return theirs
    return ours if theirs == base else max(ours, theirs)


class Columns(NamedTuple):
    result: tuple[str, ...]
    shared: tuple[str, ...]
    """In all three."""
    lost_by: dict[Side, tuple[str, ...]]
    """In base and the other side."""
    conflicts: tuple[Conflict, ...]
    order: dict[Side, tuple[str, ...]]
    """The columns of the other side."""


def _insert(names: list[str], name: str, order: Sequence[str]) -> None:
    """Where it stands among the columns of the side that has it."""
    if name not in names:
        before = [names.index(other) for other in order[: order.index(name)] if other in names]
        names.insert(max(before, default=-1) + 1, name)


def columns_of(base: tuple[str, ...], ours: tuple[str, ...], theirs: tuple[str, ...]) -> Columns:
    lost: dict[Side, tuple[str, ...]] = {
        "ours": tuple(c for c in base if c not in ours and c in theirs),
        "theirs": tuple(c for c in base if c not in theirs and c in ours),
    }
    if theirs in (base, ours):
        result = ours
    elif ours == base:
        result = theirs
    else:
        new = tuple(c for c in theirs if c not in base and c not in ours)
        result = tuple(c for c in ours if c not in lost["theirs"]) + new
    shared = tuple(c for c in base if c in ours and c in theirs)
    return Columns(result, shared, lost, (), {"ours": theirs, "theirs": ours})


def settled(columns: Columns, changed: Mapping[Side, Sequence[str]], choose: Choose) -> Columns:
    """Columns that one side dropped while the other changed cells of them: dropped, kept, or a conflict."""
    result, conflicts = list(columns.result), []
    for dropper, names in changed.items():
        for name in names:
            ours, theirs = (None, _CHANGED) if dropper == "ours" else (_CHANGED, None)
            conflict = Conflict((), name, "", ours, theirs)
            choice = choose(conflict)
            if choice is None or choice.side == "value":
                conflicts.append(conflict)
            elif choice.side != dropper:
                _insert(result, name, columns.order[dropper])
    return columns._replace(result=tuple(result), conflicts=tuple(conflicts))


_CHANGED = "(cells changed)"


class Rows(NamedTuple):
    """Which rows of the three files belong together, by their places."""

    both: list[tuple[int, int, int]]
    """Base, ours, theirs: changed by both (or, where columns differ, by theirs)."""
    theirs: list[tuple[int, int]]
    """Ours, theirs: changed by theirs alone."""
    dropped: list[int]
    """Of ours: removed by theirs, unchanged."""
    ours_gone: list[tuple[int, int]]
    """Base, theirs: removed by ours, changed by theirs."""
    theirs_gone: list[tuple[int, int]]
    """Base, ours: removed by theirs, changed by ours."""
    twins: list[tuple[int, int]]
    """Ours, theirs: added by both, not equal."""
    new: list[int]
    """Of theirs: added."""


def rows_of(
    base: "pl.LazyFrame", ours: "pl.LazyFrame", theirs: "pl.LazyFrame", keys: Sequence[str],
    compare: Sequence[str], *, alike: bool,
) -> tuple[Rows, "pl.DataFrame"]:  # fmt: skip
    """The rows, and all that are in base, ours and theirs (`b`, `o`, `t`).

    Args:
        alike: whether all have the same columns, so that a row can be taken as it stands.
    """
    import polars as pl

    mine = paired(base, ours, keys, compare).rename({"s": "o", "changed": "co"})
    other = paired(base, theirs, keys, compare).rename({"s": "t", "changed": "ct"})
    every = mine.join(other, on="b", how="full", coalesce=True)
    kept = every.filter(pl.col("o").is_not_null() & pl.col("t").is_not_null())
    ct, co = pl.col("ct"), pl.col("co")
    both = kept.filter(ct & co if alike else ct).select("b", "o", "t")
    only = kept.filter(ct & ~co).select("o", "t") if alike else kept.clear().select("o", "t")
    gone_t = every.filter(pl.col("t").is_null())
    gone_o = every.filter(pl.col("o").is_null() & ct)
    twins, new = _added(base, ours, theirs, keys, compare if alike else None)
    rows = Rows(
        both.rows(),
        only.rows(),
        gone_t.filter(~co)["o"].to_list(),
        gone_o.select("b", "t").rows(),
        gone_t.filter(co).select("b", "o").rows(),
        twins,
        new,
    )
    return rows, kept.select("b", "o", "t")


def paired(
    base: "pl.LazyFrame", side: "pl.LazyFrame", keys: Sequence[str], compare: Sequence[str]
) -> "pl.DataFrame":
    """Rows of base that the side still has: `b`, `s`, and whether any cell differs."""
    import polars as pl

    right = side.select([*keys, *(pl.col(c).alias(f"{c}\0s") for c in compare), pl.col(PLACE).alias(_OTHER)])
    differ = [pl.col(c).ne_missing(pl.col(f"{c}\0s")) for c in compare]
    joined = base.join(right, on=list(keys), how="inner", nulls_equal=True)
    changed = pl.any_horizontal(differ) if differ else pl.lit(value=False)
    return (
        joined.select(pl.col(PLACE).alias("b"), pl.col(_OTHER).alias("s"), changed.alias("changed"))
        .sort("b")
        .collect(engine="streaming")
    )


def _added(
    base: "pl.LazyFrame", ours: "pl.LazyFrame", theirs: "pl.LazyFrame", keys: Sequence[str],
    compare: Sequence[str] | None,
) -> tuple[list[tuple[int, int]], list[int]]:  # fmt: skip
    import polars as pl

    on = list(keys)
    fresh = theirs.join(base.select(on), on=on, how="anti", nulls_equal=True)
    also = ours.join(base.select(on), on=on, how="anti", nulls_equal=True)
    new = fresh.join(also.select(on), on=on, how="anti", nulls_equal=True)
    right = fresh.select(
        [*on, *(pl.col(c).alias(f"{c}\0s") for c in compare or ()), pl.col(PLACE).alias(_OTHER)]
    )
    twins = also.join(right, on=on, how="inner", nulls_equal=True)
    if compare is not None:
        differ = [pl.col(c).ne_missing(pl.col(f"{c}\0s")) for c in compare]
        twins = twins.filter(pl.any_horizontal(differ) if differ else pl.lit(value=False))
    pairs = (
        twins.select(pl.col(PLACE).alias("o"), pl.col(_OTHER).alias("t"))
        .sort("o")
        .collect(engine="streaming")
    )
    return pairs.rows(), sorted(new.select(PLACE).collect(engine="streaming")[PLACE].to_list())


PLACE = "\0place"
_OTHER = "\0other"


def unique(frame: "pl.LazyFrame", keys: Sequence[str], side: str, said: str) -> None:
    import polars as pl

    counts = frame.select(rows=pl.len(), different=pl.struct(list(keys)).n_unique())
    found = counts.collect(engine="streaming").row(0)
    if found[0] != found[1]:
        raise CannotMergeError(f"the key {said} is not unique in {side}")


def has(columns: Sequence[str], key: tuple[str, ...], side: str) -> None:
    missing = [name for name in key if name not in columns]
    if missing:
        raise CannotMergeError(f"{side} has no column `{missing[0]}`, which the key needs")


def named(key: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in key)
