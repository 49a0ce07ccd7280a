"""A report sent to the forge of its pull request, or left as a file for a job that may do that."""

from pathlib import Path
from typing import NamedTuple

from git_mlops import forges
from git_mlops.errors import MlopsError
from git_mlops.findings import exit_code
from git_mlops.forges import Posted, Target
from git_mlops.reports import document_markdown
from git_mlops.reports.document import Document
from git_mlops.review import plain
from git_mlops.review.facts import Facts

MARKER = "report"


class Wanted(NamedTuple):
    """What to send, and how."""

    marker: str = MARKER
    """Of the workflow: one comment for each."""
    status: bool = False
    """Also the commit's status, and findings at their lines where the forge takes them."""
    dry_run: bool = False


class Sent(NamedTuple):
    """What became of it."""

    forge: str
    posted: Posted
    status: tuple[str, ...] | None = None
    """Requests of a dry run; None: no status was asked for."""
    annotated: int | None = None


target = forges.target


def send(to: Target, facts: Facts, document: Document, wanted: Wanted) -> Sent:
    """Post the report of this repository's own check.

    Raises:
        MlopsError: the forge refuses or cannot be reached (exit code 3).
    """
    to = to if to.head else to._replace(head=facts.head)
    body = document_markdown.render(document, limit=forges.room(to))
    done = forges.post(to, body, marker=wanted.marker, verdict=document.verdict, dry_run=wanted.dry_run)
    if not wanted.status or done.action == "outdated":
        return Sent(to.forge, done)
    state = forges.state_of(exit_code(facts.findings))
    requests = forges.status(to, state, document.verdict, done.url, dry_run=wanted.dry_run)
    annotated = None if wanted.dry_run else forges.annotate(to, state, document.verdict, facts.findings)
    return Sent(to.forge, done, requests, annotated)


def keep(path: Path, facts: Facts, document: Document) -> None:
    """Leave the report as a file for `forward`.

    Raises:
        MlopsError: the file cannot be written.
    """
    forges.bundle.write(
        path,
        document_markdown.render(document),
        head=facts.head,
        state=forges.state_of(exit_code(facts.findings)),
        verdict=document.verdict,
        report=plain.plain(facts),
    )


def forward(to: Target, path: Path, wanted: Wanted) -> Sent:
    """Post a report that a job without rights has left: anybody's text, made harmless.

    The commit's status is not set: whoever made the file would decide it.

    Raises:
        MlopsError: the file is refused (3); a status is asked for (2); the forge refuses (3).
    """
    if wanted.status:
        raise MlopsError(
            "a report from a file cannot set a commit's status: nobody knows who made it",
            hint="take the status from the run that made it, without `--status`",
        )
    found = forges.bundle.read(path, head=to.head)
    to = to if to.head else to._replace(head=found.head)
    return Sent(
        to.forge,
        forges.post(to, found.body, marker=wanted.marker, verdict=found.verdict, dry_run=wanted.dry_run),
    )
