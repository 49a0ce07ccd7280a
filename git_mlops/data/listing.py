"""All pointers of a state of the project, in one process."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from git_mlops.data import pointers
from git_mlops.data.pointers import Out, PointerError
from git_mlops.git import objects
from git_mlops.git.repo import Repo


def in_tree(repo: Repo, treeish: str) -> dict[Out, str]:
    """What the pointers of a commit or tree name (each with its pointer's path)."""
    entries = objects.tree_entries(repo, treeish)
    return of_blobs(repo, {e.path: e.oid for e in entries if wanted(e.path)})


def in_index(repo: Repo) -> dict[Out, str]:
    """What the pointers of the index name."""
    entries = objects.index_entries(repo)
    return of_blobs(repo, {e.path: e.oid for e in entries if wanted(e.path)})


def in_workspace(repo: Repo, *, unreadable: list[PointerError] | None = None) -> dict[Out, str]:
    """What the pointers on disk name, also those that git does not track yet.

    Args:
        unreadable: gets what is wrong with pointers that cannot be read.
    """
    listed = repo.paths(
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "--deduplicate",
        "--",
        *pointers.PATHSPECS,
    )
    files = {path: content for path in listed if (content := on_disk(repo.root / path)) is not None}
    locks = [path for path in files if path.endswith("dvc.lock")]
    beside = {pipeline_of(path): on_disk(repo.root / pipeline_of(path)) for path in locks}
    beside_ = {path: content for path, content in beside.items() if content is not None}
    return outs(files | beside_, unreadable=unreadable)


def of_blobs(repo: Repo, files: Mapping[str, str]) -> dict[Out, str]:
    """What pointers name that are given as path → blob id (with the dvc.yaml of each dvc.lock)."""
    contents = objects.read_blobs(repo, files.values())
    return outs({path: contents[oid] for path, oid in files.items() if oid in contents})


def outs(files: Mapping[str, bytes], *, unreadable: list[PointerError] | None = None) -> dict[Out, str]:
    """What the pointers among the files (path → content) name; one that cannot be read names nothing here."""
    found: dict[Out, str] = {}
    for path, content in files.items():
        if not pointers.is_pointer(path):
            continue
        try:
            pointer = pointers.parse(path, content, files.get(pipeline_of(path)))
        except PointerError as error:
            if unreadable is not None:  # else said by the rule pointer-valid
                unreadable.append(error)
            continue
        found |= dict.fromkeys(pointer.outs, path)
    return found


def wanted(path: str) -> bool:
    """Whether the file is a pointer, or the dvc.yaml that a dvc.lock is read with."""
    return pointers.is_pointer(path) or path.rpartition("/")[2] == "dvc.yaml"


def pipeline_of(path: str) -> str:
    """The dvc.yaml beside a dvc.lock; for any other pointer a path that does not exist."""
    return path.removesuffix("dvc.lock") + "dvc.yaml"


def kept(found: Iterable[Out]) -> list[Out]:
    """Those whose objects DVC keeps and may send to a remote."""
    return [out for out in found if out.cache and out.push]


def on_disk(path: Path) -> bytes | None:
    """The content of a regular file, or None."""
    try:
        return None if path.is_symlink() else path.read_bytes()
    except OSError:
        return None
