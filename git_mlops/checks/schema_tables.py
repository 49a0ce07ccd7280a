"""Directories that mlops.yaml binds to a schema: all that the checked state has below them is one table.

Where a file or an object of such a directory is new, the whole table is looked at: a key may repeat across.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from git_mlops.checks.context import Context
from git_mlops.data import cache, listing, pointers
from git_mlops.data.pointers import Out
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.git import objects
from git_mlops.schema.bindings import Bound, grouped
from git_mlops.schema.cluster import partitions
from git_mlops.schema.gate import Partition
from git_mlops.tables.forms import form_of


class _Source(NamedTuple):
    """What a file of the state is."""

    algorithm: str
    hash: str
    out: Out | None
    """None for a plain file of git."""


class Table(NamedTuple):
    """A directory with something new in it."""

    path: str
    schema: str
    sources: Mapping[str, _Source]
    """Name in the directory → what it is, of the partitions."""
    names: tuple[str, ...]
    """All files that are meant, also those that are no partitions."""
    whole: bool
    """Whether all is known of what is in it; else a listing is not on this machine."""

    @property
    def hash(self) -> str:
        """Of all partitions by their names: forms, algorithms, hashes."""
        if not self.whole:
            return "unknown"
        lines = [
            f"{name}\0{form_of(f'{self.path}/{name}')}\0{source.algorithm}:{source.hash}\n"
            for name, source in self.sources.items()
        ]
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


class Tables(NamedTuple):
    """What is found of them."""

    changed: tuple[Table, ...]
    bound: Callable[[str], bool]
    """Whether a file is a part of a table, and nothing by itself."""


def find(context: Context, files: Mapping[str, str], outs: Sequence[Out]) -> Tables:
    """Tables in which something of these files and outputs is.

    Args:
        context: the check.
        files: new files, and their blobs.
        outs: what pointers among them name.
    """
    bindings = context.config.schemas
    folders = {f for key in bindings if (f := _folder(key)) and _touched(f, files, outs)}
    if not folders:
        return Tables((), lambda _path: False)
    sources, lacking = _state(context, folders)
    # what a directory of which nobody knows what is in it holds by that name, its form tells
    hidden = [out.path for out in lacking]
    real = {f for f in folders if any(path.startswith(f"{f}/") for path in sources)}
    real |= {f for f in folders if any(_within(f, path) for path in hidden) and form_of(f) is None}
    found = grouped(sources, bindings, real.__contains__)
    tables = (
        _table(path, found, sources, whole=not any(_within(path, name) for name in hidden))
        for path in found.tables
        if path in real
    )
    return Tables(tuple(tables), partial(_is_part, found))


def _is_part(found: Bound, path: str) -> bool:
    return path not in found.files and any(path.startswith(f"{folder}/") for folder in found.tables)


def _table(path: str, found: Bound, sources: Mapping[str, _Source], *, whole: bool) -> Table:
    names = tuple(sorted(found.tables[path]))
    parts = {name: sources[f"{path}/{name}"] for name in partitions(path, names)}
    return Table(path, found.schemas[path], parts, names, whole)


def _folder(key: str) -> str:
    """The path of a binding that may be a directory."""
    return "" if set(key) & set("*?[#") else key.removeprefix("./").strip("/")


def _within(folder: str, path: str) -> bool:
    """Whether one is in the other: a tracked directory may hold the table, or be a part of it."""
    return f"{path}/".startswith(f"{folder}/") or f"{folder}/".startswith(f"{path}/")


def _touched(folder: str, files: Iterable[str], outs: Iterable[Out]) -> bool:
    inside = f"{folder}/"
    return any(path.startswith(inside) for path in files) or any(
        out.path.startswith(inside) or (out.is_dir and inside.startswith(f"{out.path}/")) for out in outs
    )


def _state(context: Context, folders: set[str]) -> tuple[dict[str, _Source], list[Out]]:
    """Every file of the state in these directories, and directories whose listings are not here."""
    scope = context.scope
    everything = scope.files if scope.kind == "workspace" else scope.all_files()
    files = {file.path: file.oid for file in everything}
    named = [path for path in files if pointers.is_pointer(path)]
    contents = scope.read([*named, *(listing.pipeline_of(path) for path in named)])
    sources: dict[str, _Source] = {}
    lacking: list[Out] = []
    for out in listing.outs(contents):
        if not out.cache or not any(_within(folder, out.path) for folder in folders):
            continue
        if out.is_dir and cache.locate(scope.repo, out) is None:
            lacking.append(out)
            continue
        members = cache.members(scope.repo, out).values() if out.is_dir else (out,)
        sources |= {one.path: _Source(one.algorithm, one.hash, one) for one in members}
    for path, oid in files.items():
        inside = any(path.startswith(f"{folder}/") for folder in folders)
        if inside and path not in sources and not pointers.never_data(path):
            sources[path] = _Source("git", _blob(context, path, oid), None)
    return sources, lacking


def _blob(context: Context, path: str, oid: str) -> str:
    return oid if oid.strip("0") else objects.blob_id(context.scope.repo, plain(context, path))


def plain(context: Context, path: str) -> bytes:
    """The content of a plain file of the state."""
    content = context.scope.read([path]).get(path)
    if content is None:
        raise MlopsError(f"cannot read `{path}`", exit_code=CANNOT_EVALUATE)
    return content


def parts(context: Context, table: Table, scratch: Path) -> dict[str, Partition] | None:
    """Where the bytes of each partition are; None where nobody here knows what they are."""
    if not table.whole:
        return None
    return {
        name: Partition(
            source.algorithm, source.hash, _file(context, f"{table.path}/{name}", source, scratch)
        )
        for name, source in table.sources.items()
    }


def _file(context: Context, path: str, source: _Source, scratch: Path) -> Path | None:
    if source.out is not None:
        return cache.locate(context.scope.repo, source.out)
    copy = scratch / source.hash
    copy.write_bytes(plain(context, path))
    return copy
