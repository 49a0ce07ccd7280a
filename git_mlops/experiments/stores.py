"""Data objects to and from the DVC remote, as `exp push` and `exp pull` need it said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from git_mlops.data.pointers import Out
    from git_mlops.data.transfer import Transferred
    from git_mlops.git.repo import Repo


class Moved(NamedTuple):
    """What happened to the data."""

    transferred: int = 0
    missing: frozenset[str] = frozenset()
    """Hashes that are neither here nor there."""
    skipped: str | None = None
    """Why nothing was tried."""


NOTHING = Moved()
_NO_REMOTE = Moved(skipped="no DVC remote is configured: the data of experiments stays where it is")


def push(repo: Repo, outs: Sequence[Out], remote: str | None) -> Moved:
    """Upload what the remote lacks; without any remote nothing happens, and that is said."""
    if not outs:
        return NOTHING
    from git_mlops.data import transfer

    return _moved(transfer.push, repo, outs, remote)


def pull(repo: Repo, outs: Sequence[Out], remote: str | None) -> Moved:
    """Download what the cache lacks."""
    if not outs:
        return NOTHING
    from git_mlops.data import transfer  # most experiments of a project without DVC have no data

    return _moved(transfer.pull, repo, outs, remote)


def _moved(how: Callable[..., Transferred], repo: Repo, outs: Sequence[Out], remote: str | None) -> Moved:
    from git_mlops.data import dvc

    if remote is None and dvc.default_remote(repo) is None:
        return _NO_REMOTE
    done = how(repo, outs, remote=remote)
    return Moved(done.objects, frozenset(out.hash for out in done.missing))
