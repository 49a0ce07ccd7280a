"""The record for an auditor: models, who decided what, where models came from, data, withdrawals, the log."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from git_mlops.data import purges
from git_mlops.data.purges import Purge
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.findings import Finding
from git_mlops.git.repo import Repo, head
from git_mlops.governance import dossier, log, sheets
from git_mlops.governance.dossier import Dossier, How
from git_mlops.governance.log import Entry, Signatures, day
from git_mlops.lineage import build, sources, taints
from git_mlops.lineage.graph import Graph, part
from git_mlops.lineage.taints import Taint
from git_mlops.models import verify
from git_mlops.models.context import Context
from git_mlops.registry import read as registry
from git_mlops.registry.message import Message
from git_mlops.registry.state import Artifact, Event

MOST = 1000
"""Entries of the log that each source has in the record."""


class Held(NamedTuple):
    """A stage, and the version that holds it."""

    name: str
    stage: str
    event: Event
    said: Message
    signed: str
    good: bool | None
    findings: tuple[Finding, ...]
    """Of `git mlops model verify`."""
    lineage: Graph
    start: str


class Record(NamedTuple):
    """All of it."""

    commit: str | None
    time: str
    rules: str
    """Where the rules were read by which stages are judged."""
    models: Mapping[str, Artifact]
    held: tuple[Held, ...]
    data: tuple[Dossier, ...]
    taints: tuple[Taint, ...]
    purges: tuple[Purge, ...]
    log: tuple[Entry, ...]

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """What does not hold of versions that hold a stage."""
        bad = ("error", "unknown")
        found = {
            (held.name, held.event.version, one.message): one
            for held in self.held
            for one in held.findings
            if one.level in bad
        }
        return tuple(found.values())


def gather(repo: Repo, context: Context, how: How, now: float) -> Record:
    """Read everything; nothing is asked of any remote."""
    models = registry.artifacts(repo)
    judged = Signatures(repo, context.trust())
    entries = log.entries(repo, models, judged, MOST)
    data = dossier.gather(repo, sheets.pointers_of(repo, ()), how)
    return Record(
        head(repo), day(now), context.rules, models, tuple(_held(repo, models, context, judged)),
        tuple(data), tuple(taints.listed(repo)), tuple(purges.listed(repo)), tuple(entries),
    )  # fmt: skip


def _held(repo: Repo, models: Mapping[str, Artifact], context: Context, judged: Signatures) -> Iterator[Held]:
    places = [(one, stage, event) for one in models.values() for stage, event in one.stages.items()]
    said = registry.messages(repo, [event.oid for _one, _stage, event in places])
    found = sources.gather(repo) if places else None
    known: dict[str, tuple[Finding, ...]] = {}
    for one, stage, event in places:
        assert found is not None
        name = f"{one.name}@{event.version}"
        if name not in known:
            known[name] = _verified(repo, name, context)
        start = f"model:{name}"
        whole = build.around(repo, found, start, down=False)
        taints.mark(repo, whole)
        graph = part(whole, start, up=True, down=False)
        yield Held(one.name, stage, event, said[event.oid], *judged.of(event.oid), known[name], graph, start)


def _verified(repo: Repo, name: str, context: Context) -> tuple[Finding, ...]:
    try:
        return verify.verify(repo, name, context).findings
    except MlopsError as error:
        if error.exit_code != CANNOT_EVALUATE:
            raise
        return (Finding(verify.RULE, "unknown", str(error), hint=error.hint),)
