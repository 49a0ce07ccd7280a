"""The graph around one thing, built from the sources that name it, and from those that name what is found."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from git_mlops.data import listing, pointers
from git_mlops.data.pointers import Out, PointerError
from git_mlops.experiments import documents, names, read, reads
from git_mlops.experiments.documents import DocumentError
from git_mlops.experiments.reads import Read
from git_mlops.experiments.record import PATH, Record, RecordError, parse_record
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo
from git_mlops.lineage.graph import IN_TREE, MAY_HAVE_READ, READ, Graph, Node
from git_mlops.lineage.sources import Source, Sources
from git_mlops.registry.state import Event


class _Stage(NamedTuple):
    """One stage of a dvc.lock."""

    name: str
    command: str
    deps: tuple[Out, ...]
    outs: tuple[Out, ...]


def around(
    repo: Repo, sources: Sources, start: str, *, up: bool = True, down: bool = True, added: bool = True
) -> Graph:
    """What `start` came from and what came from it.

    Args:
        start: the name of a node; it is in the graph also where nothing else is known of it.
        added: also who added data first, which is a walk through all of history.
    """
    graph, done = Graph(), set[str]()
    for wanted, follow in ((up, "source"), (down, "target")):
        seen, waiting = {start}, [start] if wanted else []
        while waiting:
            node = waiting.pop(0)
            if follow == "source" and node != start and _kind(node) in _ROOTS:
                continue  # nothing is above it, and what else names it is not asked for
            _expand(sources, graph, node, done)
            edges = graph.up(node) if follow == "source" else graph.down(node)
            for edge in edges:
                other = edge.source if follow == "source" else edge.target
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
    if start not in graph.nodes:
        graph.add(Node(start, _kind(start), start.partition(":")[2]))
    _describe(repo, graph)
    if added:
        _introduce(repo, graph)
    return graph


def _introduce(repo: Repo, graph: Graph) -> None:
    """Who added data that came from nothing here: the first commit with a pointer to it."""
    raw = [node for node in graph.nodes.values() if node.kind == "object" and not graph.up(node.id)]
    first = _first_commits(repo, [node.id.rpartition(":")[2] for node in raw[:_ASKED]])
    for node in raw[:_ASKED]:
        if (said := first.get(node.id.rpartition(":")[2])) is None:
            continue
        oid, who, email, subject = said
        commit = graph.add(Node(f"commit:{oid}", "commit", f"{oid[:12]} {subject}", {"commit": oid}))
        graph.link(commit, node.id, "added")
        graph.link(graph.add(Node(f"person:{email}", "person", f"{who} <{email}>")), commit, "author")


def _first_commits(repo: Repo, hashes: list[str]) -> dict[str, list[str]]:
    """The oldest commit that wrote each hash into a pointer: id, author, address, subject. One walk."""
    wanted = [one for one in hashes if _HASH.fullmatch(one)]
    if not wanted:
        return {}
    asked = f"-G{'|'.join(one.removesuffix('.dir') for one in wanted)}"
    found: dict[str, list[str]] = {}
    commit: list[str] = []
    for line in repo.text("log", *_FIRST, "-E", asked, "--", *pointers.PATHSPECS).split("\n"):
        if line.startswith("\x1e"):
            commit = line[1:].split("\0")
        elif line.startswith("+") and not line.startswith("+++ "):
            found |= {one: commit for one in wanted if one in line and len(commit) == _FIELDS}
    return found


_HASH = re.compile(r"[0-9a-f]{32}(?:\.dir)?")
_FIELDS = 4
_FIRST = (
    "--branches", "--remotes", "--tags", "--no-show-signature", "--format=%x1e%H%x00%an%x00%ae%x00%s",
    "--no-renames", "--diff-filter=AM", "-p", "-U0", "--no-color", "--no-ext-diff", "--no-textconv",
    "--text",
)  # fmt: skip
_ASKED = 10
"""Objects whose history is searched."""


def _describe(repo: Repo, graph: Graph) -> None:
    """Say of commits what their messages begin with."""
    ids = {node.id.removeprefix("commit:"): node for node in graph.nodes.values() if node.kind == "commit"}
    with reader(repo) as git:
        known = read.commits(git, ids)
    for oid, commit in known.items():
        facts = {"commit": oid, "time": commit.time}
        graph.nodes[f"commit:{oid}"] = Node(
            f"commit:{oid}", "commit", f"{oid[:12]} {commit.message.title}", facts
        )


_ROOTS = ("schema", "commit", "environment", "person", "cause")


def _kind(node: str) -> Any:
    return node.partition(":")[0]


def _expand(sources: Sources, graph: Graph, node: str, done: set[str]) -> None:
    """Understand every source that says something of a node."""
    kind, _, rest = node.partition(":")
    if node in sources.by_id:
        wanted = [sources.by_id[node]]
    elif kind == "stage":
        wanted = [one for one in sources.found if one.id.startswith(f"model:{rest.partition('#')[0]}@")]
    else:
        text = {"object": rest.partition(":")[2], "schema": rest.rpartition("@")[2]}.get(kind, rest)
        wanted = sources.naming(text) if kind in ("object", "schema", "environment") else []
        if kind == "commit":
            wanted = [one for one in sources.found if rest in (one.commit, _baseline(one))]
    for source in wanted:
        if source.id not in done:
            done.add(source.id)
            (_experiment if source.kind == "experiment" else _model)(sources, graph, source)


def _baseline(source: Source) -> str:
    place = names.parse_ref(source.id.removeprefix("experiment:")) if source.kind == "experiment" else None
    return place.baseline if place else ""


# -- an experiment ------------------------------------------------------------------------------------------


def _experiment(sources: Sources, graph: Graph, source: Source) -> None:
    files = sources.read(source.files)
    ref = source.id.removeprefix("experiment:")
    record = _record(files.get(PATH))
    facts: dict[str, object] = {"ref": ref, "commit": source.commit}
    if record is not None:
        said = {"status": record.status, "time": record.end, "python": record.python}
        facts |= {name: value for name, value in said.items() if value}
    own = graph.add(Node(source.id, "experiment", ref.rpartition("/")[2], facts))
    if record is not None:
        _cause(graph, own, record.extra.get("retrain"), source.commit)
    if baseline := _baseline(source):
        graph.link(graph.add(Node(f"commit:{baseline}", "commit", baseline[:12])), own, "code")
    used = list(_data(record))
    link_data(graph, used, own, reads_of(record, files))
    if record is not None and record.environment:
        lock = graph.add(Node(f"environment:{record.environment}", "environment", record.environment[:12]))
        graph.link(lock, own, "environment")
    _stages(graph, files)
    before = {out.hash for out in (*used, *_named(sources.read(sources.bases.get(_baseline(source), {}))))}
    for out in _named(files):
        if out.hash not in before:  # what was there before is no result of it
            graph.link(own, graph.add(_object(out)), "made")


def _record(content: bytes | None) -> Record | None:
    try:
        return parse_record(content) if content is not None else None
    except RecordError:
        return None


def _data(record: Record | None) -> Iterator[Out]:
    """The objects that a run read, as it said."""
    for one in (record.data or []) if record else []:
        if isinstance(one, dict) and isinstance(one.get("hash"), str) and isinstance(one.get("path"), str):
            yield Out(one["path"], str(one.get("algorithm") or "md5"), one["hash"])


def reads_of(record: Record | None, files: Mapping[str, bytes]) -> Read | None:
    """What a run said that it read; a pipeline says it of its stages, which may read more than they say."""
    if record is not None and record.how == "pipeline":
        stages = [
            one for path, text in files.items() if path.endswith("dvc.lock") for one in _locked(path, text)
        ]
        return Read(tuple(dep.path for stage in stages for dep in stage.deps))
    return reads.parse(record.extra.get(reads.KEY)) if record is not None else None


def link_data(graph: Graph, data: Iterable[Out], own: str, said: Read | None) -> None:
    """Of one object under two paths the stronger word counts, and it is said first."""
    for out in sorted(data, key=lambda out: way(said, out.path) != READ):
        graph.link(graph.add(_object(out)), own, way(said, out.path))


def way(said: Read | None, path: str) -> str:
    """What a run had to do with data of its tree."""
    if said is None or said.has(path):
        return READ if said is not None else MAY_HAVE_READ
    return IN_TREE if said.whole else MAY_HAVE_READ


def _named(files: Mapping[str, bytes]) -> Iterator[Out]:
    """What the pointers of a tree name."""
    for path, content in files.items():
        if pointers.is_pointer(path):
            yield from _outs(path, content, files)


def _outs(path: str, content: bytes, files: Mapping[str, bytes]) -> tuple[Out, ...]:
    return _parsed(path, content, files.get(listing.pipeline_of(path)))


@lru_cache(maxsize=10_000)  # of a thousand experiments most have the same pointers
def _parsed(path: str, content: bytes, pipeline: bytes | None) -> tuple[Out, ...]:
    """What DVC keeps: a metrics file, which git has, is no object."""
    try:
        found = pointers.parse(path, content, pipeline).outs
    except PointerError:
        return ()
    return tuple(out for out in found if out.cache)


def _object(out: Out) -> Node:
    facts = {"path": out.path, "hash": out.hash, "size": out.size}
    said = {name: value for name, value in facts.items() if value is not None}
    return Node(f"object:{out.algorithm}:{out.hash}", "object", out.path, said)


def _cause(graph: Graph, own: str, value: object, commit: str) -> None:
    """Why it was trained again; the champion is no part of it, so what tainted that taints not this."""
    said = next(iter(_mappings([value])), {})
    because = next(iter(_mappings([said.get("because")])), None)
    if because is None:
        return
    found = because.get("findings")
    findings = [str(one) for one in found] if isinstance(found, list) else []
    label = str(because.get("text") or because.get("kind") or "")
    if findings:
        label += f": {findings[0]}" + (f" (and {len(findings) - 1} more)" if findings[1:] else "")
    facts = {name: said[name] for name in ("model", "champion", "stage") if name in said} | dict(because)
    node = Node(f"cause:{because.get('run') or commit}", "cause", label, facts)
    graph.link(graph.add(node), own, "because")


# -- a pipeline ---------------------------------------------------------------------------------------------


def _stages(graph: Graph, files: Mapping[str, bytes]) -> None:
    """Of each dvc.lock: what a stage read → what it made. A file in a directory stands for the directory."""
    every = {out.path: out for path, text in files.items() if pointers.is_pointer(path)
             for out in _outs(path, text, files)}  # fmt: skip
    for path, content in files.items():
        if not path.endswith("dvc.lock"):
            continue
        for stage in _locked(path, content):
            made = [graph.add(_object(out)) for out in stage.outs if out.path in every]
            for dep in stage.deps:
                data = _tracked(dep, every)
                for target in made if data else ():
                    assert data is not None
                    graph.link(graph.add(_object(data)), target, f"stage {stage.name}")


def _tracked(dep: Out, every: Mapping[str, Out]) -> Out | None:
    """The tracked data that a dependency is, or lies in; None for code, which git has."""
    if dep.path in every:
        return dep
    return next((out for path, out in every.items() if dep.path.startswith(f"{path}/")), None)


@lru_cache(maxsize=1_000)  # as above
def _locked(path: str, content: bytes) -> tuple[_Stage, ...]:
    return tuple(_read_lock(path, content))


def _read_lock(path: str, content: bytes) -> Iterator[_Stage]:
    try:
        value = documents.load("dvc.yaml", content)
    except DocumentError:
        return
    stages = value.get("stages") if isinstance(value, dict) else None
    folder = path.removesuffix("dvc.lock")
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        if isinstance(stage, dict):
            deps, outs = (tuple(_entries(folder, stage.get(kind))) for kind in ("deps", "outs"))
            yield _Stage(str(name), str(stage.get("cmd", "")), deps, outs)


def _entries(folder: str, value: object) -> Iterator[Out]:
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict) and isinstance(one.get("md5"), str) and isinstance(one.get("path"), str):
            yield Out(folder + one["path"], str(one.get("hash") or "md5"), one["md5"], _size(one))


def _size(one: Mapping[str, object]) -> int | None:
    size = one.get("size")
    return size if isinstance(size, int) else None


# -- a model ------------------------------------------------------------------------------------------------


def _model(sources: Sources, graph: Graph, source: Source) -> None:
    registered = source.registered
    assert registered is not None
    event, facts = registered.event, source.facts
    about = {"tag": event.tag, "commit": event.target, "time": event.time, "active": registered.active}
    own = graph.add(Node(source.id, "model", source.id.removeprefix("model:"), about))
    graph.link(graph.add(Node(f"commit:{event.target}", "commit", event.target[:12])), own, "code")
    graph.link(graph.add(_person(event)), own, "registered")
    _stages(graph, sources.read(source.files))
    known = _made_by(sources, graph, source)
    if not known:  # else the experiment says it
        _cause(graph, own, facts.get("retrain"), event.target)
    if not known:
        link_data(graph, _recorded(facts.get("data")), own, reads.parse(facts.get(reads.KEY)))
    for out in _recorded([facts.get("object")]):
        graph.link(graph.add(_object(out)), own, "bytes")
    for one in _mappings(facts.get("schemas")):
        name, blob = str(one.get("path")), str(one.get("blob"))
        graph.link(graph.add(Node(f"schema:{name}@{blob}", "schema", name, {"blob": blob})), own, "schema")
    for one in _mappings([facts.get("environment")]) if not known else ():
        lock = str(one.get("lock") or "unknown")
        graph.link(graph.add(Node(f"environment:{lock}", "environment", lock[:12])), own, "environment")
    _held(sources, graph, source)


def _made_by(sources: Sources, graph: Graph, source: Source) -> bool:
    """The experiment that was registered; whether it is here and says itself what it read."""
    one = next(iter(_mappings([source.facts.get("experiment")])), None)
    if one is None:
        return False
    for other in sources.found:
        if other.kind == "experiment" and _same(sources, other, source.facts, one):
            graph.link(other.id, source.id, "experiment")
            graph.add(Node(other.id, "experiment", other.id.rpartition("/")[2], {"commit": other.commit}))
            return True
    name = str(one.get("name"))
    said = {"commit": one.get("commit"), "here": False}
    away = graph.add(Node(f"experiment:{one.get('commit')}", "experiment", name, said))
    graph.link(away, source.id, "experiment")
    return False


def _same(sources: Sources, other: Source, facts: Mapping[str, Any], made: Mapping[str, Any]) -> bool:
    """Whether an experiment is the one that a version was made from: its commit, or a later one of that run.

    A run that MLflow edits, or that went on after the registration, has another commit since.
    """
    if other.commit == made.get("commit"):
        return True
    place = names.parse_ref(other.id.removeprefix("experiment:"))
    if place is None or place.baseline != made.get("baseline"):
        return False
    if not place.name.startswith(str(made.get("name"))):
        return False
    record = _record(sources.read(other.files).get(PATH))
    told = next(iter(_mappings([facts.get("mlflow")])), {}).get("run_id")
    if record is None or (told is None and place.name != made.get("name")):
        return False
    own = next(iter(_mappings([record.extra.get("mlflow")])), {}).get("run_id")
    return own == told if told else (record.key or {}).get("run") == facts.get("run")


def _held(sources: Sources, graph: Graph, source: Source) -> None:
    """The stages that it holds, and those that it held."""
    name, _, version = source.id.removeprefix("model:").rpartition("@")
    found = sources.artifacts[name]
    for event in found.events:
        if event.kind == "assign" and event.version == version and event.stage:
            now = found.stages.get(event.stage)
            how = "holds" if now is not None and now.version == version else "held"
            stage = Node(f"stage:{name}#{event.stage}", "stage", f"{name}#{event.stage}")
            graph.link(source.id, graph.add(stage), how)


def _person(event: Event) -> Node:
    return Node(f"person:{event.email}", "person", f"{event.who} <{event.email}>")


def _recorded(value: object) -> Iterator[Out]:
    for one in _mappings(value):
        if isinstance(one.get("hash"), str) and isinstance(one.get("path"), str):
            yield Out(str(one["path"]), str(one.get("algorithm") or "md5"), str(one["hash"]), _size(one))


def _mappings(value: object) -> list[Mapping[str, Any]]:
    items: Iterable[object] = value if isinstance(value, list | tuple) else ()
    return [one for one in items if isinstance(one, dict)]
