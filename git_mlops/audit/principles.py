"""The principles of ml-ops.org: six practices, each for data, model and code, from the same evidence."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from git_mlops.audit import common
from git_mlops.audit.evidence import AUTOMATED, MANUAL, Item, Points
from git_mlops.audit.facts import Facts

Subject = Literal["data", "model", "code"]
SUBJECTS: tuple[Subject, ...] = ("data", "model", "code")


class Principle(NamedTuple):
    """One cell of the table."""

    principle: str
    subject: Subject
    points: Points
    evidence: str | None
    """Where it is seen."""


def of(facts: Facts, items: Sequence[Item]) -> tuple[Principle, ...]:
    """Every cell, row by row."""
    by_id = {one.id: one for one in items}

    def best(*names: str) -> tuple[Points, str | None]:
        found = max((by_id[name] for name in names), key=lambda one: one.points)
        return found.points, found.evidence[0].where if found.points and found.evidence else None

    def there(where: str | None, points: Points = AUTOMATED) -> tuple[Points, str | None]:
        return (points, where) if where else (0.0, None)

    state, shared = facts.state, facts.shared
    pointer = next((one.pointer for one in state.tables), None) or next(
        (p for p in sorted(state.paths) if p.endswith(".dvc")), None
    )
    tag = next((e.event.tag for e in reversed(shared.events) if e.event.kind == "register"), None)
    run = next((r for r in shared.runs if r.record and r.record.how == "pipeline"), None)
    lock = next((r.experiment.ref for r in shared.runs if r.record and r.record.environment), None)
    tested = next((c.path for t in state.suites.tests if (c := facts.testing(t.path))), None)
    checked = facts.checking()
    deploying = next((c.path for c in state.ci.commands if "tag" in c.when), None)
    held = next((e.event.tag for e in reversed(common.held(facts))), None)
    has_code = next(
        (p for p in sorted(state.paths) if p.endswith((".py", ".ipynb", ".R", ".scala", ".jl"))), None
    )
    recorded = next((r.experiment.ref for r in shared.runs if r.record and r.record.data), None)
    cells: list[tuple[str, Subject, tuple[Points, str | None]]] = [
        ("versioning", "data", there(pointer)),
        ("versioning", "model", there(tag)),
        ("versioning", "code", there(has_code)),
        ("testing", "data", best("data-1", "data-7")),
        ("testing", "model", best("infra-2", "infra-4", "model-6")),
        ("testing", "code", there(tested) if tested else there(_untested(facts), MANUAL)),
        ("automation", "data", there(checked.path if checked and state.tables else None)),
        ("automation", "model", there(run.experiment.ref if run else None, MANUAL) if not _trained(facts) else
         there(_trained(facts))),
        ("automation", "code", there(tested or (checked.path if checked else None))),
        ("reproducibility", "data", there(recorded)),
        ("reproducibility", "model", best("infra-1")),
        ("reproducibility", "code", there(lock)),
        ("deployment", "data", there(_pushed(facts), MANUAL)),
        ("deployment", "model", there(held, AUTOMATED if deploying else MANUAL)),
        ("deployment", "code", there(deploying, MANUAL if not held else AUTOMATED)),
        ("monitoring", "data", best("monitor-2", "monitor-3")),
        ("monitoring", "model", best("monitor-4", "monitor-5", "monitor-7")),
        ("monitoring", "code", best("monitor-1", "monitor-6")),
    ]  # fmt: skip
    return tuple(Principle(name, subject, *found) for name, subject, found in cells)


def _untested(facts: Facts) -> str | None:
    """Tests that nothing runs."""
    return next((one.where for one in facts.state.suites.tests), None)


def _trained(facts: Facts) -> str | None:
    """What trains by itself."""
    starts = (
        ("dvc", "repro"),
        ("git", "mlops", "exp", "run"),
        ("git", "mlops", "retrain"),
        ("dvc", "exp", "run"),
    )
    return next((one.path for one in facts.state.ci.running(*starts)), None)


def _pushed(facts: Facts) -> str | None:
    """A DVC remote that others can have the data from."""
    return (
        ".dvc/config"
        if any(out.push for out in facts.state.outs) and ".dvc/config" in facts.state.paths
        else None
    )
