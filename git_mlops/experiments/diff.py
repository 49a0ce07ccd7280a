"""Two experiments, revisions or the workspace compared: metrics, parameters, code, data."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments import environment, inputs, layout, read, snapshot, tree
from git_mlops.experiments.record import RecordError, parse_record
from git_mlops.experiments.settings import Metric, Settings
from git_mlops.experiments.tree import Contents, Trees
from git_mlops.experiments.values import labelled
from git_mlops.git import diff as git_diff
from git_mlops.git.reader import Reader, reader
from git_mlops.git.refs import Ref
from git_mlops.git.repo import Repo

WORKSPACE = "workspace"


class Side(NamedTuple):
    """One of the two."""

    label: str
    tree: str
    ref: Ref | None = None
    """Of an experiment."""


class ValueChange(NamedTuple):
    """A metric or parameter; a side that lacks it has None."""

    name: str
    old: object
    new: object
    delta: float | None
    """`new - old`, for numbers."""
    better: bool | None
    """By the direction that mlops.yaml declares; None: not declared, or within the tolerance."""


class CodeChange(NamedTuple):
    """A file that differs."""

    status: str
    """A, D, M or T, as git has it."""
    path: str


class DataChange(NamedTuple):
    """A data object that differs; a side that lacks it has no hash; `changed, not added` stands for one."""

    path: str
    old: str | None
    new: str | None
    old_size: int | None
    new_size: int | None


class PackageChange(NamedTuple):
    """A package, or the interpreter, that differs; a side that lacks it has no version."""

    name: str
    old: str | None
    new: str | None


class Difference(NamedTuple):
    """From `a` to `b`."""

    a: str
    b: str
    metrics: tuple[ValueChange, ...]
    """All of them, also equal ones."""
    params: tuple[ValueChange, ...]
    """Those that differ."""
    code: tuple[CodeChange, ...]
    data: tuple[DataChange, ...]
    environment: tuple[PackageChange, ...]
    """Of two experiments, or of one and the workspace: revisions have no environment."""
    notes: tuple[str, ...]


def difference(repo: Repo, a: str, b: str | None, settings: Settings, data: DataSettings) -> Difference:
    """Compare; `b` None is the workspace as it is now.

    Raises:
        MlopsError: a name that is nothing, or several experiments.
    """
    left, right = side(repo, a, data), side(repo, b, data)
    with reader(repo) as objects:
        trees = Trees(objects)
        contents = tree.contents(trees, [left.tree, right.tree], settings.params)
        outs = [_outs(trees, each.tree) for each in (left, right)]
        environments = [_environment(repo, objects, each) for each in (left, right)]
    (old, unadded), (new, unadded_too) = (
        _own(repo, each, contents[each.tree], settings) for each in (left, right)
    )
    metrics = _values(labelled(old.values.metrics), labelled(new.values.metrics), settings.metrics)
    params = _values(labelled(old.values.params), labelled(new.values.params), {})
    return Difference(
        left.label,
        right.label,
        metrics,
        tuple(change for change in params if change.old != change.new),
        _code(repo, left, right, (old, new)),
        _data(outs[0], outs[1], unadded, unadded_too),
        _packages(*environments),
        tuple(dict.fromkeys((*old.values.notes, *new.values.notes))),
    )


def side(repo: Repo, text: str | None, data: DataSettings) -> Side:
    """What `text` means: an experiment, else a revision, else the beginning of an experiment's name."""
    if text is None or text == WORKSPACE:
        return Side(WORKSPACE, snapshot.take(repo, data).tree)
    ref = read.meant(repo, text)
    if isinstance(ref, str):
        return Side(text, repo.text("rev-parse", f"{ref}^{{tree}}"))
    return Side(ref.name.rpartition("/")[2], repo.text("rev-parse", f"{ref.oid}^{{tree}}"), ref)


def _own(repo: Repo, one: Side, found: Contents, settings: Settings) -> tuple[Contents, frozenset[str]]:
    """What an experiment says of itself, without metrics that are not its own; data that was not added."""
    if one.label == WORKSPACE and one.ref is None:
        initialised = (repo.root / ".dvc").is_dir()
        return found, frozenset(d.path for d in inputs.dirty(repo)) if initialised else frozenset()
    if one.ref is None:
        return found, frozenset()
    experiment = read.load(repo, [one.ref], settings)[0]
    record = read.record(repo, experiment) if experiment.unadded else None
    return experiment.contents, frozenset(map(str, (record and record.data_dirty) or ()))


def compared(name: str, old: object, new: object, declared: Mapping[str, Metric]) -> ValueChange:
    """One value on both sides, judged by the direction that is declared for it."""
    delta = _delta(old, new) if _number(old) and _number(new) else None
    metric = declared.get(name) or declared.get(name.rpartition(":")[2])
    if metric is None or delta is None or not abs(delta) > metric.tolerance:
        return ValueChange(name, old, new, delta, None)
    return ValueChange(name, old, new, delta, (delta > 0) == (metric.direction == "max"))


def _values(
    old: Mapping[str, object], new: Mapping[str, object], declared: Mapping[str, Metric]
) -> tuple[ValueChange, ...]:
    return tuple(compared(n, old.get(n), new.get(n), declared) for n in dict.fromkeys((*old, *new)))


def _delta(old: Any, new: Any) -> float | None:
    """Of whole numbers exactly; None where it is too large to be told."""
    try:
        delta = new - old
        return delta if abs(float(delta)) < math.inf else None
    except OverflowError:
        return None


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _code(repo: Repo, left: Side, right: Side, contents: tuple[Contents, Contents]) -> tuple[CodeChange, ...]:
    found = layout.merged(each.layout for each in contents)
    others = (*found.metrics, *found.plots, *(path for path, _keys in found.params), ".mlops")
    return tuple(
        CodeChange(change.status, change.path)
        for change in git_diff.between(repo, left.tree, right.tree)
        if not layout.covers(others, change.path) and not inputs.among([change.path])
    )


def _environment(repo: Repo, objects: Reader, side_: Side) -> dict[str, str]:
    """Package → version, `python` → interpreter; nothing where none is known."""
    if side_.label == WORKSPACE:
        seen = environment.capture(None, repo.root)
        return {"python": seen.interpreter, **environment.parse_lock(seen.lock)}
    made = read.commits(objects, [side_.ref.oid]) if side_.ref else {}
    if not any(one.message.version is not None for one in made.values()):
        return {}  # a revision's, or DVC's, is another one's
    names = [f"{side_.tree}:{layout.RUN}{file}" for file in ("environment.lock", "record.json")]
    found = objects.read(names)
    lock, record = (found[name].content if name in found else None for name in names)
    if lock is None:
        return {}
    try:
        interpreter = parse_record(record or b"").python
    except RecordError:
        interpreter = None
    return {**({"python": interpreter} if interpreter else {}), **environment.parse_lock(lock)}


def _packages(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[PackageChange, ...]:
    if not (old and new):
        return ()
    pairs = ((name, old.get(name), new.get(name)) for name in sorted({*old, *new}))
    return tuple(PackageChange(name, a, b) for name, a, b in pairs if a != b)


def _outs(trees: Trees, root: str) -> dict[str, tuple[str, int | None]]:
    return {out.path: (out.hash, out.size) for out in inputs.outs(inputs.files(trees, root)) if out.cache}


_UNADDED: tuple[str, int | None] = ("changed, not added", None)


def _data(
    old: Mapping[str, tuple[str, int | None]],
    new: Mapping[str, tuple[str, int | None]],
    unadded: frozenset[str],
    unadded_too: frozenset[str],
) -> tuple[DataChange, ...]:
    """What was never added has no hash, and is not known to be the same as anything."""
    old = {**old, **dict.fromkeys(unadded, _UNADDED)}
    new = {**new, **dict.fromkeys(unadded_too, _UNADDED)}
    nothing = (None, None)
    pairs = ((p, old.get(p, nothing), new.get(p, nothing)) for p in sorted({*old, *new}))
    return tuple(
        DataChange(path, a[0], b[0], a[1], b[1]) for path, a, b in pairs if a[0] != b[0] or a is _UNADDED
    )
