"""The data on disk against the pointers on disk."""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

from git_mlops.data import cache, listing, purges
from git_mlops.data.hashes import Hashes, md5_folder, md5_text
from git_mlops.data.pointers import Out
from git_mlops.data.purges import Purge
from git_mlops.git.repo import Repo

State = Literal["same", "modified", "diverged", "outdated", "purged", "missing"]
"""`outdated`: nobody changed the data here; its pointer moved on (a pull, a switch) and the new bytes have
not come yet. `diverged`: changed here as well. To add either would undo what moved the pointer. `purged`: a
directory that is as its pointer says, but for files that were withdrawn."""


class Differing(NamedTuple):
    """Data whose bytes are not what its pointer says."""

    path: str
    pointer: str
    out: Out
    state: State
    """`modified`, `diverged`, `outdated` or `purged`."""

    @property
    def outdated(self) -> bool:
        """Not changed here: still the bytes of an earlier pointer."""
        return self.state == "outdated"

    @property
    def purged(self) -> bool:
        """Not changed here: what is lacking was withdrawn."""
        return self.state == "purged"


def differing(repo: Repo) -> list[Differing]:
    """Changed here, outdated, or without what was withdrawn.

    Data that is not there at all is none of these; what git itself holds is git's.
    """
    found = listing.in_workspace(repo)
    with Hashes(repo) as hashes:
        states = {out: state(repo, out, hashes) for out in found if out.cache}
    return [
        Differing(out.path, found[out], out, it)
        for out, it in states.items()
        if it in ("modified", "diverged", "outdated", "purged")
    ]


def modified(repo: Repo) -> list[Differing]:
    """Changed here and not added."""
    return [one for one in differing(repo) if not one.outdated and not one.purged]


def state(repo: Repo, out: Out, hashes: Hashes) -> State:
    """How the workspace's file or directory compares with the object; only what changed on disk is hashed."""
    it = _compared(repo, out, hashes)
    if it == "same" and out.path in hashes.followed:
        hashes.followed[out.path] = out.hash  # DVC itself brought it, or made it
        hashes.parts.pop(out.path, None)
    lacks = lacking(repo, out, hashes) if it == "modified" else {}
    if lacks and _is_rest(repo, out, hashes, lacks):
        if out.path in hashes.followed:
            # as of an earlier pointer: if the withdrawal is lifted, the whole directory is still to come
            hashes.followed[out.path] = md5_folder(files_of(repo, out, hashes))
            hashes.parts[out.path] = [out.hash, *sorted(lacks)]
        return "purged"
    before = hashes.followed.get(out.path, out.hash)
    pointer, *gone = hashes.parts.get(out.path, [""])
    if it != "modified" or before == out.hash or (pointer == out.hash and lacks.keys() >= set(gone)):
        return it
    return "outdated" if _compared(repo, out._replace(hash=before), hashes) == "same" else "diverged"


def lacking(repo: Repo, out: Out, hashes: Hashes) -> dict[str, str]:
    """The files that a directory of the workspace lacks because they were withdrawn: path in it → md5."""
    if not out.is_dir or not (repo.root / out.path).is_dir():
        return {}
    if hashes.withdrawn is None:
        hashes.withdrawn = frozenset(purges.in_force(repo))
    members = cache.members(repo, out) if hashes.withdrawn else {}
    return {
        name: one.hash
        for name, one in members.items()
        if one.hash in hashes.withdrawn and not (repo.root / one.path).exists()
    }


def _is_rest(repo: Repo, out: Out, hashes: Hashes, lacks: Collection[str]) -> bool:
    """Whether a directory is the one the object lists, without these files."""
    found = files_of(repo, out, hashes)
    wanted = {name: one for name, one in cache.members(repo, out).items() if name not in lacks}
    legacy = out.algorithm == "md5-dos2unix"
    return found.keys() == wanted.keys() and all(
        found[name] == one.hash or (legacy and md5_text(repo.root / one.path) == one.hash)
        for name, one in wanted.items()
    )


def _compared(repo: Repo, out: Out, hashes: Hashes) -> Literal["same", "modified", "missing"]:
    path = repo.root / out.path
    if not path.exists():
        return "missing"
    if out.is_dir != path.is_dir():
        return "modified"
    if out.is_dir:
        return "same" if folder_is(repo, out, hashes) else "modified"
    if hashes.file(out.path) == out.hash:
        return "same"
    legacy = out.algorithm == "md5-dos2unix" and md5_text(path) == out.hash
    return "same" if legacy else "modified"


def folder_is(repo: Repo, out: Out, hashes: Hashes) -> bool:
    """Whether a directory is the one the object lists. What .dvcignore leaves out does not count."""
    found = hashes.folder(out.path)
    if md5_folder(found) == out.hash:
        return True
    kept = _counted(repo, out, found)
    if md5_folder(kept) == out.hash:
        return True
    if out.algorithm != "md5-dos2unix":
        return False
    listed = cache.members(repo, out)
    same = (
        kept[name] == member.hash or md5_text(repo.root / member.path) == member.hash
        for name, member in listed.items()
        if name in kept
    )
    return bool(listed) and listed.keys() == kept.keys() and all(same)


def _counted(repo: Repo, out: Out, found: dict[str, str]) -> dict[str, str]:
    """The files of a directory that no .dvcignore leaves out: git itself knows that grammar."""
    if not _ignores(repo):
        return found
    options = ("-z", "--others", "--exclude-per-directory=.dvcignore")
    listed = repo.paths("ls-files", *options, "--", f":(literal){out.path}/")
    names = {path.removeprefix(f"{out.path}/") for path in listed}
    return {name: hash_ for name, hash_ in found.items() if name in names}


def _ignores(repo: Repo) -> bool:
    """Whether any .dvcignore has a pattern."""
    files = repo.paths("ls-files", "-z", "--", ":(glob)**/.dvcignore")
    lines = [line for file in files for line in (listing.on_disk(repo.root / file) or b"").splitlines()]
    return any(line.strip() and not line.startswith(b"#") for line in lines)


class Status(NamedTuple):
    """What `git mlops status` shows of one output."""

    path: str
    pointer: str
    state: Literal["modified", "diverged", "outdated", "purged", "deleted", "not here", "not in the cache"]
    """`diverged`: changed here, and its pointer moved on; `outdated`: what an earlier pointer names;
    `not here`: it never was in this worktree, or its object is not on this machine; `not in the cache`: only
    the workspace has it."""
    files: dict[str, list[str]] = {}  # noqa: RUF012  # the default of a frozen tuple, never changed
    """For a changed directory: `added`, `modified`, `deleted` and `purged` (withdrawn) → paths in it."""


def status(repo: Repo) -> list[Status]:
    """Every output that is not as its pointer says: changed, outdated, deleted, never here, nowhere else."""
    rows: list[Status] = []
    known = purges.in_force(repo)
    with Hashes(repo) as hashes:
        for out, pointer in listing.in_workspace(repo).items():
            it = state(repo, out, hashes) if out.cache else None
            if it in ("modified", "diverged"):
                files = changed_files(repo, out, hashes) if out.is_dir else {}
                rows.append(Status(out.path, pointer, "modified" if it == "modified" else "diverged", files))
            elif it == "outdated":
                rows.append(Status(out.path, pointer, "outdated"))
            elif it == "purged":
                rows.append(Status(out.path, pointer, it, {"deleted": sorted(lacking(repo, out, hashes))}))
            elif it == "missing":
                here = hashes.was_here(out.path) and _on_this_machine(repo, out, known)
                rows.append(Status(out.path, pointer, "deleted" if here else "not here"))
            elif it == "same" and not cache.complete(repo, out):
                rows.append(Status(out.path, pointer, "not in the cache"))
    return sorted(rows, key=lambda row: row[:3])


def _on_this_machine(repo: Repo, out: Out, known: Mapping[str, Purge]) -> bool:
    """Whether all that was not withdrawn is."""
    return cache.complete(repo, out) or bool(purges.rest(repo, out, known))


def files_of(repo: Repo, out: Out, hashes: Hashes) -> dict[str, str]:
    """The files of a workspace directory that are data: path in it → md5."""
    return _counted(repo, out, hashes.folder(out.path))


def changed_files(repo: Repo, out: Out, hashes: Hashes) -> dict[str, list[str]]:
    """What changed in a directory; empty when its listing is not on this machine."""
    before = cache.members(repo, out)
    if not before or not (repo.root / out.path).is_dir():
        return {}
    now = files_of(repo, out, hashes)
    both = sorted(before.keys() & now.keys())
    gone = lacking(repo, out, hashes)
    return {
        "added": sorted(now.keys() - before.keys()),
        "modified": [name for name in both if now[name] != before[name].hash],
        "deleted": sorted(before.keys() - now.keys() - gone.keys()),
        **({"purged": sorted(gone)} if gone else {}),
    }
