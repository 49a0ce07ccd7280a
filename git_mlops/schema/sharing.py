"""Verdicts to and from a git remote: a history that both sides add to, merged, never forced."""

from typing import NamedTuple

from git_mlops.errors import MlopsError
from git_mlops.findings import Finding
from git_mlops.git import histories, objects, refs
from git_mlops.git.repo import Repo
from git_mlops.schema import trust, verdicts
from git_mlops.schema.subjects import REF


class Shared(NamedTuple):
    """What a push or pull did."""

    remote: str
    new: int
    """Verdicts that the receiving side did not have."""
    contradictions: tuple[Finding, ...]


class Row(NamedTuple):
    """One verdict, for a listing."""

    subject: str
    rule: str
    outcome: str
    when: str
    signed: str | None
    """Who git says has signed it, or the key; it says nothing of whether anybody trusts them."""


def listing(repo: Repo) -> list[Row]:
    """Every verdict that is here and of a form that this version knows, the newest first."""
    tip = refs.read(repo, REF)
    if tip is None:
        return []
    entries = [entry for entry in objects.tree_entries(repo, tip) if entry.path.count("/") == 2]
    contents = objects.read_blobs(repo, [entry.oid for entry in entries])
    by = trust.signers_of(repo, tip, {entry.path: entry.oid for entry in entries})
    rows = []
    for entry in entries:
        first, second, name = entry.path.split("/")
        rule = name.removesuffix(".json")
        verdict = verdicts.parse(first + second, contents.get(entry.oid, b""), rule)
        if verdict:
            rows.append(Row(verdict.subject, rule, verdict.outcome, verdict.when, by.get(entry.path)))
    return sorted(rows, key=lambda row: row.when, reverse=True)


def pull(repo: Repo, remote: str) -> Shared:
    """Fetch a remote's verdicts into ours: the union of both.

    Raises:
        MlopsError: the remote cannot be reached (exit code 3).
    """
    before = _places(repo, refs.read(repo, REF))
    theirs = histories.fetch(repo, remote, REF)
    found = verdicts.merge(repo, theirs) if theirs else []
    return Shared(remote, len(_places(repo, refs.read(repo, REF)) - before), tuple(found))


def push(repo: Repo, remote: str) -> Shared:
    """Send our verdicts; what the remote has gained meanwhile is merged first.

    Raises:
        MlopsError: there are none (2); the remote cannot be reached or refuses (3).
    """
    if refs.read(repo, REF) is None:
        raise MlopsError("there are no verdicts yet", hint="`git mlops check` makes them")
    found: list[Finding] = []
    had = histories.push(repo, remote, REF, lambda theirs: found.extend(verdicts.merge(repo, theirs)))
    sent = _places(repo, refs.read(repo, REF)) - _places(repo, had)
    return Shared(remote, len(sent), tuple(found))


def _places(repo: Repo, tip: str | None) -> set[str]:
    return {entry.path for entry in objects.tree_entries(repo, tip)} if tip else set()
