"""Where copies of an object can be that this clone reaches: workspaces, DVC's cache, DVC's remotes.

Each place is asked before and after a removal; what it says then is the proof.
"""

import shutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from git_mlops.data import cache, dvc, listing, places, workspace
from git_mlops.data.hashes import Hashes
from git_mlops.data.pointers import Out
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo, discover


class Asked(NamedTuple):
    """What one place said."""

    place: str
    """`workspace`, `cache`, `remote NAME`."""
    where: str
    """A remote's URL without secrets; else empty."""
    before: frozenset[str]
    """Hashes that it had."""
    after: frozenset[str]
    """Hashes that it has now."""
    problem: str = ""
    """Why it could not be asked, or does not let anything be removed."""
    paths: tuple[str, ...] = ()
    """Of workspaces, the files."""


def ask(repo: Repo, hashes: Collection[str], *, remove: bool = False, local: bool = False) -> Iterator[Asked]:
    """Every place, one after the other; a place that cannot be asked does not keep the others from it.

    Args:
        remove: remove what is there, and ask again.
        local: only this clone's own places.
    """
    wanted = frozenset(hashes)
    yield _asked("workspace", "", lambda: _workspaces(repo, wanted, remove=remove))
    yield _asked("cache", "", lambda: _cache(repo, wanted, remove=remove))
    for name, url in () if local else dvc.every_remote(repo).items():
        yield _asked(f"remote {name}", url, lambda name=name: _remote(repo, wanted, name, remove=remove))  # type: ignore[misc]  # a default binds the loop's name


_Answer = tuple[frozenset[str], frozenset[str], tuple[str, ...]]
"""Hashes before, hashes after, files."""


def _asked(place: str, where: str, work: Callable[[], _Answer]) -> Asked:
    try:
        before, after, paths = work()
    except MlopsError as error:
        return Asked(place, where, frozenset(), frozenset(), str(error))
    except OSError as error:
        said = error.strerror or str(error)
        return Asked(place, where, frozenset(), frozenset(), said)
    return Asked(place, where, before, after, "", paths)


def _remote(repo: Repo, hashes: frozenset[str], name: str, *, remove: bool) -> _Answer:
    done = dvc.remove(repo, hashes, name, dry=not remove)
    return done.before, done.after, ()


# -- DVC's cache, and our private copies of models ----------------------------------------------------------


def _cache(repo: Repo, hashes: frozenset[str], *, remove: bool) -> _Answer:
    copies = _copies(repo, hashes)
    before = frozenset(hash_ for hash_, paths in copies.items() if any(path.exists() for path in paths))
    for hash_ in before if remove else ():
        for path in copies[hash_]:
            _delete(path)
    after = frozenset(hash_ for hash_ in before if any(path.exists() for path in copies[hash_]))
    return before, after, ()


def _copies(repo: Repo, hashes: frozenset[str]) -> dict[str, list[Path]]:
    """Objects in both of DVC's layouts, and models with such a hash that were loaded."""
    where, models = cache.cache_dir(repo), repo.private / "models"
    loaded: dict[str, list[Path]] = {}
    for folder in models.iterdir() if models.is_dir() else ():
        loaded.setdefault(folder.name.partition("-")[0], []).append(folder)
    return {
        hash_: [
            *(cache.object_path(where, Out("", algorithm, hash_)) for algorithm in ("md5", "md5-dos2unix")),
            *loaded.get(hash_.removesuffix(".dir"), ()),
        ]
        for hash_ in hashes
    }


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


# -- workspaces ---------------------------------------------------------------------------------------------


def _workspaces(repo: Repo, hashes: frozenset[str], *, remove: bool) -> _Answer:
    """Files at the paths of pointers, of every worktree; told by their bytes, whatever the pointer says."""
    before: set[str] = set()
    after: set[str] = set()
    paths: list[str] = []
    for tree in _worktrees(repo):
        with Hashes(tree) as known:
            for path, hash_ in _files(tree, known):
                if hash_ not in hashes:
                    continue
                before.add(hash_)
                paths.append(path if tree.root == repo.root else str(tree.root / path))
                file = places.inside(tree, path)
                if remove:
                    file.unlink(missing_ok=True)
                    known.file(path)  # which is forgotten, because it is not there
                if file.exists():
                    after.add(hash_)
            if remove and before:
                _settle(tree, known)
    return frozenset(before), frozenset(after), tuple(paths)


def _settle(repo: Repo, known: Hashes) -> None:
    """Let the workspace know that its directories lack what was withdrawn, before that may be lifted."""
    for out in listing.in_workspace(repo):
        if out.is_dir and out.cache:
            workspace.state(repo, out, known)


def _worktrees(repo: Repo) -> Iterator[Repo]:
    for place in repo.paths("worktree", "list", "--porcelain", "-z"):
        root = Path(place.removeprefix("worktree "))
        if place.startswith("worktree ") and root.is_dir() and (root / ".git").exists():
            yield discover(root)


def _files(repo: Repo, known: Hashes) -> Iterator[tuple[str, str]]:
    """Path and hash of every file that is there at, or below, the path of a pointer's data."""
    for out in dict.fromkeys(one.path for one in listing.in_workspace(repo)):
        file = repo.root / out
        if file.is_dir() and not file.is_symlink():
            yield from ((f"{out}/{name}", hash_) for name, hash_ in known.folder(out).items())
        elif (hash_ := known.file(out)) is not None:
            yield out, hash_
