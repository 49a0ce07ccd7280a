"""Objects to and from the DVC remote: exactly those that are named, and every one of them asked for."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from git_mlops.data import cache, dvc, listing
from git_mlops.data.pointers import PATHSPECS, Out
from git_mlops.errors import MlopsError
from git_mlops.git import diff, objects
from git_mlops.git.repo import Repo


class Transferred(NamedTuple):
    """What came over, and what is nowhere."""

    objects: int
    """Objects that were copied (files, and listings of directories)."""
    missing: tuple[Out, ...]
    """Neither here nor on the remote."""


def push(repo: Repo, outs: Iterable[Out], *, remote: str | None = None) -> Transferred:
    """Upload what the remote lacks. `push: false` stays here; an output bound to a remote goes there."""
    count, missing = 0, []
    for name, wanted in _by_remote(repo, listing.kept(outs), remote).items():
        moved = dvc.push(repo, cache.expanded(repo, wanted), name)
        count += len(moved.transferred)
        missing += [out for out in wanted if _holed(repo, out, moved.missing)]
    return Transferred(count, tuple(missing))


def _holed(repo: Repo, out: Out, missing: frozenset[str]) -> bool:
    return out.hash in missing or any(
        m.hash in missing for m in (cache.members(repo, out) if out.is_dir else {}).values()
    )


def pull(repo: Repo, outs: Iterable[Out], *, remote: str | None = None) -> Transferred:
    """Download what the cache lacks. The workspace is `follow`'s."""
    wanted = [out for out in outs if out.cache and not cache.complete(repo, out)]
    count = 0
    for name, some in _by_remote(repo, wanted, remote).items():
        count += len(dvc.fetch(repo, cache.expanded(repo, some), name).transferred)
    return Transferred(count, tuple(out for out in wanted if not cache.complete(repo, out)))


def missing_on_remote(repo: Repo, outs: Iterable[Out], *, remote: str | None = None) -> list[Out]:
    """Outputs of which anything is not on the remote; for a directory every single file is asked for."""
    missing: list[Out] = []
    for name, wanted in _by_remote(repo, listing.kept(outs), remote).items():
        missing += dvc.absent(repo, wanted, name)
    return missing


def _by_remote(repo: Repo, outs: Iterable[Out], remote: str | None) -> dict[str, list[Out]]:
    default = remote or dvc.default_remote(repo)
    found: dict[str, list[Out]] = {}
    for out in outs:
        name = out.remote or default
        if name is None:
            raise MlopsError("no DVC remote is configured", hint="`dvc remote add -d NAME URL`")
        found.setdefault(name, []).append(out)
    return found


def pointers_of_push(repo: Repo, lines: Sequence[str], remote: str) -> dict[Out, str]:
    """All data that the commits of a push introduce (each with its pointer), from pre-push's standard input.

    Args:
        lines: `<local ref> <local id> <remote ref> <remote id>`; deletions have a local id of zeros.
        remote: the git remote's name; what it has already is known from its tracking refs.
    """
    tips, have = [], []
    for line in lines:
        words = line.rsplit(" ", 3)
        if len(words) == 4 and words[1].strip("0"):
            tips.append(words[1])
            have += [words[3]] if words[3].strip("0") else []
    if not tips:
        return {}
    options = ("-m", "--raw", "-z", "--no-abbrev", "--no-renames", "--format=", "--ignore-missing")
    excluded = [f"^{oid}" for oid in _here(repo, have)]
    output = repo.git(
        "-c",
        "log.showRoot=true",
        "log",
        *options,
        *tips,
        *excluded,
        "--not",
        f"--remotes={remote}",
        "--",
        *PATHSPECS,
    )
    changes = {(c.path, c.new) for c in diff.parse(output) if c.new.strip("0")}
    return _outs(repo, changes, tips)


def _here(repo: Repo, oids: Sequence[str]) -> list[str]:
    """Those of the remote's commits that this clone has."""
    if not oids:
        return []
    stdin = "".join(f"{oid}\n" for oid in oids).encode()
    lines = repo.text("cat-file", "--batch-check=%(objectname)", stdin=stdin).splitlines()
    return [line for line in lines if " " not in line]


def _outs(repo: Repo, changes: Iterable[tuple[str, str]], tips: Sequence[str]) -> dict[Out, str]:
    """Versions of pointers, each read by itself; a dvc.lock with the dvc.yaml of a pushed tip."""
    versions = sorted(changes)
    locks = {path for path, _oid in versions if path.endswith("dvc.lock")}
    pipelines = [f"{tip}:{listing.pipeline_of(path)}" for path in sorted(locks) for tip in tips]
    contents = objects.read_blobs(repo, [*(oid for _path, oid in versions), *pipelines])
    found: dict[Out, str] = {}
    for path, oid in versions:
        files = {path: contents[oid]} if oid in contents else {}
        if path in locks:
            beside = listing.pipeline_of(path)
            texts = [contents[name] for tip in tips if (name := f"{tip}:{beside}") in contents]
            files |= {beside: texts[0]} if texts else {}
        found |= listing.outs(files)
    return found
