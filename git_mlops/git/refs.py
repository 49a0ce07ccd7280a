"""Refs: listed in one process, moved in one transaction, never without the old value and a reason."""

from collections.abc import Sequence
from itertools import repeat
from typing import NamedTuple

from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo
from git_mlops.git.run import GitError


class Ref(NamedTuple):
    """A ref and what it points at."""

    name: str
    oid: str


class Move(NamedTuple):
    """One move of a transaction. `old` None: must not exist yet. `new` None: delete."""

    name: str
    new: str | None
    old: str | None


class RefMovedError(MlopsError):
    """Another process moved a ref first; nothing of the transaction was done."""


def list_refs(repo: Repo, *prefixes: str) -> list[Ref]:
    """Refs below the prefixes (`refs/exps/`), sorted by name."""
    # a hundred thousand of them: no step of its own for each. No ref has a space in its name
    text = repo.text(*question(*prefixes))
    words = text.replace("\n", " ").split(" ") if text else []
    return list(map(tuple.__new__, repeat(Ref), zip(words[::2], words[1::2], strict=True)))


def question(*prefixes: str) -> tuple[str, ...]:
    """What `list_refs` asks git."""
    return "for-each-ref", "--format=%(refname) %(objectname)", *prefixes


def read(repo: Repo, name: str) -> str | None:
    """What a full ref name points at, or None."""
    return repo.text("rev-parse", "--verify", "--quiet", name, ok=(0, 1, 128)) or None


def move(repo: Repo, moves: Sequence[Move], reason: str, *, reflog: bool = False) -> None:
    """Make all the moves, or none.

    Args:
        reason: for the reflog, e.g. `mlops exp rm`.
        reflog: keep one for refs for which git by itself keeps none (all outside refs/heads).

    Raises:
        RefMovedError: a ref is not at its `old` value any more.
    """
    if not moves:
        return
    null = repo.null_oid()
    lines = [f"update {m.name}\0{m.new or null}\0{m.old or null}\0" for m in moves]
    stdin = "".join(("start\0", *lines, "commit\0")).encode("utf-8", "surrogateescape")
    options = ("--create-reflog",) if reflog else ()
    try:
        repo.git("update-ref", *options, "-m", reason, "--stdin", "-z", stdin=stdin)
    except GitError as error:
        if (
            "but expected" in error.stderr
            or "already exists" in error.stderr
            or "unable to resolve" in error.stderr
        ):
            raise RefMovedError(
                f"another process moved a ref first: {error.stderr.strip()}",
                hint="look, then run the command again",
            ) from error
        raise
