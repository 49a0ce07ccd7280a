"""A stage for a version, under the rules of mlops.yaml; and the stage back to who held it before."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from git_mlops.errors import FINDINGS, MlopsError, NotFoundError
from git_mlops.findings import Finding
from git_mlops.git.repo import Repo
from git_mlops.models import rules, settings
from git_mlops.models.context import Context
from git_mlops.models.rules import Verdict
from git_mlops.registry import grammar, read, write
from git_mlops.registry.grammar import Tag
from git_mlops.registry.message import Message
from git_mlops.registry.read import Version
from git_mlops.registry.state import Artifact
from git_mlops.registry.write import Made


class Request(NamedTuple):
    """Which version gets which stage."""

    version: str
    """`NAME`, `NAME@v1.0.0` or `NAME#STAGE`."""
    stage: str
    message: str = ""
    dry: bool = False
    """Only say what is missing."""


class Promotion(NamedTuple):
    """What a promotion did, or why it did nothing."""

    version: Version
    stage: str
    before: str | None
    """The version that held the stage."""
    verdict: Verdict
    made: Made | None
    """None: refused, or a dry run, or it holds the stage already."""

    @property
    def refused(self) -> Sequence[Finding]:
        """What is missing."""
        return self.verdict.findings


def promote(repo: Repo, request: Request, context: Context) -> Promotion:
    """Give a version a stage, if the rules allow it.

    Raises:
        MlopsError: no such version; one that was taken back (1); a stage that mlops.yaml does not have.
    """
    spec = grammar.parse_spec(request.version)
    found = read.artifact(repo, spec.name)
    version = read.active(read.version_of(repo, found, read.chosen(repo, found, spec)))
    stage = settings.known(context.models, version.name, grammar.checked_stage(request.stage))
    before = found.stages[stage].version if stage in found.stages else None
    verdict = rules.judge(repo, found, version, stage, context)
    if verdict.findings or request.dry or before == version.version:
        return Promotion(version, stage, before, verdict, None)
    made = _assign(repo, found, version, stage, request.message, _facts(verdict, before, context))
    return Promotion(version, stage, before, verdict, made)


def _facts(verdict: Verdict, before: str | None, context: Context) -> dict[str, object]:
    gate: dict[str, object] = {"outcome": "pass", "rules": context.rules, "checked": list(verdict.checked)}
    said = {"gate": gate, "approvals": [one._asdict() for one in verdict.approvals], "replaces": before}
    return {name: value for name, value in said.items() if value}


def _assign(
    repo: Repo, found: Artifact, version: Version, stage: str, text: str, more: dict[str, object]
) -> Made:
    tag = Tag("assign", found.name, stage=stage, number=found.next_number)
    approvals = more.get("approvals")
    trailers = [
        *(("Mlops-Run", str(version.facts[k])) for k in ("run",) if k in version.facts),
        *(
            ("Mlops-Approved-By", str(one["who"]))
            for one in (approvals if isinstance(approvals, list) else ())
        ),
    ]
    said = {
        "kind": "assignment",
        "model": found.name,
        "model_version": version.version,
        "stage": stage,
        "registration": version.oid,
        **more,
    }
    title = f"model: {found.name} {version.version} is {stage}"
    return write.tag(repo, tag, version.commit, Message(title, text, tuple(trailers), said), found)


def rollback(repo: Repo, name: str, stage: str, text: str = "") -> Promotion:
    """Give a stage back to the version that held it before; gates are not asked: it has passed them once.

    Raises:
        NotFoundError: nobody holds it, or nobody held it before.
    """
    found = read.artifact(repo, name)
    spec = grammar.Spec(found.name, stage=grammar.checked_stage(stage))
    holder = read.chosen(repo, found, spec)
    earlier = _earlier(found, stage, holder.version, _rollbacks(repo, found, stage))
    if earlier is None:
        raise NotFoundError(
            f"no other version of model `{found.name}` held the stage `{stage}` before {holder.version}",
            hint=f"`git mlops model deprecate {found.name}#{stage}` leaves the stage empty",
        )
    one = found.find(earlier)
    assert one
    version = read.version_of(repo, found, one)
    more: dict[str, object] = {"replaces": holder.version, "rollback": True}
    made = _assign(repo, found, version, stage, text, more)
    return Promotion(version, stage, holder.version, Verdict(), made)


def _rollbacks(repo: Repo, found: Artifact, stage: str) -> set[str]:
    """The assignments that a rollback made, as their tags say."""
    given = [event.oid for event in found.events if event.kind == "assign" and event.stage == stage]
    return {oid for oid, said in read.messages(repo, given).items() if said.facts.get("rollback") is True}


def _earlier(found: Artifact, stage: str, holder: str, rollbacks: Collection[str]) -> str | None:
    """The version before the holder, among those that were not taken back.

    What was rolled back itself is passed over: two rollbacks go back two versions, not to and fro. A version
    that was promoted once more came after the one that it replaced.
    """
    line: list[str] = []
    for event in found.events:
        if event.kind != "assign" or event.stage != stage or event.version is None:
            continue
        if event.oid in rollbacks and event.version in line:  # what came after it is undone
            line = line[: _last(line, event.version)]
        line.append(event.version)
    active = {one.version for one in found.versions if one.active} - {holder}
    before = line[: _last(line, holder)] if holder in line else line
    return next((version for version in reversed(before) if version in active), None)


def _last(line: Sequence[str], version: str) -> int:
    return len(line) - 1 - line[::-1].index(version)


def takeable(found: Artifact, stage: str) -> list[str]:
    """Every version that would hold the stage again if the others did not: GTO remembers them all."""
    active = {one.version for one in found.versions if one.active}
    last = {e.version: e.kind for e in found.events if e.stage == stage and e.version in active}
    return [version for version, kind in last.items() if kind == "assign" and version is not None]


def refused(promotion: Promotion) -> MlopsError:
    """As an error, for those who have no place for findings."""
    said = "; ".join(finding.message for finding in promotion.refused)
    hint = next((finding.hint for finding in promotion.refused if finding.hint), None)
    version = promotion.version
    text = f"{version.name} {version.version} does not get the stage `{promotion.stage}`: {said}"
    return MlopsError(text, hint=hint, exit_code=FINDINGS)
