"""What changed: git's raw diffs as values."""

from collections.abc import Iterator
from typing import NamedTuple

from git_mlops.git.repo import Repo, empty_tree, fields, head

_RAW = ("--raw", "-z", "--no-abbrev", "--no-renames", "--ignore-submodules")


class Change(NamedTuple):
    """One path that differs. A side that does not exist has mode 000000."""

    path: str
    status: str
    """A added, D deleted, M modified, T type changed, U unmerged."""
    old_mode: str
    new_mode: str
    old: str
    """Blob id before."""
    new: str
    """Blob id after; all zeros for a workspace file that git has not hashed."""


def staged(repo: Repo, *pathspecs: str) -> list[Change]:
    """What the next commit changes: the index (also a hook's temporary one) against HEAD."""
    base = head(repo) or empty_tree(repo)
    return list(parse(repo.git("diff-index", "--cached", *_RAW, base, "--", *pathspecs)))


def workspace(repo: Repo, *pathspecs: str) -> list[Change]:
    """Tracked files that differ from the index."""
    return list(parse(repo.git("diff-files", *_RAW, "--", *pathspecs)))


def between(repo: Repo, base: str, tip: str, *pathspecs: str) -> list[Change]:
    """Two commits or trees."""
    return list(parse(repo.git("diff-tree", "-r", *_RAW, base, tip, "--", *pathspecs)))


def parse(output: bytes) -> Iterator[Change]:
    """`--raw -z` without renames: `:old_mode new_mode old new status NUL path NUL`."""
    records = fields(output)
    for head_, path in zip(records[::2], records[1::2], strict=True):
        old_mode, new_mode, old, new, status = head_.removeprefix(":").split(" ")
        yield Change(path, status[0], old_mode, new_mode, old, new)
