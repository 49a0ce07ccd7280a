"""What is recorded: a tree, what it says about itself, its environment and its content key."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from git_mlops import jsonable
from git_mlops.experiments import code, environment, inputs, key, layout, tracked, tree, values
from git_mlops.experiments.environment import Environment
from git_mlops.experiments.inputs import Dirty
from git_mlops.experiments.key import Datum, Key
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.snapshot import Snapshot
from git_mlops.experiments.tracked import Tracked
from git_mlops.experiments.tree import Contents, Trees
from git_mlops.git.objects import Entry
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo


class Subject(NamedTuple):
    """A snapshot and everything that is known of it."""

    snapshot: Snapshot
    contents: Contents
    root: dict[str, Entry]
    """Direct entries of the tree."""
    inner: dict[str, Entry]
    """Direct entries of `.mlops`."""
    fixed: tuple[Entry, ...]
    """What stays as it is while a run goes on."""
    data: tuple[Datum, ...]
    dirty: tuple[Dirty, ...]
    environment: Environment
    key: Key
    loose: dict[str, bytes]
    """What is in no file of the tree (ignored metrics files, what was tracked), as files of `.mlops/run/`."""
    loose_times: Mapping[str, int] = {}  # the default of a frozen tuple, never changed
    """When the metrics files that git ignores were written, in nanoseconds."""


class Task(NamedTuple):
    """What is run: nothing for `exp save`."""

    command: tuple[str, ...] | None = None
    directory: str = ""
    """Relative to the top."""


def study(  # a snapshot, what is run on it, and what is known already
    repo: Repo,
    snapshot: Snapshot,
    task: Task,
    settings: Settings,
    *,
    known: Environment | None = None,
    older: Mapping[str, int] | None = None,
) -> Subject:
    """Read a snapshot: one git process, whatever the number of files.

    Args:
        known: the environment, where it is known already.
        older: when metrics files that git ignores were written before (`loose_times`); those that are still
            of that time are left out.
    """
    with reader(repo) as objects:
        trees = Trees(objects)
        contents = tree.contents(trees, [snapshot.tree], settings.params)[snapshot.tree]
        files = list(trees.files(snapshot.tree))
        pointers = inputs.files(trees, snapshot.tree)
        root = trees.entries(snapshot.tree)
        inner = trees.entries(root[".mlops"].oid) if ".mlops" in root else {}
    data, dirty = inputs.data(pointers), inputs.dirty(repo) if inputs.among(pointers) else []
    seen = known or environment.capture(task.command, Path(repo.root, task.directory))
    source = code.entries(files, contents.layout, settings.code)
    loose, times = _loose_metrics(repo, contents, {entry.path for entry in files}, older or {})
    return Subject(
        snapshot,
        _with_loose(contents, loose),
        root,
        inner,
        tuple(code.fixed(files, contents.layout, settings.code)),
        tuple(data),
        tuple(dirty),
        seen,
        Key(
            code=key.code_part((entry.path, entry.mode, entry.oid) for entry in source),
            data=key.data_part(_honest(data, dirty, snapshot)),
            params=key.params_part(contents.values.params),
            environment=key.environment_part(seen.lock, seen.interpreter),
            command=key.command_part(task.command, task.directory),
        ),
        {"metrics.json": (json.dumps(jsonable.finite(loose), indent=1) + "\n").encode()} if loose else {},
        times,
    )


def with_tracked(found: Subject, more: Tracked) -> Subject:
    """With what the code tracked, where no file of the project says it."""
    own, said = f"{layout.RUN}metrics.json", found.contents.values
    loose = json.loads(found.loose.get("metrics.json", b"{}"))
    names = [n for path, names_ in said.metrics.items() if path != own for n in names_]
    params = [name for names_ in said.params.values() for name in names_]
    files, metrics, added = tracked.files(more, loose, names, params)
    values_ = said._replace(
        metrics={**said.metrics, **({own: metrics} if metrics else {})},
        params={**said.params, **({f"{layout.RUN}params.yaml": added} if added else {})},
        notes=(*said.notes, *more.notes),
    )
    contents = found.contents._replace(values=values_)
    return found._replace(contents=contents, loose={**found.loose, **files})


def _loose_metrics(
    repo: Repo, contents: Contents, tracked: set[str], older: Mapping[str, int]
) -> tuple[dict[str, object], dict[str, int]]:
    """Values of metrics files that git ignores (in the workspace, but in no tree), and their times."""
    found: dict[str, object] = {}
    times: dict[str, int] = {}
    for path in dict.fromkeys((*contents.layout.metrics, "metrics.json", "dvclive/metrics.json")):
        file = repo.root / path
        if path in tracked or not file.is_file() or not file.resolve().is_relative_to(repo.root.resolve()):
            continue
        times[path] = file.stat().st_mtime_ns
        if times[path] == older.get(path):
            continue
        content = file.read_bytes() if file.stat().st_size <= values.LIMIT else None
        value, note = values.read(path, content)
        if note is None and isinstance(value, dict):
            found |= value
    return found, times


def _with_loose(contents: Contents, loose: dict[str, object]) -> Contents:
    flat, _problem = values.flat("metrics", loose, ())
    if not flat:
        return contents
    metrics = {**contents.values.metrics, f"{layout.RUN}metrics.json": flat}
    return contents._replace(values=contents.values._replace(metrics=metrics))


def _honest(data: list[Datum], dirty: list[Dirty], snapshot: Snapshot) -> list[Datum]:
    """Changed data has not the hash its pointer says: bound to this snapshot it equals no other."""
    return [*data, *(Datum(one.path, "changed", snapshot.tree, None) for one in dirty if one.input)]
