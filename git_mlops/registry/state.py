"""Events (tags) → what is registered and which version holds which stage, as GTO reads it. Pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from git_mlops.registry import grammar
from git_mlops.registry.grammar import Kind


class Event(NamedTuple):
    """One tag of a registry."""

    tag: str
    kind: Kind
    name: str
    version: str | None
    """Of an assignment the version that its commit is; None where that is none."""
    stage: str | None
    number: int | None
    time: int
    """Seconds of the tagger's clock: they order the events."""
    oid: str
    """Of the tag object."""
    target: str
    """What it is a tag of: a commit; for an approval the tag object of the registration."""
    who: str
    email: str


class Registered(NamedTuple):
    """A version of a model."""

    version: str
    event: Event
    """Its registration."""
    active: bool
    """Whether it was not taken back since."""

    @property
    def commit(self) -> str:
        """What is registered."""
        return self.event.target


class Artifact(NamedTuple):
    """A model: what its tags come to."""

    name: str
    versions: tuple[Registered, ...] = ()
    """The greatest first."""
    stages: Mapping[str, Event] = {}  # the default of a frozen tuple, never changed
    """The assignment that is in force, by stage."""
    deprecated: bool = False
    events: tuple[Event, ...] = ()
    """In the order of their times; without approvals."""

    @property
    def latest(self) -> Registered | None:
        """The greatest version that was not taken back."""
        return next((one for one in self.versions if one.active), None)

    def find(self, version: str) -> Registered | None:
        """A version by name."""
        return next((one for one in self.versions if one.version == version), None)

    def stages_of(self, version: str) -> tuple[str, ...]:
        """The stages that a version holds."""
        return tuple(sorted(stage for stage, event in self.stages.items() if event.version == version))

    @property
    def last_time(self) -> int:
        """Of the newest event: the next one must be later."""
        return max((event.time for event in self.events), default=0)

    @property
    def next_number(self) -> int:
        """N of the next event."""
        return max((event.number or 0 for event in self.events), default=0) + 1


def artifacts(events: Iterable[Event]) -> dict[str, Artifact]:
    """The state of every model, by name."""
    by_name: dict[str, list[Event]] = {}
    for event in events:
        if event.kind != "approve":
            by_name.setdefault(event.name, []).append(event)
    return {name: _artifact(name, by_name[name]) for name in sorted(by_name)}


def _artifact(name: str, events: list[Event]) -> Artifact:
    events.sort(key=lambda event: (event.time, event.number or 0, event.tag))
    registered: dict[str, Event] = {}
    active: dict[str, bool] = {}
    for event in events:
        if event.version is None or event.kind not in ("register", "deregister"):
            continue
        if event.kind == "register":
            registered[event.version] = event
        active[event.version] = event.kind == "register"
    named = _with_versions(events, registered)
    versions = (Registered(version, event, active[version]) for version, event in registered.items())
    ordered = tuple(sorted(versions, key=lambda one: grammar.order(one.version), reverse=True))
    stages = _stages(named, {one.version for one in ordered if one.active})
    deprecated = events[-1].kind == "deprecate"
    return Artifact(name, ordered, stages, deprecated, tuple(named))


def _with_versions(events: list[Event], registered: Mapping[str, Event]) -> list[Event]:
    """Assignments know a commit only: the version is the one registered there, last before."""
    at: dict[str, list[Event]] = {}
    for event in registered.values():
        at.setdefault(event.target, []).append(event)
    found = []
    for event in events:
        there = at.get(event.target) if event.stage is not None else None
        if there is None:
            found.append(event)
        elif len(there) == 1:
            found.append(_with(event, there[0].version))
        else:
            last = max(there, key=lambda one: (one.time <= event.time, one.time))
            found.append(_with(event, last.version))
    return found


def _with(event: Event, version: str | None) -> Event:
    """Quicker than `_replace`: there may be thousands."""
    return Event._make((*event[:3], version, *event[4:]))


def _stages(events: Iterable[Event], active: set[str]) -> dict[str, Event]:
    """As GTO: each version keeps a stage until it is taken back; the one that got it last holds it."""
    last: dict[tuple[str, str], Event] = {}
    for event in events:
        if event.stage is not None and event.version in active:
            last[event.version, event.stage] = event
    holders: dict[str, Event] = {}
    for (_version, stage), event in last.items():
        if event.kind == "assign" and (stage not in holders or event.time >= holders[stage].time):
            holders[stage] = event
    return dict(sorted(holders.items()))
