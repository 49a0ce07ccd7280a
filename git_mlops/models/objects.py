"""Which file of a tree is the model, and what names its bytes: a pointer's object, or a blob of git."""

import posixpath
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from git_mlops.data import cache, modelnames
from git_mlops.data.pointers import Out
from git_mlops.errors import MlopsError
from git_mlops.experiments import documents, inputs
from git_mlops.experiments.documents import DocumentError
from git_mlops.experiments.layout import RUN
from git_mlops.experiments.tree import Trees
from git_mlops.git.repo import Repo


class ModelObject(NamedTuple):
    """The bytes of a model, by what names them."""

    path: str
    algorithm: str
    """`md5` or `md5-dos2unix`, an object of DVC; `git-blob` or `git-tree`, an object of git."""
    hash: str
    size: int | None = None
    nfiles: int | None = None
    within: str | None = None
    """The directory that DVC tracks, where `path` is a part of it whose own hash is not known here."""

    def to_json(self) -> dict[str, object]:
        """For the facts: what is not known is left out."""
        return {name: value for name, value in self._asdict().items() if value is not None}


class Pointers(NamedTuple):
    """What the pointers of a tree name."""

    outs: tuple[Out, ...]
    own: tuple[Out, ...]
    """Those of `.dvc` files alone: what runs depend on, no outputs of stages or of the run."""
    pipelines: Mapping[str, bytes]
    plain: tuple[str, ...] = ()
    """Files in git itself that are named like models."""
    paths: frozenset[str] = frozenset()
    """Every path that names something: files, directories, outputs."""


def pointers(trees: Trees, root: str) -> Pointers:
    """Read them."""
    found = inputs.files(trees, root)
    own = {p: content for p, content in found.items() if p.endswith(".dvc") and not p.startswith(RUN)}
    pipelines = {p: content for p, content in found.items() if p.rpartition("/")[2] == "dvc.yaml"}
    outs = tuple(inputs.outs(found))
    files = [entry.path for entry in trees.files(root) if entry.mode in ("100644", "100755")]
    plain = tuple(path for path in files if _model_like(path) and not path.startswith(".mlops/"))
    folders = (path[:at] for path in files for at, letter in enumerate(path) if letter == "/")
    paths = frozenset((*files, *folders, *(out.path for out in outs)))
    return Pointers(outs, tuple(inputs.outs(own)), pipelines, plain, paths)


def chosen(name: str, given: str | None, before: str | None, found: Pointers) -> str:
    """The repository path of the model.

    What was asked for; else what `artifacts:` of dvc.yaml says of this name; else the path of the version
    before; else the only output, or the only file of git, that is named like a model or was logged as one.

    Raises:
        MlopsError: it cannot be told.
    """
    if given is not None:
        return posixpath.normpath(given)
    if (declared := _declared(name, found.pipelines)) is not None:
        return declared
    if before is not None and before in found.paths:
        return before
    likely = [out.path for out in found.outs if _model_like(out.path)] or [*found.plain]
    if len(likely) == 1:
        return likely[0]
    raise MlopsError(
        f"which file is the model `{name}`?",
        hint=f"`--path FILE`{_one_of(likely or [out.path for out in found.outs])}; or in dvc.yaml:"
        f" `artifacts: {{{name.rpartition(':')[2]}: {{path: FILE, type: model}}}}`",
    )


def _one_of(paths: Sequence[str]) -> str:
    return f", one of {', '.join(f'`{path}`' for path in paths[:5])}" if paths else ""


_MORE = (".onnx", ".safetensors", ".gguf", ".tflite", ".cbm", ".mlmodel", ".pmml", ".ubj")


def _model_like(path: str) -> bool:
    if path.startswith(f"{RUN}models/"):
        return True  # logged through MLflow
    array = path.lower().endswith((".npy", ".npz"))
    return (modelnames.certainly(path) and not array) or path.lower().endswith(_MORE)


def _declared(name: str, pipelines: Mapping[str, bytes]) -> str | None:
    """DVC's own place for it: `artifacts: {NAME: {path: …}}` in the dvc.yaml of the model's directory."""
    folder, _, short = name.rpartition(":")
    content = pipelines.get(posixpath.join(folder, "dvc.yaml"))
    try:
        value = documents.load("dvc.yaml", content) if content is not None else None
    except DocumentError:
        return None
    artifacts = value.get("artifacts") if isinstance(value, Mapping) else None
    one = artifacts.get(short) if isinstance(artifacts, Mapping) else None
    path = one.get("path") if isinstance(one, Mapping) else None
    return posixpath.normpath(posixpath.join(folder, path)) if isinstance(path, str) else None


def locate(repo: Repo, trees: Trees, root: str, path: str, outs: Sequence[Out]) -> ModelObject:
    """The object at a path of a tree.

    Raises:
        MlopsError: there is none.
    """
    for out in outs:
        if out.path == path:
            return ModelObject(path, out.algorithm, out.hash, out.size, out.nfiles)
        if path.startswith(f"{out.path}/") and out.is_dir:
            return _member(repo, out, path)
    entry = trees.find(root, path)
    if entry is None:
        raise MlopsError(
            f"there is no model at `{path}`: neither a pointer nor a file of that commit",
            hint=f"`git mlops add {path}`, or let a stage of dvc.yaml make it; then record or commit it",
        )
    if entry.mode == "40000":
        return ModelObject(path, "git-tree", entry.oid, nfiles=sum(1 for _file in trees.files(root, path)))
    size = len(blob) if (blob := _blob(trees, entry.oid)) is not None else None
    return ModelObject(path, "git-blob", entry.oid, size)


def _blob(trees: Trees, oid: str) -> bytes | None:
    found = trees.reader.read([oid]).get(oid)
    return found.content if found else None


def _member(repo: Repo, out: Out, path: str) -> ModelObject:
    """A file of a tracked directory by its own hash; any other part by the directory's."""
    listed = cache.members(repo, out)
    one = listed.get(path.removeprefix(f"{out.path}/"))
    if one is not None:
        file = cache.locate(repo, one)
        size = file.stat().st_size if file else None
        return ModelObject(path, one.algorithm, one.hash, size, within=out.path)
    if listed and not any(member.path.startswith(f"{path}/") for member in listed.values()):
        raise MlopsError(f"there is no `{path}` in the tracked directory `{out.path}`")
    return ModelObject(path, out.algorithm, out.hash, within=out.path)


def beside(
    repo: Repo, trees: Trees, root: str, model: ModelObject, outs: Sequence[Out], name: str
) -> bytes | None:
    """A small file in the model's directory, or beside the model's file; None where it is not at hand."""
    for path in (f"{model.path}/{name}", posixpath.join(posixpath.dirname(model.path), name)):
        entry = trees.find(root, path)
        if entry is not None and entry.mode in ("100644", "100755"):
            return _blob(trees, entry.oid)
        for out in outs:
            if path.startswith(f"{out.path}/") and out.is_dir:
                member = cache.members(repo, out).get(path.removeprefix(f"{out.path}/"))
                file = cache.locate(repo, member) if member else None
                if file is not None and file.stat().st_size <= _SMALL:
                    return file.read_bytes()
    return None


_SMALL = 1 << 20
