"""How unlike two samples of a column are, in the figures that people know. Pure; no test is made here."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from git_mlops.monitor.chances import Floats
from git_mlops.monitor.shuffled import Codes, Column

BINS = 10
_DRAWN = 20
_LEAST = 1e-4
"""The share that stands for an empty cell in PSI, as is usual."""


class Figures(NamedTuple):
    """Of one column; None where a figure is not defined."""

    effect: float
    """How far it moved: the share of rows that would have to change (the distance of Kolmogorov and Smirnov;
    of categories half the sum of the differences), or, where that is more, how far numbers moved, in the
    reference's standard deviations."""
    psi: float | None
    js: float | None
    """The distance of Jensen and Shannon, base 2: 0 to 1."""
    chi2: float | None
    ks: float | None
    wasserstein: float | None
    """In the reference's standard deviations."""
    nulls: tuple[float, float]
    """Shares."""
    mean: tuple[float, float] | None
    std: tuple[float, float] | None
    quantiles: tuple[tuple[float, ...], tuple[float, ...]] | None
    """Least, 5 %, 25 %, 50 %, 75 %, 95 %, largest."""


class Drawn(NamedTuple):
    """What a picture shows: shares of both samples, per cell."""

    labels: tuple[str, ...]
    """Of categories: their names; of numbers: where the cells end, one more than there are cells."""
    reference: tuple[float, ...]
    current: tuple[float, ...]


def of(column: Column) -> Figures:
    """Every figure of a column."""
    return _numbers(column) if column.numeric else _categories(column)


def _numbers(column: Column) -> Figures:
    old, new = column.reference.astype(np.float64), column.current.astype(np.float64)
    shares = _share(np.isnan(old)), _share(np.isnan(new))
    a, b = np.sort(old[~np.isnan(old)]), np.sort(new[~np.isnan(new)])
    moved = abs(shares[0] - shares[1])
    if not len(a) or not len(b):
        return Figures(moved, None, None, None, None, None, shares, None, None, None)
    edges = a[(np.arange(1, BINS) * (len(a) - 1)) // BINS]
    edges = edges[np.append(True, edges[1:] > edges[:-1])]
    p, q = (_cells(side, edges) for side in (a, b))
    ks, distance = _ks_and_wasserstein(a, b)
    fine_a, fine_b = a[np.isfinite(a)], b[np.isfinite(b)]
    means, stds = (_pair(name, fine_a, fine_b) for name in ("mean", "std"))
    effect = max(ks, distance or 0.0, moved)
    asked = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)
    quantiles = tuple(
        tuple(float(v) for v in side[[round(share * (len(side) - 1)) for share in asked]]) for side in (a, b)
    )
    return Figures(
        effect, _psi(p, q), _js(p, q), _chi2(p, q), ks, distance, shares, means, stds,
        (quantiles[0], quantiles[1]),
    )  # fmt: skip


def _share(there: NDArray[np.bool_]) -> float:
    return float(there.mean()) if len(there) else 0.0


def _pair(name: str, a: Floats, b: Floats) -> tuple[float, float] | None:
    if not len(a) or not len(b):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        found = float(getattr(np, name)(a)), float(getattr(np, name)(b))
    return found if np.isfinite(found).all() else None


def _cells(ordered: Floats, edges: Floats) -> Floats:
    ends = np.searchsorted(ordered, edges, side="right")
    return np.diff(np.concatenate([[0], ends, [len(ordered)]])).astype(np.float64)


def _ks_and_wasserstein(a: Floats, b: Floats) -> tuple[float, float | None]:
    """Of sorted numbers; the distance in units of the reference's spread, None where that has none."""
    every = np.concatenate([a, b])
    order = np.argsort(every, kind="stable")  # of two sorted halves: a merge
    every = every[order]
    off = np.abs(np.cumsum(np.where(order < len(a), 1 / len(a), -1 / len(b)))[:-1])
    off[every[1:] == every[:-1]] = 0.0  # between equal values there is no step
    ks = float(off.max(initial=0.0))
    spread = _spread(a[np.isfinite(a)])
    low, high = int(np.searchsorted(every, -np.inf, "right")), int(np.searchsorted(every, np.inf, "left"))
    with np.errstate(over="ignore", invalid="ignore"):
        finite = every[low:high]
        steps = float(off[low : max(high - 1, low)] @ np.diff(finite))
        moved = steps / spread if spread else None
    return ks, moved if moved is not None and np.isfinite(moved) else None


def _spread(a: Floats) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(a.std())
    return spread if np.isfinite(spread) else 0.0


def _categories(column: Column) -> Figures:
    old, new = column.reference, column.current
    shares = _share(old < 0), _share(new < 0)
    width = int(max(old.max(initial=-1), new.max(initial=-1))) + 1
    p, q = (_count(side, width) for side in (old, new))
    moved = abs(shares[0] - shares[1])
    if not p.sum() or not q.sum():
        return Figures(moved, None, None, None, None, None, shares, None, None, None)
    distance = float(np.abs(p / p.sum() - q / q.sum()).sum() / 2)
    effect = max(distance, moved)
    return Figures(effect, _psi(p, q), _js(p, q), _chi2(p, q), None, None, shares, None, None, None)


def _count(codes: "Codes | Floats", width: int) -> Floats:
    counts: Floats = np.bincount(codes[codes >= 0].astype(np.int64), minlength=width).astype(np.float64)
    return counts


def _psi(p: Floats, q: Floats) -> float:
    a, b = np.maximum(p / p.sum(), _LEAST), np.maximum(q / q.sum(), _LEAST)
    return float(((b - a) * np.log(b / a)).sum())


def _js(p: Floats, q: Floats) -> float:
    a, b = p / p.sum(), q / q.sum()
    middle = (a + b) / 2
    found = (_relative(a, middle) + _relative(b, middle)) / 2
    return float(np.sqrt(max(found, 0.0)))


def _relative(a: Floats, b: Floats) -> float:
    there = a > 0
    return float((a[there] * np.log2(a[there] / b[there])).sum())


def _chi2(p: Floats, q: Floats) -> float:
    totals = p + q
    there = totals > 0
    expected = totals[there] * (q.sum() / totals.sum())
    other = totals[there] - expected
    return float((((q[there] - expected) ** 2) * (1 / expected + 1 / np.maximum(other, 1e-300))).sum())


# -- what pictures show -------------------------------------------------------------------------------------


def drawn(column: Column, categories: tuple[str, ...] = (), most: int = 12) -> Drawn | None:
    """Shares per cell: of numbers twenty equal steps, else the categories."""
    if not column.numeric:
        return _bars(column, categories, most)
    sides = [side.astype(np.float64) for side in (column.reference, column.current)]
    old, new = (side[np.isfinite(side)] for side in sides)
    if not len(old) or not len(new):
        return None
    low = min(_at(side, 0.005) for side in (old, new))
    high = max(_at(side, 0.995) for side in (old, new))
    if not np.isfinite(high - low) or high <= low:
        low, high = low - 0.5, low + 0.5
    edges: Floats = np.linspace(low, high, _DRAWN + 1)
    shares = [np.histogram(np.clip(side, low, high), edges)[0] / len(side) for side in (old, new)]
    return Drawn(tuple(f"{edge:.4g}" for edge in edges), _plain(shares[0]), _plain(shares[1]))


def _at(values: Floats, share: float) -> float:
    place = round(share * (len(values) - 1))
    return float(np.partition(values, place)[place])


def _bars(column: Column, categories: tuple[str, ...], most: int) -> Drawn | None:
    p, q = (_count(side, len(categories)) for side in (column.reference, column.current))
    if not p.sum() or not q.sum():
        return None
    a, b = p / p.sum(), q / q.sum()
    order = np.argsort(-np.maximum(a, b), kind="stable")[:most]
    names = [categories[number] for number in order]
    kept = [a[order], b[order]]
    if len(categories) > most:
        names.append("all others")
        kept = [np.append(side, 1 - side.sum()) for side in kept]
    return Drawn(tuple(names), _plain(kept[0]), _plain(kept[1]))


def _plain(shares: NDArray[np.floating]) -> tuple[float, ...]:
    return tuple(round(max(float(share), 0.0), 6) for share in shares)
