"""Runs of the monitor as a history: `refs/mlops/monitor/<model>`, one commit for each (docs/formats.md)."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from git_mlops.git import histories, objects, refs
from git_mlops.git.repo import Repo
from git_mlops.registry import grammar

PREFIX = "refs/mlops/monitor/"
RECORD = "record.json"


class Recorded(NamedTuple):
    """One run."""

    commit: str
    record: Mapping[str, Any]

    @property
    def time(self) -> str:
        """ISO 8601."""
        return str(self.record.get("time", ""))

    def number(self, *path: str) -> float | None:
        """A figure of the record."""
        value: object = self.record
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def ref_of(name: str) -> str:
    """Where the history of a model is."""
    return PREFIX + quote(grammar.in_tag(name), safe="=-_")


def names(repo: Repo) -> list[str]:
    """Everything that has a history."""
    found = (unquote(ref.name.removeprefix(PREFIX)).replace("=", ":") for ref in refs.list_refs(repo, PREFIX))
    return list(found)


def add(repo: Repo, name: str, content: Mapping[str, bytes], message: str) -> None:
    """Add a run: its files and what the commit says."""
    histories.record(repo, ref_of(name), lambda _tip: dict(content), message)


def read(repo: Repo, name: str, most: int | None = None) -> list[Recorded]:
    """The runs, oldest first; what is no record of ours is left out."""
    tip = refs.read(repo, ref_of(name))
    if tip is None:
        return []
    commits = repo.text("rev-list", "--no-merges", tip).split("\n")
    contents = objects.read_blobs(repo, [f"{commit}:{RECORD}" for commit in commits])
    found = [_parsed(commit, contents.get(f"{commit}:{RECORD}")) for commit in commits]
    ordered = sorted((one for one in found if one is not None), key=lambda one: one.time)
    return ordered if most is None else ordered[-most:]


def _parsed(commit: str, content: bytes | None) -> Recorded | None:
    try:
        value = json.loads(content) if content is not None else None
    except ValueError:
        return None
    return Recorded(commit, value) if isinstance(value, dict) and value.get("version") == 1 else None


# -- shared with others -------------------------------------------------------------------------------------


def push(repo: Repo, remote: str, name: str) -> None:
    """Send a history; what the remote has gained meanwhile is merged first.

    Raises:
        MlopsError: the remote cannot be reached or refuses (3).
    """
    histories.push(repo, remote, ref_of(name), lambda theirs: _merge(repo, ref_of(name), theirs))


def pull(repo: Repo, remote: str, name: str) -> bool:
    """Bring a history and join it with ours; False where the remote has none.

    Raises:
        MlopsError: the remote cannot be reached (3).
    """
    theirs = histories.fetch(repo, remote, ref_of(name))
    if theirs is not None:
        _merge(repo, ref_of(name), theirs)
    return theirs is not None


def _merge(repo: Repo, ref: str, theirs: str) -> None:
    histories.merge(repo, ref, theirs, _later)


def _later(pairs: Mapping[str, tuple[bytes, bytes]]) -> dict[str, bytes]:
    """The files of the later run; both runs stay in the history."""
    ours, other = (_time(content) for content in pairs.get(RECORD, (b"", b"")))
    return {path: both[1 if other > ours else 0] for path, both in pairs.items()}


def _time(content: bytes) -> str:
    found = _parsed("", content or None)
    return found.time if found else ""
