"""`git mlops mlflow`: experiments and MLflow."""

import click

from git_mlops import ui
from git_mlops.cli.common import json_option, open_repo
from git_mlops.cli.completion import experiments
from git_mlops.experiments import select
from git_mlops.tracking.export import export as send


@click.group()
def mlflow() -> None:
    """Exchange experiments with MLflow"""


@mlflow.command()
@click.argument("names", nargs=-1, shell_complete=experiments)
@click.option("--to", "uri", required=True, metavar="URI", help="Where MLflow is: http(s)://…, sqlite:///….")
@click.option("--experiment", metavar="NAME", help="The MLflow experiment; default: the repository's name.")
@json_option
def export(*, names: tuple[str, ...], uri: str, experiment: str | None, as_json: bool) -> None:
    """Send experiments to an MLflow server or database

    NAMES are experiments; without any, all are sent. Each becomes a run with its parameters, the last value
    of each metric, and tags with its commit. What is there already is left alone, so repeating is safe.
    """
    repo, config = open_repo()
    chosen = select.expanded(repo, names, config.experiments)
    done = send(repo, chosen, uri, experiment, config.experiments)
    if as_json:
        ui.emit("mlflow-export", done._asdict())
    ui.note(f"sent {len(done.sent)} experiments, {len(done.known)} were there already")
