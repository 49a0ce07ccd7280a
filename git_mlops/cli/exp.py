"""`git mlops exp`: run, record, read, compare, apply, share and remove experiments."""

from collections.abc import Callable
from typing import TypedDict, Unpack

import click

from git_mlops import ui
from git_mlops.cli import exp_gc, exp_list, exp_plots, exp_queue, exp_run, exp_verify
from git_mlops.cli import exp_output as output
from git_mlops.cli.common import json_option, open_repo
from git_mlops.cli.completion import experiments
from git_mlops.cli.exp_run import message_option, name_option
from git_mlops.config import Config
from git_mlops.experiments import diff as comparing
from git_mlops.experiments import history, present, read, remove, select, sync
from git_mlops.experiments import save as saving
from git_mlops.experiments.recording import Request
from git_mlops.hooks import landing


@click.group()
def exp() -> None:
    """Run, record and compare experiments

    An experiment is a commit under refs/exps/ that holds the whole project as it was run: code, dirty and
    untracked files, parameters, metrics, and pointers to data. `dvc exp list` and `dvc exp show` read it.
    """


@exp.command()
@name_option
@message_option
@click.option("--force", is_flag=True, help="Replace the experiment NAME; the old one is kept as a backup.")
@json_option
def save(*, name: str | None, message: str, force: bool, as_json: bool) -> None:
    """Record the workspace as an experiment"""
    repo, config = open_repo()
    recorded = saving.save(repo, Request(name, message, force), config.experiments, config.data)
    output.recorded(recorded, as_json=as_json)


@exp.command()
@click.argument("name", required=False, shell_complete=experiments)
@json_option
def show(name: str | None, *, as_json: bool) -> None:
    """Show everything about one experiment

    Without NAME: the one recorded last. NAME is a name, its beginning, a commit id, a full ref, or the best
    that `exp list` shows: `@{best:auc}`, `@{worst:auc}`, `@{max:auc}`, `@{min:auc}`, `@{last}`.
    """
    repo, config = open_repo()
    ref = select.pick(repo, [name], config.experiments)[0] if name else read.last(repo)
    experiment = read.load(repo, [ref], config.experiments)[0]
    course = history.read(repo, [experiment])[ref.name]
    output.shown(experiment, read.record(repo, experiment), course, as_json=as_json)


@exp.command()
@click.argument("a", shell_complete=experiments)
@click.argument("b", required=False, shell_complete=experiments)
@json_option
def diff(a: str, b: str | None, *, as_json: bool) -> None:
    """Compare two experiments or revisions

    Without B: the workspace. Metrics, changed parameters, code, data and environment; whether a metric got
    better is said where mlops.yaml declares its direction.
    """
    repo, config = open_repo()
    a, *others = select.expanded(repo, [a, *([b] if b else [])], config.experiments)
    found = comparing.difference(repo, a, others[0] if others else None, config.experiments, config.data)
    if as_json:
        ui.emit("experiment-diff", present.difference_plain(found))
    else:
        output.compared(found)


@exp.command()
@click.argument("name", shell_complete=experiments)
@json_option
def apply(name: str, *, as_json: bool) -> None:
    """Bring an experiment into the workspace

    The index stays as it is. Uncommitted work that would be overwritten is first recorded as an experiment
    `before-apply-…`: nothing is lost. The commit that has all of it is marked with the trailer `Mlops-Run`.
    """
    repo, config = open_repo()
    name = select.expanded(repo, [name], config.experiments)[0]
    output.applied(landing.apply(repo, name, config.experiments, config.data), as_json=as_json)


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


def _what(config: Config, options: _Shared) -> sync.What:
    return sync.What(
        options["names"],
        options["everything"],
        not options["no_data"],
        options["where"],
        config.experiments,
    )


@exp.command()
@_sharing
def push(*, as_json: bool, **options: Unpack[_Shared]) -> int:
    """Send experiments and their data to the remotes

    Without NAMES: the results of HEAD, as `exp list` shows them. Data goes first; an experiment whose data is
    missing is held back. Failed runs and what `exp apply` saved go when they are named.
    """
    repo, config = open_repo()
    what = _what(config, options)
    what = what._replace(names=tuple(select.expanded(repo, what.names, config.experiments)))
    done = sync.push(repo, what, options["remote"], config.data.remote)
    return output.pushed(done, as_json=as_json)


@exp.command()
@_sharing
def pull(*, as_json: bool, **options: Unpack[_Shared]) -> int:
    """Get experiments and their data from the remotes

    Without NAMES: those of HEAD. An experiment of yours is never overwritten by another of the same name.
    """
    repo, config = open_repo()
    done = sync.pull(repo, _what(config, options), options["remote"], config.data.remote)
    return output.pulled(done, as_json=as_json)


@exp.command()
@click.argument("names", nargs=-1, required=True, shell_complete=experiments)
@json_option
def rm(names: tuple[str, ...], *, as_json: bool) -> None:
    """Remove experiments, keeping a backup"""
    repo, config = open_repo()
    chosen = select.expanded(repo, names, config.experiments)
    output.removed(remove.remove(repo, chosen), as_json=as_json)


exp.add_command(exp_list.list_)
exp.add_command(exp_plots.plots)
exp.add_command(exp_verify.verify)
exp.add_command(exp_verify.repeat)
exp.add_command(exp_gc.gc)
exp.add_command(exp_gc.archive)
exp.add_command(exp_gc.restore)
exp.add_command(exp_run.run)
exp.add_command(exp_queue.queue)
