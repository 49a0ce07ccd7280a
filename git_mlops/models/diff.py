"""Two versions compared: the model's object, schemas and contract, and what experiments are compared by."""

from collections.abc import Mapping
from typing import NamedTuple

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError
from git_mlops.experiments import diff as experiments
from git_mlops.experiments import environment
from git_mlops.experiments.diff import Difference, PackageChange
from git_mlops.experiments.layout import RUN
from git_mlops.git import objects
from git_mlops.git.repo import Repo
from git_mlops.models.context import Context
from git_mlops.registry import grammar, read
from git_mlops.registry.read import Version


class Change(NamedTuple):
    """Something that a tag says and that differs; a side that does not say it has None."""

    what: str
    """`object`, `size`, `schema`, `contract`, `features`, `python`"""
    name: str
    """Of what: a path, or empty."""
    old: object
    new: object


class ModelDifference(NamedTuple):
    """From `a` to `b`."""

    a: Version
    b: Version
    changes: tuple[Change, ...]
    rest: Difference
    """Metrics, parameters, code, data and packages."""


def difference(repo: Repo, a: str, b: str, context: Context) -> ModelDifference:
    """Compare two versions; `b` may leave out the name (`v1.1.0`, `#prod`).

    Raises:
        MlopsError: one of them does not exist.
    """
    old = read.resolve(repo, a)
    new = read.resolve(repo, _full(old.name, b))
    rest = experiments.difference(repo, old.commit, new.commit, context.experiments, DataSettings())
    labels = [f"{one.name} {one.version}" for one in (old, new)]
    locks = [packages(repo, one) for one in (old, new)]
    changed = tuple(
        PackageChange(name, locks[0].get(name), locks[1].get(name))
        for name in sorted({*locks[0], *locks[1]} if all(locks) else ())
        if locks[0].get(name) != locks[1].get(name)
    )
    rest = rest._replace(a=labels[0], b=labels[1], environment=changed)
    return ModelDifference(old, new, tuple(_changes(old.facts, new.facts)), rest)


def _full(name: str, text: str) -> str:
    if text.startswith("#"):
        return name + text
    try:
        return f"{name}@{grammar.checked_version(text)}"
    except MlopsError:
        return text


def packages(repo: Repo, version: Version) -> dict[str, str]:
    """Of environment.lock of the experiment; nothing where it is not in this clone."""
    made = version.facts.get("experiment")
    commit = made.get("commit") if isinstance(made, Mapping) else None
    names = [f"{one}:{RUN}environment.lock" for one in (version.commit, commit) if isinstance(one, str)]
    found = objects.read_blobs(repo, [name for name in names if "\n" not in name]) if made else {}
    content = next(iter(found.values()), None)
    return environment.parse_lock(content) if content is not None else {}


def _changes(old: Mapping[str, object], new: Mapping[str, object]) -> list[Change]:
    """Absent on both sides is no change."""
    found = []
    for what, key, inner in (
        ("object", "object", "hash"),
        ("path", "object", "path"),
        ("size", "object", "size"),
        ("contract", "contract", "hash"),
        ("features", "contract", "features"),
        ("python", "environment", "python"),
    ):
        a, b = (_mapping(facts.get(key)).get(inner) for facts in (old, new))
        if a != b:
            found.append(Change(what, "", a, b))
    a_, b_ = ({str(one.get("path")): one.get("blob") for one in _schemas(facts)} for facts in (old, new))
    return found + [
        Change("schema", p, a_.get(p), b_.get(p)) for p in sorted({*a_, *b_}) if a_.get(p) != b_.get(p)
    ]


def _schemas(facts: Mapping[str, object]) -> list[Mapping[str, object]]:
    value = facts.get("schemas")
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
