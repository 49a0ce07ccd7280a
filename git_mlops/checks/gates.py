"""The change's result passes the gates that mlops.yaml sets for its metrics.

The result is the one recorded for exactly this code, data and parameters, whoever recorded it and wherever,
else the metrics files of the commit. It is compared with the merge base's. The gates of the target branch
hold, too: a change that loosens them is not judged by its own alone.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from git_mlops.checks.context import Context
from git_mlops.checks.scope import Kind
from git_mlops.checks.settings import Gates
from git_mlops.findings import Finding

if TYPE_CHECKING:  # what reads experiments is no part of a commit's check
    from git_mlops.checks.gating import Judged
    from git_mlops.experiments.results import Result

SUMMARY = "the result of the change passes the gates of its metrics"
KINDS: frozenset[Kind] = frozenset({"range"})
RULE = "gates"


def check(context: Context) -> Iterator[Finding]:
    """One finding for each metric that does not pass, and one for each gate that became weaker."""
    from git_mlops.checks import gating

    own = context.config.gates
    target = context.target.gates if context.target else {}
    if not own and not target:
        return
    base, head = compared(context)
    seen = set()
    for gates, whose in ((own, ""), (stricter(target, own), " (the target branch's gate)")):
        for one in gating.judge(gates, base, head, context.config.experiments.metrics):
            if one.outcome != "pass" and (one.metric, one.outcome) not in seen:
                seen.add((one.metric, one.outcome))
                yield _finding(one, whose)
    for pattern, how in gating.loosened(target, own):
        message = f"the gate of `{pattern}` is weaker than the target branch's: {how}"
        yield Finding(RULE, "warning", message, "mlops.yaml", hint="both are judged until this is merged")


def compared(context: Context) -> "tuple[Result | None, Result]":
    """The results of where the change started and of where it ends."""
    from git_mlops.experiments import results

    scope, settings = context.scope, context.config.experiments
    assert scope.tip
    base = results.of(scope.repo, scope.base, settings) if scope.base else None
    return base, results.of(scope.repo, scope.tip, settings)


def stricter(target: Gates, own: Gates) -> Gates:
    """The target's gates that the change loosens; the others are judged as they are now."""
    from git_mlops.checks import gating

    weaker = {pattern for pattern, _how in gating.loosened(target, own)}
    return {pattern: gate for pattern, gate in target.items() if pattern in weaker}


def _finding(one: "Judged", whose: str) -> Finding:
    message = f"`{one.metric}` {one.reason}{whose}" if one.outcome == "fail" else _unknown(one, whose)
    hint = None
    if one.outcome == "unknown":
        hint = "`git mlops exp run` records a result, `git mlops exp push` shares it"
    level = "error" if one.outcome == "fail" else "unknown"
    data = {name: value for name, value in one._asdict().items() if name not in ("reason", "outcome")}
    return Finding(RULE, level, message, hint=hint, data=data)  # type: ignore[arg-type]  # a literal


def _unknown(one: "Judged", whose: str) -> str:
    return f"`{one.metric}` cannot be judged: {one.reason}{whose}"
