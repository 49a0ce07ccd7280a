"""New data for a retraining: files put where the pointers name them, in a worktree of their own."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from git_mlops.data import listing, places, track, transfer
from git_mlops.data.pointers import Out
from git_mlops.data.settings import Settings
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.experiments import inputs, worktree
from git_mlops.git import objects
from git_mlops.git.repo import Repo


class New(NamedTuple):
    """One replacement."""

    path: str
    """Of the repository."""
    source: Path
    """A file or directory anywhere."""


def check(repo: Repo, wanted: Sequence[New]) -> None:
    """Before anything runs.

    Raises:
        MlopsError: a file that is not there, or two for one path.
    """
    seen: set[str] = set()
    for one in wanted:
        if one.path in seen:
            raise MlopsError(f"`{one.path}` is given twice")
        seen.add(one.path)
        places.inside(repo, one.path)
        if not one.source.exists():
            raise MlopsError(f"there is no file `{one.source}`", hint="`--data PATH=NEWFILE`")


def bring(repo: Repo, place: Repo, wanted: Sequence[New], *, pull: bool, remote: str | None) -> None:
    """The data of the worktree's pointers, as far as runs depend on it and nothing replaces it.

    Args:
        pull: download what is not on this machine.

    Raises:
        MlopsError: some of it is not here (exit code 3).
    """
    given = {one.path for one in wanted}
    brought = worktree.bring(place)
    missing = [path for path in inputs.depended(place, brought.missing) if path not in given]
    if missing and pull:
        outs = [out for out in listing.in_workspace(place) if out.path in missing]
        # of the user's worktree: a remote's relative path leads elsewhere from this one; the cache is one
        transfer.pull(repo, outs, remote=remote)
        brought = worktree.bring(place)
        missing = [path for path in inputs.depended(place, brought.missing) if path not in given]
    if missing:
        shown = ", ".join(f"`{path}`" for path in missing[:5])
        hint = (
            "`git mlops push` on the machine that has it"
            if pull
            else "`--pull` brings it from the DVC remote"
        )
        raise MlopsError(f"the data of {shown} is not on this machine", hint=hint, exit_code=CANNOT_EVALUATE)


def put(place: Repo, wanted: Sequence[New], settings: Settings) -> None:
    """Replace the data and its pointers.

    Raises:
        MlopsError: a path that a stage makes, or that cannot be data.
    """
    named = listing.in_workspace(place)
    made = {out.path for out, pointer in named.items() if not pointer.endswith(".dvc")}
    plain = {entry.path for entry in objects.index_entries(place)}
    added: dict[str, None] = {}
    for one in wanted:
        owner = _owner(one.path, made)
        if owner is not None:
            raise MlopsError(
                f"`{one.path}` is what a stage of the pipeline makes: it cannot be brought",
                hint="name the data that the pipeline starts from",
            )
        _replace(places.inside(place, one.path), one.source)
        if one.path not in plain:
            added[_tracked(one.path, named)] = None
    if added:
        track.add(place, [*added], settings, here=place.root)


def _owner(path: str, made: set[str]) -> str | None:
    return next((own for own in made if path == own or path.startswith(f"{own}/")), None)


def _tracked(path: str, named: dict[Out, str]) -> str:
    """The path itself, or the tracked directory that it is in."""
    return next((out.path for out in named if out.is_dir and path.startswith(f"{out.path}/")), path)


def _replace(target: Path, source: Path) -> None:
    """The old may be a link into the cache: it goes first, nothing is written through it."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
