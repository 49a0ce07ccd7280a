"""What a run itself said that it read: the datasets that MLflow was told of, and pointers of its tree.

That a pointer is in the tree says only that a run may have read its data. A run that named its datasets is
taken at its word, as long as each of them is data of a pointer or a file that git holds. Of anything else, a
file that nobody tracks, an address, what came out of code, nobody here knows what it was made from.
"""

import json
import os
import posixpath
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from git_mlops.experiments import inputs
from git_mlops.experiments.key import Datum
from git_mlops.experiments.tree import Trees
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo

KEY = "read"
"""Of record.json and of a registration: `paths`, and whether they are `whole`."""
_SOURCE = ("uri", "url", "path", "delta_table_name")
"""Where MLflow's kinds of sources say what is meant."""


class Read(NamedTuple):
    """What is known of what a run read."""

    paths: tuple[str, ...] = ()
    """Paths of its data that it said it read."""
    whole: bool = False
    """Whether it said all: what else was in its tree it did not read, by its own word."""

    def has(self, path: str) -> bool:
        """Whether data is among it, or part of it is."""
        return any(_overlap(one, path) for one in self.paths)


class Where(NamedTuple):
    """Where a run was."""

    trees: Trees
    tree: str
    root: Path
    """The top of its worktree on this machine."""
    directory: str
    """Where in it the run began."""


def source(dataset: Mapping[str, Any]) -> str | None:
    """Where a dataset is from: a path or an address; None where MLflow was not told."""
    try:
        said = json.loads(str(dataset.get("source")))
    except (ValueError, RecursionError):
        return None
    values = said if isinstance(said, dict) else {}
    return next((values[name] for name in _SOURCE if isinstance(values.get(name), str)), None)


def find(data: Iterable[Any], datasets: Iterable[Mapping[str, Any]], where: Where) -> Read | None:
    """What datasets say of a run's data; None where they say nothing.

    Args:
        data: as record.json has it.
    """
    known = {str(o["path"]): str(o.get("hash") or "") for o in data if isinstance(o, dict) and "path" in o}
    paths: dict[str, None] = {}
    asked = [*datasets]
    whole = bool(asked)
    for one in asked:
        found = _matched(one, known, where)
        whole = whole and found is not None
        paths |= dict.fromkeys(found or ())
    return Read(tuple(sorted(paths)), whole) if known and (paths or whole) else None


def _matched(dataset: Mapping[str, Any], known: Mapping[str, str], where: Where) -> list[str] | None:
    """The data that a dataset is; empty where it is something else that is known, None where it is not."""
    digest = dataset.get("digest")
    same = [path for path, hash_ in known.items() if hash_ and hash_.removesuffix(".dir") == digest]
    place = source(dataset)
    if same or place is None:
        return same or None
    address = urlsplit(place)
    if address.scheme and address.scheme != "file" and len(address.scheme) > 1:
        imported = _imported(place, where)
        return [path for path in known if path in imported] or None
    for path in _candidates(unquote(address.path) if address.scheme == "file" else place, where):
        if found := [one for one in known if _overlap(one, path)]:
            return found
        if where.trees.find(where.tree, path) is not None:
            return []
    return None


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _candidates(text: str, where: Where) -> list[str]:
    """The paths in the repository that a path may mean: from where the run began, or from the top."""
    root = str(where.root)
    tops = [f"{top}/" for top in dict.fromkeys((root, os.path.realpath(root)))]
    bases = (posixpath.join(root, where.directory), root)
    wholes = [os.path.join(base, text) for base in bases]  # an absolute one stands for itself
    paths = [make(one) for one in wholes for make in (os.path.normpath, os.path.realpath)]
    return list(dict.fromkeys(path.removeprefix(t) for path in paths for t in tops if path.startswith(t)))


def _imported(address: str, where: Where) -> set[str]:
    """Data whose pointer says that it was imported from an address."""
    files = inputs.files(where.trees, where.tree)
    raw = address.encode()
    return {out.path for out in inputs.outs({path: text for path, text in files.items() if raw in text})}


def of_command(
    repo: Repo, tree: str, data: Iterable[Datum], facts: Mapping[str, Any], directory: str
) -> dict[str, object]:
    """The same, for the record of a command that used MLflow: it may be many programs, so never the whole."""
    if not facts.get("datasets"):
        return {}
    with reader(repo) as git:
        at = Where(Trees(git), tree, repo.root, directory)
        found = find([one._asdict() for one in data], facts["datasets"], at)
    return plain(Read(found.paths) if found and found.paths else None)


def parse(value: object) -> Read | None:
    """As records and tags have it."""
    if not isinstance(value, dict) or not isinstance(value.get("paths"), list):
        return None
    return Read(tuple(str(one) for one in value["paths"]), value.get("whole") is True)


def plain(found: Read | None) -> dict[str, object]:
    """For a record's further keys."""
    return {} if found is None else {KEY: {"paths": list(found.paths), "whole": found.whole}}


def added(old: Read | None, new: Read | None) -> Read | None:
    """What was said before, and more that was said later; where one says nothing, not all is known."""
    both = [one for one in (old, new) if one is not None]
    paths = tuple(sorted({path for one in both for path in one.paths}))
    whole = None not in (old, new) and all(one.whole for one in both)
    return Read(paths, whole) if paths or whole else None
