"""What the data commands do, with the hooks' knowledge of the workspace kept up to date."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from git_mlops import config, ui
from git_mlops.checks import scope
from git_mlops.data import dvc, listing, places, pointers, purges, track, transfer, workspace
from git_mlops.data.pointers import Out, PointerError
from git_mlops.data.settings import Settings
from git_mlops.data.track import Added
from git_mlops.data.transfer import Transferred
from git_mlops.data.workspace import Status
from git_mlops.errors import CANNOT_EVALUATE, FINDINGS, OK, MlopsError, NotFoundError
from git_mlops.git.repo import Repo, head, resolve
from git_mlops.hooks import conflicts_file, follow_data, triage
from git_mlops.schema.bindings import folder_of, schema_for, with_tables
from git_mlops.schema.settings import Bindings

NOT_ON_REMOTE = "not on the remote"
UNREADABLE = "unreadable"
IN_CONFLICT = "in conflict"
PURGED = "purged"


class Row(NamedTuple):
    """One output that is not as it should be."""

    state: str
    path: str
    """Of the data; for a pointer that cannot be read, the reason."""
    pointer: str
    who: str = ""
    """Who committed the pointer last: the one to ask for the data."""
    files: dict[str, list[str]] = {}  # noqa: RUF012  # the default of a frozen tuple, never changed
    """For a changed directory: `added`, `modified`, `deleted` and `purged` (withdrawn) → paths in it."""
    note: str = ""
    """Of what was withdrawn: when, by whom, why."""

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of a table for people: of a directory's files only how many."""
        counts = ", ".join(f"{len(paths)} {kind}" for kind, paths in self.files.items() if paths)
        return (f"{self.state} ({counts})" if counts else self.note or self.state, *self[1:4])


def add(repo: Repo, words: Sequence[str], settings: Settings, *, force: bool = False) -> Added:
    """Put data under version control; each staged pointer is named once."""
    if not dvc.initialised(repo):
        raise MlopsError("DVC is not set up in this repository", hint="`git mlops init`")
    done = track.add(repo, words, settings, force=force)
    triage.forget(repo)
    return done._replace(pointers=list(dict.fromkeys(done.pointers)))


def status(repo: Repo, remote: str | None, *, ask_remote: bool) -> list[Row]:
    """Data that differs from its pointer; with `ask_remote` also what the remote lacks."""
    unreadable: list[PointerError] = []
    outs = listing.in_workspace(repo, unreadable=unreadable)
    found = [Row(UNREADABLE, _reason(error), error.path) for error in unreadable]
    halves = conflicts_file.half_removed(repo)
    found += [Row(IN_CONFLICT, name.removesuffix(".dvc"), name) for name in halves]
    found += _withdrawn(repo, outs, workspace.status(repo))
    if ask_remote:
        lacking = transfer.missing_on_remote(repo, outs, remote=remote)
        found += [Row(NOT_ON_REMOTE, out.path, outs[out]) for out in lacking]
    who = _who(repo, {row.pointer for row in found})
    return [row._replace(who=who.get(row.pointer, "")) for row in found]


def _withdrawn(repo: Repo, outs: Iterable[Out], rows: Sequence[Status]) -> Iterator[Row]:
    """What is not here because it was withdrawn is said as that."""
    lacking = {row.path for row in rows if row.state in _LACKING}
    known = purges.in_force(repo) if lacking else {}
    gone = purges.of_outs(repo, [out for out in outs if out.path in lacking], known)
    by_path = {out.path: (purge, purges.nothing_left(repo, out, known)) for out, purge in gone.items()}
    for row in rows:
        purge, whole = by_path.get(row.path, (None, False))
        said = purge is not None and (whole or row.state in _SAID)
        state, note = (PURGED, purge.sentence()) if purge and said else (row.state, "")
        yield Row(state, row.path, row.pointer, files=row.files, note=note)


_LACKING = ("not here", "deleted", "not in the cache", "modified", "outdated", PURGED)
_SAID = ("not in the cache", PURGED)
"""In the other states the rest of a directory was changed here, or can be brought."""


def _reason(error: PointerError) -> str:
    where = f"line {error.line}: " if error.line else ""
    return where + str(error).removeprefix(f"{error.path}: ")


def exit_code(rows: Iterable[Row]) -> int:
    """1 when the remote lacks data; else 3 when a pointer cannot be read: nobody knows what it names."""
    states = {row.state for row in rows}
    return FINDINGS if NOT_ON_REMOTE in states else CANNOT_EVALUATE if UNREADABLE in states else OK


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


def push(  # the options of the command
    repo: Repo,
    words: Sequence[str],
    remote: str | None,
    *,
    everything: bool = False,
    range_: str | None = None,
    sensitive: Sequence[str] = (),
) -> Transferred:
    """Upload the data of the workspace's pointers; or what the commits of a range, or all, ever named.

    Of those, what is neither here nor on the remote counts as missing, too.
    """
    wanted = _to_push(repo, words, everything=everything, range_=range_)
    for problem in purges.news(repo) if wanted else ():  # before what others have withdrawn is sent again
        ui.note(f"whether others have purged something since is not known: {problem}")
    return transfer.push(repo, wanted, remote=remote, sensitive=sensitive)


def _to_push(repo: Repo, words: Sequence[str], *, everything: bool, range_: str | None) -> list[Out]:
    if not everything and range_ is None:
        return _chosen(repo, words)
    if words or (everything and range_ is not None):
        raise MlopsError("`--all`, `--range` and paths exclude each other")
    if range_ is None:
        return list(transfer.committed(repo, "--all"))
    if ".." not in range_:
        raise MlopsError(f"`{range_}` is not a range", hint="write it as `BASE..HEAD`")
    left, _, right = range_.partition("...") if "..." in range_ else range_.partition("..")
    commits = (f"^{resolve(repo, left or 'HEAD')}", resolve(repo, right or "HEAD"))
    return list(transfer.committed(repo, *commits))


def pull(
    repo: Repo, words: Sequence[str], remote: str | None, range_: str | None, bindings: Bindings
) -> Transferred:
    """Download the data of the workspace's pointers, or what a check of a range needs, and bring it in."""
    outs = _chosen(repo, words)
    if range_:
        needed = _needed(repo, range_, bindings)
        outs = [out for out in outs if out in needed]
    paths = {out.path for out in outs}
    try:
        done = transfer.pull(repo, outs, remote=remote)
    except MlopsError:
        follow_data.bring(repo, again=paths, tell=False)  # what is on this machine needs no remote
        raise
    if done.missing and purges.hear(repo):  # others may know why
        gone = purges.of_outs(repo, done.missing)
        left = tuple(out for out in done.missing if out not in gone)
        done = done._replace(missing=left, purged=(*done.purged, *gone.items()))
    follow_data.bring(repo, again=paths)
    return done


def _needed(repo: Repo, range_: str, bindings: Bindings) -> set[Out]:
    """What a check of the range looks at: changed pointers, and bound data when schema or binding changed."""
    paths = scope.commits(repo, range_).paths
    rebound = config.FILE in paths or any(schema in paths for schema in bindings.values())
    named = listing.in_workspace(repo)
    new = {out for out, pointer in named.items() if pointer in paths}
    tables = {folder for out in new if (folder := folder_of(out.path, bindings))}  # looked at as a whole
    return new | {
        out for out in named if (rebound and _bound(out, bindings)) or folder_of(out.path, bindings) in tables
    }


def _bound(out: Out, bindings: Bindings) -> bool:
    """Whether a schema is bound to the output, or may be to a file in it."""
    inside = out.is_dir or folder_of(out.path, bindings) is not None
    return inside or any(schema_for(name, bindings) for name in with_tables(out.path, bindings))


def _chosen(repo: Repo, words: Sequence[str]) -> list[Out]:
    """The outputs of the workspace that are meant: all, or those at or below the paths.

    Raises:
        PointerError: a pointer that may name one of them cannot be read; nothing is left out in silence.
    """
    unreadable: list[PointerError] = []
    outs = list(listing.in_workspace(repo, unreadable=unreadable))
    everything = not words or any((Path.cwd() / word).resolve() == repo.root.resolve() for word in words)
    paths = [] if everything else [places.relative(repo, Path.cwd() / word) for word in words]
    for error in unreadable:
        if everything or any(_concerns(path, error.path) for path in paths):
            raise error
    return outs if everything else [o for path in paths for o in _named(outs, path.removesuffix(".dvc"))]


def _concerns(path: str, pointer: str) -> bool:
    return path.removesuffix(".dvc") == pointer.removesuffix(".dvc") or pointer.startswith(f"{path}/")


def _named(outs: Iterable[Out], path: str) -> list[Out]:
    """The output itself, those below a directory, or the directory that holds the path."""
    found = [out for out in outs if out.path == path or out.path.startswith(path + "/")]
    found = found or [out for out in outs if path.startswith(out.path + "/")]
    if not found:
        raise NotFoundError(
            f"no pointer names `{path}`", hint="`git mlops status` lists data; `git mlops add` adds it"
        )
    return found
