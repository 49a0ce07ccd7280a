"""`git mlops verdicts list | push | pull`: what checks of data came to, and who vouches for it."""

import click

from git_mlops import ui
from git_mlops.cli.common import json_option, open_repo
from git_mlops.findings import exit_code
from git_mlops.git import remotes
from git_mlops.schema import sharing
from git_mlops.schema.sharing import Shared


@click.group()
def verdicts() -> None:
    """Share what checks of data came to

    A verdict says that this data was checked under these rules; data with one is not read again. They are
    kept under refs/mlops/verdicts. CI believes those that somebody has signed whom the target branch names
    in `.mlops/allowed_signers` (git's form); `git config mlops.verdicts.sign true` signs yours.
    """


@verdicts.command("list")
@json_option
def list_(*, as_json: bool) -> int:
    """List the verdicts that are here"""
    repo, _config = open_repo()
    rows = sharing.listing(repo)
    if as_json:
        ui.emit("verdicts", [row._asdict() for row in rows])
    else:
        header = ("subject", "rule", "outcome", "when", "signed")
        ui.table(header, [(r.subject[:12], r.rule, r.outcome, r.when, r.signed or "-") for r in rows])
    return 0


@verdicts.command()
@click.argument("remote", required=False)
@json_option
def push(*, remote: str | None, as_json: bool) -> int:
    """Send verdicts to a git remote

    What the remote has gained meanwhile is merged first. Failed verdicts hold the first failing values:
    whoever can fetch from the remote can read them.
    """
    repo, _config = open_repo()
    return _said(sharing.push(repo, remotes.chosen(repo, remote)), "sent", as_json=as_json)


@verdicts.command()
@click.argument("remote", required=False)
@json_option
def pull(*, remote: str | None, as_json: bool) -> int:
    """Get the verdicts of a git remote"""
    repo, _config = open_repo()
    return _said(sharing.pull(repo, remotes.chosen(repo, remote)), "new", as_json=as_json)


def _said(done: Shared, verb: str, *, as_json: bool) -> int:
    for finding in done.contradictions:
        ui.warn(finding.message)
    ui.note(f"{done.remote}: {ui.count(done.new, 'verdict')} {verb}")
    if as_json:
        ui.emit("shared", {"remote": done.remote, "verdicts": done.new})
    return exit_code(done.contradictions)
