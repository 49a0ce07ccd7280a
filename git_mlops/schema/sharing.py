"""Verdicts to and from a git remote: a history that both sides add to, merged, never forced."""

from collections.abc import Sequence
from typing import NamedTuple

from git_mlops.errors import MlopsError
from git_mlops.findings import Finding
from git_mlops.git import objects, refs, remotes
from git_mlops.git.repo import Repo
from git_mlops.git.run import GitError
from git_mlops.schema import trust, verdicts
from git_mlops.schema.subjects import REF

_ATTEMPTS = 5


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


def held(remote: str) -> str:
    """Where a remote's verdicts are held after a fetch."""
    return f"refs/mlops/remotes/{remote}/verdicts"


def pull(repo: Repo, remote: str) -> Shared:
    """Fetch a remote's verdicts into ours: the union of both.

    Raises:
        MlopsError: the remote cannot be reached (exit code 3).
    """
    before = _places(repo, REF)
    theirs = _fetch(repo, remote)
    found = verdicts.merge(repo, theirs) if theirs else []
    return Shared(remote, len(_places(repo, REF) - before), tuple(found))


def push(repo: Repo, remote: str) -> Shared:
    """Send our verdicts; what the remote has gained meanwhile is merged first.

    Raises:
        MlopsError: there are none (2); the remote cannot be reached or refuses (3).
    """
    if refs.read(repo, REF) is None:
        raise MlopsError("there are no verdicts yet", hint="`git mlops check` makes them")
    found: Sequence[Finding] = ()
    for _attempt in range(_ATTEMPTS):
        theirs = _fetch(repo, remote)
        had = _places(repo, held(remote)) if theirs else set()
        found = [*found, *(verdicts.merge(repo, theirs) if theirs else ())]
        try:
            repo.git("push", "--quiet", "--no-verify", remote, f"{REF}:{REF}")
        except GitError as error:
            if "fetch first" in error.stderr or "non-fast-forward" in error.stderr or "stale" in error.stderr:
                continue  # somebody else was quicker
            raise remotes.unreachable(remote, error) from error
        return Shared(remote, len(_places(repo, REF) - had), tuple(found))
    raise MlopsError(f"others keep pushing verdicts to `{remote}`", hint="run the command again")


def _fetch(repo: Repo, remote: str) -> str | None:
    """The remote's verdicts as a commit that is here; None where it has none."""
    options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", "--no-recurse-submodules")
    try:
        if not repo.text("ls-remote", remote, REF):
            return None
        repo.git("fetch", *options, remote, f"+{REF}:{held(remote)}")
    except GitError as error:
        raise remotes.unreachable(remote, error) from error
    return refs.read(repo, held(remote))


def _places(repo: Repo, ref: str) -> set[str]:
    tip = refs.read(repo, ref)
    return {entry.path for entry in objects.tree_entries(repo, tip)} if tip else set()
