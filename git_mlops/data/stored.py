"""Files that are no part of the workspace into DVC's cache, as one directory object. Without DVC."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from git_mlops.data import cache
from git_mlops.data.hashes import md5, md5_folder, walk
from git_mlops.data.pointers import Out
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo


class Stored(NamedTuple):
    """A directory object of the cache."""

    hash: str
    """Ends with `.dir`."""
    size: int
    nfiles: int

    def pointer(self, path: str) -> bytes:
        """The text of a `.dvc` file that names it."""
        return (
            f"outs:\n- md5: {self.hash}\n  size: {self.size}\n  nfiles: {self.nfiles}\n"
            f"  hash: md5\n  path: {path}\n"
        ).encode()


def keep(repo: Repo, folder: Path) -> Stored | None:
    """A directory's files in the cache too; the listing comes last. None where there is no file.

    Files whose name git or DVC would not take are left out. Nobody may change the directory afterwards.
    """
    place = cache.cache_dir(repo)
    hashes: dict[str, str] = {}
    size = 0
    for name in sorted(walk(folder)):
        file = folder / name
        if file.is_symlink() or not file.is_file() or not _usable(name):
            continue
        size += file.stat().st_size
        hashes[name] = md5(file)
        _keep(file, cache.object_path(place, Out(name, "md5", hashes[name])))
    return Stored(keep_listing(repo, hashes), size, len(hashes)) if hashes else None


def keep_listing(repo: Repo, hashes: Mapping[str, str]) -> str:
    """A directory's listing (path → md5) in the cache; its hash."""
    listing = [{"md5": hashes[name], "relpath": name} for name in sorted(hashes)]
    hash_ = md5_folder(dict(hashes))
    target = cache.object_path(cache.cache_dir(repo), Out("", "md5", hash_))
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_file(target, json.dumps(listing, sort_keys=True).encode())
        target.chmod(_READ_ONLY)
    return hash_


def keep_file(repo: Repo, file: Path) -> str:
    """One file in the cache, too; its md5. Nobody may change the file afterwards."""
    hash_ = md5(file)
    _keep(file, cache.object_path(cache.cache_dir(repo), Out("", "md5", hash_)))
    return hash_


_READ_ONLY = 0o444  # as DVC keeps its objects


def _usable(name: str) -> bool:
    return name.isprintable() and ".git" not in name.lower().split("/")


def _keep(file: Path, target: Path) -> None:
    """One object, whole at once: the same file where that is possible, else a copy."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        try:
            os.link(file, beside)
        except OSError:  # another file system, or one without hard links
            shutil.copyfile(file, beside)
        beside.chmod(_READ_ONLY)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
