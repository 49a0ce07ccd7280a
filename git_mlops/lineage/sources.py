"""Where lineage is read from: every experiment and every registered version, with the pointers of its tree.

A source is understood only when something that is asked for is named in it: of a thousand experiments most
are only searched for a hash, as bytes, each different pointer once.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from git_mlops.data import pointers
from git_mlops.experiments import names, read
from git_mlops.experiments.layout import RUN
from git_mlops.experiments.record import PATH
from git_mlops.experiments.tree import Trees
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo
from git_mlops.registry import read as registry
from git_mlops.registry.state import Artifact, Registered


class Source(NamedTuple):
    """One experiment, or one version."""

    kind: Literal["experiment", "model"]
    id: str
    """Of the node."""
    commit: str
    """Its own: an experiment's commit, the commit that is registered."""
    files: Mapping[str, str]
    """Pointers, pipelines and the record in its tree: path → blob."""
    facts: Mapping[str, object] = {}  # the default of a frozen tuple, never changed
    """Of a version: what its tag says."""
    registered: Registered | None = None


class Sources(NamedTuple):
    """All there is."""

    found: tuple[Source, ...]
    contents: Mapping[str, bytes]
    """By blob."""
    artifacts: Mapping[str, Artifact]
    by_id: Mapping[str, Source]
    bases: Mapping[str, Mapping[str, str]]
    """Commits that experiments started from, as far as they are here: path → blob of their pointers."""

    def naming(self, text: str) -> list[Source]:
        """Those whose pointers, record or tag hold a text."""
        raw = text.encode()
        holding = {oid for oid, content in self.contents.items() if raw in content}
        return [
            one
            for one in self.found
            if not holding.isdisjoint(one.files.values()) or (one.facts and text in str(one.facts))
        ]

    def read(self, files: Mapping[str, str]) -> dict[str, bytes]:
        """Files by path."""
        return {path: self.contents[oid] for path, oid in files.items() if oid in self.contents}


def gather(repo: Repo) -> Sources:
    """Read them, in a number of processes that does not depend on how many there are."""
    artifacts = registry.artifacts(repo)
    versions = [(found, one) for found in artifacts.values() for one in found.versions]
    messages = registry.messages(repo, [one.event.oid for _found, one in versions])
    placed = [(ref, names.parse_ref(ref.name)) for ref in read.all_refs(repo)]
    experiments = [ref for ref, place in placed if place]
    baselines = {place.baseline for _ref, place in placed if place}
    with reader(repo) as git:
        trees = Trees(git)
        targets = [*(ref.oid for ref in experiments), *(one.commit for _found, one in versions)]
        known = read.commits(git, [*targets, *baselines])
        trees.load(commit.tree for commit in known.values())
        files = {oid: _files(trees, commit.tree) for oid, commit in known.items()}
        found: list[Source] = [
            Source("experiment", f"experiment:{ref.name}", ref.oid, files[ref.oid])
            for ref in experiments
            if ref.oid in known
        ]
        found += [
            Source("model", f"model:{artifact.name}@{one.version}", one.commit, files.get(one.commit, {}),
                   messages[one.event.oid].facts if one.event.oid in messages else {}, one)
            for artifact, one in versions
        ]  # fmt: skip
        bases = {oid: files[oid] for oid in baselines if oid in files}
        every = (*(one.files for one in found), *bases.values())
        wanted = dict.fromkeys(oid for some in every for oid in some.values())
        answers = git.read(wanted, limit=pointers.LARGEST)
    contents = {oid: one.content for oid, one in answers.items() if one.content is not None}
    return Sources(tuple(found), contents, artifacts, {one.id: one for one in found}, bases)


def _files(trees: Trees, root: str) -> dict[str, str]:
    return {
        entry.path: entry.oid
        for entry in trees.files(root)
        if pointers.is_pointer(entry.path)
        or entry.path == PATH
        or (entry.path.rpartition("/")[2] == "dvc.yaml" and not entry.path.startswith(RUN))
    }


def hashes(sources: Sources, prefix: str) -> Sequence[str]:
    """The object hashes that begin like this, in any pointer or tag."""
    found: dict[str, None] = {}
    texts: Iterable[bytes] = (
        *sources.contents.values(), *(str(one.facts).encode() for one in sources.found if one.facts)
    )  # fmt: skip
    raw = prefix.lower().encode()
    for text in texts:
        at = text.find(raw)
        while at >= 0:
            end = at
            while end < len(text) and text[end : end + 1] in _HEX:
                end += 1
            before = text[at - 1 : at]
            if end - at == _MD5 and (not before or before not in _HEX):
                whole = text[at:end].decode()
                found[f"{whole}.dir" if text[end : end + 4] == b".dir" else whole] = None
            at = text.find(raw, at + 1)
    return list(found)


_MD5 = 32
_HEX = frozenset(bytes([c]) for c in b"0123456789abcdef")
