"""The data on disk against the pointers on disk."""

from typing import Literal, NamedTuple

from git_mlops.data import cache, listing
from git_mlops.data.hashes import Hashes, md5_folder, md5_text
from git_mlops.data.pointers import Out
from git_mlops.git.repo import Repo

State = Literal["same", "modified", "missing"]


class Modified(NamedTuple):
    """Data whose bytes are not what its pointer says."""

    path: str
    pointer: str
    out: Out


def modified(repo: Repo) -> list[Modified]:
    """Changed and not added. Data that is not there at all is not changed; what git itself holds is git's."""
    found = listing.in_workspace(repo)
    with Hashes(repo) as hashes:
        states = {out: state(repo, out, hashes) for out in found if out.cache}
    return [Modified(out.path, found[out], out) for out, it in states.items() if it == "modified"]


def state(repo: Repo, out: Out, hashes: Hashes) -> State:
    """How the workspace's file or directory compares with the object; only what changed on disk is hashed."""
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
    legacy, ignoring = out.algorithm == "md5-dos2unix", _ignores(repo)
    if not legacy and not ignoring:
        return False
    # with .dvcignore, and only then, the listing decides: what is more on disk may be what is ignored
    listed = cache.members(repo, out)
    same = all(
        found.get(name) == member.hash
        or (legacy and name in found and md5_text(repo.root / member.path) == member.hash)
        for name, member in listed.items()
    )
    return bool(listed) and same and (ignoring or len(found) == len(listed))


def _ignores(repo: Repo) -> bool:
    """Whether any .dvcignore has a pattern."""
    files = repo.paths("ls-files", "-z", "--", ":(glob)**/.dvcignore")
    lines = [line for file in files for line in (listing.on_disk(repo.root / file) or b"").splitlines()]
    return any(line.strip() and not line.startswith(b"#") for line in lines)


class Status(NamedTuple):
    """What `git mlops status` shows of one output."""

    path: str
    pointer: str
    state: Literal["modified", "deleted", "not here"]


def status(repo: Repo) -> list[Status]:
    """Every output that is not as its pointer says: changed, deleted, or never downloaded."""
    found = listing.in_workspace(repo)
    rows: list[Status] = []
    with Hashes(repo) as hashes:
        for out, pointer in found.items():
            it = state(repo, out, hashes) if out.cache else "same"
            if it == "modified":
                rows.append(Status(out.path, pointer, "modified"))
            elif it == "missing":
                here = cache.complete(repo, out)
                rows.append(Status(out.path, pointer, "deleted" if here else "not here"))
    return sorted(rows)
