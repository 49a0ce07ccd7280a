"""Whether a table differs from its reference, and where: tests, figures and counts put together."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from git_mlops.monitor import chances, figures, shuffled
from git_mlops.monitor.chances import Floats
from git_mlops.monitor.figures import Figures
from git_mlops.monitor.samples import Both, Compared
from git_mlops.monitor.settings import Settings, own
from git_mlops.monitor.shuffled import Answer, Column

_TESTS = 4
"""Of a column."""
_POWER = 0.8
_FEW = 5
"""With fewer rows there is nothing to compare."""


class Moved(NamedTuple):
    """One column, compared."""

    column: Compared
    figures: Figures
    answer: Answer | None
    """None where there were too few rows to test anything."""
    floor: float
    """The smallest difference that matters for it."""
    alarm: bool
    """Whether it differs beyond chance, and enough to matter."""


class Pair(NamedTuple):
    """Two columns that go together otherwise than before."""

    columns: tuple[str, str]
    correlations: tuple[float, float]
    """Spearman's, of both sides."""
    answer: Answer
    alarm: bool


class Part(NamedTuple):
    """A slice of the rows, compared by itself."""

    column: str
    value: str
    rows: tuple[int, int]
    moved: tuple[Moved, ...]


class Drift(NamedTuple):
    """A comparison."""

    both: Both
    moved: tuple[Moved, ...]
    pair: Pair | None
    parts: tuple[Part, ...]
    alpha: float
    """Of each table: the rate that was asked for, shared by the table and its slices."""
    shuffles: int
    needed: int | None
    """Rows that the current side would need; None where it has enough."""
    more_reference: int | None
    """Rows that the reference would need, where no number of current ones would do."""

    @property
    def alarm(self) -> bool:
        """Whether anything moved."""
        return any(one.alarm for one in self.moved) or bool(self.pair and self.pair.alarm)


def compare(both: Both, settings: Settings, seed: int = 0) -> Drift:
    """Compare two sides."""
    slices = list(_slices(both, settings))
    alpha = settings.false_alarms / (1 + len(slices))
    n, m = both.kept
    values = [one.values for one in both.columns]
    needed, more = rows_needed(n, m, len(values), alpha, settings.must_find)
    answers = shuffled.compare(values, alpha, seed) if values and min(n, m) >= _FEW else None
    moved = _moved(both.columns, answers.columns if answers else {}, settings, alpha)
    return Drift(
        both, tuple(moved), _pair(values, answers, settings, alpha),
        tuple(_part(both, settings, alpha, seed, found) for found in slices),
        alpha, answers.shuffles if answers else 0, needed, more,
    )  # fmt: skip


def _moved(
    columns: Sequence[Compared], answers: Mapping[str, Answer], settings: Settings, alpha: float
) -> list[Moved]:
    found = []
    for column in columns:
        answer, measured = answers.get(column.name), figures.of(column.values)
        asked = own(settings, column.name).effect
        floor = settings.effect if asked is None else asked
        alarm = answer is not None and answer.adjusted <= alpha and measured.effect >= floor
        found.append(Moved(column, measured, answer, floor, alarm))
    return found


def _pair(
    columns: Sequence[Column], answers: shuffled.Answers | None, settings: Settings, alpha: float
) -> Pair | None:
    if answers is None or answers.together is None or answers.pair is None:
        return None
    named = {column.name: column for column in columns}
    a, b = (named[name] for name in answers.pair)
    old, new = _spearman(a.reference, b.reference), _spearman(a.current, b.current)
    # a correlation of 0.1 explains a hundredth: less than a shift of a tenth of a deviation says
    alarm = answers.together.adjusted <= alpha and abs(new - old) >= 2 * settings.effect
    return Pair(answers.pair, (old, new), answers.together, alarm)


def _spearman(a: Floats | shuffled.Codes, b: Floats | shuffled.Codes) -> float:
    there = ~(np.isnan(a) | np.isnan(b))
    if there.sum() < _FEW:
        return 0.0
    ranks = [_ranked(side[there].astype(np.float64)) for side in (a, b)]
    if min(side.std() for side in ranks) < 1e-12:
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranked(values: Floats) -> Floats:
    order = np.argsort(values)
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    ends = np.append(starts[1:], len(values))
    found = np.empty(len(values))
    found[order] = np.repeat((starts + ends) / 2.0, ends - starts)
    return found


# -- how many rows are enough -------------------------------------------------------------------------------


def rows_needed(n: int, m: int, columns: int, alpha: float, effect: float) -> tuple[int | None, int | None]:
    """Current rows, or reference rows, that are needed to see a shift of one column in four cases of five.

    Args:
        n: rows of the reference.
        m: rows of the current side.
        columns: how many are tested.
        alpha: the rate of false alarms of all of them.
        effect: the shift, in standard deviations.
    """
    far = chances.quantile(_POWER) - chances.quantile(alpha / (2 * _TESTS * (columns + 1)))
    least = (far / effect) ** 2
    if n <= least:
        return (None, None) if n * m / max(n + m, 1) >= least else (None, math.ceil(2 * least))
    needed = math.ceil(1 / (1 / least - 1 / n))
    return (needed, None) if m < needed else (None, None)


# -- slices -------------------------------------------------------------------------------------------------


def _slices(both: Both, settings: Settings) -> list[tuple[Compared, int]]:
    """Column and code of the categories that have rows enough on both sides."""
    found = []
    for column in both.columns:
        if column.name not in settings.slices or column.kind != "category":
            continue
        for code in range(len(column.categories)):
            n, m = (int((side == code).sum()) for side in (column.values.reference, column.values.current))
            alpha = settings.false_alarms / 10
            if rows_needed(n, m, len(both.columns), alpha, settings.must_find) == (None, None):
                found.append((column, code))
    return found[:_MOST_SLICES]


_MOST_SLICES = 30


def _part(both: Both, settings: Settings, alpha: float, seed: int, found: tuple[Compared, int]) -> Part:
    by, code = found
    ours, theirs = by.values.reference == code, by.values.current == code
    columns = [
        one._replace(values=Column(one.name, one.values.reference[ours], one.values.current[theirs]))
        for one in both.columns
        if one.name != by.name
    ]
    answers = shuffled.compare([one.values for one in columns], alpha, seed) if columns else None
    moved = _moved(columns, answers.columns if answers else {}, settings, alpha)
    return Part(by.name, by.categories[code], (int(ours.sum()), int(theirs.sum())), tuple(moved))
