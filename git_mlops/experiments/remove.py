"""`exp rm`: refs removed, with a backup from which they come back."""

from collections.abc import Sequence
from typing import NamedTuple

from git_mlops.experiments import names, read
from git_mlops.experiments.recording import now
from git_mlops.git import refs
from git_mlops.git.refs import Move, Ref
from git_mlops.git.repo import Repo


class Removed(NamedTuple):
    """One experiment that is gone, and where it is kept."""

    name: str
    ref: str
    commit: str
    backup: str

    @property
    def undo(self) -> str:
        """The command that brings it back."""
        return f"git update-ref {self.ref} {self.backup}"


def remove(repo: Repo, wanted: Sequence[str]) -> list[Removed]:
    """Remove experiments: all or, when one of them does not exist, none.

    Raises:
        MlopsError: no such experiment, or an ambiguous name.
    """
    return drop(repo, read.pick(repo, wanted), "mlops exp rm")


def drop(repo: Repo, chosen: Sequence[Ref], reason: str) -> list[Removed]:
    """The same for refs, in one transaction."""
    stamp = now().strftime("%Y%m%dT%H%M%S.%f")
    gone = [
        Removed(ref.name.rpartition("/")[2], ref.name, ref.oid, names.backup(ref.name, stamp))
        for ref in chosen
    ]
    moves = [Move(one.backup, one.commit, None) for one in gone]
    refs.move(repo, [*moves, *(Move(one.ref, None, one.commit) for one in gone)], reason)
    return gone
