"""MLflow's experiments: names under which runs stand together. Knows no MLflow.

What runs themselves do not say (tags, deletion, renaming, an experiment without runs) is kept in
`refs/mlops/mlflow/experiments`: a commit for each change, whose tree has `<id>.json` for each experiment.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from git_mlops.errors import MlopsError
from git_mlops.git import histories, objects, refs
from git_mlops.git.objects import Entry
from git_mlops.git.refs import Move, RefMovedError
from git_mlops.git.repo import Repo
from git_mlops.tracking.runs import DEFAULT, EXPERIMENTS, Index

_ATTEMPTS = 20


class Group(NamedTuple):
    """One experiment of MLflow."""

    id: str
    name: str
    created: int = 0
    """Milliseconds since 1970, as all times here."""
    updated: int = 0
    deleted: bool = False
    location: str | None = None
    """Where its artifacts go, if not to us."""
    tags: Mapping[str, str] = {}  # the default of a frozen tuple, never changed

    def text(self) -> bytes:
        """As the tree has it."""
        found = {k: v for k, v in self._asdict().items() if v not in (None, False, {})}
        return (json.dumps({"version": 1, **found}, indent=1) + "\n").encode()


def identifier(name: str, attempt: int = 0) -> str:
    """The same in every clone: decimal, because MLflow's own stores know nothing else."""
    if name == DEFAULT[1] and not attempt:
        return DEFAULT[0]
    text = name if not attempt else f"{name}\0{attempt}"
    number = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    return str(10**17 + number % (9 * 10**17))


class Groups:
    """The experiments of a repository."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._read: str | None = None
        self._kept: dict[str, Group] = {}

    def kept(self) -> dict[str, Group]:
        """Those of the ref, as it was at the last look."""
        commit = self._index.experiments
        if commit != self._read:
            self._kept = _load(self._index.repo, commit) if commit else {}
            self._read = commit
        return self._kept

    def all(self) -> dict[str, Group]:
        """By id: those that are kept, those that runs name, and the default one."""
        self._index.refresh()
        found = {DEFAULT[0]: Group(*DEFAULT), **self.kept()}
        for entry in [*self._index.entries.values()]:
            facts = entry.facts or (entry.log.began.facts if entry.log else {})
            place = str(facts.get("experiment_id", DEFAULT[0]))
            moment = facts.get("start_time") or 0
            known = found.get(place)
            if known is None:
                found[place] = Group(place, str(facts.get("experiment", place)), moment, moment)
            elif place not in self._kept and (not known.created or moment < known.created):
                found[place] = known._replace(created=moment)
        return found

    def named(self, name: str) -> Group | None:
        """The experiment of a name."""
        return next((one for one in self.all().values() if one.name == name), None)

    def create(self, name: str, location: str | None, tags: Mapping[str, str]) -> Group:
        """One more; the name must not be taken."""
        known = self.all()
        made = next(one for attempt in range(_ATTEMPTS) if (one := identifier(name, attempt)) not in known)
        now = _now()
        group = Group(made, name, now, now, location=location, tags=dict(tags))
        self.change(made, lambda _old: group)
        return group

    def change(self, place: str, how: Callable[[Group], Group]) -> Group:
        """Keep an experiment as `how` makes it; whoever changes another one at the same time is not lost.

        Raises:
            MlopsError: it could not be kept.
        """
        repo = self._index.repo
        for _attempt in range(_ATTEMPTS):
            self._index.experiments = old = refs.read(repo, EXPERIMENTS)
            group = how(self.all().get(place) or Group(place, place))
            kept = {**self.kept(), place: group}
            new = _commit(repo, kept, old, f"mlflow: {group.name}")
            try:
                refs.move(repo, [Move(EXPERIMENTS, new, old)], "mlflow: experiment", reflog=True)
            except RefMovedError:
                continue
            self._index.experiments = new
            return group
        raise MlopsError("the experiments are being changed by too many at once", hint="try again")


def absorb(repo: Repo, theirs: str) -> None:
    """Take another clone's experiments into ours; of one that both have, the one that was changed last."""
    for _attempt in range(_ATTEMPTS):
        ours = refs.read(repo, EXPERIMENTS)
        with suppress(RefMovedError):
            refs.move(
                repo, [Move(EXPERIMENTS, _merged(repo, ours, theirs), ours)], "mlflow: merged", reflog=True
            )
            return
    raise MlopsError("the experiments are being changed by too many at once", hint="try again")


def _merged(repo: Repo, ours: str | None, theirs: str) -> str:
    if ours is None or histories.is_ancestor(repo, ours, theirs):
        return theirs
    if histories.is_ancestor(repo, theirs, ours):
        return ours
    mine, other = _load(repo, ours), _load(repo, theirs)
    both = {**other, **mine}
    for place in mine.keys() & other.keys():
        both[place] = max(mine[place], other[place], key=lambda one: one.updated)
    return _commit(repo, both, ours, "mlflow: experiments merged", theirs)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _load(repo: Repo, commit: str) -> dict[str, Group]:
    entries = [one for one in objects.tree_entries(repo, commit) if one.path.endswith(".json")]
    texts = objects.read_blobs(repo, [one.oid for one in entries])
    found = {}
    for entry in entries:
        try:
            values: dict[str, Any] = json.loads(texts[entry.oid])
            group = Group(**{k: v for k, v in values.items() if k in Group._fields})
        except (KeyError, ValueError, TypeError):
            continue  # of a later version
        found[group.id] = group
    return found


def _commit(repo: Repo, kept: Mapping[str, Group], *parents_and_message: str | None) -> str:
    first, said, *more = parents_and_message
    files = {f"{place}.json": group.text() for place, group in kept.items()}
    oids = objects.write_blobs(repo, list(files.values()))
    entries = [Entry("100644", oid, path) for path, oid in zip(files, oids, strict=True)]
    text, tree = objects.tree_text(repo, entries)
    objects.write_trees(repo, [text])
    parents = [one for one in (first, *more) if one]
    return objects.commit_tree(repo, tree, parents, f"{said}\n")
