"""The data a run depends on, as the pointers of a tree name it; all that is asked of `data` is asked here."""

from collections.abc import Iterable, Mapping

from git_mlops.data import pointers, workspace
from git_mlops.data.pointers import Out, PointerError
from git_mlops.experiments.key import Datum
from git_mlops.git.repo import Repo


def outs(files: Mapping[str, bytes]) -> list[Out]:
    """Outputs of the pointers among `files` (path → content); a dvc.lock comes with its dvc.yaml."""
    found: dict[Out, None] = {}
    for path, content in files.items():
        if not pointers.is_pointer(path):
            continue
        beside = path.removesuffix("dvc.lock") + "dvc.yaml"
        pipeline = files.get(beside) if path.endswith("dvc.lock") else None
        try:
            found |= dict.fromkeys(pointers.parse(path, content, pipeline).outs)
        except PointerError:
            continue  # said by the rule pointer-valid
    return list(found)


def data(files: Mapping[str, bytes]) -> list[Datum]:
    """What a run depends on: the outputs of `.dvc` files. dvc.lock names what the last run made."""
    own = {path: content for path, content in files.items() if path.endswith(".dvc")}
    return [Datum(out.path, out.algorithm, out.hash, out.size) for out in outs(own)]


def dirty(repo: Repo) -> list[str]:
    """Data files that are not what their pointers say."""
    return sorted(modified.path for modified in workspace.modified(repo))


def among(paths: Iterable[str]) -> list[str]:
    """The pointers of a tree."""
    return [path for path in paths if pointers.is_pointer(path)]
