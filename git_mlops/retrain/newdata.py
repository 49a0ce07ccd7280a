"""New data for a retraining: files put where the pointers name them, in a worktree of their own."""

import difflib
import posixpath
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from git_mlops.data import listing, places, track, transfer
from git_mlops.data.pointers import Out
from git_mlops.data.settings import Settings
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.experiments import documents, inputs, worktree
from git_mlops.experiments.documents import DocumentError
from git_mlops.experiments.tree import Trees
from git_mlops.git import objects
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo
from git_mlops.models.objects import Pointers, pointers


class New(NamedTuple):
    """One replacement."""

    path: str
    """Of the repository."""
    source: Path
    """A file or directory anywhere."""


def check(repo: Repo, wanted: Sequence[New], commit: str) -> None:
    """Before anything runs.

    Args:
        commit: what the pipeline starts from.

    Raises:
        MlopsError: a file that is not there, two for one path, or a path that the project does not have.
    """
    seen: set[str] = set()
    for one in wanted:
        if one.path in seen:
            raise MlopsError(f"`{one.path}` is given twice")
        seen.add(one.path)
        places.inside(repo, one.path)
        if not one.source.exists():
            raise MlopsError(f"there is no file `{one.source}`", hint="`--data PATH=NEWFILE`")
    if not wanted:
        return
    with reader(repo) as git:
        trees = Trees(git)
        root = repo.text("rev-parse", f"{commit}^{{tree}}")
        found = pointers(trees, root)
        plain = {entry.path for entry in trees.files(root)}
    for one in wanted:
        _refuse_made(one.path, {out.path for out in found.outs} - {out.path for out in found.own})
        _refuse_unknown(one.path, found, plain)


def _refuse_unknown(path: str, found: Pointers, plain: set[str]) -> None:
    """Data that nothing reads would leave everything as it was, and nobody would notice."""
    own = [out.path for out in found.own]
    inside = any(path.startswith(f"{out.path}/") for out in found.own if out.is_dir)
    if inside or path in plain or path in own:
        return
    read = [*_read(found.pipelines)]
    if any("${" in dep or dep == path or path.startswith(f"{dep}/") for dep in read):
        return
    near = difflib.get_close_matches(path, own, n=1)
    known = ", ".join(f"`{name}`" for name in sorted(own)[:8])
    hint = f"did you mean `{near[0]}`?" if near else f"its data: {known}" if known else None
    raise MlopsError(f"the project has no data `{path}`, and no stage reads it", hint=hint)


def _read(pipelines: Mapping[str, bytes]) -> Iterator[str]:
    """Paths that stages depend on, as far as dvc.yaml says them plainly."""
    for path, content in pipelines.items():
        try:
            loaded = documents.load(path, content)
        except DocumentError:
            continue  # the run says so
        stages = loaded.get("stages") if isinstance(loaded, Mapping) else None
        for stage in stages.values() if isinstance(stages, Mapping) else ():
            inner = stage.get("do", stage) if isinstance(stage, Mapping) else None
            deps = inner.get("deps") if isinstance(inner, Mapping) else None
            wdir = str(inner.get("wdir") or "") if isinstance(inner, Mapping) else ""
            for dep in deps if isinstance(deps, list) else ():
                yield posixpath.normpath(posixpath.join(posixpath.dirname(path), wdir, str(dep)))


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
        _refuse_made(one.path, made)
        _replace(places.inside(place, one.path), one.source)
        if one.path not in plain:
            added[_tracked(one.path, named)] = None
    if added:
        track.add(place, [*added], settings, here=place.root)


def _refuse_made(path: str, made: set[str]) -> None:
    if any(path == own or path.startswith(f"{own}/") for own in made):
        raise MlopsError(
            f"`{path}` is what a stage of the pipeline makes: it cannot be brought",
            hint="name the data that the pipeline starts from",
        )


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
