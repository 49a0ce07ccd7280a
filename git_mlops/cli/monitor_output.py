"""Runs of the monitor, shown and sent."""

import datetime as dt
from collections.abc import Sequence

from git_mlops import env, forges, jsonable, ui
from git_mlops.forges import Kept, Overrides
from git_mlops.git.repo import Repo
from git_mlops.monitor import alerts, issues, prometheus
from git_mlops.monitor import document as documents
from git_mlops.monitor.history import Recorded
from git_mlops.monitor.observed import Observation, plain
from git_mlops.monitor.settings import Alerts
from git_mlops.reports import document_html, document_markdown, document_text
from git_mlops.reports.document import Document
from git_mlops.reports.formats import FORMATS as FINDINGS

FORMATS = (*FINDINGS, "prometheus")
DRAWN = ("text", "markdown", "html")
"""Formats for people, which have pictures, if only of characters."""


def document(made: Document, how: str) -> str:
    """In one of `DRAWN`."""
    if how == "markdown":
        return document_markdown.render(made, whole="`--format html` shows all of it")
    return document_html.render(made) if how == "html" else document_text.render(made)


def rendered(one: Observation, how: str) -> str:
    """In one of `FORMATS`: documents for people, findings and figures for programs."""
    if how in DRAWN:
        return document(documents.document(one, brief=how == "text"), how)
    if how == "prometheus":
        return prometheus.render(one)
    if how == "json":
        return jsonable.indented({"mlops": 1, "kind": "monitor", "data": plain(one)})
    return FINDINGS[how].render(list(one.findings), title=documents.title(one))


def recorded(names: Sequence[str]) -> str:
    """A hint."""
    return f"recorded are {ui.listed(names)}" if names else "`git mlops monitor MODEL` records a run"


def alerted(
    one: Observation, past: Sequence[Recorded], settings: Alerts, *, dry_run: bool
) -> dict[str, str] | None:
    """Send what is new; what the history is to keep of it."""
    now = dt.datetime.now(dt.UTC)
    decided = alerts.decide(one.findings, past, settings, now)
    messages = alerts.messages(one, decided.fresh, settings, env.get)
    if messages and (decided.waiting or not decided.fresh):
        ui.note(f"no alert: {decided.waiting or 'nothing to tell'}")
        return decided.sent
    if not messages:
        return None
    for message in messages:
        if dry_run:
            ui.note(f"would send to {message.way} {message.to}:\n{message.text}")
        else:
            message.send()
            ui.note(f"sent to {message.way} {message.to}")
    return alerts.stamped(decided, now.isoformat(timespec="seconds"))


def issued(
    repo: Repo | None, one: Observation, settings: Alerts, overrides: Overrides, *, dry_run: bool
) -> None:
    """Bring the issues of a watched model up to date."""
    if settings.issue is None:
        return
    if repo is None:
        ui.note("no issue: a run of two files has one when it has a name (`--name NAME`) and a repository")
        return
    if alerts.quiet(settings.quiet, dt.datetime.now(dt.UTC)):
        ui.note(f"no issue: quiet hours ({settings.quiet} UTC)")
        return
    to = forges.target(repo, env.starting_with(""), overrides, dry_run=dry_run, purpose="issue")
    told = issues.notices(one, to.run)
    label, kind = settings.issue
    for done in forges.keep_issues(to, told, label=label, kind=kind, dry_run=dry_run):
        _kept(done, to.forge)


def _kept(done: Kept, forge: str) -> None:
    for request in done.requests:
        ui.note(f"would send:\n{request}")
    if done.action not in ("absent", "dry run"):
        where = f" ({done.url})" if done.url else ""
        ui.note(f"{forge} issue #{done.number}: {done.action}{where}")
    if done.closed:
        ui.note(f"{ui.count(done.closed, 'issue')} that another run opened at the same time: closed")
