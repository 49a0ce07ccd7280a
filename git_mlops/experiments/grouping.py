"""Experiments by the commit they started from, and where in history that commit is."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from git_mlops.experiments import read
from git_mlops.experiments.columns import Row, Rows
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo, head


class Place(NamedTuple):
    """A baseline in history."""

    subject: str | None
    """First line of its message; None: it is not in this clone."""
    time: int
    at: tuple[str, ...]
    """`HEAD`, and the branches and tags that point at it."""
    source: str | None
    """A branch, tag or remote-tracking ref whose history has it. None: none, as far as history is here."""
    cut: bool = False
    """Whether history is cut somewhere in this clone: what no ref reaches here may be in one's history."""

    @property
    def orphaned(self) -> bool | None:
        """Whether no branch, tag or remote-tracking ref, nor HEAD, has it. None: that cannot be told here."""
        if self.subject is None or (self.cut and self.source is None):
            return None
        return self.source is None


class Group(NamedTuple):
    """The experiments of one baseline."""

    baseline: str
    place: Place
    rows: Rows


def groups(repo: Repo, rows: Sequence[Row]) -> list[Group]:
    """The rows by baseline, newest baseline first; within one in their own order."""
    some = Rows.of(rows)
    by_baseline: dict[str, list[int]] = {}
    for at, baseline in enumerate(some.experiments.baselines):
        by_baseline.setdefault(baseline, []).append(at)
    known = places(repo, by_baseline)
    found = [Group(oid, known[oid], some.taken(order)) for oid, order in by_baseline.items()]
    return sorted(found, key=_time, reverse=True)


def _time(group: Group) -> int:
    """A baseline that is not here has the time of its newest experiment."""
    return group.place.time or max(group.rows.experiments.times)


def places(repo: Repo, baselines: Iterable[str]) -> dict[str, Place]:
    """Where commits are in history: two walks over all refs and commits, whatever the number asked for."""
    wanted = list(baselines)
    if not wanted:
        return {}
    with reader(repo) as objects:
        known = read.commits(objects, wanted)
    pointing = _pointing(repo)
    sources = _sources(repo, wanted)
    return {
        oid: Place(
            known[oid].message.title if oid in known else None,
            known[oid].time if oid in known else 0,
            tuple(pointing.get(oid, ())),
            sources.get(oid),
            repo.shallow,
        )
        for oid in wanted
    }


def _pointing(repo: Repo) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if tip := head(repo):
        found[tip] = ["HEAD"]
    form = "--format=%(objectname) %(*objectname) %(refname)"
    for line in repo.text("for-each-ref", form, "refs/heads/", "refs/tags/").splitlines():
        oid, peeled, name = line.split(" ", 2)
        found.setdefault(peeled or oid, []).append(_short(name))
    return found


def _sources(repo: Repo, wanted: Iterable[str]) -> dict[str, str]:
    options = ("--no-show-signature", "--format=%H %S", "--branches", "--tags", "--remotes")
    tip = ("HEAD",) if head(repo) else ()
    left = set(wanted)
    pairs = (line.split(" ", 1) for line in repo.text("log", *options, *tip).splitlines())
    return {oid: _short(name) for oid, name in pairs if oid in left}


def _short(ref: str) -> str:
    for prefix in ("refs/heads/", "refs/tags/", "refs/remotes/"):
        if ref.startswith(prefix):
            return ref.removeprefix(prefix)
    return ref


def heading(group: Group) -> str:
    """`a1b2c3d tune the rate (HEAD, main)`."""
    place = group.place
    subject = "".join(c if c.isprintable() else " " for c in place.subject or "")
    said = [group.baseline[:7], *([subject] if subject else [])]
    if place.at:
        said.append(f"({', '.join(place.at[:_NAMES])}{', …' if len(place.at) > _NAMES else ''})")
    elif place.source:
        said.append(f"(in {place.source})")
    elif place.subject is None:
        said.append("(not in this clone)")
    elif place.cut:
        said.append("(in no branch or tag as far as this shallow clone has them)")
    else:
        said.append("(orphaned: in no branch or tag)")
    return " ".join(said)


_NAMES = 5
