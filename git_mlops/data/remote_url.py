"""Objects where they are: in a shared cache, or in the DVC remote's storage, read by DVC's filesystems.

A place is plain JSON, so that another machine can be told of it. Places of a storage hold its secrets: they
are sent to workers, and never printed.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from git_mlops.data import cache, dvc
from git_mlops.data.pointers import Out
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.git.repo import Repo

Place = dict[str, object]
"""`path`: a file of whoever reads it; with `size` and `mtime`: that very file; with `md5`: one with these
bytes; with `remote`: of the storage that these settings of DVC describe."""
_CHUNK = 8 * 1024 * 1024


def places(repo: Repo, outs: Iterable[Out], *, away: bool = True) -> dict[Out, list[Place]]:
    """Where each object may be read, the nearest first: the workspace, DVC's cache, the remote's storage.

    Everywhere its bytes must have its hash.

    Args:
        repo: whose workspace, cache and remote.
        outs: the objects.
        away: whether who reads may be on another machine; else the remote counts for what is not here alone.

    Raises:
        MlopsError: the remote cannot be described to another process, and has what is not here.
    """
    wanted = list(outs)
    where = cache.cache_dir(repo)
    found: dict[Out, list[Place]] = {}
    for out in wanted:
        files = (repo.root / out.path, cache.object_path(where, out))
        found[out] = [{"path": str(file.resolve()), **_checked(out)} for file in files]
    groups: dict[tuple[str, str | None], list[Out]] = {}
    lacking = {out for out in wanted if not any(Path(str(place["path"])).is_file() for place in found[out])}
    for out in wanted if away else lacking:
        if out.cache and out.push:
            groups.setdefault((out.algorithm, out.remote), []).append(out)
    for (algorithm, remote), some in groups.items():
        if remote is None and dvc.default_remote(repo) is None:
            continue
        try:
            store = dvc.store(repo, [out.hash for out in some], algorithm, remote)
        except MlopsError:
            if lacking.isdisjoint(some):
                continue
            raise
        for out in some:
            found[out].append(_place(store, out))
    return found


def _place(store: dvc.Store, out: Out) -> Place:
    path = {"path": store.paths[out.hash], **_checked(out)}
    return path if store.settings is None else {**path, "remote": store.settings}


def _checked(out: Out) -> Place:
    """Text hashes of DVC 2 are not those of the bytes."""
    return {"md5": out.hash.removesuffix(".dir")} if out.algorithm == "md5" else {}


def of_file(file: Path) -> Place:
    """A file of the workspace, as it is now: what stands there on another machine may be something else."""
    stat = file.stat()
    return {"path": str(file.resolve()), "size": stat.st_size, "mtime": stat.st_mtime_ns}


def members(repo: Repo, out: Out) -> dict[str, Out]:
    """The files of a directory; its listing is read from the remote's storage where the cache lacks it.

    Raises:
        MlopsError: it is in neither (exit code 3).
    """
    if cache.locate(repo, out) is not None:
        return cache.members(repo, out)
    problem = ""
    for place in places(repo, [out])[out]:
        try:
            return cache.listing(out, _checked_content(place))
        except OSError as error:
            problem = said(error)
    raise MlopsError(
        f"the listing of `{out.path}` is neither in the cache nor on the remote: {problem}",
        exit_code=CANNOT_EVALUATE,
    )


def _checked_content(place: Mapping[str, object]) -> bytes:
    content = _content(place)
    if place.get("md5", digest := hashlib.md5(content, usedforsecurity=False).hexdigest()) != digest:
        raise OSError("it has another hash than its name")
    return content


def _content(place: Mapping[str, object]) -> bytes:
    if "remote" not in place:
        return Path(str(place["path"])).read_bytes()
    with _opened(place) as content:
        return content.read()


def brought(places_: Sequence[Mapping[str, object]], folder: Path) -> Path:
    """A file with the object's bytes: the object itself where this machine sees it, else a copy in `folder`.

    Raises:
        OSError: it can be had from none of the places; the message holds no secret.
    """
    problems = []
    for place in places_:
        try:
            return _seen(place) if "remote" not in place else _copied(place, folder)
        except OSError as error:
            problems.append(said(error))
    raise OSError("; ".join(dict.fromkeys(problems)) or "nobody said where it is")


def _seen(place: Mapping[str, object]) -> Path:
    file = Path(str(place["path"]))
    stat = file.stat()
    if "mtime" in place and (stat.st_size, stat.st_mtime_ns) != (place["size"], place["mtime"]):
        raise OSError("the worker's file is not the one of the workspace")
    if "md5" in place:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, _md5).hexdigest()
        if digest != place["md5"]:
            raise OSError(f"the file of that name has other bytes, the MD5 {digest}")
    return file


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)  # DVC's name of the object, also where md5 is forbidden


def _copied(place: Mapping[str, object], folder: Path) -> Path:
    target = folder / "object"
    digest = _md5()
    with _opened(place) as source, target.open("wb") as copy:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            copy.write(chunk)
    if place.get("md5", digest.hexdigest()) != digest.hexdigest():
        raise OSError("the object in the remote's storage is damaged: it has another hash than its name")
    return target


@contextmanager
def _opened(place: Mapping[str, object]) -> Iterator[IO[bytes]]:
    """Whatever a storage's library raises is an OSError."""
    settings = place["remote"]
    assert isinstance(settings, Mapping)
    try:
        with dvc.stored(settings, str(place["path"])) as content:
            yield content
    except MlopsError as error:
        raise OSError(f"the remote's storage: {said(error)}") from error
    except Exception as error:  # each cloud's library has exceptions of its own
        raise OSError(f"the remote's storage: {said(error)}") from error


def said(error: BaseException) -> str:
    """One line, without what stands before the host in a URL."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror
    return re.sub(r"://[^/@\s]+@", "://", f"{text}")[:300]
