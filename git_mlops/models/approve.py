"""Approvals: signed tags of the registration's tag object, so that they hold for exactly this version."""

import hashlib
import time
from typing import NamedTuple

from git_mlops.errors import CANNOT_EVALUATE, FINDINGS, MlopsError
from git_mlops.git import signatures
from git_mlops.git.repo import Repo
from git_mlops.git.signatures import Signature
from git_mlops.git.trust import Trust
from git_mlops.models import settings
from git_mlops.models.context import Context
from git_mlops.registry import grammar, read, write
from git_mlops.registry.grammar import Tag
from git_mlops.registry.message import Message
from git_mlops.registry.read import Version
from git_mlops.registry.state import Artifact, Event
from git_mlops.registry.write import Made


class Approved(NamedTuple):
    """An approval that counts."""

    who: str
    tag: str
    oid: str
    time: int


class Counted(NamedTuple):
    """The approvals of one version for one stage."""

    good: tuple[Approved, ...]
    """One for each person, the first of theirs."""
    passed_over: tuple[str, ...]
    """Who else, and why they do not count."""


class Approval(NamedTuple):
    """What `approve` did."""

    version: Version
    stage: str
    made: Made
    problem: str | None
    """Why it does not count by whom is trusted here, e.g. a key that nobody lists."""
    again: bool = False
    """Whether the user had approved it before: a person counts once, but an approval may expire."""


def approve(repo: Repo, text: str, stage: str, message: str, context: Context) -> Approval:
    """Vouch, with a signature, for a version to get a stage.

    Raises:
        MlopsError: no such stage; git is not configured to sign (3); the version was taken back, or is the
            user's own (1).
    """
    version = read.active(read.resolve(repo, text))
    stage = settings.known(context.models, version.name, grammar.checked_stage(stage))
    if not write.signs(repo):
        raise MlopsError(
            "an approval needs your signature, and git is not configured to sign",
            hint="`git config gpg.format ssh`, then `git config user.signingKey ~/.ssh/id_ed25519.pub`",
            exit_code=CANNOT_EVALUATE,
        )
    own = email(repo)
    if own == version.email.lower():
        raise MlopsError(
            f"you registered {version.name} {version.version}: somebody else has to approve it",
            hint=f"they run `git mlops model approve {version.name}@{version.version} {stage}`",
            exit_code=FINDINGS,
        )
    before = read.approvals(repo, version.name, version.version)
    again = any((one.stage, one.email.lower(), one.target) == (stage, own, version.oid) for one in before)
    mark = hashlib.sha256(f"{own} {time.time_ns()}".encode()).hexdigest()[:10]
    tag = Tag("approve", version.name, version.version, stage, mark=mark)
    said = {
        "kind": "approval",
        "model": version.name,
        "model_version": version.version,
        "stage": stage,
        "registration": version.oid,
        "rules": context.rules,
    }
    title = f"model: {version.name} {version.version} is approved for {stage}"
    nobody = Artifact(version.name)
    made = write.tag(repo, tag, version.oid, Message(title, message, (), said), nobody)
    return Approval(version, stage, made, signatures.of_tag(repo, made.oid, context.trust()).problem, again)


def email(repo: Repo) -> str:
    """The user's, as git would sign with it."""
    return repo.text("var", "GIT_COMMITTER_IDENT").rpartition(" <")[2].partition(">")[0].lower()


class Asked(NamedTuple):
    """Which approvals of a version are asked for."""

    stage: str
    promoter: str
    """E-mail address of who promotes: nobody approves for themselves."""
    earliest: float | None = None
    """What is older counts no more."""


def counted(repo: Repo, version: Version, asked: Asked, trust: Trust | None) -> Counted:
    """Those that count: of this very registration, signed by somebody trusted, by other people, not too old.

    Neither who registered the version nor who promotes it is another person.
    """
    there = [one for one in read.approvals(repo, version.name, version.version) if one.stage == asked.stage]
    if not there:
        return Counted((), ())
    registrar = signatures.of_tag(repo, version.oid, trust)
    own = {name.lower() for name in (version.email, registrar.who or "", asked.promoter) if name}
    keys = {registrar.key} - {None}
    good: dict[str, Approved] = {}
    passed: dict[str, None] = {}
    for event in there:
        signature = signatures.of_tag(repo, event.oid, trust)
        who = signature.who or event.email
        why = _why_not(event, signature, version, asked.earliest)
        if why is None and ({who.lower(), event.email.lower()} & own or signature.key in keys):
            why = "registered or promotes it"
        if why is not None:
            passed[f"{who}: {why}"] = None
        else:
            good.setdefault(who.lower(), Approved(who, event.tag, event.oid, event.time))
    return Counted(tuple(good.values()), tuple(passed))


def _why_not(event: Event, signature: Signature, version: Version, earliest: float | None) -> str | None:
    if event.target != version.oid:
        return "of another registration of that version"
    if not signature.good:
        return signature.problem or "no good signature"
    if earliest is not None and event.time < earliest:
        return "expired"
    return None
