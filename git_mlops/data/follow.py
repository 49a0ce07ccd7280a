"""After git moved the pointers: the data of the workspace becomes what they say, and nothing is lost.

An output is touched only when its pointer changed since the data followed last, and only when what lies there
now is safe: its bytes are in the cache, or there is nothing.
"""

import shutil
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from git_mlops.data import cache, dvc, listing, places, purges, workspace
from git_mlops.data.hashes import Hashes, md5_folder
from git_mlops.data.pointers import Out, PointerError
from git_mlops.data.purges import Purge
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo


class Followed(NamedTuple):
    """Paths of data, by what happened to them."""

    updated: list[str]
    """Brought in, replaced or removed."""
    kept: list[str]
    """Left alone: changed here and not added, so that no other copy exists."""
    missing: list[str]
    """Its object is not on this machine, and its pointer changed since the data followed last."""
    parts: list[str] = []  # noqa: RUF012  # the default of a frozen tuple, never changed
    """Directories that are here without files which were withdrawn, and whose pointer changed."""


def follow(repo: Repo, *, again: Collection[str] = (), parts: bool = False) -> Followed:
    """Bring the workspace's data to its pointers. Quick, without DVC, when there is nothing to do.

    Data that somebody deleted stays deleted while its pointer is the same, unless its path is in `again`. A
    pointer that was written since, though it says the same, was another in between (`dvc repro`, then
    `git checkout .`): what the data became with it is taken back, too.

    Args:
        parts: of a directory of which files were withdrawn, bring the others. Else it counts as missing, for
            what would take the rest for the whole.
    """
    unreadable: list[PointerError] = []
    pointers = listing.in_workspace(repo, unreadable=unreadable)
    named = {out.path: out for out in pointers}
    rewritten = {out.path for out, pointer in pointers.items() if _written_since(repo, pointer)}
    found = {path: out for path, out in named.items() if out.cache}
    known = purges.in_force(repo) if parts else {}
    first = not (repo.private_here / LAST).exists()
    with Hashes(repo) as hashes:
        # a pointer in conflict is still there, it only cannot be read: its data stays
        removed, kept = ([], []) if unreadable else _vanished(repo, hashes, named)
        ways: dict[_Way, list[str]] = {way: [] for way in get_args(_Way)}
        for path, out in found.items():
            same_pointer = _followed(hashes, out) and path not in again
            if same_pointer and path not in rewritten:
                continue
            _contained(repo, out)
            now = workspace.state(repo, out, hashes)
            if same_pointer and now == "missing":
                continue
            way = _way(repo, out, now, hashes, known)
            if way == "here":
                hashes.followed[path] = out.hash
            if way not in _OLD_NEWS or first or path in rewritten or path in again:
                ways[way].append(path)
        # of a path DVC reads every pointer that there is, of a pointer that one: all take it minutes where
        # tables are wide, and it cannot do that beside one that cannot be read; `x:y` is a stage to it
        outs = Counter(pointers.values())
        files = {
            out.path: pointer
            for out, pointer in pointers.items()
            if pointer.endswith(".dvc") and (unreadable or (outs[pointer] == 1 and ":" not in pointer))
        }
        whole = _bring(repo, ways["whole"], found, hashes, files)
        rest = _bring_parts(repo, [found[path] for path in ways["rest"]], hashes, known)
    failed = {*ways["whole"], *ways["rest"]}.difference(whole, rest)
    return Followed(
        sorted([*whole, *rest, *removed]),
        sorted([*kept, *ways["kept"]]),
        sorted([*ways["missing"], *failed]),
        sorted([*ways["rest here"], *rest]),
    )


_Way = Literal["here", "rest here", "kept", "whole", "rest", "missing"]
"""What is done about data: `whole` and `rest` (of a directory) are brought."""
_OLD_NEWS = ("rest here", "missing")
"""What was so before is known."""


def _way(repo: Repo, out: Out, now: workspace.State, hashes: Hashes, known: Mapping[str, Purge]) -> _Way:
    if now == "same":
        return "here"
    if now == "purged":
        return "rest here" if known else "missing"
    if now != "missing" and not safe(repo, out.path, hashes):
        return "kept"
    if cache.complete(repo, out):
        return "whole"
    return "rest" if purges.rest(repo, out, known) else "missing"


LAST = "followed"
"""The private file whose time is when the data followed last; the shims read it, too."""


def _written_since(repo: Repo, pointer: str) -> bool:
    try:
        last = (repo.private_here / LAST).stat().st_mtime_ns
        return (repo.root / pointer).stat().st_mtime_ns >= last
    except OSError:
        return False


def _contained(repo: Repo, out: Out) -> None:
    """Nothing is ever written through a symbolic link, which a commit may bring, to a place outside."""
    places.inside(repo, out.path)
    if out.is_dir and (repo.root / out.path).is_symlink():
        raise MlopsError(f"`{out.path}` is a symbolic link: a directory of data cannot be brought there")
    members = cache.members(repo, out).values() if out.is_dir else ()
    for folder in {member.path.rpartition("/")[0] for member in members} - {out.path}:
        places.inside(repo, f"{folder}/x")


def _bring(
    repo: Repo, wanted: list[str], found: dict[str, Out], hashes: Hashes, files: Mapping[str, str]
) -> list[str]:
    if not wanted:
        return []
    failed = {Path(path).as_posix() for path in dvc.checkout(repo, [files.get(p, p) for p in wanted])}
    updated = [path for path in wanted if path not in failed]
    for path in updated:
        hashes.forget(path)
        hashes.followed[path] = found[path].hash
        workspace.state(repo, found[path], hashes)  # remembered now, while the bytes are still in memory
    return updated


def _bring_parts(repo: Repo, outs: Sequence[Out], hashes: Hashes, known: Mapping[str, Purge]) -> list[str]:
    """Directories without what was withdrawn: DVC itself would bring all of one, or nothing."""
    if not outs:
        return []
    failed = dvc.checkout_files(repo, {out: purges.rest(repo, out, known) for out in outs})
    updated = [out for out in outs if out.path not in failed]
    for out in updated:
        hashes.forget(out.path)
        hashes.followed[out.path] = out.hash
        workspace.state(repo, out, hashes)
    return [out.path for out in updated]


def _followed(hashes: Hashes, out: Out) -> bool:
    """Whether the data was brought to this pointer, as far as it can be."""
    return out.hash in (hashes.followed.get(out.path), hashes.parts.get(out.path, [""])[0])


def _vanished(repo: Repo, hashes: Hashes, found: dict[str, Out]) -> tuple[list[str], list[str]]:
    """Data whose pointer went away goes too, unless this is its only copy or git has the file now."""
    gone = [path for path in hashes.followed if path not in found and not _inside_other(path, found)]
    tracked = (
        set(repo.paths("ls-files", "-z", "--", *(f":(literal){path}" for path in gone))) if gone else set()
    )
    removed, kept = [], []
    for path in gone:
        file = places.inside(repo, path)
        taken = any(known == path or known.startswith(path + "/") for known in tracked)
        if taken or not file.exists():
            del hashes.followed[path]
        elif safe(repo, path, hashes):
            _remove(file)
            hashes.forget(path)
            del hashes.followed[path]
            removed.append(path)
        else:
            kept.append(path)
            del hashes.followed[path]
    return removed, kept


def _inside_other(path: str, found: dict[str, Out]) -> bool:
    return any(path.startswith(other + "/") or other.startswith(path + "/") for other in found)


def safe(repo: Repo, path: str, hashes: Hashes) -> bool:
    """Whether every byte below `path` is in the cache as well."""
    file = repo.root / path
    where = cache.cache_dir(repo)
    if file.is_dir():
        members = hashes.folder(path)
        found = [*members.values(), md5_folder(members)] if members else []
    else:
        found = [hash_] if (hash_ := hashes.file(path)) else []
    algorithms = ("md5", "md5-dos2unix")
    return all(
        any(cache.object_path(where, Out(path, a, hash_)).is_file() for a in algorithms)
        for hash_ in found
        if not hash_.endswith(".dir")
    )


def _remove(file: Path) -> None:
    try:
        if file.is_dir() and not file.is_symlink():
            shutil.rmtree(file)
        else:
            file.unlink()
    except OSError as error:
        raise MlopsError(f"cannot remove `{file}`: {error.strerror}") from error
