"""What the data commands do, with the hooks' knowledge of the workspace kept up to date."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from git_mlops import config
from git_mlops.checks import scope
from git_mlops.data import dvc, listing, places, pointers, track, transfer, workspace
from git_mlops.data.pointers import Out
from git_mlops.data.transfer import Transferred
from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.git.repo import Repo, head
from git_mlops.hooks import follow_data, triage
from git_mlops.schema.bindings import schema_for
from git_mlops.schema.settings import Bindings

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
    who = _who(repo, {pointer for _state, _path, pointer in found})
    return [Row(*row, who.get(row[2], "")) for row in found]


def _who(repo: Repo, pointers_: Collection[str]) -> dict[str, str]:
    """Who committed each pointer last, from one walk through their history."""
    if not pointers_ or head(repo) is None:
        return {}
    specs = [f":(literal){path}" for path in sorted(pointers_)]
    if len(specs) > _MOST_SPECS:
        specs = [*pointers.PATHSPECS]
    records = repo.paths("log", "-m", "--format=%x00%x01%an, %as", "--name-only", "-z", "--", *specs)
    who, found = "", dict[str, str]()
    for record in records:
        if record.startswith("\x01"):
            who = record[1:].rstrip("\n")
        else:
            found.setdefault(record.lstrip("\n"), who)
    return found


_MOST_SPECS = 500
"""More paths than that are no command line."""


def push(repo: Repo, words: Sequence[str], remote: str | None) -> Transferred:
    """Upload the data of the workspace's pointers."""
    return transfer.push(repo, _chosen(repo, words), remote=remote)


def pull(
    repo: Repo, words: Sequence[str], remote: str | None, range_: str | None, bindings: Bindings
) -> Transferred:
    """Download the data of the workspace's pointers, or what a check of a range needs, and bring it in."""
    outs = _chosen(repo, words)
    if range_:
        needed = _needed(repo, range_, bindings)
        outs = [out for out in outs if out in needed]
    done = transfer.pull(repo, outs, remote=remote)
    follow_data.bring(repo, again={out.path for out in outs})
    return done


def _needed(repo: Repo, range_: str, bindings: Bindings) -> set[Out]:
    """What a check of the range looks at: changed pointers, and bound data when schema or binding changed."""
    paths = scope.commits(repo, range_).paths
    rebound = config.FILE in paths or any(schema in paths for schema in bindings.values())
    named = listing.in_workspace(repo)
    return {out for out, pointer in named.items() if pointer in paths or (rebound and _bound(out, bindings))}


def _bound(out: Out, bindings: Bindings) -> bool:
    """Whether a schema is bound to the output, or may be to a file in it."""
    return out.is_dir or schema_for(out.path, bindings) is not None


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
