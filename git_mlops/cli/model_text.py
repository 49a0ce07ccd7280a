"""What the tags of models say, for people and as JSON. Apart from the rest: it is to be quick."""

import datetime as dt
from collections.abc import Mapping, Sequence

from git_mlops import ui
from git_mlops.experiments.message import short
from git_mlops.registry.read import Version
from git_mlops.registry.state import Artifact, Event


def plain(version: Version) -> dict[str, object]:
    """A version for `--json`."""
    return {
        "model": version.name,
        "version": version.version,
        "tag": version.tag,
        "commit": version.commit,
        "registered": moment(version.time),
        "by": {"name": version.who, "email": version.email},
        "stages": list(version.stages),
        "active": version.active,
        "facts": dict(version.facts),
    }


def moment(time: int) -> str:
    """ISO 8601 in UTC."""
    return dt.datetime.fromtimestamp(time, dt.UTC).isoformat()


def _day(time: int) -> str:
    return dt.datetime.fromtimestamp(time, dt.UTC).strftime("%Y-%m-%d %H:%M")


def listed(found: Mapping[str, Artifact], *, as_json: bool) -> int:
    """Every model, or one with all its versions."""
    if as_json:
        ui.emit("models", [_summary(one) for one in found.values()])
        return 0
    if not found:
        ui.note("no models are registered yet: `git mlops model register NAME [EXPERIMENT]`")
    rows = []
    for one in found.values():
        latest = one.latest
        held = ", ".join(
            f"{stage} {event.version or event.target[:7]}" for stage, event in one.stages.items()
        )
        count = sum(version.active for version in one.versions)
        when = _day(latest.event.time) if latest else "-"
        said = "deprecated" if one.deprecated else ""
        rows.append((one.name, latest.version if latest else "-", held or "-", count, when, said))
    ui.table(("model", "latest", "stages", "versions", "registered", ""), rows)
    return 0


def _summary(one: Artifact) -> dict[str, object]:
    """A model among others: `list NAME` has its versions."""
    return {
        "model": one.name,
        "latest": one.latest.version if one.latest else None,
        "registered": moment(one.latest.event.time) if one.latest else None,
        "deprecated": one.deprecated,
        "stages": {stage: event.version for stage, event in one.stages.items()},
        "count": sum(version.active for version in one.versions),
    }


def artifact_plain(one: Artifact) -> dict[str, object]:
    """A model for `--json`."""
    return {
        **_summary(one),
        "versions": [
            {
                "version": version.version, "tag": version.event.tag, "commit": version.commit,
                "registered": moment(version.event.time), "active": version.active,
                "stages": list(one.stages_of(version.version)),
            }
            for version in one.versions
        ],
    }  # fmt: skip


def versions(found: Artifact, *, as_json: bool) -> int:
    """Every version of a model."""
    if as_json:
        ui.emit("model", artifact_plain(found))
        return 0
    rows = [
        (one.version, ", ".join(found.stages_of(one.version)) or "-", _day(one.event.time), one.event.who,
         one.commit[:12], "" if one.active else "taken back")
        for one in found.versions
    ]  # fmt: skip
    ui.table(("version", "stages", "registered", "by", "commit", ""), rows)
    return 0


def shown(version: Version, approvals: Sequence[Event], *, deprecated: bool, as_json: bool) -> int:
    """Everything about one version."""
    if as_json:
        given = [{"stage": one.stage, "by": one.who, "email": one.email, "tag": one.tag} for one in approvals]
        ui.emit("model-version", {**plain(version), "deprecated": deprecated, "approvals": given})
        return 0
    facts = version.facts
    state = "" if version.active else "  (taken back)"
    state += "  (the model is deprecated)" if deprecated else ""
    ui.out(f"{version.name} {version.version}{state}")
    rows: list[tuple[str, object]] = [
        ("tag", version.tag),
        ("commit", version.commit),
        ("registered", f"{_day(version.time)} by {version.who}"),
        ("stages", ", ".join(version.stages) or "-"),
        *(("approval", f"for {one.stage}, by {one.who}") for one in approvals),
        *_facts(facts),
    ]
    width = max(len(name) for name, _value in rows)
    for name, value in rows:
        ui.out(f"  {name:{width}}  {value}")
    return 0


def _facts(facts: Mapping[str, object]) -> list[tuple[str, object]]:
    if not facts:
        return [("facts", "none: GTO or git registered it")]
    rows: list[tuple[str, object]] = []
    experiment, model = _mapping(facts.get("experiment")), _mapping(facts.get("object"))
    if experiment:
        rows.append(("experiment", experiment.get("name")))
    if facts.get("run"):
        rows.append(("run", facts["run"]))
    if model:
        rows.append(
            ("model", f"{model.get('path')}  {model.get('algorithm')}:{model.get('hash')}{_size(model)}")
        )
    rows += [
        ("data", f"{one.get('path')}  {one.get('hash')}{_size(one)}") for one in _items(facts.get("data"))
    ]
    rows += [("schema", f"{one.get('path')}  {one.get('blob')}") for one in _items(facts.get("schemas"))]
    contract, environment = _mapping(facts.get("contract")), _mapping(facts.get("environment"))
    if contract:
        features = contract.get("features")
        names = ", ".join(map(str, features)) if isinstance(features, list) else ""
        rows.append(("takes", names or f"contract {contract.get('hash')}"))
    if environment:
        rows.append(("environment", " ".join(str(value) for value in environment.values())))
    metrics = _mapping(facts.get("metrics"))
    rows += (
        [("metrics", " ".join(f"{name}={short(value)}" for name, value in metrics.items()))]
        if metrics
        else []
    )
    return rows


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _items(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _size(one: Mapping[str, object]) -> str:
    size = one.get("size")
    return f"  {size} bytes" if isinstance(size, int) else ""


def told(found: Sequence[Event], titles: Mapping[str, str], *, as_json: bool) -> int:
    """What happened to a model, the newest first."""
    events = sorted(found, key=lambda e: (e.time, e.number or 0), reverse=True)
    if as_json:
        ui.emit("model-history", [event_plain(event, titles) for event in events])
        return 0
    ui.table(("when", "event", "version", "stage", "by", "tag"), [_event_row(event) for event in events])
    return 0


def event_plain(event: Event, titles: Mapping[str, str]) -> dict[str, object]:
    """An event for `--json`."""
    commit = event.target if event.kind != "approve" else None
    return {
        "time": moment(event.time), "event": event.kind, "version": event.version, "stage": event.stage,
        "tag": event.tag, "commit": commit, "by": {"name": event.who, "email": event.email},
        "title": titles.get(event.oid),
    }  # fmt: skip


def _event_row(event: Event) -> tuple[object, ...]:
    return (
        _day(event.time),
        event.kind,
        event.version or ("-" if event.kind == "deprecate" else event.target[:7]),
        event.stage or "-",
        event.who,
        event.tag,
    )
