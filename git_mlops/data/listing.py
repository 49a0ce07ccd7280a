"""All pointers of a state of the project, in one process."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from git_mlops.data import pointers
from git_mlops.data.pointers import Out, PointerError
from git_mlops.git.repo import Repo


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
