"""What a run logged as artifacts: a pointer among the run's files, or, without DVC, the files themselves."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from git_mlops.data import cache, dvc, pointers, stored
from git_mlops.data.hashes import walk
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo


def files(repo: Repo, folder: Path | None, limit: int) -> tuple[dict[str, bytes], list[str]]:
    """Files of `.mlops/run/` for a folder of artifacts, and notes on what was left out.

    Whatever happens to the artifacts, the run is recorded.

    Args:
        limit: bytes of the largest file that goes into git, where there is no DVC.
    """
    if folder is None:
        return {}, []
    try:
        if not dvc.initialised(repo):
            return _plain(folder, limit)
        done = stored.keep(repo, folder)
        return ({"artifacts.dvc": done.pointer("artifacts")} if done else {}), []
    except OSError as error:
        return {}, [f"the artifacts could not be kept: {error.strerror or error}"]


def _plain(folder: Path, limit: int, base: str = "artifacts") -> tuple[dict[str, bytes], list[str]]:
    made: dict[str, bytes] = {}
    notes = []
    for name in sorted(walk(folder)):
        file = folder / name
        if file.is_symlink() or not file.is_file():
            continue
        if file.stat().st_size > limit:
            size = f"{file.stat().st_size / 2**20:.1f} MiB"
            notes.append(f"the artifact `{name}` ({size}) was left out: git is no place for it without DVC")
        else:
            made[f"{base}/{name}"] = file.read_bytes()
    return made, notes


def added(
    repo: Repo, folder: Path, name: str, files_: Mapping[str, bytes], limit: int
) -> tuple[dict[str, bytes], list[str]]:
    """Files of `.mlops/run/` for a folder that comes to what is there already (`<name>.dvc`, or plain).

    Raises:
        MlopsError: what is there already is not on this machine, or a file cannot be kept.
    """
    if not folder.is_dir() or not any(True for _name in walk(folder)):
        return {}, []
    pointer = files_.get(f"{name}.dvc")
    if pointer is None and not dvc.initialised(repo):
        return _plain(folder, limit, name)
    try:
        done = stored.keep(repo, folder)
    except OSError as error:
        raise MlopsError(f"the artifacts could not be kept: {error.strerror or error}") from error
    if done is None:
        return {}, []
    path = name.rpartition("/")[2]
    if pointer is None:
        return {f"{name}.dvc": done.pointer(path)}, []
    (old,), (new,) = (pointers.parse(f"{path}.dvc", text).outs for text in (pointer, done.pointer(path)))
    if not cache.complete(repo, old):
        raise MlopsError(
            "the run's earlier artifacts are not on this machine: nothing can be added to them",
            hint="`git mlops exp pull` brings them",
        )
    members = {**cache.members(repo, old), **cache.members(repo, new)}
    hash_ = stored.keep_listing(repo, {inner: out.hash for inner, out in members.items()})
    size = sum(cache.object_path(cache.cache_dir(repo), out).stat().st_size for out in members.values())
    return {f"{name}.dvc": stored.Stored(hash_, size, len(members)).pointer(path)}, []


def models(folder: Path | None) -> list[tuple[str, Path]]:
    """The folders of logged models, with the names that they have among the run's files."""
    if folder is None or not folder.is_dir():
        return []
    return [(f"models/{one.name}", one) for one in sorted(folder.iterdir()) if one.is_dir()]


def name_objects(found: Iterable[dict[str, Any]], files_: Mapping[str, bytes]) -> None:
    """Say of each model which object of DVC's cache it is: what a registry names."""
    for model in found:
        pointer = files_.get(f"models/{model.get('model_id')}.dvc")
        if pointer and (hash_ := re.search(rb"md5: ([0-9a-f]{32}\.dir)", pointer)):
            model["object"] = f"md5:{hash_[1].decode()}"


def with_models(
    repo: Repo, folder: Path | None, limit: int, facts: Mapping[str, Any]
) -> tuple[dict[str, bytes], list[str]]:
    """Files of `.mlops/run/` for the models that a run logged; whatever happens to them, it is recorded."""
    made: dict[str, bytes] = {}
    notes: list[str] = []
    for name, where in models(folder):
        try:
            found, said = added(repo, where, name, {}, limit)
        except MlopsError as error:
            found, said = {}, [str(error)]
        made |= found
        notes += said
    name_objects(facts.get("models", ()), made)
    return made, notes
