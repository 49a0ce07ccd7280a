"""The audit: every item judged by its rule. `CRITERIA` is the whole list; all else derives from it."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from git_mlops.audit import data, dora, gather, infra, levels, model, monitoring, principles, shared
from git_mlops.audit.dora import Dora
from git_mlops.audit.evidence import MANUAL, Criterion, Evidence, Item, judged
from git_mlops.audit.facts import Facts, Shared
from git_mlops.audit.gather import Reading
from git_mlops.audit.levels import Level
from git_mlops.audit.principles import Principle
from git_mlops.findings import Finding
from git_mlops.git.repo import Repo


class Section(Protocol):
    """A module of this package: one section of the score."""

    ITEMS: dict[str, Criterion]


CRITERIA: dict[str, Section] = {"data": data, "model": model, "infra": infra, "monitor": monitoring}
TITLES = {
    "data": "Features and data",
    "model": "Model development",
    "infra": "Infrastructure",
    "monitor": "Monitoring",
}
IDS: tuple[str, ...] = tuple(name for section in CRITERIA.values() for name in section.ITEMS)


class Audit(NamedTuple):
    """What an audit came to."""

    revision: str
    commit: str | None
    items: tuple[Item, ...]
    sections: Mapping[str, float]
    levels: Mapping[str, Level]
    principles: tuple[Principle, ...]
    dora: Dora
    findings: tuple[Finding, ...]
    """What is wrong with the declarations and with mlops.yaml."""
    tainted: tuple[str, ...]
    """What counts for nothing, because it must not be used."""

    @property
    def score(self) -> float:
        """The lowest section: a chain is as strong as its weakest link."""
        return min(self.sections.values())


def audit(repo: Repo, revision: str, commit: str | None, how: Reading, now: int) -> Audit:
    """One revision.

    Args:
        commit: None before the first one.
        now: seconds since 1970: what expired before counts for nothing.
    """
    return audits(repo, [(revision, commit)], how, now)[0]


def audits(repo: Repo, revisions: list[tuple[str, str | None]], how: Reading, now: int) -> list[Audit]:
    """Several revisions; what refs and tags say is of today for all of them, and read once."""
    found = []
    common: Shared | None = None
    for revision, commit in revisions:
        state = gather.state(repo, commit, how, IDS, now)
        if common is None or commit is None:
            common = shared.read(repo, commit, state.settings.experiments)
        found.append(of(Facts(state, common, now), revision))
    return found


def of(facts: Facts, revision: str = "HEAD") -> Audit:
    """The facts, judged. Pure."""
    items = tuple(
        _item(facts, name, criterion)
        for module in CRITERIA.values()
        for name, criterion in module.ITEMS.items()
    )
    sections = {name: sum(one.points for one in items if one.section == name) for name in CRITERIA}
    return Audit(
        revision, facts.state.commit, items, sections, levels.of(facts, items), principles.of(facts, items),
        dora.of(facts), facts.state.problems, facts.shared.tainted,
    )  # fmt: skip


def _item(facts: Facts, name: str, criterion: Criterion) -> Item:
    found = criterion.rule(facts)
    declared = [
        Evidence(f"declared by {one.who}", one.where, MANUAL, one.until)
        for one in facts.state.declared
        if one.item == name
    ]
    found = found._replace(evidence=(*found.evidence, *declared))
    return judged(name, criterion, found, facts.now)
