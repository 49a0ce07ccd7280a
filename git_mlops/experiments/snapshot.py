"""The project as it is, as a git tree: made in a scratch index, so that the user's own index stays as it is.

Untracked files over the size limit are left out and reported; everything else that git does not ignore is
in: dirty, deleted and untracked files, modes, symlinks, `.dvc/`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.git import objects
from git_mlops.git.objects import Entry
from git_mlops.git.repo import Repo
from git_mlops.patterns import matches

RUN_FOLDER = ".mlops/run"


class Large(NamedTuple):
    """An untracked file that was left out."""

    path: str
    size: int


class Snapshot(NamedTuple):
    """A tree in the object store; nothing refers to it yet."""

    tree: str
    left_out: tuple[Large, ...]
    changed: tuple[str, ...] = ()
    """Paths of `keep` that were something else in the workspace."""


def take(repo: Repo, settings: DataSettings, *, keep: Iterable[Entry] = ()) -> Snapshot:
    """Store the workspace as a tree, without `.mlops/run`.

    Args:
        keep: entries that the tree shall hold whatever the workspace says now.
    """
    too_large = large(repo, settings)
    with objects.scratch_index(repo, start=repo.git_dir / "index") as index:
        pathspecs = [":/", *(f":(top,exclude,literal){path}" for path, _size in too_large)]
        stdin = "".join(f"{text}\0" for text in pathspecs).encode("utf-8", "surrogateescape")
        repo.git(
            "-c", "advice.addEmbeddedRepo=false", "-c", "core.safecrlf=false",
            "add", "-A", "--pathspec-from-file=-", "--pathspec-file-nul", stdin=stdin, index=index,
        )  # fmt: skip
        if (repo.root / RUN_FOLDER).exists():
            repo.git("rm", "-r", "-q", "--cached", "--ignore-unmatch", "--", RUN_FOLDER, index=index)
        changed = _restore(repo, index, keep)
        return Snapshot(objects.write_tree(repo, index), tuple(too_large), changed)


def _restore(repo: Repo, index: Path, keep: Iterable[Entry]) -> tuple[str, ...]:
    """Put entries back as they were; returns the paths where that made a difference."""
    wanted = list(keep)
    if not wanted:
        return ()
    present = set(repo.paths("ls-files", "-s", "-z", index=index))
    lost = [entry for entry in wanted if f"{entry.mode} {entry.oid} 0\t{entry.path}" not in present]
    stdin = "".join(f"{e.mode} {e.oid}\t{e.path}\0" for e in lost).encode("utf-8", "surrogateescape")
    repo.git("update-index", "-z", "--add", "--replace", "--index-info", stdin=stdin, index=index)
    return tuple(sorted(entry.path for entry in lost))


def large(repo: Repo, settings: DataSettings) -> list[Large]:
    """Untracked files over the size limit."""
    found = []
    for path in repo.paths("ls-files", "-z", "--others", "--exclude-standard"):
        try:
            size = (repo.root / path).lstat().st_size
        except OSError:
            continue
        if size > settings.size_limit and not matches(path, settings.allow):
            found.append(Large(path, size))
    return found


def with_files(
    repo: Repo, root: Mapping[str, Entry], inner: Mapping[str, Entry], files: Mapping[str, bytes]
) -> str:
    """The tree whose direct entries are `root`, with `files` as the content of `.mlops/run/`.

    The cost does not grow with the project: only the trees on the way are written.

    Args:
        inner: the direct entries of `.mlops`, if the project has any of its own.
        files: by path below `.mlops/run`.
    """
    oids = dict(zip(files, objects.write_blobs(repo, list(files.values())), strict=True))
    trees: list[bytes] = []

    def tree(entries: Iterable[Entry]) -> str:
        lines, oid = objects.tree_text(repo, entries)
        trees.append(lines)
        return oid

    def folder(files_: Mapping[str, str]) -> str:
        entries, below = [], dict[str, dict[str, str]]()
        for name, oid in files_.items():
            first, _, rest = name.partition("/")
            if rest:
                below.setdefault(first, {})[rest] = oid
            else:
                entries.append(Entry("100644", oid, first))
        return tree([*entries, *(Entry("40000", folder(inner_), name) for name, inner_ in below.items())])

    run = Entry("40000", folder(oids), "run")
    own = Entry("40000", tree([*(e for n, e in inner.items() if n != "run"), run]), ".mlops")
    whole = tree([*(entry for name, entry in root.items() if name != ".mlops"), own])
    objects.write_trees(repo, trees)
    return whole
