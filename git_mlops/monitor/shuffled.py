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
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from git_mlops.monitor.chances import Floats, log_chi2, quantiles, sidak, two_sided

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

    part: NDArray[np.float32]
    """Of the rows that are shuffled: a column for each linear score, then for each cell."""
    width: int
    """How many of these are linear scores."""
    names: tuple[str, ...]
    """Of the tests: of the linear scores, then of the cells."""
    added: "_Added | None"
    """Of all rows, in truth; None where all of them are shuffled."""
    normal: NDArray[np.float32] | None
    """The normal score of every row, 0 for none; None where there are no two values to tell apart."""


class _Added(NamedTuple):
    """Sums over all rows of one column."""

    second: Floats
    """Of linear scores, over the second sample."""
    every: Floats
    """The same over both samples."""
    squares: Floats
    """Of their squares, over both."""
    cells: Floats
    """Rows of the second sample in each cell."""
    totals: Floats
    """Rows of both."""


class _Shuffles(NamedTuple):
    """Which rows are of the second sample, in truth and at random."""

    chosen: NDArray[np.int64]
    """Of the rows of both samples, one below the other, those that are shuffled."""
    labels: NDArray[np.float32]
    """Lines of 0 and 1 over these rows; the first line of a whole one is the truth."""
    whole: bool
    """Whether all rows are shuffled."""
    sizes: tuple[int, int]

    @property
    def size(self) -> float:
        """Rows of the second sample among those that are shuffled."""
        return float(self.labels[0].sum())

    @property
    def smaller(self) -> int:
        """Rows of the smaller sample among those that are shuffled."""
        return int(min(self.size, len(self.chosen) - self.size))


def compare(columns: Sequence[Column], alpha: float, seed: int = 0) -> Answers:
    """Every column of two samples.

    Args:
        columns: at least one; each sample has at least two rows.
        alpha: the rate of false alarms that will be asked for; rarer ones take more shuffles.
        seed: of the shuffling.
    """
    shuffles = _shuffled(len(columns[0].reference), len(columns[0].current), alpha, seed)
    scores = [_scores(column, shuffles) for column in columns]
    found = _columns(scores, shuffles)
    pairs = _pairs(columns, scores, shuffles)
    found += [pairs.found] if pairs else []
    fair = [_fair(one) for one in found]
    adjusted = _stepped_down(np.array([one.truth for one in fair]), np.stack([one.chance for one in fair], 1))
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
    truth = (chosen >= n).astype(np.float32)
    made = np.empty((count + int(whole), len(truth)), np.float32)
    if whole:
        made[0] = truth
    few = int(truth.sum())
    for line in made[int(whole) :]:
        # those with the smallest of random numbers: a third of the time that a permutation takes
        keys = random.integers(0, 1 << 32, size=len(truth), dtype=np.uint32)
        np.less(keys, np.partition(keys, few)[few], out=line, casting="unsafe")
        if int(line.sum()) != few:  # two numbers were the same
            line[:] = random.permutation(truth)
    return _Shuffles(chosen, made, whole, (n, m))


def _drawn(n: int, m: int, random: np.random.Generator) -> NDArray[np.int64]:
    """As many of each sample as they have in proportion, but not too few of the smaller one."""
    few = round(ROWS * m / (n + m))
    few = min(max(few, min(m, ROWS // 8), ROWS - n), ROWS - min(n, ROWS // 8))
    ours = np.sort(random.choice(n, ROWS - few, replace=False))
    return np.concatenate([ours, n + np.sort(random.choice(m, few, replace=False))])


# -- one column ---------------------------------------------------------------------------------------------


def _scores(column: Column, shuffles: _Shuffles) -> _Scores:
    pooled = np.concatenate([column.reference, column.current])
    return _of_numbers(pooled, shuffles) if column.numeric else _of_categories(pooled, shuffles)


_NUMBERS = ("location", "scale", "missing", "shape")
_CATEGORIES = ("missing", "cells", "cell")


def _of_numbers(pooled: Floats, shuffles: _Shuffles) -> _Scores:
    """Normal scores, their squares, whether there is no number; ten cells."""
    gaps = np.isnan(pooled)
    there = None if not gaps.any() else np.flatnonzero(~gaps)
    values = pooled if there is None else pooled[there]
    order = np.argsort(values)
    ordered, rows = values[order], (order if there is None else there[order])
    normal = _normal(ordered)
    squares = normal**2
    middle = float(squares.mean()) if len(squares) else 0.0
    many = int(np.clip(shuffles.smaller // (2 * _EXPECTED), 2, _BINS))
    edges = ordered[(np.arange(1, many) * (len(ordered) - 1)) // many] if len(ordered) else ordered
    if len(edges):  # each once, and not the largest: else the last cell is empty
        edges = edges[np.append(edges[1:] > edges[:-1], edges[-1] < ordered[-1])]
    every = np.zeros(len(pooled), np.float32)
    every[rows] = normal
    part = np.zeros((len(shuffles.chosen), 3 + (len(edges) + 1 if len(ordered) else 0)), np.float32)
    here, theirs = ~gaps[shuffles.chosen], pooled[shuffles.chosen]
    part[:, 0] = every[shuffles.chosen]
    part[here, 1] = part[here, 0] ** 2 - middle
    part[:, 2] = ~here
    if len(ordered):
        part[np.flatnonzero(here), 3 + np.searchsorted(edges, theirs[here])] = 1
    added = None
    if not shuffles.whole:
        second = (rows >= shuffles.sizes[0]).astype(np.float64)
        starts = np.append(0, np.searchsorted(ordered, edges, side="right"))[: len(ordered)]
        empty = float(gaps.sum())
        added = _Added(
            np.array(
                [normal @ second, squares @ second - middle * second.sum(), gaps[shuffles.sizes[0] :].sum()]
            ),
            np.array([normal.sum(), 0.0, empty]),
            np.array([squares.sum(), ((squares - middle) ** 2).sum(), empty]),
            np.add.reduceat(second, starts),
            np.diff(np.append(starts, len(ordered))).astype(np.float64),
        )
    return _Scores(part, 3, _NUMBERS, added, every if len(edges) else None)


def _normal(ordered: Floats) -> Floats:
    """Normal scores of sorted values; equal values share theirs."""
    starts = (
        np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(ordered) else ordered
    )
    if len(starts) == len(ordered):
        return _untied(len(ordered))
    ends = np.append(starts[1:], len(ordered))
    return np.repeat(quantiles((starts + ends) / (2 * len(ordered))), ends - starts)


@lru_cache(maxsize=4)
def _untied(rows: int) -> Floats:
    """Most columns of a table have the same ones."""
    return quantiles((np.arange(rows) + 0.5) / max(rows, 1))


def _of_categories(pooled: Codes, shuffles: _Shuffles) -> _Scores:
    """Whether there is none; a cell for each that is not rare, one for all others.

    What is rare among the rows that are shuffled is rare: else chance would look otherwise in them than in
    all rows.
    """
    n = shuffles.sizes[0]
    counts = np.bincount(pooled[pooled >= 0], minlength=1)
    kept = np.flatnonzero(counts >= _EXPECTED * len(pooled) / max(shuffles.smaller, 1))
    kept = kept[np.argsort(-counts[kept], kind="stable")][:_CELLS]
    rest = int(counts.sum() - counts[kept].sum())
    codes = pooled[shuffles.chosen]
    here = np.flatnonzero(codes >= 0)
    cell = np.full(len(counts), len(kept), np.int64)
    cell[kept] = np.arange(len(kept))
    part = np.zeros((len(codes), 1 + len(kept) + int(rest > 0)), np.float32)
    part[:, 0] = codes < 0
    part[here, 1 + cell[codes[here]]] = 1
    added = None
    if not shuffles.whole:
        second = np.bincount(pooled[n:][pooled[n:] >= 0], minlength=len(counts))
        empty = np.array([float(len(pooled) - counts.sum())])
        cells = [_folded(side, kept, rest) for side in (second, counts)]
        added = _Added(np.array([float(len(pooled) - n - second.sum())]), empty, empty, cells[0], cells[1])
    return _Scores(part, 1, _CATEGORIES, added, None)


def _folded(counts: NDArray[np.int64], kept: NDArray[np.int64], rest: int) -> Floats:
    own = counts[kept].astype(np.float64)
    return np.append(own, counts.sum() - own.sum()) if rest else own


class _Found(NamedTuple):
    """Logarithms of p."""

    truth: float
    chance: Floats
    """Per shuffle."""
    by: str


def _columns(scores: Sequence[_Scores], shuffles: _Shuffles) -> list[_Found]:
    """One product of matrices adds everything up: many small ones would wait for each other."""
    ends = np.cumsum([0, *(one.part.shape[1] for one in scores)])
    step = max(1, len(scores) // max(1, ends[-1] // _AT_ONCE))
    found = []
    for start in range(0, len(scores), step):
        some = scores[start : start + step]
        sums = shuffles.labels @ np.concatenate([one.part for one in some], axis=1)
        split = np.split(sums, ends[start + 1 : start + len(some)] - ends[start], axis=1)
        found += [_one(one, own, shuffles) for one, own in zip(some, split, strict=True)]
    return found


def _one(scores: _Scores, sums: NDArray[np.float32], shuffles: _Shuffles) -> _Found:
    part, width, rows = scores.part, scores.width, len(scores.part)
    linear, own = part[:, :width].astype(np.float64), sums.astype(np.float64)
    totals = part[:, width:].sum(axis=0, dtype=np.float64)
    known = totals > 0  # a rare one may be in no row of them
    squares = np.einsum("ij,ij->j", linear, linear)
    tests = _linear(own[:, :width], linear.sum(axis=0), squares, (shuffles.size, rows))
    tests = _with_cells(scores.names, tests, own[:, width:][:, known], totals[known])
    if scores.added is None:
        logs = sidak(tests.min(axis=1), tests.shape[1])
        return _Found(float(logs[0]), logs[1:], scores.names[int(tests[0].argmin())])
    added, (n, m) = scores.added, shuffles.sizes
    truth = _linear(added.second[None, :], added.every, added.squares, (m, n + m))
    truth = _with_cells(scores.names, truth, added.cells[None, :], added.totals)
    log = float(sidak(truth.min(axis=1), truth.shape[1])[0])
    logs = sidak(tests.min(axis=1), tests.shape[1])
    return _Found(log, logs, scores.names[int(truth[0].argmin())])


def _linear(sums: Floats, every: Floats, squares: Floats, sizes: tuple[float, int]) -> Floats:
    """Of sums over the second sample: logarithms of p, given those over both."""
    size, rows = sizes
    mean = every / rows
    spread = squares / rows - mean**2
    error = np.sqrt(np.maximum(size * (rows - size) / max(rows - 1, 1) * spread, 1e-30))
    return two_sided(np.where(spread > 1e-12, (sums - size * mean) / error, 0.0))


def _with_cells(names: tuple[str, ...], linear: Floats, counts: Floats, totals: Floats) -> Floats:
    """χ² over the cells, and, of categories, the one cell that stands out most."""
    if len(totals) < 2:
        return linear
    every = totals.sum()
    share = counts.sum(axis=1, keepdims=True) / every
    off = (counts - totals * share) / np.sqrt(totals * np.clip(share * (1 - share), 1e-30, None))
    tests = [linear, log_chi2((off**2).sum(axis=1), len(totals) - 1)[:, None]]
    if names is _CATEGORIES:
        z = np.abs(off / np.sqrt(1 - totals / every)).max(axis=1)
        tests.append(sidak(two_sided(z), len(totals))[:, None])
    return np.concatenate(tests, axis=1)


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
    numeric = [number for number, one in enumerate(scores) if _has_pairs(one.normal, shuffles)][:_PAIRED]
    if len(numeric) < 2:
        return None
    normal = np.stack([one for number in numeric if (one := scores[number].normal) is not None])
    pair: _Pair = np.triu_indices(len(numeric), 1)
    part = np.ascontiguousarray(normal[:, shuffles.chosen].T)
    values = np.concatenate([part, part**2, part[:, pair[0]] * part[:, pair[1]]], axis=1)
    ends = [len(numeric), 2 * len(numeric)]
    sums = _Moments(*np.split((shuffles.labels @ values).astype(np.float64), ends, axis=1))
    total = _Moments(*np.split(values.sum(axis=0, dtype=np.float64)[None, :], ends, axis=1))
    off = _apart(sums, total, (shuffles.size, len(part)), pair)
    if shuffles.whole:
        truth, off = off[0], off[1:]
    else:
        n, m = shuffles.sizes
        truth = _apart(_moments(normal[:, n:], pair), _moments(normal, pair), (float(m), n + m), pair)[0]
    best = int(np.abs(truth).argmax())
    named = (columns[numeric[pair[0][best]]].name, columns[numeric[pair[1][best]]].name)
    real = sidak(two_sided(np.abs(truth).max(keepdims=True)), len(pair[0]))
    chance = sidak(two_sided(np.abs(off).max(axis=1)), len(pair[0]))
    return _Together(_Found(float(real[0]), chance, "correlation"), named)


def _has_pairs(normal: NDArray[np.float32] | None, shuffles: _Shuffles) -> bool:
    """Whether enough rows have a say in its correlations: where a few have all of it, these are luck."""
    if normal is None:
        return False
    squares = (normal.astype(np.float64) - normal.mean(dtype=np.float64)) ** 2
    rows = squares.sum() ** 2 / max(float((squares**2).sum()), 1e-300)
    return bool(rows * shuffles.smaller / len(shuffles.chosen) >= 2 * _EXPECTED)


def _moments(normal: NDArray[np.float32], pair: _Pair) -> _Moments:
    """Of lines of scores, whose size is such that single precision is plenty."""
    products = (normal @ normal.T).astype(np.float64)
    sums = normal.sum(axis=1, dtype=np.float64)
    return _Moments(sums[None, :], np.diag(products)[None, :], products[pair][None, :])


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


def _fair(found: _Found) -> _Found:
    """Its logarithms made smaller where chance alone gives far smaller p than textbooks say.

    So it is where few rows of a column have most of the say: their luck would stand against every column.
    """
    few = max(len(found.chance) // 50, 1)
    seen = -float(np.partition(found.chance, few - 1)[:few].mean())
    expected = 1 + math.log(len(found.chance) / few)
    if seen * _CLOSE <= expected:
        return found
    return found._replace(truth=found.truth * expected / seen, chance=found.chance * expected / seen)


_CLOSE = 0.85
"""What is nearer to the expected than this may be luck of the shuffles: it is left as it is."""


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
