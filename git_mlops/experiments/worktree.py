"""A worktree of its own for a run: a recorded or snapshot tree, its data, the shared cache; gone afterwards.

The user's workspace, index and HEAD are not touched, and none of the user's hooks runs for it. A process that
is killed leaves its worktree behind; `sweep` takes it away when the next one comes.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from git_mlops.data import cache, copies, dvc, follow, workspace
from git_mlops.data.follow import Followed
from git_mlops.data.settings import Settings
from git_mlops.errors import MlopsError
from git_mlops.experiments import journal, snapshot
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo, discover
from git_mlops.git.run import GitError

_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false")


@contextmanager
def of(repo: Repo, tree: str, *, head: str) -> Iterator[Repo]:
    """A linked worktree that holds a tree, with HEAD at a commit; removed at the end, whatever happens.

    Args:
        tree: a tree or commit; its files are in the index, too.
        head: the commit that experiments recorded there start from.
    """
    sweep(repo)
    folder = _folder(repo)
    folder.mkdir(parents=True, exist_ok=True)
    root = folder / secrets.token_hex(6)
    with root.with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            yield _made(repo, root, tree, head)
        finally:
            _remove(repo, root)
            root.with_suffix(".lock").unlink(missing_ok=True)


def bring(place: Repo, *, quick: bool = False) -> Followed:
    """Bring the data that the tree's pointers name, as far as it is on this machine.

    Args:
        quick: without DVC where its settings allow that. For what does not run DVC itself: DVC would read all
            that it did not bring.
    """
    if not dvc.initialised(place):
        return Followed([], [], [])
    done = copies.bring(place) if quick else None
    return done or follow.follow(place)


def keep(place: Repo, data: Settings) -> list[str]:
    """Add to DVC, before the worktree goes, data that a run changed and files too large for git.

    Returns notes: what is lost with the worktree.
    """
    large = [one.path for one in snapshot.large(place, data)]
    if not dvc.initialised(place):
        return [f"`{path}` is {_LOST}: it is too large for git, and DVC is not set up" for path in large]
    changed = workspace.modified(place)
    own = [one.path for one in changed if one.pointer.endswith(".dvc")]
    lost = [
        f"`{one.path}` is {_LOST}: it is a stage's, and no stage made it"
        for one in changed
        if one.path not in own
    ]
    try:
        if own or large:
            dvc.add(place, [*own, *large])
    except MlopsError as error:
        lost += [f"`{path}` is {_LOST}: {error}" for path in (*own, *large)]
    return lost


_LOST = "gone with the worktree"


def sweep(repo: Repo) -> None:
    """Remove the worktrees of processes that are gone, unless their runs are still to be recorded."""
    folder = _folder(repo)
    waiting = {run.root for run in journal.under_way(repo)} if folder.is_dir() else set()
    for lock in sorted(folder.glob("*.lock")) if folder.is_dir() else ():
        root = lock.with_suffix("")
        if str(root) in waiting:
            continue
        with suppress(OSError), lock.open("r+") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)  # whoever lives holds it
            _remove(repo, root)
            lock.unlink(missing_ok=True)


class Abandoned(NamedTuple):
    """What a killed run has left."""

    place: Repo | None
    """Its worktree; None where it had none of its own, or it is gone."""
    busy: bool = False
    """Another process is at it."""


@contextmanager
def abandoned(repo: Repo, root: str) -> Iterator[Abandoned]:
    """The worktree of a killed run, for this process alone."""
    place = Path(root)
    lock = place.with_suffix(".lock")
    if place.parent != _folder(repo) or not (place / ".git").exists() or not lock.exists():
        yield Abandoned(None)
        return
    with lock.open("r+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield Abandoned(None, busy=True)
        else:
            yield Abandoned(discover(place))


def _folder(repo: Repo) -> Path:
    return repo.private / journal.WORKTREES


def _made(repo: Repo, root: Path, tree: str, head: str) -> Repo:
    with _one_at_a_time(repo):
        repo.git(*_QUIET, "worktree", "add", "--quiet", "--detach", "--no-checkout", str(root), head)
    place = discover(root)
    place.git(*_QUIET, "read-tree", "--reset", "-u", tree)
    if dvc.initialised(place):
        _share(repo, place)
    return place


def _share(repo: Repo, place: Repo) -> None:
    """DVC's private settings of the user's worktree (credentials of remotes), and one cache."""
    sections = cache.read_config(repo.root / ".dvc" / "config.local")
    sections.setdefault("cache", {})["dir"] = str(cache.cache_dir(repo).absolute())
    # what DVC remembers of a worktree goes with it: by default it would stay in a folder of the machine
    sections.setdefault("core", {})["site_cache_dir"] = str(place.private_here / "dvc")
    lines = []
    for section, values in sections.items():
        name = f"'{section}'" if '"' in section else section
        lines += [f"[{name}]", *(f"    {key} = {value}" for key, value in values.items())]
    replace_file(place.root / ".dvc" / "config.local", ("\n".join(lines) + "\n").encode())


def _remove(repo: Repo, root: Path) -> None:
    """Also where git does not know it, or only git does. What was linked read-only goes, too."""
    with suppress(GitError), _one_at_a_time(repo):
        repo.git("worktree", "remove", "--force", "--force", str(root))
    if root.is_dir():
        for base, _folders, _names in os.walk(root):
            with suppress(OSError):
                Path(base).chmod(0o700)
        shutil.rmtree(root, ignore_errors=True)
        with _one_at_a_time(repo):
            repo.git("worktree", "prune")


@contextmanager
def _one_at_a_time(repo: Repo) -> Iterator[None]:
    """git fails to add a worktree while it finds another that is half made."""
    folder = repo.private / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "worktrees").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
