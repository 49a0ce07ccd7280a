"""The data a run depends on, as the pointers of a tree name it; all that is asked of `data` is asked here."""

import shlex
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from git_mlops.data import cache, listing, pointers, workspace
from git_mlops.data.pointers import Out
from git_mlops.data.workspace import Differing
from git_mlops.experiments import pointed
from git_mlops.experiments.key import Datum
from git_mlops.experiments.layout import RUN
from git_mlops.experiments.tree import Trees
from git_mlops.git.repo import Repo

outs = pointed.outs


def files(trees: Trees, root: str) -> dict[str, bytes]:
    """The pointers of a tree, and the dvc.yaml beside each dvc.lock: path → content."""
    return _read(trees, _wanted(trees, root))


def of_trees(trees: Trees, roots: Iterable[str]) -> dict[str, list[Out]]:
    """`outs` of many trees, of which most have the same pointers: these are read and understood once."""
    wanted = {root: _wanted(trees, root) for root in roots}
    read = _read(trees, {oid: oid for places in wanted.values() for oid in places.values()})
    known: dict[tuple[tuple[str, str], ...], list[Out]] = {}
    found = {}
    for root, places in wanted.items():
        shape = tuple(places.items())
        if shape not in known:
            known[shape] = outs({path: read[oid] for path, oid in shape if oid in read})
        found[root] = known[shape]
    return found


def _wanted(trees: Trees, root: str) -> dict[str, str]:
    return {entry.path: entry.oid for entry in trees.files(root) if pointed.counts(entry.path)}


def _read(trees: Trees, wanted: Mapping[str, str]) -> dict[str, bytes]:
    found = trees.reader.read(wanted.values(), limit=pointers.LARGEST)
    return {path: found[oid].content or b"" for path, oid in wanted.items() if oid in found}


def data(found: Mapping[str, bytes]) -> list[Datum]:
    """What a run depends on: the outputs of `.dvc` files. dvc.lock and `.mlops/run/` name what a run made."""
    own = {p: content for p, content in found.items() if p.endswith(".dvc") and not p.startswith(RUN)}
    return [Datum(out.path, out.algorithm, out.hash, out.size) for out in outs(own)]


def content(repo: Repo, out: Out, limit: int) -> bytes | None:
    """An object of DVC's cache; empty where it is not on this machine, None where it is larger."""
    file = cache.locate(repo, out)
    if file is None:
        return b""
    return file.read_bytes() if file.stat().st_size <= limit else None


class Dirty(NamedTuple):
    """Data that is not what its pointer says: no other copy of these bytes may exist."""

    path: str
    mend: str
    """The command that makes the two agree."""
    input: bool
    """Whether it is what runs depend on, not what a stage made."""
    outdated: bool = False
    """Not changed here: its pointer moved on, and the new bytes have not come."""
    purged: bool = False
    """Not changed here: what it lacks was withdrawn."""


def dirty(repo: Repo) -> list[Dirty]:
    """Data of the workspace whose bytes differ from its pointer."""
    return sorted(
        Dirty(
            one.path,
            f"{_mend(one)} {shlex.quote(one.path)}",
            one.pointer.endswith(".dvc"),
            one.outdated,
            one.purged,
        )
        for one in workspace.differing(repo)
    )


def depended(repo: Repo, paths: Iterable[str]) -> list[str]:
    """Those of the paths that runs depend on, not what a stage makes."""
    own = {out.path for out, pointer in listing.in_workspace(repo).items() if pointer.endswith(".dvc")}
    return [path for path in paths if path in own]


def _mend(one: Differing) -> str:
    if one.outdated:
        return "git mlops pull"
    force = " --force" if one.purged else ""
    return f"git mlops add{force}" if one.pointer.endswith(".dvc") else "dvc commit"


def among(paths: Iterable[str]) -> list[str]:
    """The pointers of a tree."""
    return [path for path in paths if pointers.is_pointer(path)]
