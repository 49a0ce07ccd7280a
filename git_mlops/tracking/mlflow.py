"""Experiments into any MLflow server or database. MLflow is imported here alone, inside functions."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from git_mlops import env
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.experiments.read import Experiment

if TYPE_CHECKING:
    from mlflow import MlflowClient

COMMIT = "mlops.commit"
"""The tag that makes an export idempotent: the experiment's commit id."""

_STATUS = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
_MOST_METRICS, _MOST_PARAMS, _LONGEST_PARAM, _LONGEST_TAG = 1000, 100, 6000, 5000


class Exported(NamedTuple):
    """What an export did, by experiment name."""

    sent: list[str]
    known: list[str]
    """There already, by their commit id."""


def export(experiments: Sequence[Experiment], uri: str, into: str) -> Exported:
    """Send experiments to the MLflow at `uri`, each as one run of the MLflow experiment `into`.

    A run that was sent before is found by its commit id and left alone, so that repeating is safe; one that
    an interruption left half-sent is deleted and sent again.

    Raises:
        MlopsError: the URI cannot be used or the server refuses (exit code 3).
    """
    env.change({"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"})
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        client = MlflowClient(tracking_uri=uri)
        place = _experiment(client, into)
        known = _known(client, place)
        done = Exported([], [])
        for experiment in experiments:
            if experiment.commit.oid in known:
                done.known.append(experiment.name)
            else:
                _send(client, place, experiment)
                done.sent.append(experiment.name)
    except MlflowException as error:
        raise MlopsError(f"MLflow at `{uri}`: {_first_line(error)}", exit_code=CANNOT_EVALUATE) from error
    return done


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _experiment(client: "MlflowClient", name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found is not None else client.create_experiment(name))


def _known(client: "MlflowClient", place: str) -> set[str]:
    """Commit ids of the runs that are there and complete; half-sent ones are deleted."""
    known: set[str] = set()
    token: str | None = None
    while True:
        page = client.search_runs([place], filter_string=f"tags.`{COMMIT}` != ''", page_token=token)
        for run in page:
            if run.info.status == "RUNNING":
                client.delete_run(run.info.run_id)
            else:
                known.add(run.data.tags[COMMIT])
        token = page.token
        if not token:
            return known


def _send(client: "MlflowClient", place: str, experiment: Experiment) -> None:
    from mlflow.entities import Metric, Param

    commit = experiment.commit
    milliseconds = commit.time * 1000
    run = client.create_run(place, start_time=milliseconds, run_name=experiment.name, tags=_tags(experiment))
    metrics = [Metric(name, value, milliseconds, 0) for name, value in _numbers(experiment.metrics)]
    params = [Param(_name(key), str(value)[:_LONGEST_PARAM]) for key, value in experiment.params.items()]
    for some in _portions(params, _MOST_PARAMS):
        client.log_batch(run.info.run_id, params=some)
    for some in _portions(metrics, _MOST_METRICS):
        client.log_batch(run.info.run_id, metrics=some)
    status = _STATUS.get(experiment.status, "KILLED")
    client.set_terminated(run.info.run_id, status, end_time=milliseconds)


def _tags(experiment: Experiment) -> dict[str, str]:
    commit = experiment.commit
    tags = {
        COMMIT: commit.oid,
        "mlops.ref": experiment.ref,
        "mlops.run": commit.message.key or "",
        "mlflow.source.git.commit": experiment.baseline,
        "mlflow.note.content": commit.message.text,
    }
    return {name: value[:_LONGEST_TAG] for name, value in tags.items() if value}


def _numbers(values: Mapping[str, object]) -> Iterator[tuple[str, float]]:
    """What MLflow calls a metric; texts among the metrics stay with us."""
    yield from ((_name(k), float(v)) for k, v in values.items() if isinstance(v, bool | int | float))


def _name(key: str) -> str:
    """MLflow's alphabet: letters, digits, `_-. :/`."""
    return "".join(c if c.isalnum() or c in "_-. :/" else "_" for c in key)[:250].strip("./ ") or "_"


def _portions(items: list[Any], most: int) -> Iterator[list[Any]]:
    yield from (items[at : at + most] for at in range(0, len(items), most))
