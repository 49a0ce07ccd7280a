"""What the data commands do, with the hooks' knowledge of the workspace kept up to date."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from git_mlops.checks import scope
from git_mlops.data import dvc, listing, places, pointers, track, transfer, workspace
from git_mlops.data.pointers import Out
from git_mlops.data.transfer import Transferred
from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.git.repo import Repo
from git_mlops.hooks import follow_data, triage

NOT_ON_REMOTE = "not on the remote"


class Row(NamedTuple):
    """One output that is not as it should be."""

    state: str
    path: str
    pointer: str
    who: str
    """Who committed the pointer last: the one to ask for the data."""


def add(repo: Repo, words: Sequence[str]) -> list[str]:
    """Put data under version control; returns the staged pointers."""
    if not dvc.initialised(repo):
        raise MlopsError("DVC is not set up in this repository", hint="`git mlops init`")
    done = track.add(repo, words)
    triage.forget(repo)
    return done.pointers


def status(repo: Repo, remote: str | None, *, ask_remote: bool) -> list[Row]:
    """Data that differs from its pointer; with `ask_remote` also what the remote lacks."""
    found = [(str(row.state), row.path, row.pointer) for row in workspace.status(repo)]
    if ask_remote:
        outs = listing.in_workspace(repo)
        lacking = transfer.missing_on_remote(repo, outs, remote=remote)
        found += [(NOT_ON_REMOTE, out.path, outs[out]) for out in lacking]
    return [Row(*row, _who(repo, row[2])) for row in found]


def _who(repo: Repo, pointer: str) -> str:
    """One process per row: rows are few, and the history of one file is not in any other answer."""
    return repo.text("log", "-1", "--format=%an, %as", "--", f":(literal){pointer}", ok=(0, 128))


def push(repo: Repo, words: Sequence[str], remote: str | None) -> Transferred:
    """Upload the data of the workspace's pointers."""
    return transfer.push(repo, _chosen(repo, words), remote=remote)


def pull(repo: Repo, words: Sequence[str], remote: str | None, range_: str | None) -> Transferred:
    """Download the data of the workspace's pointers, or of those that a range changes, and bring it in."""
    outs = _chosen(repo, words)
    if range_:
        changed = {path for path in scope.commits(repo, range_).paths if pointers.is_pointer(path)}
        named = listing.in_workspace(repo)
        outs = [out for out in outs if named.get(out) in changed]
    done = transfer.pull(repo, outs, remote=remote)
    follow_data.bring(repo, again={out.path for out in outs})
    return done


def _chosen(repo: Repo, words: Sequence[str]) -> list[Out]:
    outs = list(listing.in_workspace(repo))
    if not words:
        return outs
    paths = [places.relative(repo, Path.cwd() / word) for word in words]
    return [out for path in paths for out in _named(outs, path.removesuffix(".dvc"))]


def _named(outs: Iterable[Out], path: str) -> list[Out]:
    """The output itself, those below a directory, or the directory that holds the path."""
    found = [out for out in outs if out.path == path or out.path.startswith(path + "/")]
    found = found or [out for out in outs if path.startswith(out.path + "/")]
    if not found:
        raise NotFoundError(
            f"no pointer names `{path}`", hint="`git mlops status` lists data; `git mlops add` adds it"
        )
    return found
