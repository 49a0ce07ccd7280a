"""`git mlops mlflow`: MLflow on this repository, and runs to and from other MLflows."""

import click

from git_mlops import ui
from git_mlops.cli.common import json_option, open_repo
from git_mlops.cli.completion import experiments
from git_mlops.experiments import select
from git_mlops.tracking import server as own
from git_mlops.tracking.bring import Brought, What, bring
from git_mlops.tracking.export import export as send
from git_mlops.tracking.mlflow import Exported
from git_mlops.tracking.registered import Moved


@click.group()
def mlflow() -> None:
    """See runs in MLflow, and exchange them

    Scripts record into this repository when they find `MLFLOW_TRACKING_URI=git-mlops:`, and always inside
    `git mlops exp run`, unless the variable says otherwise.
    """


_host = click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
_port = click.option("-p", "--port", default=5000, show_default=True, help="The port to listen on.")
_more = click.argument("more", nargs=-1, type=click.UNPROCESSED)


@mlflow.command("ui")
@_host
@_port
@_more
def ui_(*, host: str, port: int, more: tuple[str, ...]) -> int:
    """Open MLflow's pages on this repository

    MORE, after `--`, are further options of `mlflow server`.
    """
    return _serve(host, port, ("--workers", "1", *more))


@mlflow.command()
@_host
@_port
@_more
def server(*, host: str, port: int, more: tuple[str, ...]) -> int:
    """Serve this repository to MLflow's clients

    Clients need nothing but MLflow. Who can reach the server can write: it listens on this machine alone
    unless told otherwise. MORE, after `--`, are further options of `mlflow server`.
    """
    return _serve(host, port, more)


def _serve(host: str, port: int, more: tuple[str, ...]) -> int:
    repo, _config = open_repo()
    ui.note(f"MLflow on http://{host}:{port} (Ctrl-C ends it)")
    return own.serve(repo, host, port, more)


_models = click.option(
    "--models", is_flag=True, help="Registered models, too: versions, aliases, descriptions, tags."
)


@mlflow.command()
@click.argument("names", nargs=-1, shell_complete=experiments)
@click.option("--to", "uri", required=True, metavar="URI", help="Where MLflow is: http(s)://…, sqlite:///….")
@click.option("--experiment", metavar="NAME", help="The MLflow experiment; default: the run's own.")
@_models
@json_option
def export(*, names: tuple[str, ...], uri: str, experiment: str | None, models: bool, as_json: bool) -> None:
    """Send experiments to an MLflow server or database

    NAMES are experiments, or those of MLflow with all their runs; without any, all are sent. Each becomes a
    run with its parameters, tags, metrics with their history, datasets, models and artifacts. What is there
    already is left alone, so repeating is safe. What MLflow did not record goes into an MLflow experiment of
    the repository's name.
    """
    repo, config = open_repo()
    chosen = select.expanded(repo, names, config.experiments)
    done = send(repo, chosen, uri, experiment, config.experiments, models=models)
    if as_json:
        ui.emit("mlflow-export", _plain(done))
    ui.note(f"sent {len(done.sent)} experiments, {len(done.known)} were there already")
    _told(done.models, "sent", "there")


def _plain(done: Exported | Brought) -> dict[str, object]:
    return {**done._asdict(), "models": done.models._asdict() if done.models else None}


def _told(models: Moved | None, did: str, where: str) -> None:
    """What became of registered models."""
    if models is not None:
        count = ui.count(len(models.new), "version")
        ui.note(f"{did} {count} of models, {len(models.known)} were {where} already")
        for one in models.refused:
            ui.warn(one)


@mlflow.command("import")
@click.argument("names", nargs=-1)
@click.option(
    "--from", "uri", required=True, metavar="URI", help="Where MLflow is: http(s)://…, sqlite:///…."
)
@_models
@json_option
def import_(*, names: tuple[str, ...], uri: str, models: bool, as_json: bool) -> None:
    """Record the runs of an MLflow server or database here

    NAMES are experiments of that MLflow; without any, all are brought. Runs keep their ids, with parameters,
    tags, metrics with their history, datasets, models and artifacts; what is here already is left alone. The
    code is the commit that a run names, where that is here, else HEAD. An alias of `--models` is a promotion
    under the rules of mlops.yaml.
    """
    repo, config = open_repo()
    done = bring(repo, uri, What(names, models), config.experiments, config.data)
    if as_json:
        ui.emit("mlflow-import", _plain(done))
    ui.note(f"recorded {len(done.new)} runs, {len(done.known)} were here already")
    _told(done.models, "registered", "here")
    if done.running:
        ui.warn(f"{len(done.running)} runs are under way there and were left out")
