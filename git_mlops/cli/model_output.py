"""What `git mlops model …` prints."""

import datetime as dt
import shlex
from collections.abc import Mapping, Sequence

from git_mlops import errors, ui
from git_mlops.cli import exp_output
from git_mlops.experiments import present
from git_mlops.experiments.message import short
from git_mlops.findings import exit_code
from git_mlops.models.approve import Approval
from git_mlops.models.diff import ModelDifference
from git_mlops.models.promote import Promotion
from git_mlops.models.register import Registration
from git_mlops.models.retire import Retired
from git_mlops.models.verify import Verified
from git_mlops.registry.read import Version
from git_mlops.registry.state import Artifact, Event
from git_mlops.registry.write import Made
from git_mlops.reports.formats import FORMATS


def registered(done: Registration, remote: str | None, *, as_json: bool) -> int:
    """A new version."""
    version = done.version
    ui.note(f"registered {version.name} {version.version}: the tag `{version.tag}` of {version.commit[:12]}")
    if done.copied:
        ui.note(
            "that commit is another version already, and GTO knows one per commit: the tag has a copy of it"
        )
    _sent([done.made], remote)
    if as_json:
        ui.emit("model-version", plain(version))
    return 0


def promoted(done: Promotion, remote: str | None, *, dry: bool, as_json: bool) -> int:
    """A stage with another version, or what is missing."""
    version, stage = done.version, done.stage
    label = f"{version.name} {version.version}"
    if as_json:
        ui.emit("promotion", promotion_plain(done))
    if done.refused:
        ui.error(f"{label} does not get the stage `{stage}`")
        for finding in done.refused:
            ui.note(f"  - {finding.message}" + (f"\n    {finding.hint}" if finding.hint else ""))
        return errors.FINDINGS
    if done.made is None and not dry:
        ui.note(f"{label} holds the stage `{stage}` already")
        return 0
    for checked in done.verdict.checked:
        ui.note(f"  + {checked}")
    before = f", before: {done.before}" if done.before else ""
    ui.note(f"{label} {'may have' if dry else 'is'} {stage}{before}")
    _sent([done.made] if done.made else [], remote)
    return 0


def promotion_plain(done: Promotion) -> dict[str, object]:
    """For `--json`."""
    return {
        "model": done.version.name,
        "version": done.version.version,
        "stage": done.stage,
        "before": done.before,
        "tag": done.made.tag if done.made else None,
        "refused": [finding.to_json() for finding in done.refused],
        "checked": list(done.verdict.checked),
        "approvals": [one._asdict() for one in done.verdict.approvals],
    }


def approved(done: Approval, remote: str | None, *, as_json: bool) -> int:
    """An approval."""
    version = done.version
    ui.note(f"approved {version.name} {version.version} for {done.stage}: the tag `{done.made.tag}`")
    _sent([done.made], remote)
    if as_json:
        said = {"model": version.name, "version": version.version, "stage": done.stage, "tag": done.made.tag}
        ui.emit("approval", said)
    return 0


def retired(done: Retired, remote: str | None, *, as_json: bool) -> int:
    """What is not to be used any more, and which stages that changed."""
    if done.stage is not None:
        ui.note(f"no version of {done.name} is {done.stage} any more")
    else:
        ui.note(f"{done.name} {done.version} is taken back" if done.version else f"{done.name} is deprecated")
    for stage, event in done.before.stages.items():
        now = done.after.stages.get(stage)
        if done.stage is None and (now is None or now.version != event.version):
            held = f"is {now.version} again, as it was before" if now else "is empty now"
            ui.warn(f"the stage `{stage}` {held}", hint=f"`git mlops model promote {done.name}@V {stage}`")
    _sent(done.made, remote)
    if as_json:
        ui.emit("deprecation", {"model": done.name, "version": done.version, "stage": done.stage,
                                "tags": [one.tag for one in done.made]})  # fmt: skip
    return 0


def heard(said: str) -> None:
    """What the hooks of a push said."""
    if said.strip():
        ui.note(said.rstrip())


def _sent(made: Sequence[Made], remote: str | None) -> None:
    names = " ".join(shlex.quote(one.tag) for one in made)
    if made and remote:
        ui.note(f"sent to {remote}")
    elif made:
        ui.note(f"`git push origin {names}` shares it")


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
        ui.emit("models", [artifact_plain(one) for one in found.values()])
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


def artifact_plain(one: Artifact) -> dict[str, object]:
    """A model for `--json`."""
    return {
        "model": one.name,
        "latest": one.latest.version if one.latest else None,
        "deprecated": one.deprecated,
        "stages": {stage: event.version for stage, event in one.stages.items()},
        "versions": [
            {
                "version": version.version, "tag": version.event.tag, "commit": version.commit,
                "registered": moment(version.event.time), "active": version.active,
                "stages": list(one.stages_of(version.version)),
            }
            for version in one.versions
        ],
    }  # fmt: skip


def shown(version: Version, *, as_json: bool) -> int:
    """Everything about one version."""
    if as_json:
        ui.emit("model-version", plain(version))
        return 0
    facts = version.facts
    state = "" if version.active else "  (taken back)"
    ui.out(f"{version.name} {version.version}{state}")
    rows: list[tuple[str, object]] = [
        ("tag", version.tag),
        ("commit", version.commit),
        ("registered", f"{_day(version.time)} by {version.who}"),
        ("stages", ", ".join(version.stages) or "-"),
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


def told(found: Artifact, titles: Mapping[str, str], *, as_json: bool) -> int:
    """What happened to a model, the newest first."""
    events = sorted(found.events, key=lambda e: (e.time, e.number or 0), reverse=True)
    if as_json:
        ui.emit("model-history", [event_plain(event, titles) for event in events])
        return 0
    ui.table(("when", "event", "version", "stage", "by", "tag"), [_event_row(event) for event in events])
    return 0


def event_plain(event: Event, titles: Mapping[str, str]) -> dict[str, object]:
    """An event for `--json`."""
    return {
        "time": moment(event.time), "event": event.kind, "version": event.version, "stage": event.stage,
        "tag": event.tag, "commit": event.target, "by": {"name": event.who, "email": event.email},
        "title": titles.get(event.oid),
    }  # fmt: skip


def _event_row(event: Event) -> tuple[object, ...]:
    return (
        _day(event.time),
        event.kind,
        event.version or event.target[:7],
        event.stage or "-",
        event.who,
        event.tag,
    )


def compared(found: ModelDifference, *, as_json: bool) -> int:
    """Two versions."""
    if as_json:
        rest = present.difference_plain(found.rest)
        ui.emit("model-diff", {**rest, "model": [change._asdict() for change in found.changes]})
        return 0
    header = ("model", found.rest.a, found.rest.b)
    ui.table(header, [(f"{c.what} {c.name}".rstrip(), _cell(c.old), _cell(c.new)) for c in found.changes])
    if found.changes:
        ui.out()
    exp_output.compared(found.rest)
    return 0


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)


def verified(done: Verified, *, as_json: bool) -> int:
    """What a version's tags and facts come to."""
    version = done.version
    if as_json:
        signers = [{"tag": tag, "signed_by": who} for tag, who in done.signers]
        said = [finding.to_json() for finding in done.findings]
        ui.emit("model-verified", {"tag": version.tag, "signatures": signers, "findings": said})
        return exit_code(done.findings)
    for tag, who in done.signers:
        if who is not None:
            ui.note(f"`{tag}` is signed by {who}")
    ui.write(FORMATS["text"].render(done.findings, title=f"{version.name} {version.version}"))
    return exit_code(done.findings)
