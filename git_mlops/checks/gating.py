"""Metrics against gates: floors, and what a change may cost compared with where it started. Pure."""

import math
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from git_mlops.checks.settings import Gate, Gates
from git_mlops.experiments.message import short
from git_mlops.experiments.results import Result
from git_mlops.experiments.settings import Metric

Outcome = Literal["pass", "fail", "unknown"]
Direction = Literal["max", "min"]


class Judged(NamedTuple):
    """One metric under one gate."""

    metric: str
    gate: str
    """The pattern in mlops.yaml."""
    outcome: Outcome
    reason: str
    """For people; of a pass, too."""
    old: float | None = None
    new: float | None = None
    allowed: float | None = None
    """How much worse it may be, noise included; None: no limit."""
    noise: float = 0.0


def judge(
    gates: Gates, base: Result | None, head: Result, declared: Mapping[str, Metric]
) -> Iterator[Judged]:
    """Every metric that a gate names, in the order of the gates.

    Args:
        base: the result of where the change started; None: there is no such commit.
    """
    stale = base is not None and is_stale(base, head)
    for pattern, gate in gates.items():
        names = matching(pattern, head.metrics) + [
            name for name in matching(pattern, base.metrics if base else {}) if name not in head.metrics
        ]
        if not names:
            yield Judged(pattern, pattern, "unknown", _nothing(head))
        for name in names:
            if stale:
                yield Judged(name, pattern, "unknown", _STALE)
            else:
                yield _judged(name, pattern, gate, base, head, declared)


_STALE = "code, data or parameters changed and nobody recorded a result; the metrics files are the old ones"


def is_stale(base: Result, head: Result) -> bool:
    """Whether the only metrics of HEAD are files that were the same before its content changed."""
    return head.experiment is None and head.parts != base.parts and head.metrics == base.metrics


def matching(pattern: str, names: Mapping[str, object]) -> list[str]:
    """The metrics a pattern names, with or without the file that they stand in."""
    return [name for name in names if any(fnmatchcase(n, pattern) for n in (name, name.rpartition(":")[2]))]


def _nothing(head: Result) -> str:
    if head.metrics:
        return "no metric of this name"
    if head.failed:
        return f"no result: `{head.failed}` did not finish"
    return "no result is recorded for this code, data and parameters"


def _judged(  # one answer after the other
    name: str, pattern: str, gate: Gate, base: Result | None, head: Result, declared: Mapping[str, Metric]
) -> Judged:
    new, old = number(head.metrics.get(name)), number(base.metrics.get(name)) if base else None
    about = Judged(name, pattern, "unknown", "", old, new)
    if name not in head.metrics:
        return about._replace(reason="the merge base has it, this change does not")
    if new is None or not math.isfinite(new):
        return about._replace(outcome="fail", reason=f"is {head.metrics[name]}, no finite number")
    if gate.min is not None and new < gate.min:
        return about._replace(outcome="fail", reason=f"is {short(new)}, below the floor {short(gate.min)}")
    if gate.max is not None and new > gate.max:
        return about._replace(outcome="fail", reason=f"is {short(new)}, above the ceiling {short(gate.max)}")
    if gate.regression is None and gate.regression_percent is None:
        return about._replace(outcome="pass", reason="within its bounds")
    way = direction(name, gate, declared)
    if way is None:
        return about._replace(reason="nobody declared whether more is better: `experiments.metrics`")
    if old is None or not math.isfinite(old):
        return about._replace(reason="the merge base has no result to compare with")
    return _compared(about, gate, way, _noise(name, base, head, declared))


def _compared(about: Judged, gate: Gate, way: Direction, noise: float) -> Judged:
    assert about.old is not None
    assert about.new is not None
    budgets = [gate.regression] if gate.regression is not None else []
    if gate.regression_percent is not None:
        budgets.append(abs(about.old) * gate.regression_percent / 100)
    allowed = min(budgets) + noise
    worse = about.old - about.new if way == "max" else about.new - about.old
    about = about._replace(allowed=allowed, noise=noise)
    said = f"{short(about.old)} → {short(about.new)}"
    if worse > allowed and not math.isclose(worse, allowed, rel_tol=1e-9, abs_tol=1e-12):
        reason = f"{said} is worse by {short(worse)}, allowed are {short(allowed)}"
        return about._replace(outcome="fail", reason=reason)
    return about._replace(outcome="pass", reason=said)


def direction(name: str, gate: Gate | None, declared: Mapping[str, Metric]) -> Direction | None:
    """Which way a metric is better: as declared for it or for its last word, else by the gate's one bound."""
    bare = name.rpartition(":")[2]
    metric = next((declared[n] for n in (name, bare, bare.rpartition(".")[2]) if n in declared), None)
    if metric is not None:
        return metric.direction
    if gate is None or (gate.min is None) == (gate.max is None):
        return None
    return "min" if gate.min is None else "max"


def _noise(name: str, base: Result | None, head: Result, declared: Mapping[str, Metric]) -> float:
    """What is declared as tolerance, or what repeated runs spread over: the larger."""
    bare = name.rpartition(":")[2]
    metric = next((declared[n] for n in (name, bare, bare.rpartition(".")[2]) if n in declared), Metric())
    spreads = [result.spread.get(name, 0.0) for result in (base, head) if result]
    return max(metric.tolerance, *spreads)


def number(value: object) -> float | None:
    """A number; booleans and text are none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def loosened(before: Gates, after: Gates) -> Iterator[tuple[str, str]]:
    """Gates of the target that a change makes weaker: the pattern, and how."""
    for pattern, old in before.items():
        new = after.get(pattern)
        if new is None:
            yield pattern, "removed"
            continue
        for field in Gate._fields:
            a, b = getattr(old, field), getattr(new, field)
            weaker = a is not None and (b is None or (b < a if field == "min" else b > a))
            if weaker:
                yield pattern, f"{field} {short(a)} → {'none' if b is None else short(b)}"
