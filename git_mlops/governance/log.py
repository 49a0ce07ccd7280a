"""Who did what, when: from the registry's tags, histories under refs/mlops, changes of data or rules.

Nothing is kept for this beside them, so nothing can disagree with them.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from git_mlops.data.pointers import PATHSPECS, is_pointer
from git_mlops.git import signatures
from git_mlops.git.repo import Repo, head
from git_mlops.git.trust import Trust
from git_mlops.registry import read as registry
from git_mlops.registry.state import Artifact, Event

RULES = ("mlops.yaml", ".mlops/allowed_signers", "docs/readiness.yaml")
"""Files that decide what is allowed, who is trusted, what counts."""
_REFS = ("refs/mlops/taints", "refs/mlops/purges", "refs/mlops/monitor", "refs/mlops/verified")
MOST_VERIFIED = 300
"""Signatures that are judged, the newest first: each is a process."""


class Entry(NamedTuple):
    """One thing that was done."""

    time: int
    """Seconds since 1970, of the clock of whoever did it."""
    who: str
    what: str
    where: str
    """The tag, or the ref and its commit."""
    signed: str
    """`no`, `by WHOM`, or why the signature is not good."""
    good: bool | None
    """Whether it is a good one by somebody trusted; None where nothing is signed."""


class Signatures:
    """Judged once each, and not more than are affordable."""

    def __init__(self, repo: Repo, trust: Trust | None) -> None:
        self.repo = repo
        self.trust = trust
        self.left = MOST_VERIFIED
        stated = repo.text("for-each-ref", "--format=%(objectname) %(contents:signature)", "refs/tags").split(
            "\n"
        )
        self._signed = {line.split(" ")[0] for line in stated if " -----BEGIN" in line}
        self._known: dict[str, tuple[str, bool | None]] = {}

    def of(self, oid: str) -> tuple[str, bool | None]:
        """Of a tag object: what is said of it, and whether it is good."""
        if oid not in self._signed:
            return "no", None
        if oid not in self._known:
            if self.left <= 0:
                return "signed, not judged here", None
            self.left -= 1
            found = signatures.of_tag(self.repo, oid, self.trust)
            self._known[oid] = (
                f"by {found.who or found.key}" if found.good else str(found.problem),
                found.good,
            )
        return self._known[oid]


def entries(repo: Repo, found: Mapping[str, Artifact], judged: Signatures, most: int) -> list[Entry]:
    """Everything, the newest first, at most so many of each source."""
    events = [event for one in found.values() for event in one.events]
    tags = sorted([*events, *registry.every_approval(repo)], key=lambda event: event.time, reverse=True)
    said = registry.messages(repo, [event.oid for event in tags[:most]])
    log = [_of_tag(event, judged, said[event.oid].text if event.oid in said else "") for event in tags[:most]]
    log += _of_refs(repo, judged.trust, most)
    log += _of_commits(repo, judged.trust, most)
    return sorted(log, key=lambda one: -one.time)  # of one second, as git has them


def _of_tag(event: Event, judged: Signatures, text: str) -> Entry:
    model = f"{event.name} {event.version}" if event.version else event.name
    what = {
        "register": f"registered {model}",
        "deregister": f"took back {model}",
        "assign": f"gave {model} the stage {event.stage}",
        "unassign": f"took the stage {event.stage} from {model}",
        "deprecate": f"deprecated {event.name}",
        "approve": f"approved {model} for {event.stage}",
    }[event.kind]
    words = " ".join(text.split())
    signed, good = judged.of(event.oid)
    who = f"{event.who} <{event.email}>"
    return Entry(event.time, who, f"{what}: {words}" if words else what, f"`{event.tag}`", signed, good)


_FORM = "--format=%x00%x01%H%x00%at%x00%an <%ae>%x00%s%x00%G?%x00%GS"


def _of_refs(repo: Repo, trust: Trust | None, most: int) -> Iterator[Entry]:
    for ref in repo.text("for-each-ref", "--format=%(refname)", *_REFS).split("\n"):
        for one in _commits(repo, trust, "--no-merges", f"--max-count={most}", ref) if ref else ():
            yield one._replace(where=f"`{ref.removeprefix('refs/')}` {one.where}")


def _of_commits(repo: Repo, trust: Trust | None, most: int) -> Iterator[Entry]:
    """Of HEAD's history: merges bring what their sides had."""
    if head(repo) is None:
        return
    rules = [f":(literal){name}" for name in RULES]
    options = ("--no-merges", f"--max-count={most}", "--name-only", "HEAD", "--")
    yield from _commits(repo, trust, *options, *PATHSPECS, *rules)


def _commits(repo: Repo, trust: Trust | None, *options: str) -> Iterator[Entry]:
    # %G? costs a process for each signed commit, and none for others
    records = iter(repo.text("log", _FORM, *options).split("\0\x01")[1:])
    found: list[tuple[list[str], str]] = []
    for record in records:
        *fields, last = record.split("\0", 5)
        who, _, names = last.partition("\n")
        found.append(([*fields, who], names))
    signed = [fields[0] for fields, _names in found if fields[4] != "N"]
    good = set(signatures.good_commits(repo, trust, signed)) if trust is not None else None
    for (oid, time, who, title, judgement, name), names in found:
        fine = oid in good if good is not None else judgement in ("G", "U")
        shown = (
            "no"
            if judgement == "N"
            else f"by {name or 'an unknown key'}"
            if fine
            else "not by anybody trusted"
        )
        what = title + _about(names.split("\n"))
        yield Entry(int(time or 0), who, what, f"`{oid[:12]}`", shown, None if judgement == "N" else fine)


def _about(names: Iterable[str]) -> str:
    """Of a commit of a branch what it touched: data, rules, or both."""
    listed = [name for name in names if name]
    if not listed:
        return ""
    data = sum(is_pointer(name) for name in listed)
    rules = [name for name in listed if name in RULES]
    said = [f"{data} pointer{'s' if data > 1 else ''}"] if data else []
    said += [f"`{name}`" for name in rules]
    return f" ({', '.join(said)})"


def day(seconds: float) -> str:
    """In UTC, to the minute."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d %H:%M")
