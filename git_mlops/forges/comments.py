"""One comment per workflow: found by a mark that only we write, kept up to date, never doubled."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.forges import marks
from git_mlops.forges.answers import same
from git_mlops.forges.client import Client, Pace, RefusedError, UnclearError
from git_mlops.forges.markup import closed, disarmed, phrase
from git_mlops.forges.registry import FORGES
from git_mlops.forges.values import Comment, Forge, Posted, Target

MOST_EARLIER = 15
_ROUNDS = 6
_RESERVE = 6_000
"""Marks and earlier pushes, with room to spare."""


def room(target: Target) -> int:
    """Characters that a report for this target may have: what a comment holds, less what we add to it."""
    return FORGES[target.forge].LIMIT - _RESERVE


def pull_request(target: Target, *, pace: Pace | None = None) -> Target:
    """The target with its pull request's number, which the forge tells by the head commit.

    Raises:
        MlopsError: no open pull request has this head, or several have.
    """
    if target.number is not None:
        return target
    if target.head is None:
        raise MlopsError(
            "which pull request? Neither its number nor its head commit is known", hint="`--pr NUMBER`"
        )
    forge = FORGES[target.forge]
    every = forge.pulls(Client(forge, target, pace=pace), target)
    found = [pull.number for pull in every if pull.is_at(target.head)]
    if len(found) == 1:
        return target._replace(number=found[0])
    what = f"head `{target.head[:12]}` in `{target.repository}`"
    if found:
        those = ", ".join(f"#{number}" for number in found)
        message, hint = (
            f"{len(found)} open pull requests have the {what}: {those}",
            "`--pr NUMBER` says which",
        )
    else:
        message = f"no open pull request has the {what}"
        hint = "was it pushed to since? Then the newer run will report"
    raise MlopsError(message, hint=hint, exit_code=CANNOT_EVALUATE)


def post(
    target: Target,
    body: str,
    *,
    marker: str = "report",
    verdict: str = "",
    dry_run: bool = False,
    pace: Pace | None = None,
) -> Posted:
    """Write the report, or bring the one that is there up to date.

    `marker` names the workflow; `verdict` is the line that stays when a later push replaces the report
    (default: the first line with words).

    Raises:
        MlopsError: the forge refuses, cannot be reached, or changes faster than we can look.
    """
    pace = pace or Pace()
    now = marks.push(target.head, verdict or _first_words(body))
    whole = (
        f"[The run]({target.run}) has the whole." if target.run else "`git mlops report` prints the whole."
    )
    draft = _Draft(FORGES[target.forge], marks.slug(marker), now, body, whole)
    if dry_run:
        return _rehearsed(target, draft)
    target = pull_request(target, pace=pace)
    client = Client(draft.forge, target, pace=pace)
    if target.head is not None and not draft.forge.pull(client, target).is_at(target.head):
        return Posted("outdated", target.number)
    return _settled(client, target, draft, pace)


class _Draft(NamedTuple):
    forge: Forge
    label: str
    now: marks.Push
    body: str
    whole: str

    def text(self, pushes: Sequence[marks.Push] = ()) -> str:
        """The whole comment: marks, report, what was said of other commits as far as there is room."""
        forge = self.forge
        others = [push for push in pushes if push.head != self.now.head][:MOST_EARLIER]
        body = closed(forge.fit(disarmed(self.body.strip("\n"))))
        mark = marks.Mark(self.label, forge.HIDDEN)
        return marks.written(mark, body, self.now, others, forge.LIMIT, self.whole)


def _settled(client: Client, target: Target, draft: _Draft, pace: Pace) -> Posted:
    """Look, write, look again, until one comment of ours is there.

    Whoever writes at the same time does the same: the oldest stays, everybody removes the others. A
    request that got no answer is not sent again before we have looked whether it arrived.
    """
    me = draft.forge.whoami(client)
    created: Comment | None = None
    failure: MlopsError | None = None
    for turn in range(_ROUNDS):
        mine = _ours(draft.forge.comments(client, target), draft, me, created)
        if mine:
            posted = _kept(client, target, draft, mine, created)
            if posted is not None:
                return posted
            continue
        try:
            created = _created(client, target, draft)
        except UnclearError as error:
            failure = error
            pace.sleep(2.0**turn)
        else:
            me = created.author or me  # the forge's word on its own comment is the best there is
    raise failure or MlopsError(
        f"the comments of `{target.repository}#{target.number}` change faster than we can follow",
        hint="run it again; do two jobs post with one marker?",
        exit_code=CANNOT_EVALUATE,
    )


def _created(client: Client, target: Target, draft: _Draft) -> Comment:
    created = draft.forge.create(client, target, draft.text())
    if created.id:
        return created
    raise UnclearError(
        f"{draft.forge.TITLE} did not say which comment it wrote",
        hint=f"is `{target.api}` its API?",
        exit_code=CANNOT_EVALUATE,
    )


def _ours(
    comments: Sequence[Comment], draft: _Draft, me: str | None, created: Comment | None
) -> list[Comment]:
    """Comments with our mark that we wrote, the oldest first.

    Somebody else's comment with our mark is left alone. What we just created counts even where the
    forge's list lags behind; where nobody tells us who we are, nothing older counts.
    """
    mine = {
        comment.id: comment
        for comment in comments
        if me is not None
        and comment.author == me
        and marks.is_marked(comment.body, draft.label, hidden=draft.forge.HIDDEN)
    }
    if created is not None:
        mine.setdefault(created.id, created)
    return sorted(mine.values(), key=lambda comment: comment.id)


def _kept(
    client: Client, target: Target, draft: _Draft, mine: Sequence[Comment], created: Comment | None
) -> Posted | None:
    """The oldest brought up to date, the others removed; None where it went away under our hands."""
    forge, (oldest, *others) = draft.forge, mine
    posted = Posted("unchanged", target.number, oldest.url)
    if created is not None and oldest.id == created.id:
        posted = posted._replace(action="created")
    else:
        wanted = draft.text(marks.pushes(oldest.body, hidden=forge.HIDDEN))
        if not same(oldest.body, wanted):
            if not _done(partial(forge.update, client, target, oldest, wanted)):
                return None
            posted = posted._replace(action="updated")
    removed = [_done(partial(forge.delete, client, target, other)) for other in others]
    return posted._replace(removed=sum(removed))


def _done(write: Callable[[], None]) -> bool:
    """False where the comment went away or changed under our hands."""
    try:
        write()
    except RefusedError as error:
        if error.status in (404, 409):
            return False
        raise
    return True


def _rehearsed(target: Target, draft: _Draft) -> Posted:
    """The requests of a first report; nothing is sent."""
    forge, client = draft.forge, Client(draft.forge, target, dry=True)
    if target.number is None:
        forge.pulls(client, target)
    known = target._replace(number=target.number or 0)
    if target.head is not None:
        forge.pull(client, known)
    forge.whoami(client)
    forge.comments(client, known)
    forge.create(client, known, draft.text())
    return Posted("dry run", target.number, requests=tuple(client.requests))


def _first_words(body: str) -> str:
    return next((words for line in body.splitlines() if (words := phrase(line))), "")
