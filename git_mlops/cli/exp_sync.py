"""`git mlops exp push | pull`: share experiments and their data."""

from collections.abc import Callable
from typing import TypedDict, Unpack

import click

from git_mlops.cli import exp_sync_output as output
from git_mlops.cli.common import json_option, open_repo
from git_mlops.cli.completion import experiments
from git_mlops.config import Config
from git_mlops.data import purges
from git_mlops.experiments import pulling, select, sync
from git_mlops.experiments.pulling import What
from git_mlops.tracking import share


class _Shared(TypedDict):
    names: tuple[str, ...]
    everything: bool
    where: str | None
    remote: str | None
    no_data: bool


def _sharing(command: Callable[..., int]) -> Callable[..., int]:
    """What `push` and `pull` have in common."""
    for option in (
        json_option,
        click.option("--no-data", is_flag=True, help="Only the refs, not the data they need."),
        click.option("--remote", metavar="REMOTE", help="The git remote; default: origin."),
        click.option("--where", metavar="EXPR", help="Of these only those it is true of, as for `exp list`."),
        click.option("--all", "everything", is_flag=True, help="Those of every commit, not of HEAD alone."),
        click.argument("names", nargs=-1, shell_complete=experiments),
    ):
        command = option(command)
    return command


def _what(config: Config, options: _Shared) -> What:
    return What(
        options["names"],
        options["everything"],
        not options["no_data"],
        options["where"],
        config.experiments,
    )


def _narrowed(options: _Shared) -> bool:
    return options["everything"] or options["where"] is not None


@click.command()
@_sharing
def push(*, as_json: bool, **options: Unpack[_Shared]) -> int:
    """Send experiments and their data to the remotes

    Without NAMES: the results of HEAD, as `exp list` shows them. Data goes first; an experiment whose data is
    missing is held back. Failed runs and what `exp apply` saved go when they are named.
    """
    repo, config = open_repo()
    what = _what(config, options)
    what = what._replace(names=tuple(select.expanded(repo, what.names, config.experiments)))
    if what.data:
        purges.hear(repo, options["remote"])  # before what others have withdrawn is sent again
    done = sync.push(repo, what, options["remote"], config.data.remote)
    share.push(repo, done.remote)
    return output.pushed(done, as_json=as_json, chosen=_narrowed(options))


@click.command()
@_sharing
def pull(*, as_json: bool, **options: Unpack[_Shared]) -> int:
    """Get experiments and their data from the remotes

    Without NAMES: those of HEAD. An experiment of yours is never overwritten by another of the same name.
    """
    repo, config = open_repo()
    done = pulling.pull(repo, _what(config, options), options["remote"], config.data.remote)
    share.pull(repo, done.remote)
    return output.pulled(done, as_json=as_json, chosen=_narrowed(options))
