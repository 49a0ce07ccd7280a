"""What many commits say about themselves, from what each changed: one `git log`, one `cat-file --batch`.

An experiment differs from the commit it started from in few files. Only these are looked at; the rest is the
baseline's, which thousands share. What does not fit (several parents, directories of metrics) is read whole.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from git_mlops.experiments import committed, layout, message, tree, values
from git_mlops.experiments.committed import Commit
from git_mlops.experiments.layout import Layout
from git_mlops.experiments.record import PATH, RecordError, parse_record
from git_mlops.experiments.tree import Contents, Place, Trees
from git_mlops.experiments.values import Values
from git_mlops.git.repo import Repo
from git_mlops.git.run import GitError

_FEW = 30
"""So many are read whole: another process would take longer."""
_ROUND = 5000
"""Commits at once: memory stays bounded."""
_BLOBS = ("100644", "100755")


class Loaded(NamedTuple):
    """A commit and what its tree says."""

    commit: Commit
    contents: Contents


def load(repo: Repo, trees: Trees, oids: Sequence[str], params: Sequence[str]) -> dict[str, Loaded]:
    """By commit id; what is not here or is no commit is left out.

    Args:
        params: parameter files that the settings name besides those of dvc.yaml.
    """
    if len(oids) <= _FEW:
        return _whole(trees, oids, params)
    found: dict[str, Loaded] = {}
    bulk = _Bulk(repo, trees, Layout(params=tuple((path, ()) for path in params)))
    for start in range(0, len(oids), _ROUND):
        found |= bulk.load(oids[start : start + _ROUND])
    return found | _whole(trees, [oid for oid in oids if oid not in found], params)


def _whole(trees: Trees, oids: Iterable[str], params: Sequence[str]) -> dict[str, Loaded]:
    known = committed.commits(trees.reader, oids)
    contents = tree.contents(trees, (commit.tree for commit in known.values()), params)
    records = {oid: f"{oid}:{PATH}" for oid, commit in known.items() if _partial(commit)}
    texts = trees.reader.read(records.values())
    return {
        oid: Loaded(commit, _own(contents[commit.tree], texts[records[oid]].content))
        if records.get(oid) in texts
        else Loaded(commit, contents[commit.tree])
        for oid, commit in known.items()
    }


def _partial(commit: Commit) -> bool:
    """Whether the tree may hold metrics of an earlier run."""
    return commit.message.older or commit.message.status != "finished"


def _own(contents: Contents, record: bytes | None) -> Contents:
    """Without the metrics that the run did not write: they are not its result."""
    try:
        old = parse_record(record or b"").metrics_not_written or []
    except RecordError:
        return contents
    found = contents.values
    metrics = {path: values_ for path, values_ in found.metrics.items() if path not in old}
    return contents._replace(values=found._replace(metrics=metrics))


_Side = tuple[str, str] | None
"""Mode and blob id; None: deleted."""
_Changes = dict[str, _Side]


class _Plan(NamedTuple):
    """What trees of one shape are read for."""

    layout: Layout
    declared: Layout
    places: tuple[tuple[str, str, tuple[str, ...]], ...]
    """Path, kind, names that count."""


class _Base(NamedTuple):
    """A commit that experiments started from."""

    tree: str
    notable: dict[str, str]


class _Bulk:
    """What is learned about baselines and shapes stays for the next round."""

    def __init__(self, repo: Repo, trees: Trees, extra: Layout) -> None:
        self.repo = repo
        self.trees = trees
        self.extra = extra
        self.bases: dict[str, _Base | None] = {}
        self.plans: dict[tuple[str, tuple[Place, ...]], _Plan | None] = {}
        self.declared: dict[Place, Layout] = {}
        self.flat: dict[tuple[str, str, str, tuple[str, ...]], tuple[dict[str, object], tuple[str, ...]]] = {}

    def load(self, oids: Sequence[str]) -> dict[str, Loaded]:
        """One round. Left out is what does not fit, or is not here."""
        try:
            changed = list(_changed(self.repo, oids))
        except GitError:
            return {}
        self._learn_bases({commit.parents[0] for commit, _changes in changed})
        self._learn_pipelines(changed)
        wanted: list[tuple[Commit, _Changes, _Plan, list[tuple[str, str, str, tuple[str, ...]]]]] = []
        for commit, changes in changed:
            plan = self._plan(commit.parents[0], changes)
            if plan is not None:
                wanted.append((commit, changes, plan, self._places(commit.parents[0], changes, plan)))
        self._read(place for *_rest, places in wanted for place in places)
        records = self._records((commit, changes) for commit, changes, *_rest in wanted)
        found: dict[str, Loaded] = {}
        for commit, _changes, plan, places in wanted:
            contents = Contents(plan.layout, plan.declared, self._values(plan.layout, places))
            if commit.oid in records:
                contents = _own(contents, records[commit.oid])
            found[commit.oid] = Loaded(commit, contents)
        if len(self.flat) > 4 * _ROUND:
            self.flat.clear()
        return found

    def _learn_bases(self, oids: set[str]) -> None:
        new = [oid for oid in oids if oid not in self.bases]
        known = committed.commits(self.trees.reader, new)
        self.trees.load(commit.tree for commit in known.values())
        for oid in new:
            commit = known.get(oid)
            self.bases[oid] = _Base(commit.tree, dict(self.trees.notable(commit.tree))) if commit else None

    def _learn_pipelines(self, changed: Sequence[tuple[Commit, _Changes]]) -> None:
        places = {
            (path, side[1])
            for _commit, changes in changed
            for path, side in changes.items()
            if side is not None and layout.is_pipeline(path)
        }
        bases = (base for base in self.bases.values() if base)
        places |= {place for base in bases for place in base.notable.items() if layout.is_pipeline(place[0])}
        places -= self.declared.keys()
        objects = self.trees.reader.read(oid for _path, oid in places)
        for path, oid in places:
            value, note = layout.parse(path, objects[oid].content if oid in objects else None)
            self.declared[path, oid] = layout.declared({path: value})._replace(notes=(note,) if note else ())

    def _plan(self, baseline: str, changes: _Changes) -> _Plan | None:
        base = self.bases[baseline]
        if base is None:
            return None
        notable = {path: side for path, side in changes.items() if tree.is_notable(path)}
        shape = tuple(
            (path, "-" if side is None else side[1] if layout.is_pipeline(path) else side[0])
            for path, side in notable.items()
        )
        known = (baseline, shape)
        if known not in self.plans:
            self.plans[known] = self._planned(base, notable)
        plan = self.plans[known]
        if plan is None or any(self._folder(base, changes, path) for path, _kind, _keys in plan.places):
            return None
        return plan

    def _planned(self, base: _Base, notable: _Changes) -> _Plan:
        merged = dict(base.notable)
        for path, side in notable.items():
            if side is None or side[0] not in _BLOBS:
                merged.pop(path, None)
            else:
                merged[path] = side[1]
        shape = sorted((path, oid) for path, oid in merged.items())
        own = layout.merged(self.declared[place] for place in shape if place in self.declared)
        paths = sorted(merged, key=lambda path: path.encode("utf-8", "surrogateescape"))
        whole = layout.merged([own, *(layout.of_convention(path) for path in paths), self.extra])
        places = [(path, "metrics", ()) for path in whole.metrics]
        places += [(path, "params", keys) for path, keys in whole.params]  # type: ignore[misc]  # longer tuples
        return _Plan(whole, own, tuple(places))

    def _folder(self, base: _Base, changes: _Changes, path: str) -> bool:
        """Whether a place is, or becomes, a directory: then every file below it counts."""
        if path in changes:
            return False
        entry = self.trees.find(base.tree, path)
        below = entry is not None and entry.mode not in (*_BLOBS, "120000", "160000")
        return below or (entry is None and any(one.startswith(f"{path}/") for one in changes))

    def _places(
        self, baseline: str, changes: _Changes, plan: _Plan
    ) -> list[tuple[str, str, str, tuple[str, ...]]]:
        base = self.bases[baseline]
        assert base
        found = []
        for path, kind, keys in plan.places:
            if path in changes:
                side = changes[path]
            else:
                entry = self.trees.find(base.tree, path)
                side = (entry.mode, entry.oid) if entry else None
            if side is not None and side[0] in _BLOBS:
                found.append((path, side[1], kind, keys))
        return found

    def _read(self, places: Iterable[tuple[str, str, str, tuple[str, ...]]]) -> None:
        new = {place: None for place in places if place not in self.flat}
        objects = self.trees.reader.read((oid for _path, oid, *_rest in new), limit=values.LIMIT)
        for place in new:
            path, oid, kind, keys = place
            value, note = values.read(path, objects[oid].content if oid in objects else None)
            flat, problem = values.flat(kind, value, keys) if note is None else ({}, None)
            notes = (note, f"`{path}` was skipped: {problem}" if problem else None)
            self.flat[place] = flat, tuple(text for text in notes if text)

    def _values(self, found: Layout, places: Sequence[tuple[str, str, str, tuple[str, ...]]]) -> Values:
        by_kind: dict[str, dict[str, dict[str, object]]] = {"metrics": {}, "params": {}}
        notes = list(found.notes)
        for place in places:
            flat, said = self.flat[place]
            notes += said
            if flat:
                by_kind[place[2]][place[0]] = flat
        return Values(by_kind["metrics"], by_kind["params"], tuple(dict.fromkeys(notes)) if notes else ())

    def _records(self, wanted: Iterable[tuple[Commit, _Changes]]) -> dict[str, bytes | None]:
        """record.json of the commits whose metrics may be older than they are."""
        oids = {c.oid: side[1] for c, changes in wanted if _partial(c) and (side := changes.get(PATH))}
        objects = self.trees.reader.read(oids.values())
        return {commit: objects[oid].content for commit, oid in oids.items() if oid in objects}


_LOG = (
    "log", "--no-walk=unsorted", "--stdin", "--ignore-missing", "--raw", "-z", "--no-abbrev", "--no-renames",
    "--no-color", "--no-ext-diff", "--no-show-signature", "--no-notes", "--encoding=UTF-8",
    "--format=%x01%H %T %ct %P%n%B",
)  # fmt: skip


def _changed(repo: Repo, oids: Sequence[str]) -> Iterator[tuple[Commit, _Changes]]:
    """Commits with one parent, and what each changed in it."""
    output = repo.git(*_LOG, stdin="".join(f"{oid}\n" for oid in oids).encode())
    fields = iter(output.decode("utf-8", "surrogateescape").split("\0"))
    commit: Commit | None = None
    changes: _Changes = {}
    for field in fields:
        start = field.lstrip("\n")
        if start.startswith(":"):
            words = start.split(" ")
            changes[next(fields)] = None if words[4] == "D" else (words[1], words[3])
        elif start.startswith("\x01"):
            if commit is not None:
                yield commit, changes
            commit, changes = _commit(start[1:]), {}
    if commit is not None:
        yield commit, changes


def _commit(text: str) -> Commit | None:
    head, _, said = text.partition("\n")
    oid, root, time, *parents = head.split(" ")
    if len(parents) != 1 or not parents[0]:
        return None
    return Commit(oid, root, tuple(parents), int(time), message.parse_message(said))
