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

from git_mlops.git import histories, objects, refs
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
        born = _born(self._index.repo)
        found = {DEFAULT[0]: Group(*DEFAULT, created=born, updated=born), **self.kept()}
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
        repo, made = self._index.repo, list[Group]()

        def files(tip: str | None) -> dict[str, bytes]:
            self._index.experiments = tip
            made[:] = [how(self.all().get(place) or Group(place, place))]
            return {f"{place}.json": made[0].text()}

        histories.record(repo, EXPERIMENTS, files, f"mlflow: experiment {place}\n")
        self._index.experiments = refs.read(repo, EXPERIMENTS)
        return made[0]


def absorb(repo: Repo, theirs: str) -> None:
    """Take another clone's experiments into ours; of one that both have, the one that was changed last."""
    histories.merge(repo, EXPERIMENTS, theirs, newest)


def newest(pairs: histories.Pairs) -> dict[str, bytes]:
    """Of two descriptions of one thing the one that was `updated` last."""
    return {path: max(both, key=_updated) for path, both in pairs.items()}


def _updated(content: bytes) -> tuple[int, bytes]:
    try:
        return int(json.loads(content).get("updated", 0)), content
    except (ValueError, TypeError, AttributeError, RecursionError):
        return -1, content


def _now() -> int:
    return time.time_ns() // 1_000_000


def _born(repo: Repo) -> int:
    """About when the repository was made; MLflow's pages call 0 an invalid date."""
    with suppress(OSError):
        return min(int((repo.common_dir / name).stat().st_mtime * 1000) for name in ("config", "HEAD"))
    return 0


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
