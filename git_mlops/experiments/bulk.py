"""What many commits say about themselves, from what each changed.

An experiment differs from the commit it started from in few files. Only these are looked at; the rest is the
baseline's, which thousands share. What does not fit (several parents, directories of metrics) is read whole.

Some thousands at a time: while git reads what one round asks for, what it answered to another is looked at.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from itertools import islice
from typing import NamedTuple

from git_mlops.experiments import committed, layout, message, tree, values
from git_mlops.experiments.changes import Changes, Folder, Shape, Side, Walk
from git_mlops.experiments.committed import Raw
from git_mlops.experiments.known import Many, Page, Writer
from git_mlops.experiments.layout import Layout
from git_mlops.experiments.message import Status
from git_mlops.experiments.record import PATH, RecordError, parse_record
from git_mlops.experiments.tree import Contents, Place, Trees
from git_mlops.git.reader import Asked, Few, Talk
from git_mlops.git.repo import Repo

_FEW = 30
"""So many are read whole: more processes would take longer."""
_MANY = 20_000
"""For so many, every processor is used."""
_ROUND = 5000
"""Commits at once: memory stays bounded."""
_ROUNDS = 3
"""Under way at the same time."""
_SHAPES = 1000
"""Remembered of what commits changed."""
_TREE_LIMIT = 64 * 1024 * 1024
_BLOBS = ("100644", "100755")
_FOLDER = "40000"


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
        for page in found:
            page.encoded  # noqa: B018  # it will be asked for, and the others may still need a moment
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
    found, old = contents.values, _not_written(record)
    metrics = {path: values_ for path, values_ in found.metrics.items() if path not in old}
    return contents._replace(values=found._replace(metrics=metrics))


def _not_written(record: bytes | None) -> Collection[str]:
    try:
        return parse_record(record or b"").metrics_not_written or ()
    except RecordError:
        return ()


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
    known: dict[str | None, _Flat]
    """What versions of it say, by blob id."""


class _Meaning(NamedTuple):
    """What trees say in which the same files of meaning are."""

    layout: Layout
    declared: Layout
    files: tuple[_Wanted, ...]


_Place = int | str | None
"""Where in a commit's ids that of a blob stands; or the id, where all have it; None: there is no file."""


class _Plan(NamedTuple):
    """What trees of one shape are read for."""

    meaning: _Meaning
    places: tuple[_Place, ...]
    """Of its files."""
    record: _Place
    """Of record.json."""


class _Way:
    """A commit on its way: what it changed comes in folder by folder."""

    __slots__ = ("ids", "odd", "raw", "shape", "whole")

    def __init__(self, raw: Raw, shape: Shape) -> None:
        self.raw = raw
        self.shape = shape
        self.ids: tuple[bytes, ...] = ()
        """Of what differs in each template of the shape."""
        self.odd: Changes | None = None
        """Other changes, of which there is no template."""
        self.whole = True
        """Whether all its trees are here."""


class _Alike(NamedTuple):
    """Commits in which the same files are looked at."""

    meaning: _Meaning
    raws: Sequence[Raw]
    statuses: list[Status]
    blobs: Sequence[Sequence[str | None]]
    """Of each of the files those of the commits."""
    records: dict[int, str | None]
    """Blobs of record.json, by the commits' numbers here, where it says which metrics are the run's own."""


_Step = tuple[Folder, _Way]


class _Bulk:
    """What is learned about baselines and shapes stays for the next round."""

    def __init__(self, repo: Repo, trees: Trees, extra: Layout, writer: Writer) -> None:
        self.repo = repo
        self.trees = trees
        self.extra = extra
        self.writer = writer
        self.walk = Walk(trees, repo.object_format)
        self.bases: dict[str, _Base | None] = {}
        self.shapes: dict[str, Shape] = {}
        self.plans: dict[Shape, _Plan | None] = {}
        self.meanings: dict[tuple[str, frozenset[tuple[str, str]]], _Meaning] = {}
        self.sides: dict[tuple[str, str], Side] = {}
        self.declared: dict[Place, Layout] = {}
        self.known: dict[tuple[str, str, tuple[str, ...]], dict[str | None, _Flat]] = {}
        self.left: list[str] = []
        self.talks: list[Talk] = []

    def load(self, oids: Sequence[str]) -> list[str]:
        """Write what fits; the others are returned."""
        self.talks = [Talk(self.repo) for _round in range(0, min(len(oids), _ROUND * _ROUNDS), _ROUND)]
        try:
            self._rounds(oids)
        finally:
            for talk in self.talks:
                talk.end()
        return self.left

    def _rounds(self, oids: Sequence[str]) -> None:
        remaining = iter(oids)
        waiting: deque[Iterator[None]] = deque()
        while True:
            while len(waiting) < _ROUNDS and (some := list(islice(remaining, _ROUND))):
                waiting.append(self._round(some))
            if not waiting:
                return
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
        ways = [_Way(raw, self._shape(raw.parents[0])) for raw in commits if self.bases[raw.parents[0]]]
        yield from self._compared(ways)
        groups = self._alike([way for way in ways if way.whole])
        records: dict[str, bytes | None] = {}
        yield from self._read(groups, records)
        for alike in groups:
            self._write(alike, records)
        done = {raw.oid for alike in groups for raw in alike.raws}
        self.left += [oid for oid in oids if oid not in done]

    def _shape(self, baseline: str) -> Shape:
        """Of what has not changed, so far as it is known."""
        found = self.shapes.get(baseline)
        if found is None:
            found = self.shapes[baseline] = Shape()
        return found

    def _ask(self, oids: Collection[str]) -> Asked | Few | Talk:
        """Few are asked of the process that is there: another would take longer."""
        if len(oids) <= _FEW:
            return Few(self.trees.reader, oids)
        return next((talk for talk in self.talks if talk.free), self.talks[0]).ask(oids)

    def _learn_bases(self, oids: set[str]) -> None:
        new = [oid for oid in oids if oid not in self.bases]
        known = committed.commits(self.trees.reader, new)
        self.trees.load(commit.tree for commit in known.values())
        for oid in new:
            commit = known.get(oid)
            self.bases[oid] = _Base(commit.tree, dict(self.trees.notable(commit.tree))) if commit else None

    def _compared(self, ways: Sequence[_Way]) -> Iterator[None]:
        """What the commits changed, level by level."""
        level: dict[str, list[_Step]] = {}
        for way in ways:
            base = self.bases[way.raw.parents[0]]
            if base and base.tree != way.raw.tree:
                level.setdefault(way.raw.tree, []).append((self.walk.folder("", base.tree), way))
        while level:
            below: dict[str, list[_Step]] = {}
            with closing(self._ask(level)) as asked:
                yield
                for oid, _kind, content in asked.answers(_TREE_LIMIT):
                    if content is not None:
                        for folder, way in level.pop(oid):
                            self._folder(folder, way, content, below)
            for steps in level.values():
                for _folder, way in steps:
                    way.whole = False
            level = below

    def _folder(self, folder: Folder, way: _Way, content: bytes, below: dict[str, list[_Step]]) -> None:
        found = folder.compared(content)
        if found is None:
            changes, inner = self.walk.compare(folder, content)
            way.odd = changes if way.odd is None else way.odd | changes
            for folder_, oid in inner:
                below.setdefault(oid, []).append((folder_, way))
            return
        template, ids = found
        way.shape = way.shape.longer(template)
        way.ids += ids
        for number, next_ in template.folders:
            below.setdefault(ids[number].hex(), []).append((next_, way))

    def _alike(self, ways: Sequence[_Way]) -> list[_Alike]:
        """Those that need not be read whole, by shape."""
        by_shape: dict[Shape, list[_Way]] = {}
        odd: list[_Way] = []
        for way in ways:
            (by_shape.setdefault(way.shape, []) if way.odd is None else odd).append(way)
        self._learn_plans([some[0] for shape, some in by_shape.items() if shape not in self.plans])
        found = [_of_shape(plan, some) for shape, some in by_shape.items() if (plan := self.plans[shape])]
        if len(self.plans) > _SHAPES:
            # when every commit has another, what was learned of them helps nobody, and takes memory
            self.plans, self.shapes = {}, {}
            self.walk = Walk(self.trees, self.repo.object_format)
        return found + self._unlike(odd)

    def _unlike(self, ways: Sequence[_Way]) -> list[_Alike]:
        """The same of those that no template fits."""
        changed = [(way, way.shape.changes(way.ids) | (way.odd or {})) for way in ways]
        self._learn_pipelines(changes for _way, changes in changed)
        groups: dict[int, tuple[_Meaning, list[Raw], list[tuple[_Place, ...]]]] = {}
        for way, changes in changed:
            plan = self._plan(way.raw.parents[0], changes, {})
            if plan is not None:
                group = groups.setdefault(id(plan.meaning), (plan.meaning, [], []))
                group[1].append(way.raw)
                group[2].append((*plan.places, plan.record))
        return [_of_places(*group) for group in groups.values()]

    def _learn_plans(self, ways: Sequence[_Way]) -> None:
        """What commits are read for that changed the same files in the same baseline; one of each shape."""
        changed = [(way, way.shape.changes(way.ids)) for way in ways]
        self._learn_pipelines(changes for _way, changes in changed)
        for way, changes in changed:
            self.plans[way.shape] = self._plan(way.raw.parents[0], changes, way.shape.places())

    def _learn_pipelines(self, changed: Iterable[Changes]) -> None:
        places = {
            (path, side[1])
            for changes in changed
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

    def _plan(self, baseline: str, changes: Changes, places: Mapping[str, int]) -> _Plan | None:
        """None where a file is a folder: every file below it counts, so it is read whole."""
        base = self.bases[baseline]
        assert base
        meaning = self._meaning(baseline, base, changes)
        found: list[_Place] = []
        for file in meaning.files:
            side = changes[file.path] if file.path in changes else self._side(base, file.path)
            if side is None and _holds(changes, file.path):
                return None
            if side is not None and side[0] == _FOLDER:
                return None
            found.append(_place(side, places.get(file.path)))
        side = changes[PATH] if PATH in changes else self._side(base, PATH)
        return _Plan(meaning, tuple(found), _place(side, places.get(PATH)))

    def _meaning(self, baseline: str, base: _Base, changes: Changes) -> _Meaning:
        """The same wherever the same files of meaning are there, with the same pipelines."""
        notable = {path: side for path, side in changes.items() if tree.is_notable(path)}
        key = (
            baseline,
            frozenset(
                (path, "" if side is None else side[1] if layout.is_pipeline(path) else side[0])
                for path, side in notable.items()
            ),
        )
        found = self.meanings.get(key)
        if found is None:
            found = self.meanings[key] = self._meant(base, notable)
        return found

    def _meant(self, base: _Base, notable: Changes) -> _Meaning:
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
        files = [self._wanted(path, "metrics", ()) for path in whole.metrics]
        files += [self._wanted(path, "params", keys) for path, keys in whole.params]
        return _Meaning(whole, own, tuple(files))

    def _wanted(self, path: str, kind: str, keys: tuple[str, ...]) -> _Wanted:
        known = self.known.setdefault((path, kind, keys), {None: ({}, None)})
        return _Wanted(path, kind, keys, known)

    def _side(self, base: _Base, path: str) -> Side:
        if (base.tree, path) not in self.sides:
            entry = self.trees.find(base.tree, path)
            self.sides[base.tree, path] = (entry.mode, entry.oid) if entry else None
        return self.sides[base.tree, path]

    def _read(self, groups: Sequence[_Alike], records: dict[str, bytes | None]) -> Iterator[None]:
        """Files that were not seen yet, and the records that are asked for."""
        wanted: dict[str, list[_Wanted]] = {}
        for alike in groups:
            for file, blobs in zip(alike.meaning.files, alike.blobs, strict=True):
                known = file.known
                for oid in blobs:
                    if oid not in known and oid is not None:
                        # each once: `known` has an entry from now on
                        known[oid] = {}, f"`{file.path}` was skipped: too large"
                        wanted.setdefault(oid, []).append(file)
        asked_for = {oid for alike in groups for oid in alike.records.values() if oid is not None}
        for oid in asked_for:
            wanted.setdefault(oid, [])
        with closing(self._ask(wanted)) as asked:
            yield
            for oid, _kind, content in asked.answers(values.LIMIT):
                for file in wanted[oid]:
                    file.known[oid] = _flat(file, content)
                if oid in asked_for:
                    records[oid] = content

    def _write(self, alike: _Alike, records: Mapping[str, bytes | None]) -> None:
        found: dict[str, dict[str, list[Mapping[str, object]]]] = {"metrics": {}, "params": {}}
        notes: dict[int, list[str]] = {}
        if alike.meaning.layout.notes:
            notes = {number: list(alike.meaning.layout.notes) for number in range(len(alike.raws))}
        for file, blobs in zip(alike.meaning.files, alike.blobs, strict=True):
            pairs = [file.known[oid] for oid in blobs]
            found[file.kind][file.path] = [flat for flat, _said in pairs]
            for number, said in [(number, said) for number, (_flat, said) in enumerate(pairs) if said]:
                notes.setdefault(number, []).append(said)
        for number, oid in alike.records.items():
            for path in _not_written(records.get(oid or "")):
                if path in found["metrics"]:
                    found["metrics"][path][number] = {}
        some = Many(alike.raws, alike.statuses, alike.meaning[:2], found["metrics"], found["params"], notes)
        self.writer.add_all(some)


def _of_shape(plan: _Plan, ways: Sequence[_Way]) -> _Alike:
    ids = [way.ids for way in ways]
    blobs = [_blobs(place, ids) for place in (*plan.places, plan.record)]
    return _with_facts(plan.meaning, [way.raw for way in ways], blobs)


def _of_places(meaning: _Meaning, raws: Sequence[Raw], places: Sequence[tuple[_Place, ...]]) -> _Alike:
    return _with_facts(meaning, raws, list(zip(*places, strict=True)))


def _with_facts(meaning: _Meaning, raws: Sequence[Raw], blobs: Sequence[Sequence[str | None]]) -> _Alike:
    facts = [_facts(raw) for raw in raws]
    partial = [number for number, (_status, older) in enumerate(facts) if older]
    records = {number: blobs[-1][number] for number in partial}
    return _Alike(meaning, raws, [status for status, _older in facts], blobs[:-1], records)


def _blobs(place: _Place, ids: Sequence[tuple[bytes, ...]]) -> list[str | None]:
    return [one[place].hex() for one in ids] if isinstance(place, int) else [place] * len(ids)


def _place(side: Side, differing: int | None) -> _Place:
    if side is None or side[0] not in _BLOBS:
        return None
    return side[1] if differing is None else differing


def _holds(changes: Changes, path: str) -> bool:
    start = f"{path}/"
    return any(one.startswith(start) for one in changes)


def _flat(file: _Wanted, content: bytes | None) -> _Flat:
    value, note = values.read(file.path, content)
    if note is not None:
        return {}, note
    flat, problem = values.flat(file.kind, value, file.keys)
    return flat, f"`{file.path}` was skipped: {problem}" if problem else None
