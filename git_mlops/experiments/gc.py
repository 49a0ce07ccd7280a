"""`exp gc`: experiments that nobody needs, chosen by what they are; and `exp archive`'s choice by age."""

import time
from collections.abc import Iterable
from typing import NamedTuple

from git_mlops.errors import MlopsError
from git_mlops.experiments import names, present, read, remove
from git_mlops.experiments.read import Experiment
from git_mlops.experiments.remove import Removed
from git_mlops.experiments.settings import Settings
from git_mlops.git import refs
from git_mlops.git.refs import Move, Ref
from git_mlops.git.repo import Repo


class Policy(NamedTuple):
    """Which experiments may go. All that is said must hold."""

    failed: bool = False
    """Failed and interrupted runs."""
    snapshots: bool = False
    """What `exp apply` saved."""
    where: str | None = None
    older_than: str | None = None
    """A date as git reads it: `2 weeks ago`, `2026-01-31`."""

    @property
    def anything(self) -> bool:
        """Whether it says anything at all."""
        return any(self)


class Kept(NamedTuple):
    """An experiment that the policy names, and why it stays all the same."""

    name: str
    reason: str


class Plan(NamedTuple):
    """What would go."""

    go: tuple[Experiment, ...]
    kept: tuple[Kept, ...]


def plan(repo: Repo, settings: Settings, policy: Policy, *, landed: bool = False) -> Plan:
    """Choose, and keep what a commit has landed: its key is in history, its experiment is the proof.

    Args:
        landed: choose those as well.

    Raises:
        MlopsError: the policy says nothing, or cannot be read.
    """
    if not policy.anything:
        raise MlopsError(
            "which experiments may go?",
            hint="`--failed`, `--snapshots`, `--older-than '3 months ago'`, `--where EXPR`; all must hold",
        )
    found = read.listing(repo, settings)
    chosen = present.where(found, policy.where) if policy.where else found
    before = moment(repo, policy.older_than) if policy.older_than else None
    proofs = set() if landed else _landed(repo)
    go, kept = [], []
    for one in chosen.experiments:
        if not _meant(one, policy, before):
            continue
        reason = _needed(one, proofs)
        if reason:
            kept.append(Kept(one.name, reason))
        else:
            go.append(one)
    return Plan(tuple(go), tuple(kept))


def collect(repo: Repo, experiments: Iterable[Experiment]) -> list[Removed]:
    """Remove the refs of what was planned, each with a backup; all or, when one moved meanwhile, none."""
    return remove.drop(repo, [Ref(one.ref, one.commit.oid) for one in experiments], "mlops exp gc")


def backups(repo: Repo, older_than: str) -> list[Ref]:
    """What removals and replacements kept, from before a date."""
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(moment(repo, older_than)))
    found = refs.list_refs(repo, names.BACKUP_PREFIX)
    return [ref for ref in found if ref.name.removeprefix(names.BACKUP_PREFIX).partition("/")[0] < stamp]


def forget(repo: Repo, kept: Iterable[Ref]) -> None:
    """Remove backups for good: git collects the commits in its own time."""
    refs.move(repo, [Move(ref.name, None, ref.oid) for ref in kept], "mlops exp gc --backups")


def _meant(one: Experiment, policy: Policy, before: int | None) -> bool:
    snapshot = one.name.startswith(names.SNAPSHOT)
    kinds = [
        *([one.status in ("failed", "interrupted")] if policy.failed else []),
        *([snapshot] if policy.snapshots else []),
    ]
    return (any(kinds) or not kinds) and (before is None or one.time < before)


def _needed(one: Experiment, landed: set[str]) -> str | None:
    if one.status == "running":
        return "it is running"
    if one.commit.message.key in landed:
        return "a commit has landed it"
    return None


def moment(repo: Repo, text: str) -> int:
    """Seconds since 1970 of a date as git reads it.

    Raises:
        MlopsError: git takes it for now, as it does with what it cannot read.
    """
    found = int(repo.text("rev-parse", f"--since={text}").partition("=")[2])
    now = int(repo.text("rev-parse", "--since=now").partition("=")[2])
    if found >= now:
        raise MlopsError(f"`{text}` is no date in the past", hint="as in git: `2 weeks ago`, `2026-01-31`")
    return found


def _landed(repo: Repo) -> set[str]:
    """Keys of the runs that commits of branches, tags and remote-tracking refs carry."""
    options = ("--branches", "--tags", "--remotes", "--grep=^Mlops-Run: ", "--no-show-signature")
    found = repo.text("log", *options, "--format=%(trailers:key=Mlops-Run,valueonly)")
    return set(found.split())
