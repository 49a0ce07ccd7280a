"""What many commits say about themselves, from what each changed.

An experiment differs from the commit it started from in few files. Only these are looked at; the rest is the
baseline's, which thousands share. What does not fit (several parents, directories of metrics) is read whole.

Some thousands at a time: while git reads what one round asks for, what it answered to another is looked at.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import islice
from typing import NamedTuple

from git_mlops.experiments import committed, layout, message, tree, values
from git_mlops.experiments.changes import Changes, Side, Step, Walk
from git_mlops.experiments.committed import Raw
from git_mlops.experiments.known import Page, Writer
from git_mlops.experiments.layout import Layout
from git_mlops.experiments.message import Status
from git_mlops.experiments.record import PATH, RecordError, parse_record
from git_mlops.experiments.tree import Contents, Place, Trees
from git_mlops.experiments.values import Values
from git_mlops.git.reader import Asked, Few
from git_mlops.git.repo import Repo

_FEW = 30
"""So many are read whole: more processes would take longer."""
_MANY = 20_000
"""For so many, every processor is used."""
_ROUND = 5000
"""Commits at once: memory stays bounded."""
_ROUNDS = 3
"""Under way at the same time."""
_TREE_LIMIT = 64 * 1024 * 1024
_BLOBS = ("100644", "100755")


def load(repo: Repo, trees: Trees, oids: Sequence[str], params: Sequence[str]) -> list[Page]:
    """What is known of commits; what is not here or is no commit is left out.

    Args:
        params: parameter files that the settings name besides those of dvc.yaml.
    """
    if len(oids) < _MANY:
        return read(repo, trees, oids, params)
    from git_mlops.experiments import shares

    first, *others = shares.divided(oids)
    with ExitStack() as stack:
        away = [stack.enter_context(closing(shares.Share(repo, some, params))) for some in others]
        found = read(repo, trees, first, params)
        for share in away:
            pages = share.pages()
            found += read(repo, trees, share.oids, params) if pages is None else pages
    return found


def read(repo: Repo, trees: Trees, oids: Sequence[str], params: Sequence[str]) -> list[Page]:
    """The same, in this process alone."""
    writer = Writer()
    left: list[str] = list(oids)
    if len(oids) > _FEW:
        left = _Bulk(repo, trees, Layout(params=tuple((path, ()) for path in params)), writer).load(oids)
    if left:
        _whole(trees, left, params, writer)
    return writer.end()


def _whole(trees: Trees, oids: Iterable[str], params: Sequence[str], writer: Writer) -> None:
    known = committed.raw(trees.reader, oids)
    contents = tree.contents(trees, (raw.tree for raw in known.values()), params)
    facts = {oid: _facts(raw) for oid, raw in known.items()}
    records = {oid: f"{oid}:{PATH}" for oid, (_status, partial) in facts.items() if partial}
    texts = trees.reader.read(records.values())
    for oid, raw in known.items():
        found = contents[raw.tree]
        record = texts.get(records.get(oid, ""))
        writer.add(raw, facts[oid][0], _own(found, record.content) if record else found)


def _facts(raw: Raw) -> tuple[Status, bool]:
    """Its status, and whether the tree may hold metrics of an earlier run."""
    if message.whole(raw.said):
        return "finished", False
    parsed = message.parse_message(raw.said)
    return parsed.status, parsed.older or parsed.status != "finished"


def _own(contents: Contents, record: bytes | None) -> Contents:
    """Without the metrics that the run did not write: they are not its result."""
    try:
        old = parse_record(record or b"").metrics_not_written or []
    except RecordError:
        return contents
    found = contents.values
    metrics = {path: values_ for path, values_ in found.metrics.items() if path not in old}
    return contents._replace(values=found._replace(metrics=metrics))


class _Base(NamedTuple):
    """A commit that experiments started from."""

    tree: str
    notable: dict[str, str]


_Flat = tuple[dict[str, object], str | None]
"""Values by name, and a note on why there are none."""


class _Wanted(NamedTuple):
    """A file that trees of one shape are read for."""

    path: str
    kind: str
    keys: tuple[str, ...]
    base: Side
    """The baseline's."""
    known: dict[str, _Flat]
    """What versions of it say, by blob id."""


class _Plan(NamedTuple):
    """What trees of one shape are read for."""

    layout: Layout
    declared: Layout
    files: tuple[_Wanted, ...]


class _One(NamedTuple):
    """A commit on its way."""

    raw: Raw
    status: Status
    plan: _Plan
    blobs: tuple[str | None, ...]
    """Of the plan's files."""
    record: str | None
    """Blob of record.json, where it must be asked which metrics are the run's own."""


class _Bulk:
    """What is learned about baselines and shapes stays for the next round."""

    def __init__(self, repo: Repo, trees: Trees, extra: Layout, writer: Writer) -> None:
        self.repo = repo
        self.trees = trees
        self.extra = extra
        self.writer = writer
        self.walk = Walk(trees, repo.object_format)
        self.bases: dict[str, _Base | None] = {}
        self.plans: dict[tuple[str, tuple[Place, ...]], _Plan] = {}
        self.declared: dict[Place, Layout] = {}
        self.known: dict[tuple[str, str, tuple[str, ...]], dict[str, _Flat]] = {}
        self.left: list[str] = []

    def load(self, oids: Sequence[str]) -> list[str]:
        """Write what fits; the others are returned."""
        remaining = iter(oids)
        waiting: deque[Iterator[None]] = deque()
        while True:
            while len(waiting) < _ROUNDS and (some := list(islice(remaining, _ROUND))):
                waiting.append(self._round(some))
            if not waiting:
                return self.left
            for _asked in waiting[0]:
                waiting.rotate(-1)
                break
            else:
                waiting.popleft()

    def _round(self, oids: list[str]) -> Iterator[None]:
        """One round; it yields whenever it has asked git for something."""
        commits: list[Raw] = []
        with closing(self._ask(oids)) as asked:
            yield
            for oid, kind, content in asked.answers(_TREE_LIMIT):
                raw = committed.split(oid, content) if kind == "commit" and content else None
                if raw and len(raw.parents) == 1:
                    commits.append(raw)
        self._learn_bases({raw.parents[0] for raw in commits})
        changed: list[tuple[Raw, Changes]] = [(raw, {}) for raw in commits if self.bases[raw.parents[0]]]
        broken: list[Changes] = []
        yield from self._compared(changed, broken)
        without = set(map(id, broken))
        changed = [pair for pair in changed if id(pair[1]) not in without]
        self._learn_pipelines(changed)
        ones = [one for raw, changes in changed if (one := self._one(raw, changes))]
        records: dict[str, bytes | None] = {}
        yield from self._read(ones, records)
        for one in ones:
            contents = Contents(one.plan.layout, one.plan.declared, _values(one))
            own = _own(contents, records[one.record]) if one.record in records else contents
            self.writer.add(one.raw, one.status, own)
        done = {one.raw.oid for one in ones}
        self.left += [oid for oid in oids if oid not in done]

    def _ask(self, oids: Collection[str]) -> Asked | Few:
        """Few are asked of the process that is there: another would take longer."""
        return Few(self.trees.reader, oids) if len(oids) <= _FEW else Asked(self.repo, oids)

    def _learn_bases(self, oids: set[str]) -> None:
        new = [oid for oid in oids if oid not in self.bases]
        known = committed.commits(self.trees.reader, new)
        self.trees.load(commit.tree for commit in known.values())
        for oid in new:
            commit = known.get(oid)
            self.bases[oid] = _Base(commit.tree, dict(self.trees.notable(commit.tree))) if commit else None

    def _compared(self, changed: Sequence[tuple[Raw, Changes]], broken: list[Changes]) -> Iterator[None]:
        """What the commits changed; `broken` gets those whose trees are not all here."""
        level: dict[Step, list[Changes]] = {}
        for raw, into in changed:
            base = self.bases[raw.parents[0]]
            if base and base.tree != raw.tree:
                level.setdefault(("", base.tree, raw.tree), []).append(into)
        while level:
            by_tree: dict[str, list[Step]] = {}
            for step in level:
                by_tree.setdefault(step[2], []).append(step)
            below: dict[Step, list[Changes]] = {}
            with closing(self._ask(by_tree)) as asked:
                yield
                for oid, _kind, content in asked.answers(_TREE_LIMIT):
                    if content is not None:
                        for step in by_tree.pop(oid):
                            found, inner = self.walk.compare(step, content)
                            for into in level[step]:
                                into.update(found)
                            for next_ in inner:
                                below.setdefault(next_, []).extend(level[step])
            broken += [into for steps in by_tree.values() for step in steps for into in level[step]]
            level = below

    def _learn_pipelines(self, changed: Sequence[tuple[Raw, Changes]]) -> None:
        places = {
            (path, side[1])
            for _raw, changes in changed
            for path, side in changes.items()
            if path.endswith("dvc.yaml") and side is not None and layout.is_pipeline(path)
        }
        bases = (base for base in self.bases.values() if base)
        places |= {place for base in bases for place in base.notable.items() if layout.is_pipeline(place[0])}
        places -= self.declared.keys()
        objects = self.trees.reader.read(oid for _path, oid in places)
        for path, oid in places:
            value, note = layout.parse(path, objects[oid].content if oid in objects else None)
            self.declared[path, oid] = layout.declared({path: value})._replace(notes=(note,) if note else ())

    def _one(self, raw: Raw, changes: Changes) -> _One | None:
        """None where a file is a folder: every file below it counts, so it is read whole."""
        plan = self._plan(raw.parents[0], changes)
        blobs: list[str | None] = []
        for file in plan.files:
            side = changes.get(file.path, file.base)
            if side is None and _holds(changes, file.path):
                return None
            if side is not None and side[0] == "40000":
                return None
            blobs.append(side[1] if side is not None and side[0] in _BLOBS else None)
        status, partial = _facts(raw)
        record = changes.get(PATH) if partial else None
        return _One(raw, status, plan, tuple(blobs), record[1] if record else None)

    def _plan(self, baseline: str, changes: Changes) -> _Plan:
        shape = tuple([
            (path, "-" if side is None else side[1] if path.endswith("dvc.yaml") else side[0])
            for path, side in changes.items()
            if tree.is_notable(path)
        ])  # fmt: skip
        plan = self.plans.get((baseline, shape))
        if plan is None:
            base = self.bases[baseline]
            assert base
            notable = {path: side for path, side in changes.items() if tree.is_notable(path)}
            plan = self.plans[baseline, shape] = self._planned(base, notable)
        return plan

    def _planned(self, base: _Base, notable: Changes) -> _Plan:
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
        files = [self._wanted(base, path, "metrics", ()) for path in whole.metrics]
        files += [self._wanted(base, path, "params", keys) for path, keys in whole.params]
        return _Plan(whole, own, tuple(files))

    def _wanted(self, base: _Base, path: str, kind: str, keys: tuple[str, ...]) -> _Wanted:
        entry = self.trees.find(base.tree, path)
        known = self.known.setdefault((path, kind, keys), {})
        return _Wanted(path, kind, keys, (entry.mode, entry.oid) if entry else None, known)

    def _read(self, ones: Sequence[_One], records: dict[str, bytes | None]) -> Iterator[None]:
        """Files that were not seen yet, and the records that are asked for."""
        wanted: dict[str, list[_Wanted]] = {}
        for one in ones:
            for file, oid in zip(one.plan.files, one.blobs, strict=True):
                if oid is not None and oid not in file.known:
                    # each once: `known` has an entry from now on
                    file.known[oid] = {}, f"`{file.path}` was skipped: too large"
                    wanted.setdefault(oid, []).append(file)
            if one.record is not None:
                wanted.setdefault(one.record, [])
        asked_for = {one.record for one in ones if one.record is not None}
        with closing(self._ask(wanted)) as asked:
            yield
            for oid, _kind, content in asked.answers(values.LIMIT):
                for file in wanted[oid]:
                    file.known[oid] = _flat(file, content)
                if oid in asked_for:
                    records[oid] = content


def _holds(changes: Changes, path: str) -> bool:
    start = f"{path}/"
    return any(one.startswith(start) for one in changes)


def _flat(file: _Wanted, content: bytes | None) -> _Flat:
    value, note = values.read(file.path, content)
    if note is not None:
        return {}, note
    flat, problem = values.flat(file.kind, value, file.keys)
    return flat, f"`{file.path}` was skipped: {problem}" if problem else None


def _values(one: _One) -> Values:
    metrics: dict[str, dict[str, object]] = {}
    params: dict[str, dict[str, object]] = {}
    notes = list(one.plan.layout.notes)
    for file, oid in zip(one.plan.files, one.blobs, strict=True):
        if oid is None:
            continue
        flat, said = file.known[oid]
        if said:
            notes.append(said)
        if flat:
            (metrics if file.kind == "metrics" else params)[file.path] = flat
    return Values(metrics, params, tuple(dict.fromkeys(notes)) if notes else ())
