"""A run of the monitor becomes a commit of its history (docs/formats.md)."""

from collections.abc import Mapping

from git_mlops import jsonable
from git_mlops.git.repo import Repo
from git_mlops.monitor import history
from git_mlops.monitor.observed import Observation, plain, profiles

_PROFILES = ("reference.yaml", "current.yaml")


def record(repo: Repo, one: Observation, sent: Mapping[str, str] | None = None) -> None:
    """Add a run.

    Args:
        sent: alert → when it was sent last.
    """
    said = plain(one) | ({"alerts": dict(sent)} if sent else {})
    kept = profiles(one)
    content = {history.RECORD: (jsonable.indented(said) + "\n").encode()}
    content |= {name: kept.get(name, b"mlops:\n  version: 1\n") for name in _PROFILES}
    title = f"monitor: {one.subject.name} {one.subject.version or ''}".rstrip()
    message = f"{title} {one.outcome}\n\n{one.subject.current} against {one.subject.reference}\n"
    history.add(repo, one.subject.name, content, message)
