"""Whether two samples are of one population: an answer for a whole table, at a set rate of false alarms.

Each column gets a few rank and cell tests; the smallest p-value of a column, and of the pairs of columns,
is its score. How small the smallest of all scores gets when nothing differs is found by shuffling the rows
of both samples together (whole rows, so that what columns have in common counts), and each column is held
against that, step by step down from the clearest one (Westfall and Young). So the share of runs with any
alarm, where there is nothing to find, is the one that was asked for, however many columns there are and
whatever they have to do with each other. Pure, on NumPy; the same samples and seed give the same answer.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]

SHUFFLES = 999
ROWS = 8192
"""Rows that are shuffled; of larger samples so many, in the same proportion."""
_BINS = 10
_EXPECTED = 5.0
"""Rows of the smaller sample that a cell must expect; rarer values share one."""
_CELLS = 50
_AT_ONCE = 1000
"""Sums in memory in double precision."""
_MOST_SHUFFLES = 19_999
_PAIRED = 40
"""Columns of numbers of which every two are compared."""
_SMALLEST = -700.0
"""Natural logarithm of the smallest p-value that is told apart from none."""


class Column(NamedTuple):
    """One column of both samples."""

    name: str
    reference: Floats | Codes
    """Numbers, NaN where there is none; or codes of categories, -1 where there is none."""
    current: Floats | Codes

    @property
    def numeric(self) -> bool:
        """Whether the values have an order."""
        return self.reference.dtype.kind == "f"


class Answer(NamedTuple):
    """Of one column, or of how columns go together."""

    p: float
    """By itself, as textbooks have it."""
    adjusted: float
    """The share of runs, of samples that do not differ, in which any column looks as unlike as this one."""
    by: str
    """The clearest test: `location`, `scale`, `shape`, `cells`, `cell`, `missing`, `correlation`."""


class Answers(NamedTuple):
    """Of a whole table."""

    columns: dict[str, Answer]
    together: Answer | None
    """Of correlations; None where there are no two columns of numbers."""
    pair: tuple[str, str] | None
    """The two columns whose correlation differs most."""
    shuffles: int


class _Scores(NamedTuple):
    """What is added up over the rows of a sample, for one column."""

    linear: Floats
    """A line for each row."""
    codes: NDArray[np.int64]
    """The cell of each row, -1 for none."""
    cells: int
    names: tuple[str, ...]
    """Of the tests: of `linear`, then of the cells."""


class _Shuffles(NamedTuple):
    """Which rows are of the second sample, in truth and at random."""

    chosen: NDArray[np.int64]
    """Of the rows of both samples, one below the other, those that are shuffled."""
    labels: NDArray[np.float32]
    """Lines of 0 and 1 over these rows; the first line of a whole one is the truth."""
    whole: bool
    """Whether all rows are shuffled."""
    sizes: tuple[int, int]


def compare(columns: Sequence[Column], alpha: float, seed: int = 0) -> Answers:
    """Every column of two samples.

    Args:
        columns: at least one; each sample has at least two rows.
        alpha: the rate of false alarms that will be asked for; rarer ones take more shuffles.
        seed: of the shuffling.
    """
    shuffles = _shuffled(len(columns[0].reference), len(columns[0].current), alpha, seed)
    scores = [_scores(column, shuffles.sizes) for column in columns]
    found = _columns(scores, shuffles)
    pairs = _pairs(columns, scores, shuffles)
    found += [pairs.found] if pairs else []
    adjusted = _stepped_down(
        np.array([one.truth for one in found]), np.stack([one.chance for one in found], 1)
    )
    answers = [
        Answer(math.exp(one.truth), float(share), one.by) for one, share in zip(found, adjusted, strict=True)
    ]
    named = {column.name: answer for column, answer in zip(columns, answers, strict=False)}
    count = len(shuffles.labels) - int(shuffles.whole)
    return Answers(named, answers[-1] if pairs else None, pairs.pair if pairs else None, count)


def _shuffled(n: int, m: int, alpha: float, seed: int) -> _Shuffles:
    random = np.random.default_rng(seed)
    count = min(max(SHUFFLES, math.ceil(10 / alpha) - 1), _MOST_SHUFFLES)
    whole = n + m <= ROWS
    chosen = np.arange(n + m) if whole else _drawn(n, m, random)
    made = np.repeat((chosen >= n).astype(np.float32)[None, :], count + int(whole), axis=0)
    random.permuted(made[int(whole) :], axis=1, out=made[int(whole) :])
    return _Shuffles(chosen, made, whole, (n, m))


def _drawn(n: int, m: int, random: np.random.Generator) -> NDArray[np.int64]:
    """As many of each sample as they have in proportion, but not too few of the smaller one."""
    few = round(ROWS * m / (n + m))
    few = min(max(few, min(m, ROWS // 8), ROWS - n), ROWS - min(n, ROWS // 8))
    ours = np.sort(random.choice(n, ROWS - few, replace=False))
    return np.concatenate([ours, n + np.sort(random.choice(m, few, replace=False))])


# -- one column ---------------------------------------------------------------------------------------------


def _scores(column: Column, sizes: tuple[int, int]) -> _Scores:
    pooled = np.concatenate([column.reference, column.current])
    return _of_numbers(pooled, min(sizes)) if column.numeric else _of_categories(pooled, min(sizes))


def _of_numbers(pooled: Floats, smaller: int) -> _Scores:
    """Normal scores, their squares, whether there is no number; ten cells."""
    linear, codes = np.zeros((len(pooled), 3)), np.full(len(pooled), -1, np.int64)
    there = ~np.isnan(pooled)
    linear[:, 2] = ~there
    values = pooled[there]
    if not len(values):
        return _Scores(linear, codes, 0, _NUMBERS)
    order = np.argsort(values)
    ordered = values[order]
    rows = np.flatnonzero(there)[order]
    normal = special.ndtri(_shares(ordered))
    linear[rows, 0] = normal
    linear[rows, 1] = normal**2 - np.mean(normal**2)
    many = int(np.clip(smaller // (2 * _EXPECTED), 2, _BINS))
    edges = np.unique(ordered[(np.arange(1, many) * (len(ordered) - 1)) // many])
    edges = edges[edges < ordered[-1]]  # else the last cell is empty
    ends = np.concatenate([[0], np.searchsorted(ordered, edges, side="right"), [len(ordered)]])
    codes[rows] = np.repeat(np.arange(len(edges) + 1), np.diff(ends))
    return _Scores(linear, codes, len(edges) + 1, _NUMBERS)


_NUMBERS = ("location", "scale", "missing", "shape")
_CATEGORIES = ("missing", "cells", "cell")


def _shares(ordered: Floats) -> Floats:
    """Ranks between 0 and 1 of sorted values; equal values share theirs."""
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    if len(starts) == len(ordered):
        return (np.arange(len(ordered)) + 0.5) / len(ordered)
    ends = np.append(starts[1:], len(ordered))
    return np.repeat((starts + ends) / (2 * len(ordered)), ends - starts)


def _of_categories(pooled: Codes, smaller: int) -> _Scores:
    """Whether there is none; a cell for each that is not rare, one for all others."""
    counts = np.bincount(pooled[pooled >= 0], minlength=1)
    kept = np.flatnonzero(counts >= _EXPECTED * len(pooled) / max(smaller, 1))
    kept = kept[np.argsort(-counts[kept], kind="stable")][:_CELLS]
    cell = np.full(len(counts), len(kept), np.int64)
    cell[kept] = np.arange(len(kept))
    codes = np.where(pooled >= 0, cell[np.maximum(pooled, 0)], -1)
    others = bool((codes == len(kept)).any())
    return _Scores((pooled < 0).astype(np.float64)[:, None], codes, len(kept) + int(others), _CATEGORIES)


class _Found(NamedTuple):
    """Logarithms of p."""

    truth: float
    chance: Floats
    """Per shuffle."""
    by: str


def _columns(scores: Sequence[_Scores], shuffles: _Shuffles) -> list[_Found]:
    """One product of matrices adds everything up: many small ones would wait for each other."""
    parts = [np.column_stack([one.linear[shuffles.chosen], _one_hot(one, shuffles.chosen)]) for one in scores]
    ends = np.cumsum([0, *(part.shape[1] for part in parts)])
    sums = np.empty((len(shuffles.labels), ends[-1]), np.float32)
    step = max(1, len(parts) // max(1, ends[-1] // _AT_ONCE))
    for start in range(0, len(parts), step):
        some = np.concatenate(parts[start : start + step], axis=1, dtype=np.float32)
        sums[:, ends[start] : ends[start] + some.shape[1]] = shuffles.labels @ some
    found = []
    for number, (one, part) in enumerate(zip(scores, parts, strict=True)):
        size = float(shuffles.labels[0].sum())
        tests = _tests(one, part, sums[:, ends[number] : ends[number + 1]], size)
        logs = sidak(tests.min(axis=1), tests.shape[1])
        if shuffles.whole:
            found.append(_Found(float(logs[0]), logs[1:], one.names[int(tests[0].argmin())]))
        else:
            real = _real(one, shuffles.sizes)
            found.append(
                _Found(
                    float(sidak(real.min(axis=1), real.shape[1])[0]), logs, one.names[int(real[0].argmin())]
                )
            )
    return found


def _one_hot(scores: _Scores, rows: NDArray[np.int64]) -> Floats:
    codes = scores.codes[rows]
    made = np.zeros((len(codes), scores.cells))
    there = codes >= 0
    made[np.flatnonzero(there), codes[there]] = 1
    return made


def _tests(scores: _Scores, part: Floats, sums: NDArray[np.float32], size: float) -> Floats:
    """Of the rows that are shuffled: logarithms of p, a line for each of sums, a column for each test."""
    width = scores.linear.shape[1]
    cells = part[:, width:].sum(axis=0)
    known = cells > 0  # a rare one may be in no row of them
    linear = _linear(sums[:, :width].astype(np.float64), part[:, :width], size)
    return _with_cells(scores, linear, sums[:, width:][:, known].astype(np.float64), cells[known])


def _real(scores: _Scores, sizes: tuple[int, int]) -> Floats:
    """The same of all rows, in truth."""
    n, m = sizes
    linear = _linear(scores.linear[n:].sum(axis=0)[None, :], scores.linear, m)
    cells = np.bincount(scores.codes[scores.codes >= 0], minlength=scores.cells).astype(np.float64)
    ours = np.bincount(scores.codes[n:][scores.codes[n:] >= 0], minlength=scores.cells)
    return _with_cells(scores, linear, ours[None, :].astype(np.float64), cells)


def _linear(sums: Floats, values: Floats, size: float) -> Floats:
    rows = len(values)
    mean = values.sum(axis=0) / rows
    spread = np.einsum("ij,ij->j", values, values) / rows - mean**2
    error = np.sqrt(np.maximum(size * (rows - size) / max(rows - 1, 1) * spread, 1e-30))
    return two_sided(np.where(spread > 1e-12, (sums - size * mean) / error, 0.0))


def _with_cells(scores: _Scores, linear: Floats, counts: Floats, totals: Floats) -> Floats:
    """χ² over the cells, and, of categories, the one cell that stands out most."""
    if len(totals) < 2:
        return linear
    every = totals.sum()
    share = counts.sum(axis=1, keepdims=True) / every
    off = (counts - totals * share) / np.sqrt(totals * np.clip(share * (1 - share), 1e-30, None))
    tests = [linear, log_chi2((off**2).sum(axis=1), len(totals) - 1)[:, None]]
    if scores.names is _CATEGORIES:
        z = np.abs(off / np.sqrt(1 - totals / every)).max(axis=1)
        tests.append(sidak(two_sided(z), len(totals))[:, None])
    return np.concatenate(tests, axis=1)


def two_sided(z: Floats) -> Floats:
    """Logarithm of the chance of a normal value at least so far out."""
    found: Floats = np.maximum(np.minimum(special.log_ndtr(-np.abs(z)) + math.log(2), 0.0), _SMALLEST)
    return found


def log_chi2(value: Floats, degrees: float) -> Floats:
    """Logarithm of the chance of so large a χ²."""
    found: Floats = np.log(np.maximum(special.chdtrc(degrees, value), math.exp(_SMALLEST)))
    return found


def sidak(log: Floats, tests: int) -> Floats:
    """Logarithm of the chance that the smallest of so many p-values is so small."""
    p = np.minimum(np.exp(log), 1 - 1e-16)
    exact = np.log(np.maximum(-np.expm1(tests * np.log1p(-p)), math.exp(_SMALLEST)))
    return np.where(log < -20, np.minimum(log + math.log(tests), 0.0), exact)


# -- every two columns of numbers ---------------------------------------------------------------------------


class _Together(NamedTuple):
    found: _Found
    pair: tuple[str, str]


_Pair = tuple[NDArray[np.int64], NDArray[np.int64]]


class _Moments(NamedTuple):
    """Sums over rows: of columns, of their squares, of pairs."""

    sums: Floats
    squares: Floats
    products: Floats


def _pairs(columns: Sequence[Column], scores: Sequence[_Scores], shuffles: _Shuffles) -> _Together | None:
    """Of the pair whose correlation of normal scores differs most."""
    numeric = [n for n, column in enumerate(columns) if column.numeric and scores[n].cells > 1][:_PAIRED]
    if len(numeric) < 2:
        return None
    normal = np.stack([scores[number].linear[:, 0] for number in numeric], axis=1)
    pair: _Pair = np.triu_indices(len(numeric), 1)
    part = normal[shuffles.chosen].astype(np.float32)
    values = np.concatenate([part, part**2, part[:, pair[0]] * part[:, pair[1]]], axis=1)
    ends = [len(numeric), 2 * len(numeric)]
    sums = _Moments(*np.split((shuffles.labels @ values).astype(np.float64), ends, axis=1))
    total = _Moments(*np.split(values.sum(axis=0, dtype=np.float64)[None, :], ends, axis=1))
    off = _apart(sums, total, (float(shuffles.labels[0].sum()), len(part)), pair)
    if shuffles.whole:
        truth, off = off[0], off[1:]
    else:
        n, m = shuffles.sizes
        truth = _apart(_moments(normal[n:], pair), _moments(normal, pair), (float(m), n + m), pair)[0]
    best = int(np.abs(truth).argmax())
    named = (columns[numeric[pair[0][best]]].name, columns[numeric[pair[1][best]]].name)
    real = sidak(two_sided(np.abs(truth).max(keepdims=True)), len(pair[0]))
    chance = sidak(two_sided(np.abs(off).max(axis=1)), len(pair[0]))
    return _Together(_Found(float(real[0]), chance, "correlation"), named)


def _moments(normal: Floats, pair: _Pair) -> _Moments:
    small = normal.astype(np.float32)  # of a normal score's size: single precision is plenty
    products = (small.T @ small)[pair].astype(np.float64)
    return _Moments(normal.sum(axis=0)[None, :], (normal**2).sum(axis=0)[None, :], products[None, :])


def _apart(ours: _Moments, every: _Moments, sizes: tuple[float, float], pair: _Pair) -> Floats:
    """Fisher's z of one sample, less that of the other, in units of its error."""
    size, rows = sizes
    theirs = _Moments(*(whole - part for whole, part in zip(every, ours, strict=True)))
    off = np.arctanh(_correlations(ours, size, pair)) - np.arctanh(_correlations(theirs, rows - size, pair))
    found: Floats = off / math.sqrt(1 / max(size - 3, 1) + 1 / max(rows - size - 3, 1))
    return found


def _correlations(moments: _Moments, size: float, pair: _Pair) -> Floats:
    mean = moments.sums / size
    deviation = np.sqrt(np.maximum(moments.squares / size - mean**2, 1e-12))
    i, j = pair
    found = (moments.products / size - mean[:, i] * mean[:, j]) / (deviation[:, i] * deviation[:, j])
    clipped: Floats = np.clip(found, -0.999999, 0.999999)
    return clipped


# -- all of them --------------------------------------------------------------------------------------------


def _stepped_down(observed: Floats, at_random: Floats) -> Floats:
    """The clearest against the smallest score of all in each shuffle, the next one against the others'."""
    order = np.argsort(observed, kind="stable")
    smallest = np.minimum.accumulate(at_random[:, order[::-1]], axis=1)[:, ::-1]
    # sums in single precision: what is equal may differ in its last digits
    beyond = (smallest <= observed[order] + 1e-4 * np.abs(observed[order]) + 1e-6).sum(axis=0)
    shares = np.maximum.accumulate((1 + beyond) / (1 + len(at_random)))
    found = np.empty(len(observed))
    found[order] = shares
    return found
