"""What several rules ask of the facts."""

import re
from collections.abc import Iterable, Mapping, Sequence

from git_mlops.audit.evidence import AUTOMATED, DECLARE, MANUAL, WATCHED, Evidence, Points, day, some
from git_mlops.audit.facts import Facts, Observation, Promoted, Run
from git_mlops.checks.gating import matching as named
from git_mlops.models.settings import stages_of
from git_mlops.patterns import matches
from git_mlops.scaffold.ci_providers import PROVIDERS

MONITOR = "`git mlops monitor MODEL`"
RUN = "`git mlops exp run`"
_SEED = re.compile(r"(?:^|[._:])(?:random_)?(?:seed|state)s?$", re.IGNORECASE)
PRODUCTION = re.compile(r"(?:^|[-_/])(?:prod|production|live|serving|release)(?:$|[-_/])", re.IGNORECASE)
CANARY = re.compile(r"canary|shadow|challenger|candidate|pilot|beta|preview", re.IGNORECASE)


def ci(facts: Facts) -> str:
    """What would let CI run it."""
    doubts_ = facts.state.ci.doubts
    if any("no remote" in one.why for one in doubts_):
        return "`git remote add origin URL`, then `git push`"
    names = facts.state.settings.ci.providers
    return f"`git mlops ci generate {names[0] if names else 'github'}`"


def declare(item: str) -> str:
    """The command where nothing but a person can show it."""
    return f"{DECLARE} {item} FILE-OR-URL`"


def register(facts: Facts) -> str:
    """The command that registers a model."""
    name = next(iter(facts.shared.models), "NAME")
    return f"`git mlops model register {name}`"


def promote(facts: Facts, stage: str = "prod") -> str:
    """The command that gives a stage."""
    name = next(iter(facts.shared.models), None)
    return f"`git mlops model promote {name} {stage}`" if name else register(facts)


def monitor(facts: Facts) -> str:
    """The command that looks at what is served."""
    name = next(iter(facts.shared.models), None)
    return f"`git mlops monitor {name}`" if name else register(facts)


def doubts(facts: Facts, counted: object) -> list[Evidence]:
    """Why CI definitions do not count, where nothing in CI did."""
    if counted:
        return []
    ours = {file.path for provider in PROVIDERS.values() for file in provider.files}
    # of several workflows one that only people start is nothing to speak of
    told = [one for one in facts.state.ci.doubts if one.path in ours or not facts.state.ci.commands]
    return [Evidence(f"not counted: {one.why}", one.path) for one in told]


def empty(facts: Facts) -> list[Evidence]:
    """Test files that show nothing."""
    pairs = (text.partition(": ") for text in facts.state.suites.empty[:3])
    return [Evidence(f"not counted: {why}", path) for path, _, why in pairs]


def matching(facts: Facts, pattern: str) -> list[str]:
    """The data that a pattern of mlops.yaml names."""
    every = {one.path for one in facts.state.tables} | {one.path for one in facts.state.outs}
    return sorted(path for path in every if matches(path, (pattern,)))


def varied(
    facts: Facts, name: re.Pattern[str], what: str, runs: Sequence[Run] | None = None
) -> list[Evidence]:
    """Runs of which a parameter with such a name is not the same, and whose metrics are known."""
    measured = [one for one in (facts.shared.runs if runs is None else runs) if one.experiment.metrics]
    for param in sorted({p for one in measured for p in one.experiment.params if name.search(p)}):
        values = {str(one.experiment.params.get(param)): one for one in measured}
        if len(values) > 1:
            newest = max(values.values(), key=lambda one: one.experiment.time).experiment
            said = f"{what}: {len(values)} values of `{param}`"
            return [Evidence(said, newest.ref, MANUAL, facts.until(newest.time))]
    return []


def is_seed(param: str) -> bool:
    """Whether a parameter only says which random numbers are taken."""
    return _SEED.search(param) is not None


def measured(facts: Facts) -> Run | None:
    """The newest run with metrics."""
    return next((one for one in facts.shared.runs if one.experiment.metrics), None)


def metric_names(facts: Facts) -> Mapping[str, object]:
    """The metrics that the newest run came to."""
    run = measured(facts)
    return run.experiment.metrics if run else {}


def is_production(facts: Facts, model: str, stage: str) -> bool:
    """Whether a stage is where a model is used: by its name, or the last one of mlops.yaml."""
    stages = stages_of(facts.state.settings.models, model)
    if any(PRODUCTION.search(name) for name in stages) or PRODUCTION.search(stage):
        return PRODUCTION.search(stage) is not None
    before = {name for one in stages.values() for name in one.after}
    return bool(stages) and stage in stages and stage not in before and bool(before)


def deployments(facts: Facts) -> list[Promoted]:
    """Every time a version got to production, the oldest first."""
    return [
        one
        for one in facts.shared.events
        if one.event.kind == "assign" and one.event.stage and is_production(facts, one.model, one.event.stage)
    ]


def held(facts: Facts) -> list[Promoted]:
    """The assignments that are in force in production."""
    now = {event.oid for one in facts.shared.models.values() for event in one.stages.values()}
    return [one for one in deployments(facts) if one.event.oid in now]


def registration(facts: Facts, one: Promoted) -> Promoted | None:
    """Of the version that an event is about."""
    same = (
        e
        for e in facts.shared.events
        if e.event.kind == "register" and (e.model, e.event.version) == (one.model, one.event.version)
    )
    return next(same, None)


def watched(facts: Facts, kinds: Iterable[str], what: str) -> list[Evidence]:
    """What `git mlops monitor` saw: whole points where it goes on by itself."""
    seen = [one for one in facts.shared.observed if not one.kinds.isdisjoint(kinds) and one.time <= facts.now]
    if not seen:
        return []
    newest = seen[0]
    command = next(iter(facts.state.ci.running(("git", "mlops", "monitor"), ("git-mlops", "monitor"))), None)
    recent = [one for one in seen if one.time > facts.now - WATCHED * 86400 and one.model == newest.model]
    steady = len({one.time // 86400 for one in recent}) >= _STEADY
    scheduled = command is not None and "schedule" in command.when
    points: Points = AUTOMATED if scheduled or steady else MANUAL
    until = facts.until(newest.time, WATCHED) if points == AUTOMATED else facts.until(newest.time)
    how = (
        f"by {command.path}"
        if scheduled and command
        else f"on {len(recent)} days"
        if steady
        else "once by hand"
    )
    found = [Evidence(f"{what}: {_seen(newest)}, {how}", newest.ref, points, until)]
    if points == AUTOMATED:
        # when nobody looks any more, what was seen last still counts for a while
        found.append(Evidence(f"{what}: {_seen(newest)}", newest.ref, MANUAL, facts.until(newest.time)))
    return found


_STEADY = 3
"""Days of the last month on which something was observed: nobody does that by hand for long."""


def _seen(one: Observation) -> str:
    return f"{one.model}{f'@{one.version}' if one.version else ''} on {day(one.time)}"


def gated(facts: Facts, wanted: re.Pattern[str] | None = None) -> list[str]:
    """Gates of mlops.yaml that hold something back, of metrics that the newest run has."""
    metrics = metric_names(facts)
    return [
        pattern
        for pattern, gate in facts.state.settings.gates.items()
        if any(value is not None for value in gate)
        and any(wanted is None or wanted.search(name) for name in named(pattern, metrics))
    ]


def gates(facts: Facts, wanted: re.Pattern[str] | None, what: str) -> list[Evidence]:
    """Evidence of gates: in CI, or by hand."""
    names = gated(facts, wanted)
    run, command = measured(facts), facts.checking("gates")
    if not names or run is None:
        return []
    said = f"{what}: gates {some(names)}"
    one = run.experiment
    if command is None:
        return [Evidence(f"{said}, measured by {one.name}", one.ref, MANUAL, facts.until(one.time))]
    return [facts.automated(f"{said}, measured by {one.name}", command)._replace(where=one.ref)]
