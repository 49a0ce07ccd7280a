"""One issue per alert: found by its label and a mark that only we write, kept up to date, never doubled.

It is closed when what it tells of is gone, and opened again when that returns. What a person closed stays
closed until then.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Literal, NamedTuple

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.forges import marks
from git_mlops.forges.answers import same
from git_mlops.forges.client import Client, Pace, RefusedError, UnclearError
from git_mlops.forges.issue_ways import PREFIX, WAYS, Issue, Place, Turn, Way, labelled
from git_mlops.forges.markup import closed, disarmed, inert
from git_mlops.forges.registry import FORGES
from git_mlops.forges.values import Forge, Target

LABEL = "git-mlops"
MOST_EARLIER = 15
_GONE = "no longer found"
_ROUNDS = 4
_MOVED = (404, 409, 410, 412)
"""It went away or changed under our hands."""
_UNKNOWN = (400, 404, 422)
"""Some forges do not take every name of ours for that of an author."""


class Notice(NamedTuple):
    """What an issue tells of."""

    key: str
    """By which it is found again."""
    title: str
    time: str
    """Of the look at it: `2026-05-01T12:00:00Z`. An older one changes nothing."""
    body: str = ""
    """Markdown of ours."""
    said: str = ""
    """One line for its history."""
    gone: bool = False
    """It was looked for, and is not there."""


class Kept(NamedTuple):
    """What became of it."""

    action: Literal[
        "created",
        "updated",
        "unchanged",
        "reopened",
        "closed",
        "left closed",
        "absent",
        "outdated",
        "dry run",
    ]
    """`left closed`: a person closed it, and what it tells of is still there; `absent`: gone, and there is
    no issue; `outdated`: a newer run has written."""
    number: int | None = None
    url: str | None = None
    closed: int = 0
    """Issues that another writer opened at the same time, now closed."""
    requests: tuple[str, ...] = ()
    """Of a dry run: every request as text, the token hidden."""


class _Desk(NamedTuple):
    forge: Forge
    way: Way
    place: Place
    me: str | None
    pace: Pace

    def all(self) -> list[Issue]:
        """With the label; and our own, as some may have lost it, or never got it."""
        found = {one.number: one for one in self.way.find(self.place, None)}
        if self.me is not None:
            try:
                found |= {one.number: one for one in self.way.find(self.place, self.me)}
            except RefusedError as error:
                if error.status not in _UNKNOWN:
                    raise
        return [*found.values()]


def keep_issues(
    target: Target,
    notices: Sequence[Notice],
    *,
    label: str = LABEL,
    kind: str | None = None,
    dry_run: bool = False,
    pace: Pace | None = None,
) -> list[Kept]:
    """Bring the issue of each notice up to date; open it where there is none.

    Args:
        kind: the type of an Azure work item.

    Raises:
        MlopsError: the forge has no issues (2), refuses, cannot be reached, or changes faster than we can
            look (3).
    """
    forge, way = FORGES[target.forge], WAYS.get(target.forge)
    if way is None:
        raise MlopsError(
            f"{forge.TITLE} has no issues",
            hint="take `monitor.alerts.issue` out of mlops.yaml; a rule of Jira can take `webhook_variable`",
        )
    pace = pace or Pace()
    target = target._replace(number=None)
    client = Client(forge, target, pace=pace, dry=dry_run)
    place = Place(client, target, label, kind)
    if dry_run:
        return _rehearsed(_Desk(forge, way, place, None, pace), notices)
    desk = _Desk(forge, way, place, forge.whoami(client), pace)
    known = desk.all()
    return [_settled(desk, notice, known) for notice in notices]


def _settled(desk: _Desk, notice: Notice, known: Sequence[Issue]) -> Kept:
    """Look, write, look again, until one issue of ours is there: whoever writes at once does the same."""
    created: Issue | None = None
    failure: MlopsError | None = None
    for turn in range(_ROUNDS):
        mine = _ours(desk, notice, known, created)
        if not mine and notice.gone:
            return Kept("absent")
        try:
            if mine:
                kept = _kept(desk, notice, mine, created)
                # what got no answer is there
                return kept._replace(action="created") if failure and kept.action == "unchanged" else kept
            created = _created(desk, notice)
        except UnclearError as error:
            failure = error
            desk.pace.sleep(2.0**turn)
        except RefusedError as error:
            if error.status not in _MOVED or not mine:
                raise
            failure = error
        known = desk.all()
    raise failure or MlopsError(
        f"the issues of `{desk.place.target.repository}` change faster than we can follow",
        hint="run it again; do two jobs watch one model?",
        exit_code=CANNOT_EVALUATE,
    )


def _created(desk: _Desk, notice: Notice) -> Issue:
    created = desk.way.create(desk.place, _title(notice), _body(desk, notice, ()))
    if created.number:
        if desk.me is None and not labelled(created, desk.place.label):
            raise _unlabelled(desk, notice, created)
        return created
    raise UnclearError(
        f"{desk.forge.TITLE} did not say which issue it opened",
        hint=f"is `{desk.place.target.api}` its API?",
        exit_code=CANNOT_EVALUATE,
    )


def _unlabelled(desk: _Desk, notice: Notice, created: Issue) -> MlopsError:
    """Nothing would find it again: every run would open another."""
    _put_away(desk, notice, created, "no run will find it again: it did not get its label")
    return MlopsError(
        f"{desk.forge.TITLE} did not give the issue the label `{desk.place.label}`",
        hint=f"make the label by hand, or take a token that may: {desk.forge.NEEDS['issue']}",
        exit_code=CANNOT_EVALUATE,
    )


def _ours(desk: _Desk, notice: Notice, found: Sequence[Issue], created: Issue | None) -> list[Issue]:
    """Issues with our mark that we wrote, the oldest first.

    Where nobody tells us who we are the label decides, which only they can put who may write there.
    What we just opened counts even where the forge's list lags behind.
    """
    label = marks.slug(notice.key)
    me = (created.author if created else None) or desk.me
    mine = {
        one.number: one
        for one in found
        if marks.is_marked(one.body, label, hidden=desk.way.hidden, form=marks.ISSUE)
        and (one.author == me if me is not None else labelled(one, desk.place.label))
    }
    if created is not None:
        mine.setdefault(created.number, created)
    return sorted(mine.values(), key=lambda one: one.number)


def _kept(desk: _Desk, notice: Notice, mine: Sequence[Issue], created: Issue | None) -> Kept:
    """The oldest brought up to date, the others closed."""
    oldest, *others = mine
    for other in others:
        if other.open:
            _put_away(desk, notice, other, f"{oldest.url or oldest.number} is kept up to date")
    shut = sum(other.open for other in others)
    if created is not None and oldest.number == created.number:
        return Kept("created", oldest.number, created.url, shut)
    past = marks.pushes(oldest.body, hidden=desk.way.hidden, form=marks.ISSUE)
    action, turn = _decided(notice, oldest, past)
    kept = Kept(action, oldest.number, oldest.url, shut)
    if action in ("outdated", "unchanged"):
        return kept
    body = _body(desk, notice, past)
    if turn is None and same(oldest.body, desk.way.read(body)):
        return kept._replace(action="unchanged" if action == "updated" else action)
    desk.way.change(desk.place, oldest, body, turn)
    if turn is not None:
        words = f"Found again: {notice.time}." if turn == "open" else f"No longer found since {notice.time}."
        # the issue itself says the same: a comment that is lost, or not allowed, is no loss
        with suppress(UnclearError, RefusedError):
            desk.way.comment(desk.place, oldest, words)
    return kept


def _decided(
    notice: Notice, issue: Issue, past: Sequence[marks.Push]
) -> tuple[Literal["outdated", "unchanged", "updated", "closed", "reopened", "left closed"], Turn]:
    """What is to be done, and what the issue is to become."""
    was_gone = bool(past) and past[0].verdict == _GONE
    if past and past[0].head > notice.time:
        return "outdated", None
    if notice.gone:
        if was_gone:
            return "unchanged", None
        return ("closed", "close") if issue.open else ("updated", None)
    if issue.open:
        return "updated", None
    return ("reopened", "open") if was_gone else ("left closed", None)


def _put_away(desk: _Desk, notice: Notice, other: Issue, why: str) -> None:
    """One that another writer opened at the same time: both writers close the younger one."""
    only = notice._replace(body=f"Closed: {why}.", said="closed", gone=False)
    with suppress(UnclearError):
        desk.way.change(desk.place, other, _body(desk, only, ()), "close")


def _title(notice: Notice) -> str:
    """One line in which nothing is a name, a reference or markup."""
    return " ".join(inert(f"{PREFIX}: {notice.title}").split())[:200]


def _body(desk: _Desk, notice: Notice, past: Sequence[marks.Push]) -> str:
    """Marks, the newest findings, and how it was before."""
    now = marks.push(notice.time, _GONE if notice.gone else notice.said, marks.ISSUE)
    words = f"**No longer found** since {notice.time}." if notice.gone else notice.body
    body = closed(desk.forge.fit(disarmed(words.strip("\n"))))
    mark = marks.Mark(marks.slug(notice.key), desk.way.hidden, marks.ISSUE)
    whole = "`git mlops monitor history` has the whole."
    return marks.written(mark, body, now, _earlier(now, past), desk.forge.LIMIT, whole)


def _earlier(now: marks.Push, past: Sequence[marks.Push]) -> list[marks.Push]:
    """Of runs that said the same only the first stays: since when it is so."""
    others = [one for one in past if one.head != now.head]
    alike = len(others) > 1 and {now.verdict, others[0].verdict, others[1].verdict} == {now.verdict}
    return others[1 if alike else 0 :][:MOST_EARLIER]


def _rehearsed(desk: _Desk, notices: Sequence[Notice]) -> list[Kept]:
    """The requests of first issues; nothing is sent."""
    client = desk.place.client
    desk.forge.whoami(client)
    desk.way.find(desk.place, None)
    looked = len(client.requests)
    made: list[Kept] = []
    for notice in notices:
        if not notice.gone:
            desk.way.create(desk.place, _title(notice), _body(desk, notice, ()))
            made.append(Kept("dry run", requests=tuple(client.requests[looked:])))
            looked = len(client.requests)
    first = tuple(client.requests[: len(client.requests) - sum(len(one.requests) for one in made)])
    return [Kept("dry run", requests=first), *made]
