"""Files of many trees at once: each subtree that several share is looked at once.

A thousand experiments are a thousand root trees that differ in a few files: what costs is what differs.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from git_mlops.experiments import layout, values
from git_mlops.experiments.layout import Layout
from git_mlops.experiments.values import Values
from git_mlops.git.objects import Entry
from git_mlops.git.reader import Reader

_FOLDER = "40000"
_BLOBS = ("100644", "100755")
_NOTABLE = re.compile(r"dvc\.yaml|(?:metrics|params|summary|dvclive)\.(?:json|ya?ml|toml)")
# below these nothing is the project's own
_SKIPPED = frozenset((".git", ".dvc", ".venv", "node_modules"))

Place = tuple[str, str]
"""Path and blob id."""


class Contents(NamedTuple):
    """What one tree says about itself."""

    layout: Layout
    declared: Layout
    """The part of the layout that dvc.yaml files declare: what DVC sees by itself."""
    values: Values


class Trees:
    """Looks into trees; what it has seen it remembers."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._known: dict[str, dict[str, Entry]] = {}
        self._notable: dict[str, tuple[Place, ...]] = {}

    def load(self, roots: Iterable[str]) -> None:
        """Read trees and all their subtrees, level by level."""
        level = [oid for oid in roots if oid not in self._known]
        while level:
            found = self.reader.trees(level)
            self._known |= found
            below = (e.oid for entries in found.values() for e in entries.values() if _entered(e))
            level = [oid for oid in dict.fromkeys(below) if oid not in self._known]

    def entries(self, tree: str) -> dict[str, Entry]:
        """A tree's direct entries by name."""
        if tree not in self._known:
            self._known |= self.reader.trees([tree])
        return self._known.get(tree, {})

    def find(self, root: str, path: str) -> Entry | None:
        """The entry at a path."""
        entry: Entry | None = Entry(_FOLDER, root, "")
        for name in path.split("/"):
            entry = self.entries(entry.oid).get(name) if entry and entry.mode == _FOLDER else None
        return entry

    def files(self, root: str, path: str = "") -> Iterator[Entry]:
        """Every file (also links and submodules) at or below a path, with its full path."""
        entry = self.find(root, path) if path else Entry(_FOLDER, root, "")
        if entry is not None and entry.mode != _FOLDER:
            yield Entry(entry.mode, entry.oid, path)
        elif entry is not None:
            for name, inner in self.entries(entry.oid).items():
                below = f"{path}/{name}" if path else name
                if inner.mode == _FOLDER:
                    yield from self.files(root, below)
                else:
                    yield Entry(inner.mode, inner.oid, below)

    def notable(self, tree: str) -> tuple[Place, ...]:
        """Files whose name may mean something to us, with paths relative to the tree."""
        if tree not in self._notable:
            found: list[Place] = []
            for name, entry in self.entries(tree).items():
                if _entered(entry):
                    found += [(f"{name}/{path}", oid) for path, oid in self.notable(entry.oid)]
                elif entry.mode in _BLOBS and _NOTABLE.fullmatch(name):
                    found.append((name, entry.oid))
            self._notable[tree] = tuple(found)
        return self._notable[tree]


@lru_cache(maxsize=100_000)  # the same few paths in every experiment
def is_notable(path: str) -> bool:
    """Whether a file's name may mean something to us, and it is not in what nobody looks into."""
    *folders, name = path.split("/")
    return _NOTABLE.fullmatch(name) is not None and _SKIPPED.isdisjoint(folders)


def _entered(entry: Entry) -> bool:
    return entry.mode == _FOLDER and entry.path not in _SKIPPED


def contents(trees: Trees, roots: Iterable[str], extra_params: Iterable[str] = ()) -> dict[str, Contents]:
    """Layout, metrics and parameters of each tree.

    Args:
        extra_params: parameter files that the settings name besides those of dvc.yaml.
    """
    wanted = list(dict.fromkeys(roots))
    trees.load(wanted)
    layouts = _layouts(trees, wanted, Layout(params=tuple((path, ()) for path in extra_params)))
    places = {root: _places(trees, root, found) for root, (found, _declared) in layouts.items()}
    parsed = _parsed(trees.reader, {place[:2] for found in places.values() for place in found})
    return {
        root: Contents(*layouts[root], _values(layouts[root][0], places[root], parsed)) for root in wanted
    }


def _layouts(trees: Trees, roots: list[str], extra: Layout) -> dict[str, tuple[Layout, Layout]]:
    """The whole layout of each tree, and the declared part of it."""
    notable = {root: trees.notable(root) for root in roots}
    pipelines = {place for found in notable.values() for place in found if layout.is_pipeline(place[0])}
    objects = trees.reader.read(oid for _path, oid in pipelines)
    declared: dict[Place, Layout] = {}
    for path, oid in pipelines:
        value, note = layout.parse(path, objects[oid].content if oid in objects else None)
        declared[path, oid] = layout.declared({path: value})._replace(notes=(note,) if note else ())
    # what counts are the paths and the pipelines' content: one answer serves a thousand experiments
    shapes = {
        root: tuple(p if p in declared else (p[0], "") for p in found) for root, found in notable.items()
    }
    memory: dict[tuple[Place, ...], tuple[Layout, Layout]] = {}
    for shape in set(shapes.values()):
        named = [layout.of_convention(path) for path, _oid in shape]
        own = layout.merged(declared[place] for place in sorted(shape) if place in declared)
        memory[shape] = layout.merged([own, *named, extra]), own
    return {root: memory[shape] for root, shape in shapes.items()}


_Wanted = tuple[str, str, str, tuple[str, ...]]
"""Path, blob id, kind, names that count."""


def _places(trees: Trees, root: str, found: Layout) -> list[_Wanted]:
    kinds = [("metrics", path, ()) for path in found.metrics]
    kinds += [("params", path, keys) for path, keys in found.params]  # type: ignore[misc]  # longer tuples
    return [
        (entry.path, entry.oid, kind, keys)
        for kind, path, keys in kinds
        for entry in trees.files(root, path)
        if entry.mode in _BLOBS
    ]


def _parsed(reader: Reader, places: set[Place]) -> dict[Place, tuple[object, str | None]]:
    objects = reader.read((oid for _path, oid in places), limit=values.LIMIT)
    return {
        (path, oid): values.read(path, objects[oid].content if oid in objects else None)
        for path, oid in places
    }


def _values(found: Layout, places: list[_Wanted], parsed: dict[Place, tuple[object, str | None]]) -> Values:
    notes = list(found.notes)
    by_kind: dict[str, dict[str, dict[str, object]]] = {"metrics": {}, "params": {}}
    for path, oid, kind, keys in places:
        value, note = parsed[path, oid]
        flat, problem = values.flat(kind, value, keys) if note is None else ({}, None)
        notes += [text for text in (note, problem and f"`{path}` was skipped: {problem}") if text]
        if flat:
            by_kind[kind][path] = flat
    return Values(by_kind["metrics"], by_kind["params"], tuple(dict.fromkeys(notes)))
