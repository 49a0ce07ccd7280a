"""The bytes of a registered model in a private directory, each file verified against what git names.

`<git common directory>/mlops/models/<hash>/<name>`: rebuildable, safe to delete while nothing serves from it.
The workspace is neither read nor written.
"""

import hashlib
import os
import posixpath
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from git_mlops.data import cache, hashes, purges, transfer
from git_mlops.data.pointers import Out
from git_mlops.errors import CANNOT_EVALUATE, FINDINGS, MlopsError
from git_mlops.experiments.tree import Trees
from git_mlops.git.objects import blob_id, read_blobs
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo
from git_mlops.models import objects
from git_mlops.models.objects import ModelObject, Pointers
from git_mlops.registry.read import Version

_FOLDER, _PLAIN = "40000", ("100644", "100755")


class Placed(NamedTuple):
    """A model on this machine."""

    path: Path
    """Its file or directory."""
    model: ModelObject
    """What the commit's tree names."""
    told: bool
    """Whether the tag says the same; False where it says nothing (GTO or git registered it)."""


class _Part(NamedTuple):
    """One file of it."""

    algorithm: str
    hash: str
    source: Path | None
    """In DVC's cache; None: an object of git."""


def bring(repo: Repo, version: Version) -> Placed:
    """The model of a version; downloaded where it is not on this machine.

    Raises:
        MlopsError: it is nowhere (3); it is not what the tag says, or its bytes are damaged (1).
    """
    _here(repo, version)
    with reader(repo) as git:
        trees = Trees(git)
        root = repo.text("rev-parse", f"{version.commit}^{{tree}}")
        found = objects.pointers(trees, root)
        said = version.facts.get("object")
        path = said.get("path") if isinstance(said, Mapping) else None
        path = path if isinstance(path, str) else objects.chosen(version.name, None, None, found)
        out = _pointer(found, path)
        if out is not None:
            _fetched(repo, out, version)
        model = objects.locate(repo, trees, root, path, found.outs)
        _refuse_other(version, said, model, out)
        parts = _of_git(trees, root, path) if out is None else _of_cache(repo, out, path)
    return Placed(_placed(repo, model, parts), model, isinstance(said, Mapping))


def _here(repo: Repo, version: Version) -> None:
    kind = repo.text("cat-file", "-t", version.commit, ok=(0, 128))
    if kind != "commit":
        raise MlopsError(
            f"the commit of {version.name} {version.version} is not in this clone",
            hint=f"`git fetch origin tag '{version.tag}'`",
            exit_code=CANNOT_EVALUATE,
        )


def _pointer(found: Pointers, path: str) -> Out | None:
    exact = next((out for out in found.outs if out.path == path), None)
    within = (out for out in found.outs if out.is_dir and path.startswith(f"{out.path}/"))
    return exact or next(within, None)


def _fetched(repo: Repo, out: Out, version: Version) -> None:
    if cache.complete(repo, out):
        return
    lacking = f"the model of {version.name} {version.version} (`{out.path}`) is not on this machine"
    try:
        missing = transfer.pull(repo, [out]).missing
    except MlopsError as error:
        raise MlopsError(f"{lacking}: {error}", hint=error.hint, exit_code=CANNOT_EVALUATE) from error
    if gone := purges.of_outs(repo, [out]).get(out):
        raise MlopsError(f"{lacking}: {gone.sentence()}", exit_code=CANNOT_EVALUATE)
    if missing or not cache.complete(repo, out):
        hint = "`git mlops push` on the machine that has it"
        raise MlopsError(f"{lacking}, and not on the DVC remote", hint=hint, exit_code=CANNOT_EVALUATE)


def _refuse_other(version: Version, said: object, model: ModelObject, out: Out | None) -> None:
    """The tree may not name other bytes than the tag does."""
    if not isinstance(said, Mapping):
        return
    known = {model.hash, out.hash} if out is not None and model.within else {model.hash}
    if said.get("hash") not in known:
        raise MlopsError(
            f"the tag `{version.tag}` says that the model is {said.get('hash')}, its commit {model.hash}",
            hint=f"`git mlops model verify {version.name}@{version.version}`",
            exit_code=FINDINGS,
        )


def _of_cache(repo: Repo, out: Out, path: str) -> dict[str, _Part]:
    """Path below the model (empty for a single file) → the file."""
    where = cache.cache_dir(repo)
    if not out.is_dir:
        return {"": _Part(out.algorithm, out.hash, cache.object_path(where, out))}
    listed = cache.members(repo, out)
    if hashes.md5_folder({name: one.hash for name, one in listed.items()}) != out.hash:
        raise MlopsError(
            f"the cached listing {out.hash} of `{out.path}` is damaged",
            hint=f"remove it from the cache, then `git mlops pull {out.path}`",
            exit_code=FINDINGS,
        )
    below = path.removeprefix(out.path).lstrip("/")
    parts = {
        posixpath.relpath(name, below or "."): _Part(one.algorithm, one.hash, cache.object_path(where, one))
        for name, one in listed.items()
        if not below or name == below or name.startswith(f"{below}/")
    }
    return {"": parts["."]} if [*parts] == ["."] else parts


def _of_git(trees: Trees, root: str, path: str) -> dict[str, _Part]:
    parts = {}
    for entry in trees.files(root, path):
        if entry.mode not in _PLAIN:
            raise MlopsError(f"`{entry.path}` is a link or a submodule: a model must be made of plain files")
        parts[entry.path.removeprefix(path).lstrip("/")] = _Part("git-blob", entry.oid, None)
    return parts


def _placed(repo: Repo, model: ModelObject, parts: Mapping[str, _Part]) -> Path:
    base = repo.private / "models" / _key(model)
    target = base / posixpath.basename(model.path)
    if target.exists() and _damaged(repo, target, parts) is None:
        return target
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=base) as folder:
        made = Path(folder, target.name)
        _write(repo, made, parts)
        if (bad := _damaged(repo, made, parts)) is not None:
            raise MlopsError(
                f"the object of `{posixpath.join(model.path, bad).rstrip('/')}` is damaged:"
                " its bytes are not those that its hash names",
                hint="remove it from DVC's cache, then `git mlops pull`",
                exit_code=FINDINGS,
            )
        _move(repo, made, target, parts, Path(folder, "old"))
    return target


def _key(model: ModelObject) -> str:
    name = model.hash.removesuffix(".dir")
    if model.within is None:
        return name
    return f"{name}-{hashlib.sha256(model.path.encode()).hexdigest()[:8]}"


def _move(repo: Repo, made: Path, target: Path, parts: Mapping[str, _Part], old: Path) -> None:
    """Into its place; another process may have been quicker."""
    try:
        if target.exists():
            target.rename(old)
        made.rename(target)
    except OSError:
        if not target.exists() or _damaged(repo, target, parts) is not None:
            raise


def _write(repo: Repo, made: Path, parts: Mapping[str, _Part]) -> None:
    blobs = read_blobs(repo, [part.hash for part in parts.values() if part.source is None])
    for name, part in parts.items():
        file = made / name if name else made
        file.parent.mkdir(parents=True, exist_ok=True)
        if part.source is None:
            file.write_bytes(blobs.get(part.hash, b""))
            continue
        try:
            os.link(part.source, file)  # DVC's objects are read-only: the same bytes twice would be a waste
        except OSError:
            shutil.copyfile(part.source, file)


def _damaged(repo: Repo, made: Path, parts: Mapping[str, _Part]) -> str | None:
    """The first file that is not what its hash names (empty for a model of one file); None: all is well."""
    there = {""} if made.is_file() else set(hashes.walk(made))
    odd = sorted(there ^ set(parts))
    if odd:
        return odd[0]
    return next((name for name, part in parts.items() if not _same(repo, made / name, part)), None)


def _same(repo: Repo, file: Path, part: _Part) -> bool:
    if file.is_symlink() or not file.is_file():
        return False
    if part.algorithm == "git-blob":
        return blob_id(repo, file.read_bytes()) == part.hash
    if hashes.md5(file) == part.hash:
        return True
    return part.algorithm == "md5-dos2unix" and hashes.md5_text(file) == part.hash
