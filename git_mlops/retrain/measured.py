"""What metrics were measured on: two models are compared on the same held-back data, or not at all."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from git_mlops.data.pointers import Out
from git_mlops.experiments import documents
from git_mlops.experiments.documents import DocumentError
from git_mlops.experiments.tree import Trees
from git_mlops.models import objects
from git_mlops.models.objects import Pointers

_CODE = (".py", ".ipynb", ".r", ".jl", ".sh", ".sql", ".scala")


class Ground(NamedTuple):
    """What one tree's metrics stand on: path → hash."""

    data: Mapping[str, str]
    code: Mapping[str, str] = {}  # the default of a frozen tuple, never changed


def ground(trees: Trees, root: str, held_back: Sequence[str], model: str) -> Ground:
    """The held-back data of a tree.

    What mlops.yaml names; else what the stages that write metrics depend on besides the model; where there is
    no pipeline, all data.

    Args:
        model: its path: that it differs is the point.
    """
    found = objects.pointers(trees, root)
    if held_back:
        named = ((path, _hash(trees, root, path, found.outs)) for path in held_back)
        return Ground({path: hash_ for path, hash_ in named if hash_})
    depended = dict(_depended(trees, root, found))
    if not depended:
        return Ground({out.path: out.hash for out in found.own})
    depended = {p: h for p, h in depended.items() if not _within(p, model)}
    code = {path: hash_ for path, hash_ in depended.items() if path.lower().endswith(_CODE)}
    return Ground({path: hash_ for path, hash_ in depended.items() if path not in code}, code)


def difference(old: Ground, new: Ground) -> str | None:
    """Why their metrics cannot be compared; None: they can."""
    if not old.data and not new.data:
        return "nobody knows what data the metrics were measured on"
    paths = dict.fromkeys((*old.data, *new.data))
    others = [path for path in paths if old.data.get(path) != new.data.get(path)]
    if others:
        shown = ", ".join(f"`{path}`" for path in others[:3]) + (" …" if len(others) > 3 else "")
        return f"their metrics were measured on different data: {shown} is not the same"
    return None


def other_code(old: Ground, new: Ground) -> list[str]:
    """Code of the measurement that is not the same."""
    return [
        path for path in dict.fromkeys((*old.code, *new.code)) if old.code.get(path) != new.code.get(path)
    ]


def _within(path: str, model: str) -> bool:
    return path == model or path.startswith(f"{model}/") or model.startswith(f"{path}/")


def _hash(trees: Trees, root: str, path: str, outs: Sequence[Out]) -> str | None:
    for out in outs:
        if out.path == path or path.startswith(f"{out.path}/"):
            return out.hash
    entry = trees.find(root, path)
    return entry.oid if entry else None


def _depended(trees: Trees, root: str, found: Pointers) -> Iterator[tuple[str, str]]:
    """Path and hash of what stages with metrics read, as dvc.lock says."""
    for path, content in found.pipelines.items():
        stages = _mapping(_loaded(path, content), "stages")
        metric = [name for name, stage in stages.items() if isinstance(stage, Mapping) and _measures(stage)]
        lock = path.removesuffix("dvc.yaml") + "dvc.lock"
        entry = trees.find(root, lock)
        text = trees.reader.read([entry.oid])[entry.oid].content if entry else None
        locked = _mapping(_loaded(lock, text or b""), "stages")
        for name, stage in locked.items():
            own = str(name).partition("@")[0]
            if own in metric:
                yield from _deps(posixpath.dirname(path), stages[own], stage)


def _measures(stage: Mapping[object, object]) -> bool:
    return bool(_one(stage).get("metrics"))


def _one(stage: Mapping[object, object]) -> Mapping[object, object]:
    """What a stage is; of `foreach` what each of them is."""
    inner = stage.get("do")
    return inner if isinstance(inner, Mapping) else stage


def _deps(folder: str, declared: object, locked: object) -> Iterator[tuple[str, str]]:
    wdir = _one(declared).get("wdir") if isinstance(declared, Mapping) else None
    deps = locked.get("deps") if isinstance(locked, Mapping) else None
    for one in deps if isinstance(deps, list) else ():
        path = one.get("path") if isinstance(one, Mapping) else None
        if isinstance(path, str):
            place = posixpath.normpath(posixpath.join(folder, wdir if isinstance(wdir, str) else "", path))
            yield place, str(one.get("md5") or one.get("etag") or one.get("checksum") or "")


def _loaded(path: str, content: bytes) -> object:
    try:
        return documents.load(path, content)
    except DocumentError:
        return None


def _mapping(value: object, key: str) -> Mapping[str, object]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}
