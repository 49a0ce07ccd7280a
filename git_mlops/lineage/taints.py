"""What must not be used any more, and everything that came from it.

`refs/mlops/taints` is a commit history whose tree is `<SHA-256 of the node's name>.json`: what was said of
one thing, the oldest first; the last word counts. Only the thing itself is named there. What came from it is
tainted because the lineage says so, also what is made tomorrow.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from git_mlops.errors import MlopsError
from git_mlops.git import histories, objects, refs
from git_mlops.git.repo import Repo
from git_mlops.lineage import build
from git_mlops.lineage import sources as reading
from git_mlops.lineage.graph import Graph, part
from git_mlops.lineage.sources import Sources

REF = "refs/mlops/taints"
VERSION = 1


class Word(NamedTuple):
    """One statement."""

    tainted: bool
    """False: it was lifted."""
    why: str
    who: str
    time: str
    """UTC, ISO 8601."""


class Taint(NamedTuple):
    """What was said of one thing."""

    node: str
    label: str
    words: tuple[Word, ...]
    """The oldest first; never empty."""

    @property
    def holds(self) -> bool:
        """Whether it is tainted now."""
        return self.words[-1].tainted


def listed(repo: Repo) -> list[Taint]:
    """Everything that was ever tainted, by name; what cannot be read is left out."""
    tip = refs.read(repo, REF)
    if tip is None:
        return []
    entries = objects.tree_entries(repo, tip)
    contents = objects.read_blobs(repo, [entry.oid for entry in entries])
    found = (_parsed(contents.get(entry.oid, b"")) for entry in entries)
    return sorted((one for one in found if one is not None), key=lambda one: (one.label, one.node))


def _parsed(content: bytes) -> Taint | None:
    try:
        value = json.loads(content)
        words = tuple(
            Word(bool(one["tainted"]), str(one["why"]), str(one["who"]), str(one["time"]))
            for one in value["said"]
        )
        known = value["version"] == VERSION and words
        return Taint(str(value["node"]), str(value["label"]), words) if known else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _rendered(taint: Taint) -> bytes:
    value = {
        "version": VERSION,
        "node": taint.node,
        "label": taint.label,
        "said": [word._asdict() for word in taint.words],
    }
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _path(node: str) -> str:
    return hashlib.sha256(node.encode("utf-8", "surrogateescape")).hexdigest() + ".json"


def say(repo: Repo, node: str, label: str, why: str, *, tainted: bool) -> Taint:
    """Taint a thing, or lift that; what was said before stays.

    Raises:
        MlopsError: it is to be lifted, and is not tainted itself.
    """
    who = repo.text("var", "GIT_AUTHOR_IDENT").rpartition("> ")[0] + ">"
    if not tainted and not any(one.node == node and one.holds for one in listed(repo)):
        raise MlopsError(f"`{label}` is not tainted", hint="`git mlops taint --list`")
    word = Word(tainted, why, who, datetime.now(UTC).isoformat(timespec="seconds"))
    title = f"{'taint' if tainted else 'lift'}: {label}"
    histories.record(repo, REF, partial(_with, repo, node, label, word), f"{title}\n\n{why}\n")
    return next(one for one in listed(repo) if one.node == node)


def _with(repo: Repo, node: str, label: str, word: Word, tip: str | None) -> Mapping[str, bytes]:
    path = _path(node)
    before = objects.read_blobs(repo, [f"{tip}:{path}"]) if tip is not None else {}
    known = next((_parsed(content) for content in before.values()), None)
    words = (*(known.words if known else ()), word)
    return {path: _rendered(Taint(node, known.label if known else label, words))}


def pull(repo: Repo, remote: str) -> None:
    """Take a remote's taints into ours.

    Raises:
        MlopsError: the remote cannot be reached (exit code 3).
    """
    if theirs := histories.fetch(repo, remote, REF):
        merge(repo, theirs)


def push(repo: Repo, remote: str) -> None:
    """Send ours.

    Raises:
        MlopsError: the remote cannot be reached or refuses (exit code 3).
    """
    histories.push(repo, remote, REF, partial(merge, repo))


def merge(repo: Repo, theirs: str) -> None:
    """The union of both: every word of either, by time; of two of the same second the taint is the last."""
    histories.merge(repo, REF, theirs, _joined)


def _joined(pairs: histories.Pairs) -> dict[str, bytes]:
    files = {}
    for path, both in pairs.items():
        known = [one for one in map(_parsed, both) if one is not None]
        words = {word: None for one in known for word in one.words}
        ordered = sorted(words, key=lambda word: (word.time, word.tainted, word))
        files[path] = _rendered(known[0]._replace(words=tuple(ordered))) if known else min(both)
    return files


# -- what it reaches ----------------------------------------------------------------------------------------


class Reach(NamedTuple):
    """The taints that have to do with one thing."""

    under: tuple[Taint, ...]
    """Its own, and those of what it came from, also where nobody knows what was read."""
    beside: tuple[Taint, ...]
    """Those of what was in a tree, and was not read as far as the run said."""


def mark(repo: Repo, graph: Graph) -> None:
    """Say of each thing in a graph that is tainted, or came from what is, by what; and of what is beside."""
    for taint in listed(repo):
        if taint.holds and taint.node in graph.nodes:
            under = part(graph, taint.node, up=False, down=True, beside=False).nodes
            for name in part(graph, taint.node, up=False, down=True).nodes:
                node, key = graph.nodes[name], "tainted" if name in under else "beside"
                by = [*_names(node.facts.get(key)), taint.label]
                graph.nodes[name] = node._replace(facts={**node.facts, key: by})


def _names(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def of(repo: Repo, node: str, sources: Sources | None = None) -> list[Taint]:
    """The taints that a thing is under. Quick where none holds."""
    return [*reach(repo, node, sources).under]


def reach(repo: Repo, node: str, sources: Sources | None = None) -> Reach:
    """The same, and those that it is beside."""
    active = {taint.node: taint for taint in listed(repo) if taint.holds}
    if not active:
        return Reach((), ())
    people = any(name.startswith(("commit:", "person:")) for name in active)
    whole = build.around(repo, sources or reading.gather(repo), node, down=False, added=people)
    under = part(whole, node, up=True, down=False, beside=False).nodes
    every = part(whole, node, up=True, down=False).nodes
    beside = (active[name] for name in every if name in active and name not in under)
    return Reach(tuple(active[name] for name in under if name in active), tuple(beside))
