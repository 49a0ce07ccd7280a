"""Data into a worktree that has none yet: copies from the cache, as DVC would make them, without DVC."""

import os
import shutil
from pathlib import Path

from git_mlops.data import cache, listing, places
from git_mlops.data.follow import Followed
from git_mlops.data.hashes import Hashes, seen
from git_mlops.data.pointers import Out, PointerError
from git_mlops.git.repo import Repo


def bring(repo: Repo) -> Followed | None:
    """Copy all data. None, and nothing done, where that is DVC's to do: some is there, links, executables."""
    unreadable: list[PointerError] = []
    named = listing.in_workspace(repo, unreadable=unreadable)
    pointers = {repo.root / pointer for pointer in named.values()}
    linked = any("type" in cache.read_config(file).get("cache", {}) for file in cache.config_files(repo))
    wanted = [out for out in named if out.cache]
    there = any(os.path.lexists(repo.root / out.path) for out in wanted)
    if there or linked or unreadable or any(b"isexec" in (listing.on_disk(file) or b"") for file in pointers):
        return None
    whole = [out for out in wanted if cache.complete(repo, out)]
    with Hashes(repo) as hashes:
        for out in whole:
            for one in cache.members(repo, out).values() if out.is_dir else (out,):
                _copy(repo, one, hashes)
            hashes.followed[out.path] = out.hash
    updated = sorted(out.path for out in whole)
    return Followed(updated, [], sorted(out.path for out in wanted if out not in whole))


def _copy(repo: Repo, out: Out, hashes: Hashes) -> None:
    source, file = cache.object_path(cache.cache_dir(repo), out), places.inside(repo, out.path)
    file.parent.mkdir(parents=True, exist_ok=True)
    places.inside(repo, out.path)  # what was made on the way is inside, too
    _clone(source, file)
    time = source.stat().st_mtime_ns
    os.utime(file, ns=(time, time))  # older than the clock's tick: its hash need not be computed
    if out.algorithm == "md5":
        hashes.learn(out.path, out.hash, seen(file), lambda: source)


def _clone(source: Path, file: Path) -> None:
    """A copy that shares its blocks where the file system can do that."""
    with source.open("rb") as old, file.open("xb") as new:
        left = os.fstat(old.fileno()).st_size
        try:
            while left > 0 and (done := os.copy_file_range(old.fileno(), new.fileno(), left)):
                left -= done
        except (OSError, AttributeError):  # between file systems, or not on Linux
            old.seek(0)
            new.truncate(0)
            new.seek(0)
            shutil.copyfileobj(old, new, 1024 * 1024)
