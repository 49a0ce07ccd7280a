"""`exp apply`: an experiment into the workspace, and nothing lost by it.

The index stays as it is: what was applied shows up as unstaged changes, as after `dvc exp apply`. When
files would be overwritten whose content is in no commit and no experiment, the workspace is first recorded
as an experiment of its own (`before-apply-…`): refusing would leave the user with the same work to do by
hand, overwriting would lose it.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from git_mlops.data import follow, listing
from git_mlops.data.hashes import Hashes
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError
from git_mlops.experiments import names, read, save, snapshot
from git_mlops.experiments.layout import RUN
from git_mlops.experiments.recording import Request
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.tree import Trees
from git_mlops.git import objects
from git_mlops.git.objects import Entry
from git_mlops.git.reader import reader
from git_mlops.git.refs import Ref
from git_mlops.git.repo import Repo, head

_LINK = "120000"
_SUBMODULE = "160000"


class Applied(NamedTuple):
    """What was done."""

    name: str
    written: tuple[str, ...]
    deleted: tuple[str, ...]
    saved: str | None
    """The experiment that holds what was in the workspace before, when it was nowhere else."""
    missing_data: tuple[str, ...] = ()
    """Data whose objects are not on this machine."""
    kept_data: tuple[str, ...] = ()
    """Data that changed and was not added: left alone."""
    older: tuple[str, ...] = ()
    """Files that changed since its baseline, and not in the experiment: they are as it saw them."""
    commit: str = ""
    """The experiment's."""
    key: str | None = None
    """Its content key; None for experiments of DVC."""
    without: tuple[str, ...] = ()
    """Directories of data that lack what was withdrawn."""


class _Change(NamedTuple):
    write: tuple[Entry, ...]
    delete: tuple[str, ...]
    lost: tuple[str, ...]
    """Paths whose content is not HEAD's and would be replaced."""
    older: tuple[str, ...]
    """Paths that go back to the baseline's version."""


Files = dict[str, tuple[str, str]]
"""Path → mode and blob id."""


def apply(repo: Repo, name: str, settings: Settings, data: DataSettings) -> Applied:
    """Bring an experiment's files into the workspace, and the data they point to.

    Raises:
        MlopsError: no such experiment, or files in the way that git does not see.
    """
    ref = read.pick(repo, [name])[0]
    taken = snapshot.take(repo, data)
    wanted, base, now, tip = _sides(repo, ref, taken.tree)
    change = _planned(_without_settings(wanted, base, now), base, now, tip)
    _refuse_unseen(repo, change, now)
    saved = None
    if change.lost and not _recorded(repo, taken.tree):
        label = f"{names.SNAPSHOT}{ref.oid[:7]}"
        said = f"the workspace before `{name}` was applied"
        saved = save.save(repo, Request(label, said, late=True), settings, data).name
    _write(repo, change)
    # also what somebody deleted, or another run made of it while its pointer was the same
    data_ = follow.follow(repo, again={out.path for out in listing.in_workspace(repo)}, parts=True)
    paths = tuple(sorted(entry.path for entry in change.write))
    name_ = ref.name.rpartition("/")[2]
    with reader(repo) as objects_:
        key = read.commits(objects_, [ref.oid])[ref.oid].message.key
    missing, kept, part = tuple(data_.missing), tuple(data_.kept), tuple(data_.parts)
    return Applied(name_, paths, change.delete, saved, missing, kept, change.older, ref.oid, key, part)


def _sides(repo: Repo, ref: Ref, workspace: str) -> tuple[Files, Files, Files, Files]:
    """Files of the experiment, of what it started from, of the workspace, of HEAD."""
    place = names.parse_ref(ref.name)
    assert place
    tip = head(repo) or place.baseline
    with reader(repo) as answers:
        known = read.commits(answers, [ref.oid, place.baseline, tip])
        trees = Trees(answers)
        roots = [known[oid].tree if oid in known else None for oid in (ref.oid, place.baseline, tip)]
        found = [_files(trees, root) for root in (*roots[:2], workspace, roots[2])]
    return found[0], found[1], found[2], found[3]


def _files(trees: Trees, root: str | None) -> Files:
    if root is None:
        return {}  # not here: a shallow clone
    trees.load([root])
    return {
        entry.path: (entry.mode, entry.oid)
        for entry in trees.files(root)
        if not entry.path.startswith(RUN) and entry.mode != _SUBMODULE
    }


def _without_settings(wanted: Files, base: Files, now: Files) -> Files:
    """Settings of tools stay as they are now where the experiment left them alone: no part of its result."""
    own = {
        path
        for path in (*wanted, *now)
        if _SETTINGS.fullmatch(path) and (not base or wanted.get(path) == base.get(path))
    }
    kept = {path: now[path] for path in own if path in now}
    return {path: found for path, found in wanted.items() if path not in own} | kept


_SETTINGS = re.compile(
    r"mlops\.yaml|\.dvc/(?:config|\.gitignore)|(?:.*/)?\.(?:git|dvc)ignore|(?:.*/)?\.gitattributes"
)


def _planned(wanted: Files, base: Files, now: Files, tip: Files) -> _Change:
    write = [Entry(*found, path) for path, found in wanted.items() if now.get(path) != found]
    delete = sorted(path for path in base if path not in wanted and path in now)
    touched = {*delete, *(entry.path for entry in write)}
    touched |= {path for path in now if any(path.startswith(entry.path + "/") for entry in write)}
    touched |= {parent for entry in write for parent in _parents(entry.path) if parent in now}
    lost = sorted(path for path in touched if path in now and now[path] != tip.get(path))
    older = sorted(p for p in touched if p in base and wanted.get(p) == base[p] and tip.get(p) != base[p])
    return _Change(tuple(write), tuple(delete), tuple(lost), tuple(older))


def _parents(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts)))


def _refuse_unseen(repo: Repo, change: _Change, now: Files) -> None:
    """Ignored and left-out files are in no snapshot: they must not be overwritten without another copy."""
    found = ((entry, path) for entry in change.write for path in _in_the_way(repo, entry.path, now))
    with Hashes(repo) as hashes:
        unseen = sorted(
            {
                path
                for entry, path in found
                if not _same(repo, entry, path) and not _cached(repo, path, hashes)
            }
        )
    if unseen:
        shown = ", ".join(f"`{path}`" for path in unseen[:5]) + (" …" if len(unseen) > 5 else "")
        raise MlopsError(
            f"{shown} would be overwritten, and git does not see what is in it (ignored, or too large)",
            hint="move it away, then apply again",
        )


def _same(repo: Repo, entry: Entry, path: str) -> bool:
    """Whether the file has the very bytes that would be written over it."""
    file = repo.root / path
    return (
        path == entry.path and not file.is_symlink() and objects.blob_id(repo, file.read_bytes()) == entry.oid
    )


def _cached(repo: Repo, path: str, hashes: Hashes) -> bool:
    return not (repo.root / path).is_symlink() and follow.safe(repo, path, hashes)


def _in_the_way(repo: Repo, path: str, now: Files) -> Iterator[str]:
    for parent in _parents(path):
        file = repo.root / parent
        if parent not in now and (file.is_symlink() or file.is_file()):
            yield parent
    file = repo.root / path
    if path not in now and (file.is_symlink() or file.is_file()):
        yield path
    elif file.is_dir() and not file.is_symlink():
        inner = (Path(folder, name) for folder, _dirs, files in os.walk(file) for name in files)
        yield from (p for f in inner if (p := f.relative_to(repo.root).as_posix()) not in now)


def _recorded(repo: Repo, workspace: str) -> bool:
    """Whether an experiment holds exactly this workspace."""
    found = read.all_refs(repo)
    with reader(repo) as answers:
        trees = Trees(answers)
        known = read.commits(answers, (ref.oid for ref in found))
        answers.trees([commit.tree for commit in known.values()])
        own = _without_run(trees, workspace)
        return any(_without_run(trees, commit.tree) == own for commit in known.values())


def _without_run(trees: Trees, root: str) -> dict[str, Entry]:
    found = dict(trees.entries(root))
    if ".mlops" in found:
        inner = {
            name: entry for name, entry in trees.entries(found.pop(".mlops").oid).items() if name != "run"
        }
        found |= {f".mlops/{name}": entry for name, entry in inner.items()}
    return found


def _write(repo: Repo, change: _Change) -> None:
    for path in change.delete:
        _delete(repo, path)
    if not change.write:
        return
    lines = "".join(f"{e.mode} {e.oid}\t{e.path}\0" for e in change.write)
    paths = "".join(f"{e.path}\0" for e in change.write)
    with objects.scratch_index(repo) as index:
        # git refuses `..` and `.git` here, and writes through no symbolic link
        stdin = lines.encode("utf-8", "surrogateescape")
        repo.git("update-index", "-z", "--add", "--index-info", stdin=stdin, index=index)
        stdin = paths.encode("utf-8", "surrogateescape")
        repo.git("checkout-index", "-f", "-q", "-z", "--stdin", stdin=stdin, index=index)


def _delete(repo: Repo, path: str) -> None:
    if any((repo.root / parent).is_symlink() for parent in _parents(path)):
        return
    file = repo.root / path
    file.unlink(missing_ok=True)
    for parent in reversed(list(_parents(path))):
        try:
            (repo.root / parent).rmdir()
        except OSError:
            return
