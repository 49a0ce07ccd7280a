"""Histories of facts that several clones add to (`refs/mlops/…`): merged by union, pushed, never forced."""

import time
from collections.abc import Callable, Mapping, Sequence

from git_mlops.errors import MlopsError
from git_mlops.git import objects, refs, remotes, run
from git_mlops.git.refs import Move, RefMovedError
from git_mlops.git.repo import Repo
from git_mlops.git.run import GitError

_ATTEMPTS = 5
_WRITES = 100
_OPTIONS = ("--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", "--no-recurse-submodules")


def held(ref: str, remote: str) -> str:
    """Where a remote's history is held after a fetch: `refs/mlops/remotes/origin/verdicts`."""
    return f"refs/mlops/remotes/{remote}/{ref.removeprefix('refs/mlops/')}"


def fetch(repo: Repo, remote: str, ref: str, *, seconds: float | None = None) -> str | None:
    """The remote's history as a commit that is here; None where it has none.

    Args:
        seconds: how long to wait for the remote to say whether it has one; None: as long as git does.

    Raises:
        MlopsError: the remote cannot be reached (exit code 3).
    """
    try:
        words = ("ls-remote", remote, ref)
        if not (repo.git(*words) if seconds is None else run.answer(*words, cwd=repo.root, seconds=seconds)):
            return None
        repo.git("fetch", *_OPTIONS, remote, f"+{ref}:{held(ref, remote)}")
    except GitError as error:
        raise remotes.unreachable(remote, error) from error
    return refs.read(repo, held(ref, remote))


def push(repo: Repo, remote: str, ref: str, merge: Callable[[str], None]) -> str | None:
    """Send ours; what the remote has gained meanwhile is merged first. Returns what the remote had.

    Args:
        merge: takes the remote's history into ours.

    Raises:
        MlopsError: the remote cannot be reached or refuses (exit code 3).
    """
    for _attempt in range(_ATTEMPTS):
        theirs = fetch(repo, remote, ref)
        if theirs is not None:
            merge(theirs)
        try:
            repo.git("push", "--quiet", "--no-verify", remote, f"{ref}:{ref}")
        except GitError as error:
            if any(said in error.stderr for said in ("fetch first", "non-fast-forward", "stale")):
                continue  # somebody else was quicker
            raise remotes.unreachable(remote, error) from error
        return theirs
    raise MlopsError(f"others keep pushing to `{ref}` of `{remote}`", hint="run the command again")


def is_ancestor(repo: Repo, older: str, newer: str) -> bool:
    """Whether one commit is in the history of another, or is it."""
    bases = repo.text("merge-base", "--all", older, newer, ok=(0, 1)).split("\n")
    return bases[0] == repo.text("rev-parse", f"{older}^{{commit}}")


Writing = Callable[[str | None], Mapping[str, bytes]]
"""The files to write onto a history's tip."""


def record(repo: Repo, ref: str, files: Writing, message: str, *, sign: bool = False) -> None:
    """Add files as one commit; neither index nor workspace is touched, parallel writers lose nothing.

    Args:
        files: what to write onto the history's tip, which is given; asked again when another was quicker.
        sign: as git signs the user's commits.
    """
    _retried(ref, lambda: _record(repo, ref, files, message, sign=sign))


def _record(repo: Repo, ref: str, files: Writing, message: str, *, sign: bool) -> None:
    tip = refs.read(repo, ref)
    if not (wanted := files(tip)):
        return
    with objects.scratch_index(repo) as index:
        if tip is not None:
            repo.git("read-tree", tip, index=index)
        objects.put(repo, index, wanted)
        tree = objects.write_tree(repo, index)
    made = commit(repo, tree, [tip] if tip else [], message, sign=sign)
    refs.move(repo, [Move(ref, made, tip)], message.partition("\n")[0])


Pairs = Mapping[str, tuple[bytes, bytes]]
"""Path → its content in ours and in theirs."""


def merge(
    repo: Repo, ref: str, theirs: str, join: Callable[[Pairs], Mapping[str, bytes]], *, sign: bool = False
) -> None:
    """Take another history into ours: the union of both; `join` decides about files that differ."""
    _retried(ref, lambda: _merge(repo, ref, theirs, join, sign=sign))


def _merge(
    repo: Repo, ref: str, theirs: str, join: Callable[[Pairs], Mapping[str, bytes]], *, sign: bool
) -> None:
    ours, name = refs.read(repo, ref), ref.rpartition("/")[2]
    if ours is None or is_ancestor(repo, ours, theirs):
        refs.move(repo, [Move(ref, theirs, ours)], f"mlops {name}: fast-forward")
        return
    if is_ancestor(repo, theirs, ours):
        return
    left, right = (
        {entry.path: entry.oid for entry in objects.tree_entries(repo, tip)} for tip in (ours, theirs)
    )
    differing = [path for path in left.keys() & right.keys() if left[path] != right[path]]
    contents = objects.read_blobs(repo, [oids[path] for path in differing for oids in (left, right)])
    files = join({path: (contents[left[path]], contents[right[path]]) for path in sorted(differing)})
    with objects.scratch_index(repo) as index:
        repo.git("read-tree", ours, index=index)
        fresh = "".join(f"100644 {right[p]}\t{p}\0" for p in sorted(right.keys() - left.keys()))
        repo.git("update-index", "-z", "--add", "--index-info", stdin=fresh.encode(), index=index)
        objects.put(repo, index, files)
        tree = objects.write_tree(repo, index)
    made = commit(repo, tree, [ours, theirs], f"{name}: merge\n", sign=sign)
    refs.move(repo, [Move(ref, made, ours)], f"mlops {name}: merge")


def commit(repo: Repo, tree: str, parents: Sequence[str], message: str, *, sign: bool = False) -> str:
    """A commit object of our own; where git does not know who the user is, it is made without a person."""
    try:
        return objects.commit_tree(repo, tree, parents, message, sign=sign)
    except GitError as error:
        if "tell me who you are" not in error.stderr and "ident" not in error.stderr:
            raise
    # a CI job without an identity: the commit says by what it was made, not by whom
    name = ("-c", "user.name=git-mlops", "-c", "user.email=git-mlops@localhost")
    options = [word for parent in parents for word in ("-p", parent)]
    return repo.text(*name, "commit-tree", tree, *options, "-F", "-", stdin=message.encode())


def _retried(ref: str, work: Callable[[], None]) -> None:
    """Until no other writer was quicker; each attempt starts from what the other left."""
    for attempt in range(_WRITES):
        try:
            return work()
        except RefMovedError:
            pass
        except GitError as error:
            if "lock" not in error.stderr:
                raise
        time.sleep(0.01 * min(attempt + 1, 10) * (time.monotonic_ns() % 1000) / 1000)  # spreads the writers
    raise MlopsError(f"other processes kept moving `{ref}`", hint="run the command again")
