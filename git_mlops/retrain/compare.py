"""Is the challenger worse? By gates, by what the stage asks, by every metric with a direction. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from git_mlops.checks import gating
from git_mlops.checks.gating import Judged
from git_mlops.checks.settings import Gate, Gates
from git_mlops.errors import CANNOT_EVALUATE, FINDINGS, OK
from git_mlops.experiments import slices
from git_mlops.experiments.results import Result
from git_mlops.experiments.settings import Metric
from git_mlops.findings import Finding
from git_mlops.models.settings import Stage


class Sides(NamedTuple):
    """The two, and whether they may be compared."""

    champion: Result
    challenger: Result
    problem: str | None
    """Why they cannot be compared."""


class Rules(NamedTuple):
    """What decides."""

    gates: Gates
    stage: Stage
    metrics: Mapping[str, Metric]


def judge(sides: Sides, rules: Rules) -> tuple[Judged, ...]:
    """Every metric that a rule names. Where they cannot be compared, only floors and ceilings are judged."""
    base = sides.champion if sides.problem is None else None
    bounds = {name: Gate(one.min, one.max) for name, one in rules.stage.metrics.items()}
    sets = [rules.gates, bounds]
    if base is not None:
        sets.append(_no_worse(base, rules))
    else:
        sets[0] = {pattern: bare for pattern, gate in rules.gates.items() if (bare := _bare(gate))}
    found = (one for gates in sets for one in gating.judge(gates, base, sides.challenger, rules.metrics))
    return tuple(_worded(one) for one in _once(found))


def _bare(gate: Gate) -> Gate | None:
    return Gate(gate.min, gate.max) if gate.min is not None or gate.max is not None else None


def _no_worse(champion: Result, rules: Rules) -> Gates:
    """What the stage names, else every metric with a direction that no gate has a budget for.

    Those of slices are judged by gates alone: a small slice moves by itself.
    """
    budgeted = {
        name
        for pattern, gate in rules.gates.items()
        if gate.regression is not None or gate.regression_percent is not None
        for name in gating.matching(pattern, champion.metrics)
    }
    if rules.stage.no_worse:
        return {name: Gate(regression=0.0) for name in rules.stage.no_worse}
    return {
        name: Gate(regression=0.0)
        for name in champion.metrics
        if name not in budgeted
        and slices.parse(name) is None
        and gating.direction(name, None, rules.metrics) is not None
    }


def _once(found: Iterable[Judged]) -> Iterator[Judged]:
    seen: set[tuple[str, str, str]] = set()
    for one in found:
        key = (one.metric, one.outcome, one.reason)
        if key not in seen:
            seen.add(key)
            yield one


def _worded(one: Judged) -> Judged:
    said = one.reason.replace("the merge base", "the champion").replace("this change", "the challenger")
    return one._replace(reason=said)


class Verdict(NamedTuple):
    """What it comes to."""

    exit_code: int
    """0 not worse, 1 worse or against a rule, 3 nobody can say."""
    text: str
    """In one line."""


def verdict(sides: Sides, judged: Sequence[Judged], findings: Sequence[Finding], champion: str) -> Verdict:
    """The worst that was found, and why."""
    failed = [f"`{one.metric}` {one.reason}" for one in judged if one.outcome == "fail"]
    failed += [_of(one) for one in findings if one.level == "error"]
    if failed:
        return Verdict(FINDINGS, f"the challenger is worse than {champion} or breaks a rule: {_few(failed)}")
    if sides.problem is not None:
        return Verdict(CANNOT_EVALUATE, f"not comparable with {champion}: {sides.problem}")
    open_ = [f"`{one.metric}` {one.reason}" for one in judged if one.outcome == "unknown"]
    open_ += [_of(one) for one in findings if one.level == "unknown"]
    if open_:
        return Verdict(CANNOT_EVALUATE, f"cannot be judged against {champion}: {_few(open_)}")
    told = [one for one in judged if one.old is not None and one.allowed is not None]
    if not told:
        return Verdict(CANNOT_EVALUATE, f"cannot be judged against {champion}: {_UNDECLARED}")
    shown = ", ".join(f"{one.metric} {one.reason}" for one in told[:3])
    return Verdict(OK, f"the challenger is not worse than {champion}: {shown}")


_UNDECLARED = "mlops.yaml does not say of any metric whether more is better (`experiments.metrics`)"


def _of(finding: Finding) -> str:
    return f"{finding.path}: {finding.message}" if finding.path else finding.message


def _few(texts: Sequence[str]) -> str:
    return "; ".join(texts[:2]) + (f"; and {len(texts) - 2} more" if len(texts) > 2 else "")
