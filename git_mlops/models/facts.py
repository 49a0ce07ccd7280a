"""The facts of a version, all that its tag says: from git's objects and from pointers, without DVC."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from git_mlops.data.pointers import Out
from git_mlops.experiments import tree
from git_mlops.experiments.layout import RUN
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.tree import Contents, Trees
from git_mlops.experiments.values import labelled
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo
from git_mlops.models import contract, objects
from git_mlops.models.contract import Contract
from git_mlops.models.objects import ModelObject, Pointers
from git_mlops.models.subject import Subject
from git_mlops.schema.bindings import schema_for
from git_mlops.schema.settings import Bindings

MOST_METRICS = 500


class Facts(NamedTuple):
    """What a tree says of the model in it."""

    model: ModelObject
    data: tuple[Out, ...]
    schemas: Mapping[str, str]
    """Path of a schema that the data is bound to → its blob."""
    contract: Contract | None
    environment: Mapping[str, object]
    metrics: Mapping[str, object]

    def to_json(self) -> dict[str, object]:
        """In the tag's form; what is not known is left out."""
        said: dict[str, object] = {
            "object": self.model.to_json(),
            "data": [_datum(out) for out in self.data],
            "schemas": [{"path": path, "blob": oid} for path, oid in self.schemas.items()],
            "contract": self.contract.to_json() if self.contract else None,
            "environment": dict(self.environment),
            "metrics": dict(self.metrics),
        }
        return {name: value for name, value in said.items() if value}


def _contents(trees: Trees, subject: Subject, settings: Settings) -> Contents:
    """Of an experiment without metrics files that its run did not write: they are no results of it."""
    one = subject.experiment
    if one is not None and one.commit.tree == subject.tree:
        return one.contents
    return tree.contents(trees, [subject.tree], settings.params)[subject.tree]


def _datum(out: Out) -> dict[str, object]:
    said = {"path": out.path, "algorithm": out.algorithm, "hash": out.hash, "size": out.size}
    return {name: value for name, value in said.items() if value is not None}


class Wanted(NamedTuple):
    """Which model of a tree."""

    name: str
    path: str | None = None
    """As the user gave it."""
    before: str | None = None
    """Where the version before had it."""


def collect(repo: Repo, subject: Subject, wanted: Wanted, settings: Settings, schemas: Bindings) -> Facts:
    """Everything, in one git process.

    Raises:
        MlopsError: there is no such model in the tree, or it cannot be told which file it is.
    """
    with reader(repo) as git:
        trees = Trees(git)
        found = objects.pointers(trees, subject.tree)
        path = objects.chosen(wanted.name, wanted.path, wanted.before, found)
        model = objects.locate(repo, trees, subject.tree, path, found.outs)
        metrics = labelled(_contents(trees, subject, settings).values.metrics)
        return Facts(
            model,
            found.own,
            bound(trees, subject.tree, found.own, schemas),
            contract_of(repo, trees, subject.tree, model, found),
            _environment(trees, subject),
            {name: plain(value) for name, value in list(metrics.items())[:MOST_METRICS]},
        )


def plain(value: object) -> object:
    """A metric as JSON can say it: infinities and NaN as text."""
    return value if not isinstance(value, float) or math.isfinite(value) else repr(value)


def bound(trees: Trees, root: str, data: Iterable[Out], schemas: Bindings) -> dict[str, str]:
    """The schemas that some data is bound to, and their blobs in the tree."""
    named = {schema.partition(":")[0] for out in data if (schema := schema_for(out.path, schemas))}
    entries = {path: trees.find(root, path) for path in sorted(named)}
    return {path: entry.oid for path, entry in entries.items() if entry}


def contract_of(repo: Repo, trees: Trees, root: str, model: ModelObject, found: Pointers) -> Contract | None:
    """What the model takes and gives; None where no file says it, or none is at hand."""
    for name in contract.FILES:
        content = objects.beside(repo, trees, root, model, found.outs, name)
        said = contract.parse(name, content) if content is not None else None
        if said is not None:
            return said
    return None


def _environment(trees: Trees, subject: Subject) -> dict[str, object]:
    """Of the experiment: hash of environment.lock, and the interpreter."""
    root = subject.recorded
    entry = trees.find(root, f"{RUN}environment.lock") if root is not None else None
    content = trees.reader.read([entry.oid])[entry.oid].content if entry else None
    said: dict[str, object] = {}
    if content is not None:
        said["lock"] = hashlib.sha256(content).hexdigest()
    if subject.record is not None and subject.record.python:
        said["python"] = subject.record.python
    return said
