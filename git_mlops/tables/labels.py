"""Two versions of a label column compared: which class became which, and how far the two agree."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from git_mlops.tables import frames
from git_mlops.tables.forms import Form
from git_mlops.tables.frames import FrameError
from git_mlops.tables.nulls import NULLS

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

MOST_CLASSES = 1000
"""More of them are no classes."""

_SHOWN = 5
NONE = "(none)"
"""How a null is shown."""


class Confusion(NamedTuple):
    """Old class against new, of the rows that both versions have."""

    pairs: Mapping[tuple[str, str], int]
    """(old, new) → rows, also where they are equal; sorted by old, then new."""
    old: Mapping[str, int]
    """Class → rows, of all rows of the old version."""
    new: Mapping[str, int]

    @property
    def rows(self) -> int:
        """Rows that both versions have."""
        return sum(self.pairs.values())

    @property
    def changed(self) -> int:
        """Rows whose class is another."""
        return sum(count for (old, new), count in self.pairs.items() if old != new)

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa: agreement beyond what the class counts give by chance; None where it says nothing.

        J. Cohen, A coefficient of agreement for nominal scales, 1960.
        """
        total = self.rows
        if not total:
            return None
        left: Counter[str] = Counter()
        right: Counter[str] = Counter()
        for (old, new), count in self.pairs.items():
            left[old] += count
            right[new] += count
        chance = sum(left[name] * right[name] for name in left) / total**2
        return None if chance == 1 else ((total - self.changed) / total - chance) / (1 - chance)

    def said(self, column: str) -> str:
        """One line: how many rows, the most frequent changes, the agreement."""
        flips = sorted(
            ((n, o, w) for (o, w), n in self.pairs.items() if o != w), key=lambda f: (-f[0], *f[1:])
        )
        shown = ", ".join(f"{old} → {new}: {count}" for count, old, new in flips[:_SHOWN])
        more = f" and {len(flips) - _SHOWN} more" if len(flips) > _SHOWN else ""
        kappa = "" if self.kappa is None else f"; kappa {self.kappa:.3f}"
        text = f"`{column}` is another in {self.changed} of {self.rows} rows{kappa}"
        return f"{text} ({shown}{more})" if flips else f"{text}, but the classes' counts differ"

    def plain(self, column: str) -> dict[str, object]:
        """For programs."""
        pairs = [{"old": old, "new": new, "rows": count} for (old, new), count in self.pairs.items()]
        return {
            "column": column, "rows": self.rows, "changed": self.changed, "kappa": self.kappa,
            "confusion": pairs, "old": dict(self.old), "new": dict(self.new),
        }  # fmt: skip


def confusion(
    old: tuple["Path", Form], new: tuple["Path", Form], key: Sequence[str], column: str
) -> Confusion:
    """Compare a column of two versions, rows matched by key; those whose key is null or repeats are left out.

    Raises:
        FrameError: a file cannot be read, lacks a column, or has too many classes.
    """
    import polars as pl

    a, b = (_labels(part, key, column) for part in (old, new))
    names = [f"key {number}" for number in range(len(key))]
    both = _once(a, names).join(_once(b, names), on=names, how="inner", suffix=" new")
    try:
        pairs = both.group_by("label", "label new").len("rows").collect(engine="streaming")
        counts = [frame.group_by("label").len("rows").collect(engine="streaming") for frame in (a, b)]
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FrameError(frames.reason(error)) from error
    if max(len(count) for count in counts) > MOST_CLASSES:
        raise FrameError(f"`{column}` has more than {MOST_CLASSES} values: no classes")
    found = {(str(o), str(n)): int(rows) for o, n, rows in pairs.rows()}
    by_class = [dict(sorted((str(name), int(rows)) for name, rows in count.rows())) for count in counts]
    return Confusion(dict(sorted(found.items())), *by_class)


def same(old: tuple["Path", Form], new: tuple["Path", Form], column: str) -> bool:
    """Whether a column has the same values in the same order; False also where that cannot be read."""
    import polars as pl

    try:
        a, b = (frames.scan(*part).select(column).collect()[column] for part in (old, new))
        return bool(a.equals(b, check_dtypes=True, null_equal=True))
    except (pl.exceptions.PolarsError, OSError):
        return False


def _labels(part: tuple["Path", Form], key: Sequence[str], column: str) -> "pl.LazyFrame":
    import polars as pl

    frame = frames.scan(*part, NULLS)
    try:
        there = frame.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FrameError(frames.reason(error)) from error
    missing = [name for name in (*key, column) if name not in there]
    if missing:
        raise FrameError(f"it has no column `{missing[0]}`")
    # as text: the same id may be a number in one version and text in the other
    keys = [pl.col(name).cast(pl.String).alias(f"key {number}") for number, name in enumerate(key)]
    return frame.select(*keys, pl.col(column).cast(pl.String).fill_null(NONE).alias("label"))


def _once(frame: "pl.LazyFrame", names: Sequence[str]) -> "pl.LazyFrame":
    import polars as pl

    counted = frame.drop_nulls(names).group_by(*names).agg(pl.len().alias("times"), pl.col("label").first())
    return counted.filter(pl.col("times") == 1).drop("times")
