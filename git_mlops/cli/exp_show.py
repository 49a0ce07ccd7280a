"""`git mlops exp save | show | diff | apply | rm`: one or two experiments at a time."""

import click

from git_mlops import ui
from git_mlops.cli import exp_output as output
from git_mlops.cli.common import json_option, open_repo
from git_mlops.cli.completion import experiments
from git_mlops.cli.exp_options import message_option, name_option

# what one command needs is imported when it is run: together it takes 200 ms


@click.command()
@name_option
@message_option
@click.option("--force", is_flag=True, help="Replace the experiment NAME; the old one is kept as a backup.")
@json_option
def save(*, name: str | None, message: str, force: bool, as_json: bool) -> None:
    """Record the workspace as an experiment"""
    from git_mlops.experiments import save as saving
    from git_mlops.experiments.recording import Request

    repo, config = open_repo()
    recorded = saving.save(repo, Request(name, message, force), config.experiments, config.data)
    output.recorded(recorded, as_json=as_json)


@click.command()
@click.argument("name", required=False, shell_complete=experiments)
@json_option
def show(name: str | None, *, as_json: bool) -> None:
    """Show everything about one experiment

    Without NAME: the one recorded last. NAME is a name, its beginning, a commit id, a full ref, the
    id of a run in MLflow, or the best that `exp list` shows: `@{best:auc}`, `@{worst:auc}`, `@{max:auc}`,
    `@{min:auc}`, `@{last}`.
    """
    from git_mlops.cli import exp_shown
    from git_mlops.experiments import history, mlflow_facts, read, select

    repo, config = open_repo()
    experiment = select.one(repo, name, config.experiments)
    course = history.read(repo, [experiment])[experiment.ref]
    record = read.record(repo, experiment)
    told = mlflow_facts.gather(repo, experiment, record)
    exp_shown.shown(experiment, record, told, course, as_json=as_json)


@click.command()
@click.argument("a", shell_complete=experiments)
@click.argument("b", required=False, shell_complete=experiments)
@json_option
def diff(a: str, b: str | None, *, as_json: bool) -> None:
    """Compare two experiments or revisions

    Without B: the workspace. Metrics, changed parameters, code, data and environment; whether a metric got
    better is said where mlops.yaml declares its direction.
    """
    from git_mlops.experiments import diff as comparing
    from git_mlops.experiments import present, select

    repo, config = open_repo()
    a, *others = select.expanded(repo, [a, *([b] if b else [])], config.experiments)
    found = comparing.difference(repo, a, others[0] if others else None, config.experiments, config.data)
    if as_json:
        ui.emit("experiment-diff", present.difference_plain(found))
    else:
        output.compared(found)


@click.command()
@click.argument("name", shell_complete=experiments)
@json_option
def apply(name: str, *, as_json: bool) -> None:
    """Bring an experiment into the workspace

    The index stays as it is. Uncommitted work that would be overwritten is first recorded as an experiment
    `before-apply-…`: nothing is lost. The commit that has all of it is marked with the trailer `Mlops-Run`.
    """
    from git_mlops.experiments import select
    from git_mlops.hooks import landing

    repo, config = open_repo()
    name = select.expanded(repo, [name], config.experiments)[0]
    output.applied(landing.apply(repo, name, config.experiments, config.data), as_json=as_json)


@click.command()
@click.argument("names", nargs=-1, required=True, shell_complete=experiments)
@json_option
def rm(names: tuple[str, ...], *, as_json: bool) -> None:
    """Remove experiments, keeping a backup"""
    from git_mlops.experiments import remove, select

    repo, config = open_repo()
    chosen = select.expanded(repo, names, config.experiments)
    output.removed(remove.remove(repo, chosen), as_json=as_json)
