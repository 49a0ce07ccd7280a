"""What refs and tags say today: experiments, verifications, registered models, the history."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from git_mlops.audit import observed
from git_mlops.audit.facts import Change, Promoted, Run, Shared, Verified
from git_mlops.experiments import read as experiments
from git_mlops.experiments import verify
from git_mlops.experiments.record import PATH, Record, RecordError, parse_record
from git_mlops.experiments.settings import Settings
from git_mlops.git import objects, refs
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo
from git_mlops.lineage import taints
from git_mlops.registry import read as registry
from git_mlops.registry.state import Artifact

_RECORDS = 60
_COMMITS = 500


def read(repo: Repo, commit: str | None, settings: Settings) -> Shared:
    """Everything, in a number of processes that does not depend on how much there is.

    Args:
        commit: whose history counts; None: there is none.
    """
    if commit is None:
        return Shared()
    models = registry.artifacts(repo)
    events = _events(repo, models)
    commits = [str(c) for one in events if (c := one.facts.get("commit"))]
    found = experiments.load(repo, experiments.all_refs(repo), settings)
    finished = sorted((e for e in found if e.status == "finished"), key=lambda e: -e.time)
    records, times = _records(repo, [e.commit.oid for e in finished[:_RECORDS]], commits)
    runs = [Run(e, records.get(e.commit.oid)) for e in finished]
    bad = _tainted(repo, {e.ref: e.commit.oid for e in found})
    return Shared(
        runs=tuple(run for run in runs if not _touched(run, bad)),
        verified=_verified(repo, {e.commit.oid for e in found}),
        models=models,
        events=tuple(one for one in events if not _named(one, bad)),
        approvals=tuple(registry.every_approval(repo)) if models else (),
        observed=observed.read(repo, models.keys()),
        history=_history(repo, commit),
        times=times,
        tainted=tuple(bad.values()),
    )


def _events(repo: Repo, models: Mapping[str, Artifact]) -> list[Promoted]:
    every = [(name, event) for name, one in models.items() for event in one.events]
    said = registry.messages(repo, [event.oid for _name, event in every])
    found = [Promoted(name, e, said[e.oid].facts if e.oid in said else {}) for name, e in every]
    return sorted(found, key=lambda one: (one.event.time, one.event.number or 0))


def _records(
    repo: Repo, oids: Iterable[str], commits: Iterable[str]
) -> tuple[dict[str, Record], dict[str, int]]:
    """The records of experiments, and the times of commits."""
    names = {f"{oid}:{PATH}": oid for oid in oids}
    found = {}
    with reader(repo) as answers:
        for name, one in answers.read(names).items():
            try:
                found[names[name]] = parse_record(one.content or b"")
            except RecordError:
                continue
        times = {oid: one.time for oid, one in experiments.commits(answers, dict.fromkeys(commits)).items()}
    return found, times


def _verified(repo: Repo, known: set[str]) -> tuple[Verified, ...]:
    """Of experiments that are here; one that names another experiment than its ref is none."""
    named = {f"{one.name}:verdict.json": one for one in refs.list_refs(repo, verify.PREFIX)}
    found = []
    for name, content in objects.read_blobs(repo, named).items():
        ref = named[name]
        value = _json(content)
        commit = ref.name.removeprefix(verify.PREFIX)
        when = seconds(value.get("time"))
        if value.get("kind") != "verify" or value.get("commit", commit) != commit or commit not in known:
            continue
        if when is not None:
            found.append(Verified(ref.name, commit, str(value.get("outcome")), when))
    return tuple(sorted(found, key=lambda one: -one.time))


def _json(content: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def seconds(text: object) -> int | None:
    """Of an ISO time."""
    try:
        found = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return int((found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp())


def _tainted(repo: Repo, oids: Mapping[str, str]) -> dict[str, str]:
    """Texts that name what must not be used → what it is, for people."""
    found = {}
    for one in taints.listed(repo):
        if one.holds:
            kind, _, name = one.node.partition(":")
            text = name.rpartition(":")[2] if kind == "object" else oids.get(name, name)
            found[text] = one.label
    return found


def _touched(run: Run, bad: Mapping[str, str]) -> bool:
    if not bad:
        return False
    said = f"{run.experiment.commit.oid} {run.experiment.baseline} {run.record.data if run.record else ''}"
    return any(text in said for text in bad)


def _named(one: Promoted, bad: Mapping[str, str]) -> bool:
    said = f"{one.model}@{one.event.version} {one.event.target} {one.facts}"
    return any(text in said for text in bad)


_REVIEWERS = "%(trailers:key=Reviewed-by,key=Approved-by,valueonly,separator=%x2c)"
_FORMAT = f"%x1e%H%x1f%ct%x1f%ae%x1f%ce%x1f%P%x1f{_REVIEWERS}"


def _history(repo: Repo, commit: str) -> tuple[Change, ...]:
    words = ("-c", "core.quotePath=false", "log", f"-n{_COMMITS}", f"--format={_FORMAT}%x1f", "--name-only")
    found = []
    for part in repo.text(*words, commit).split("\x1e")[1:]:
        oid, time, author, committer, parents, reviewers, names = part.split("\x1f", 6)
        people = tuple(filter(None, (one.strip() for one in reviewers.split(","))))
        paths = tuple(filter(None, names.split("\n")))
        found.append(Change(oid, int(time), author, committer, len(parents.split()), people, paths))
    return tuple(found)
