"""Withdrawal: which objects go, what came from them, what stays because other data has it, too.

No history is rewritten: pointers go on naming what is gone, and every command says so.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from git_mlops.data import cache, dvc, listing, purges, unused
from git_mlops.data.pointers import Out
from git_mlops.data.purges import Object, Purge
from git_mlops.errors import FINDINGS, MlopsError, NotFoundError
from git_mlops.git.repo import Repo, resolve
from git_mlops.lineage import build, find, sources, taints
from git_mlops.lineage.graph import KINDS, Graph, Node, part
from git_mlops.lineage.sources import Sources


class Wanted(NamedTuple):
    """What is to be withdrawn."""

    subjects: tuple[str, ...]
    """Hashes, paths, `REV:PATH`; also files of a tracked directory."""
    history: bool = False
    """Every version that these paths ever had."""
    shared: bool = False
    """Also files of a directory that other data has, too."""


class Kept(NamedTuple):
    """A file of a withdrawn directory that stays."""

    object: Object
    by: str
    """The data that has it, too."""


class Plan(NamedTuple):
    """What a withdrawal would do."""

    label: str
    targets: tuple[Object, ...]
    """What was named: each is tainted."""
    objects: tuple[Object, ...]
    """What goes: the targets, and files of directories."""
    kept: tuple[Kept, ...]
    named: tuple[str, ...]
    """Every path under which anything of it is, or was, in this repository."""
    reached: tuple[Node, ...]
    """What came from it."""
    holding: tuple[str, ...]
    """Stages that a version holds which came from it."""
    earlier: int
    """Other versions of the same paths, which stay."""
    unknown: tuple[str, ...]
    """Directories of which nobody here knows what is in them."""

    @property
    def hashes(self) -> frozenset[str]:
        """Of all that goes."""
        return frozenset(one.hash for one in self.objects)


def plan(repo: Repo, wanted: Wanted) -> Plan:
    """Look at everything, change nothing.

    Raises:
        NotFoundError: nothing has that name. MlopsError: it is no data.
    """
    found = sources.gather(repo)
    every = [out for out in dict.fromkeys(unused.named(repo)) if out.cache]
    targets = _targets(repo, found, every, wanted)
    label = " ".join(dict.fromkeys(one.path for one in targets))
    listings = _Listings(repo)
    members, unknown = _members(listings, targets)
    kept = [] if wanted.shared else list(_kept(listings, every, targets, members))
    stay = {one.object.hash for one in kept}
    going = (*targets, *(one for one in members if one.hash not in stay))
    objects = tuple({one[:2]: one for one in reversed(going)}.values())[::-1]
    graph = _downstream(repo, found, targets)
    own = {_node(one) for one in targets}
    paths = {one.path for one in targets}
    hashes = {one.hash for one in objects}
    return Plan(
        label if len(label) <= _LONGEST else f"{targets[0].path} and {len(paths) - 1} more",
        targets, objects, tuple(kept),
        tuple(sorted({out.path for out in every if out.hash in hashes} | paths)),
        _reached(graph, own), tuple(sorted(_holding(graph))),
        len({out.hash for out in every if out.path in paths} - hashes),
        tuple(sorted({*unknown, *listings.unknown})),
    )  # fmt: skip


_LONGEST = 120


def _node(one: Object) -> str:
    return f"object:{one.algorithm}:{one.hash}"


# -- what is meant ------------------------------------------------------------------------------------------


def _targets(repo: Repo, found: Sources, every: Sequence[Out], wanted: Wanted) -> tuple[Object, ...]:
    targets: dict[tuple[str, str], Object] = {}
    for text in wanted.subjects:
        out = _meant(repo, found, every, text)
        versions = [one for one in every if one.path == out.path] if wanted.history else []
        if wanted.history and not versions:
            versions = list(_earlier(repo, every, out.path))
        for one in (out, *versions):
            size = one.size or _Listings(repo).size(one)
            targets.setdefault((one.algorithm, one.hash), Object(one.algorithm, one.hash, one.path, size))
    return tuple(targets.values())


def _meant(repo: Repo, found: Sources, every: Sequence[Out], text: str) -> Out:
    try:
        node = find.node(repo, found, text)
    except NotFoundError:
        inside = _inside(repo, text)
        if inside is None:
            raise
        return inside
    kind, _, rest = node.partition(":")
    algorithm, _, hash_ = rest.partition(":")
    if kind != "object":
        inside = _inside(repo, text) if kind == "commit" else None
        if inside is not None:
            return inside
        raise MlopsError(
            f"`{text}` is {_KINDS.get(kind, 'no data')}: only data can be purged",
            hint=f"`git mlops lineage '{text}' --up` names its data; `git mlops taint` marks it",
        )
    known = [out for out in every if out.hash == hash_]
    path = find.path_of(repo, text)
    exact = next((out for out in known if out.path == path), None)
    return exact or next(iter(known), Out(text if path is None else path, algorithm, hash_))


_KINDS = {"model": "a model", "experiment": "an experiment", "commit": "a commit", "stage": "a stage"}


def _inside(repo: Repo, text: str) -> Out | None:
    """A file of a tracked directory, in the workspace's version or in a revision's."""
    revision, colon, path = text.rpartition(":")
    if colon:
        outs: Iterable[Out] = find.committed(repo, resolve(repo, revision))
    else:
        outs, path = listing.in_workspace(repo), find.path_of(repo, text) or text
    for out in outs:
        if out.is_dir and path.startswith(f"{out.path}/"):
            return _Listings(repo).of(out).get(path.removeprefix(f"{out.path}/"))
    return None


def _earlier(repo: Repo, every: Iterable[Out], path: str) -> Iterator[Out]:
    """Every version of a file of tracked directories."""
    listings = _Listings(repo)
    for out in every:
        if out.is_dir and path.startswith(f"{out.path}/"):
            found = listings.of(out).get(path.removeprefix(f"{out.path}/"))
            if found is not None:
                yield found


# -- directories --------------------------------------------------------------------------------------------


class _Listings:
    """What directories hold: from the cache, else from a remote; each is read once."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.unknown: set[str] = set()
        self._known: dict[tuple[str, str], dict[str, Out]] = {}

    def of(self, out: Out) -> Mapping[str, Out]:
        """Path in it → its file; what is nowhere to be read is noted in `unknown`."""
        key = (out.algorithm, out.hash)
        if key not in self._known:
            self._known[key] = cache.members(self.repo, out) or self._away(out)
        found = self._known[key]
        return {name: one._replace(path=f"{out.path}/{name}") for name, one in found.items()}

    def size(self, out: Out) -> int | None:
        """Bytes of a file, where the cache has it."""
        file = cache.locate(self.repo, out)
        return file.stat().st_size if file is not None else None

    def _away(self, out: Out) -> dict[str, Out]:
        if cache.locate(self.repo, out) is not None:
            return {}  # an empty one
        for name in dvc.every_remote(self.repo):
            try:
                content = dvc.listings(self.repo, [out], name).get(out)
            except MlopsError:
                continue  # asked again, and said, when things are removed
            if content is not None:
                return cache.listing(out, content)
        if not purges.of_hashes(self.repo, [out.hash]):
            self.unknown.add(out.path)
        return {}


def _members(listings: _Listings, targets: Iterable[Object]) -> tuple[list[Object], list[str]]:
    """The files of the directories that are meant; after an interruption, those that were recorded then."""
    found: dict[tuple[str, str], Object] = {}
    unknown = []
    for one in (one for one in targets if one.hash.endswith(".dir")):
        inside = listings.of(Out(one.path, one.algorithm, one.hash)).values()
        some = [Object(each.algorithm, each.hash, each.path, listings.size(each)) for each in inside]
        if not some:
            before = purges.of_hashes(listings.repo, [one.hash]).get(one.hash)
            some = [each for each in before.objects if each.hash != one.hash] if before else []
            unknown += [] if before else [one.path]
        found |= {each[:2]: each for each in some}
    return list(found.values()), unknown


def _kept(
    listings: _Listings, every: Iterable[Out], targets: Iterable[Object], members: Iterable[Object]
) -> Iterator[Kept]:
    going = {one.hash for one in targets}
    left = {one.hash: one for one in members if one.hash not in going}
    for out in every:
        if not left:
            return
        if out.hash in going:
            continue
        hashes = {one.hash for one in listings.of(out).values()} if out.is_dir else {out.hash}
        for hash_ in sorted(hashes & left.keys()):
            yield Kept(left.pop(hash_), out.path)


# -- what came from it --------------------------------------------------------------------------------------


def _downstream(repo: Repo, found: Sources, targets: Iterable[Object]) -> Graph:
    whole = Graph()
    for one in targets:
        around = build.around(repo, found, _node(one), up=False, added=False)
        graph = part(around, _node(one), up=False, down=True, beside=False)
        for node in graph.nodes.values():
            whole.add(node)
        for edge in graph.edges:
            whole.link(*edge)
    return whole


def _reached(graph: Graph, own: set[str]) -> tuple[Node, ...]:
    below = (node for node in graph.nodes.values() if node.id not in own)
    return tuple(sorted(below, key=lambda node: (KINDS.index(node.kind), node.label)))


def _holding(graph: Graph) -> Iterator[str]:
    for node in graph.nodes.values():
        if node.kind == "model":
            held = (edge.target for edge in graph.down(node.id) if edge.how == "holds")
            yield from (f"{name.removeprefix('stage:')} ({node.label})" for name in held)


def refuse_in_use(repo: Repo, found: Plan, *, anyway: bool) -> None:
    """A model that serves is not pulled from under those who use it without their knowing.

    Raises:
        MlopsError: a version that came from it holds a stage, and it is not tainted (exit code 1).
    """
    if anyway or not found.holding:
        return
    marked = {one.node for one in taints.listed(repo) if one.holds}
    if all(_node(one) in marked for one in found.targets):
        return
    raise MlopsError(
        f"a model that came from it holds a stage: {', '.join(found.holding)}",
        hint="`git mlops model rollback` or `promote` another version first, or `--anyway`",
        exit_code=FINDINGS,
    )


def recorded(repo: Repo, found: Plan) -> Purge | None:
    """The withdrawal in force of exactly these objects: an earlier run that was not finished."""
    known = purges.of_hashes(repo, found.hashes)
    return next((one for one in known.values() if {each.hash for each in one.objects} >= found.hashes), None)


def lift(repo: Repo, text: str, why: str, who: str) -> list[Purge]:
    """Say that data may come back: what is proved stays, the taint stays, nothing is brought.

    Raises:
        NotFoundError: no withdrawal in force is meant.
    """
    known = [one for one in purges.listed(repo) if one.holds]
    found = [one for one in known if text in (one.id, one.label) or _names(repo, one, text)]
    if not found:
        raise NotFoundError(f"`{text}` was not purged", hint="`git mlops purge --list`")
    done = [one._replace(said=(*one.said, _later(one, why, who))) for one in found]
    for one in done:
        purges.write(repo, one, f"lift: {one.label}")
    return done


def _names(repo: Repo, one: Purge, text: str) -> bool:
    path = find.path_of(repo, text)
    return any(
        text in (each.hash, each.hash.removesuffix(".dir")) or each.path == path for each in one.objects
    )


def _later(one: Purge, why: str, who: str) -> purges.Word:
    """Of two words of one second the withdrawal counts, so this one is of a later second."""
    last = dt.datetime.fromisoformat(one.said[-1].time) + dt.timedelta(seconds=1)
    time = max(now(), last.isoformat(timespec="seconds"))
    return purges.Word(purged=False, why=why, who=who, time=time)


def moment() -> str:
    """This instant, to the millisecond: two clones that ask in one second say two things."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def now() -> str:
    """UTC, ISO 8601."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def pull(repo: Repo, remote: str) -> None:
    """What others have withdrawn, and its taints.

    Raises:
        MlopsError: the git remote cannot be reached (exit code 3).
    """
    purges.pull(repo, remote)
    taints.pull(repo, remote)


def push(repo: Repo, remote: str) -> None:
    """Send ours, and the taints.

    Raises:
        MlopsError: the git remote cannot be reached or refuses (exit code 3).
    """
    purges.push(repo, remote)
    if taints.listed(repo):
        taints.push(repo, remote)
