"""Four DORA metrics for models, from tags: how often, how soon, how often wrong, how long until mended."""

from collections.abc import Sequence
from typing import NamedTuple

from git_mlops.audit import common
from git_mlops.audit.evidence import DAY
from git_mlops.audit.facts import Facts, Promoted
from git_mlops.audit.infra import is_rollback

WINDOW = 180
"""Days that count."""


class Dora(NamedTuple):
    """Of the last 180 days; None: nothing to measure it by."""

    deployments: int
    per_week: float | None
    lead_days: float | None
    """Median time from the commit that is registered to production."""
    failures: int
    failure_rate: float | None
    restore_hours: float | None
    """Median time from a deployment that was rolled back to the rollback."""
    days: int = WINDOW
    first: str | None = None
    """The tags of the first and the last deployment that count."""
    last: str | None = None


def of(facts: Facts) -> Dora:
    """Deployments are assignments of a production stage; a rollback undoes the one before."""
    start = facts.now - WINDOW * DAY
    every = [one for one in common.deployments(facts) if start < one.event.time <= facts.now]
    done = [one for one in every if not is_rollback(one)]
    if not done:
        return Dora(0, None, None, 0, None, None)
    failed = _failed(facts, every)
    leads = [lead for one in done if (lead := _lead(facts, one)) is not None]
    # since when anything was deployed at all, at least a week
    weeks = max(7, (facts.now - done[0].event.time) / DAY) / 7
    return Dora(
        len(done), round(len(done) / weeks, 2), _median([lead / DAY for lead in leads]), len(failed),
        round(len(failed) / len(done), 3), _median([hours for hours in failed if hours is not None]),
        WINDOW, done[0].event.tag, done[-1].event.tag,
    )  # fmt: skip


def _failed(facts: Facts, every: Sequence[Promoted]) -> list[float | None]:
    """For each deployment that was undone, the hours until then; None: nothing took its place."""
    found: list[float | None] = []
    for number, one in enumerate(every):
        if is_rollback(one):
            continue
        same = [e for e in every[number + 1 :] if (e.model, e.event.stage) == (one.model, one.event.stage)]
        if same and is_rollback(same[0]):
            found.append((same[0].event.time - one.event.time) / 3600)
        elif _withdrawn(facts, one, same[0].event.time if same else None):
            found.append(None)
    return found


def _withdrawn(facts: Facts, one: Promoted, end: int | None) -> bool:
    """Whether a version was taken back, or lost the stage, while it held it."""
    return any(
        (e.model, e.event.version) == (one.model, one.event.version)
        and one.event.time <= e.event.time <= (end or facts.now)
        and (
            e.event.kind == "deregister" or (e.event.kind == "unassign" and e.event.stage == one.event.stage)
        )
        for e in facts.shared.events
    )


def _lead(facts: Facts, one: Promoted) -> float | None:
    made = common.registration(facts, one)
    commit = made.facts.get("commit") if made else None
    time = facts.shared.times.get(str(commit)) if commit else None
    return None if time is None else max(0, one.event.time - time)


def _median(values: Sequence[float]) -> float | None:
    ordered = sorted(values)
    if not ordered:
        return None
    middle = len(ordered) // 2
    found = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return round(found, 2)
