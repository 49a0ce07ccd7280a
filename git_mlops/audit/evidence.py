"""What was found for an item, how much it is worth and until when. Pure."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import NamedTuple

Points = float
"""0, 0.5 or 1."""

MANUAL: Points = 0.5
"""Shown once, or declared."""
AUTOMATED: Points = 1.0
"""Shown by something that runs by itself, and still does."""

DAY = 86400
LASTS = 180
"""Days for which something that was shown once counts."""
WATCHED = 30
"""Days for which an observation of what is served counts: what watches has to go on."""


class Evidence(NamedTuple):
    """One thing that was found."""

    what: str
    """For people."""
    where: str
    """Where to look at it: a path, ref, tag or commit."""
    points: Points = 0.0
    """0: it does not count; `what` says why."""
    until: int | None = None
    """Seconds since 1970: when it stops to count; None: as long as it is there."""

    def plain(self) -> dict[str, object]:
        """For `--json`."""
        return {"what": self.what, "where": self.where, "points": self.points, "expires": day(self.until)}


class Found(NamedTuple):
    """What a rule found, and what would help."""

    evidence: tuple[Evidence, ...]
    next: str
    """The command, or the edit, that would raise the item."""


class Item(NamedTuple):
    """One question of the score, answered."""

    id: str
    section: str
    title: str
    points: Points
    evidence: tuple[Evidence, ...]
    """What counts first."""
    expires: int | None
    """When the points get fewer unless something is done."""
    next: str | None
    """None where nothing is missing."""

    def plain(self) -> dict[str, object]:
        """For `--json`."""
        evidence = [one.plain() for one in self.evidence]
        return {**self._asdict(), "evidence": evidence, "expires": day(self.expires)}


class Criterion(NamedTuple):
    """One question, and the rule that answers it."""

    title: str
    rule: Callable[..., Found]
    """Of the facts."""
    more: str = "let CI run what shows it"
    """What would give whole points to something that is declared already."""


DECLARE = "`git mlops audit --declare"


def judged(name: str, criterion: Criterion, found: Found, now: int) -> Item:
    """The points of an item: those of its best evidence that counts today."""
    seen = sorted((_aged(one, now) for one in found.evidence), key=lambda one: -one.points)
    points = max((one.points for one in seen), default=0.0)
    best = [one.until for one in seen if one.points == points and points]
    expires = None if not best or None in best else max(until for until in best if until is not None)
    # to declare it once more would raise nothing
    next_ = criterion.more if points and found.next.startswith(DECLARE) else found.next
    lacking = None if points == AUTOMATED else next_
    return Item(
        name, name.partition("-")[0], criterion.title, points, tuple(seen), expires, lacking
    )  # fmt: skip


def _aged(one: Evidence, now: int) -> Evidence:
    if one.until is None or one.until > now or not one.points:
        return one
    return one._replace(points=0.0, what=f"{one.what}; expired {day(one.until)}")


def lowered(found: Iterable[Evidence], why: str) -> list[Evidence]:
    """The same, worth no more than what was shown once."""
    return [one._replace(points=MANUAL, what=f"{one.what}; {why}") if one.points == AUTOMATED else one
            for one in found]  # fmt: skip


def day(seconds: int | None) -> str | None:
    """`2026-11-21`."""
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC).date().isoformat()


def some(names: Iterable[str], most: int = 3) -> str:
    """`a, b, c and 4 more`."""
    known = list(dict.fromkeys(names))
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(known[:most]) + more
