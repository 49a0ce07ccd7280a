"""Objects of the cache that nothing in this repository names any more."""

import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from git_mlops.data import cache, listing, transfer
from git_mlops.data.pointers import Out
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo, discover

GRACE = 24 * 3600.0
"""Seconds that an object stays whatever happens: its pointer may be about to be written."""
_PREFIX = re.compile("[0-9a-f]{2}")


class Object(NamedTuple):
    """One file of the cache."""

    file: Path
    size: int


def unused(repo: Repo, *, grace: float = GRACE) -> list[Object]:
    """Objects that no commit of any ref or reflog names, and no index or workspace of any worktree.

    Raises:
        MlopsError: the cache is outside of this repository: others may use it, too.
    """
    where = cache.cache_dir(repo)
    main = cache.main_worktree(repo) or repo.common_dir
    if not where.resolve().is_relative_to(main.resolve()):
        raise MlopsError(
            f"the cache `{where}` is outside of this repository: other projects may need what is in it",
            hint="`dvc gc --projects PATH…` looks into all of them",
        )
    needed = {cache.object_path(where, one) for one in cache.expanded(repo, list(named(repo)))}
    before = time.time() - grace
    return [found for found in _objects(where) if found.file not in needed and _older(found.file, before)]


def named(repo: Repo) -> Iterable[Out]:
    """What any commit of any ref or reflog names, and any worktree's index or files."""
    found = dict.fromkeys(transfer.ever_named(repo))
    for place in repo.paths("worktree", "list", "--porcelain", "-z"):
        root = Path(place.removeprefix("worktree "))
        if place.startswith("worktree ") and root.is_dir() and (root / ".git").exists():
            tree = discover(root)
            found |= dict.fromkeys(listing.in_workspace(tree))
            found |= dict.fromkeys(transfer.staged(tree))
    return found


def _objects(where: Path) -> Iterator[Object]:
    for folder in (where / "files" / "md5", where):
        for prefix in sorted(folder.iterdir()) if folder.is_dir() else ():
            if _PREFIX.fullmatch(prefix.name) and prefix.is_dir():
                yield from (
                    Object(file, file.stat().st_size) for file in sorted(prefix.iterdir()) if file.is_file()
                )


def _older(file: Path, moment: float) -> bool:
    return file.stat().st_mtime < moment and file.stat().st_ctime < moment


def delete(found: Iterable[Object]) -> int:
    """Remove the objects; how many bytes that made free."""
    freed = 0
    for one in found:
        one.file.unlink(missing_ok=True)
        freed += one.size
    return freed
