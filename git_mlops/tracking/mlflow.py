"""Experiments into any MLflow server or database, with all they have. MLflow is imported inside functions."""

import logging
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from git_mlops import env
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.experiments import sealing
from git_mlops.experiments.runlog import Point, State
from git_mlops.tracking import registered
from git_mlops.tracking.pages import pages
from git_mlops.tracking.recorder import Recorder
from git_mlops.tracking.registered import RUN, Moved, Sides
from git_mlops.tracking.runs import DEFAULT, Entry

if TYPE_CHECKING:
    from mlflow import MlflowClient

COMMIT = "mlops.commit"
"""The tag that makes an export idempotent: the experiment's commit id."""
_MOST_METRICS, _MOST_PARAMS, _LONGEST_PARAM, _LONGEST_TAG = 900, 100, 6000, 5000
"""Of one request: MLflow takes 1000 of all together."""


_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"


class Exported(NamedTuple):
    """What an export did, by experiment name."""

    sent: list[str]
    known: list[str]
    """There already, by their commit id."""
    models: Moved | None = None
    """Versions of registered models, where they were asked for."""


@contextmanager
def asked(uri: str) -> "Iterator[MlflowClient]":
    """A client of the MLflow at `uri`.

    Raises:
        MlopsError: the URI cannot be used, or the server is not there or refuses (exit code 3).
    """
    env.change({"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"})
    env.change({"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"})
    env.change({"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"})
    if env.get(_RETRIES) is None:
        env.change({_RETRIES: "2"})  # seven, as MLflow has it, are minutes for a server that is not there
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    if uri.startswith(("http://", "https://")):
        _refuse_silence(uri)
    try:
        yield MlflowClient(tracking_uri=uri)
    except MlflowException as error:
        raise MlopsError(f"MLflow at `{uri}`: {_first_line(error)}", exit_code=CANNOT_EVALUATE) from error


def _refuse_silence(uri: str) -> None:
    """One request, as MLflow would make it: whatever is answered, somebody is there.

    MLflow itself asks again and again before it says so, in a long sentence.

    Raises:
        MlopsError: nobody is (exit code 3).
    """
    import requests
    from mlflow.utils.credentials import get_default_host_creds

    creds = get_default_host_creds(uri)
    verify = not creds.ignore_tls_verification and (creds.server_cert_path or True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that certificates are not verified is the user's wish
        try:
            requests.head(
                f"{uri.rstrip('/')}/health", timeout=_PATIENCE, verify=verify, cert=creds.client_cert_path
            ).close()
        except (requests.ConnectionError, requests.exceptions.InvalidURL) as error:
            raise MlopsError(
                f"MLflow at `{uri}`: nothing answers there ({_why(error)})",
                hint="is the server up, and this its address? `sqlite:///FILE` needs no server",
                exit_code=CANNOT_EVALUATE,
            ) from error
        except requests.RequestException:
            return  # it is slow, or redirects in a circle: MLflow will see


_PATIENCE = 5
"""Seconds for a connection."""


def _why(error: BaseException) -> str:
    """What the operating system said, below all that libraries said of it."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.strerror:
            return found.strerror
        found = found.__context__
    return f"within {_PATIENCE} seconds" if "timed out" in str(error) else type(error).__name__


def _first_line(error: Exception) -> str:
    line = str(error).strip().splitlines()[0]
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"


_LONGEST_LINE = 200


def sides(recorder: Recorder, uri: str) -> Sides:
    """This repository and another MLflow."""
    from mlflow import MlflowClient
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    own = sealing.uri(recorder.repo)
    env.change({sealing.URI: uri})  # MLflow's SQL store asks it for logged models, whoever its client is

    def download(place: str, folder: str, side: str) -> str:
        return str(download_artifacts(artifact_uri=place, dst_path=folder, tracking_uri=side))

    ours = MlflowClient(tracking_uri=own, registry_uri=own)
    return Sides(ours, MlflowClient(tracking_uri=uri, registry_uri=uri), MlflowException, download)


def export(
    recorder: Recorder, entries: Sequence[Entry], uri: str, into: str | None, *, models: bool = False
) -> Exported:
    """Send runs to the MLflow at `uri`.

    A run that was sent before is found by its commit id and left alone, so that repeating is safe; one that
    an interruption left half-sent is deleted and sent again, and so is one that was edited since.

    Args:
        into: the MLflow experiment for all of them; default: the one that each is in, and for what MLflow's
            interface did not record, the name of the repository's directory.
        models: registered models, too.

    Raises:
        MlopsError: the URI cannot be used or the server refuses (exit code 3).
    """
    done = Exported([], [])
    places: dict[str, _Place] = {}
    with asked(uri) as client:
        for entry in entries:
            group = into or _group(recorder, entry)
            if group not in places:
                places[group] = _Place(client, group)
            name = (entry.ref or "").rpartition("/")[2]
            if places[group].has(entry):
                done.known.append(name)
            else:
                _Sending(client, places[group].id, recorder, entry).send()
                done.sent.append(name)
        if models:
            if not places:
                places[into or ""] = _Place(client, into or recorder.repo.common_dir.parent.name)
            groups = [place.id for place in places.values()]
            done = done._replace(models=registered.send(sides(recorder, uri), groups))
    return done


def _group(recorder: Recorder, entry: Entry) -> str:
    place = str(entry.facts.get("experiment_id", DEFAULT[0]))
    kept = recorder.groups.kept().get(place)
    name = kept.name if kept else str(entry.facts.get("experiment", DEFAULT[1]))
    return recorder.repo.common_dir.parent.name if name == DEFAULT[1] else name


class _Place:
    """An experiment of the other MLflow, and which of our runs it has."""

    def __init__(self, client: "MlflowClient", name: str) -> None:
        found = client.get_experiment_by_name(name)
        self.id = str(found.experiment_id if found is not None else client.create_experiment(name))
        self._client = client
        self._commits: set[str] = set()
        self._runs: dict[str, str] = {}
        self._look()

    def _look(self) -> None:
        """Half-sent ones are deleted."""
        for run in pages(
            lambda token: self._client.search_runs(
                [self.id], filter_string=f"tags.`{COMMIT}` != ''", page_token=token
            )
        ):
            if run.info.status == "RUNNING":
                self._client.delete_run(run.info.run_id)
            else:
                self._commits.add(run.data.tags[COMMIT])
                self._runs[run.data.tags.get(RUN, "")] = run.info.run_id

    def has(self, entry: Entry) -> bool:
        """Whether it is there; an earlier state of it goes."""
        if entry.commit in self._commits:
            return True
        old = self._runs.get(entry.run_id)
        if old is not None:
            self._client.delete_run(old)
        return False


class _Sending:
    """One run on its way."""

    def __init__(self, client: "MlflowClient", place: str, recorder: Recorder, entry: Entry) -> None:
        self.client, self.place, self.recorder, self.entry = client, place, recorder, entry
        self.state = State(entry.facts)

    def send(self) -> None:
        """Begun, filled, ended: what is RUNNING there is half-sent."""
        info = self.state.info
        name = (self.entry.ref or "").rpartition("/")[2]
        run = self.client.create_run(
            self.place,
            start_time=info.get("start_time"),
            run_name=info.get("run_name") or name,
            tags=self._tags(),
        )
        run_id = run.info.run_id
        self._values(run_id)
        self._inputs(run_id)
        self._files(run_id)
        self.client.set_terminated(run_id, info.get("status", "FINISHED"), end_time=info.get("end_time"))

    def _values(self, run_id: str) -> None:
        from mlflow.entities import Metric, Param

        params = [Param(_name(key), str(value)[:_LONGEST_PARAM]) for key, value in self.state.params.items()]
        found = self.recorder.index.histories(self.entry)
        metrics = [Metric(_name(name), *point) for name, points in found.items() for point in points]
        none: list[Any] = []
        batches = zip_longest(
            _portions(params, _MOST_PARAMS), _portions(metrics, _MOST_METRICS), fillvalue=none
        )
        for some, more in batches:
            self.client.log_batch(run_id, metrics=more, params=some)

    def _inputs(self, run_id: str) -> None:
        if self.state.datasets:
            from git_mlops.tracking import entities

            self.client.log_inputs(run_id, [entities.dataset(one) for one in self.state.datasets])

    def _files(self, run_id: str) -> None:
        from git_mlops.tracking.files import Artifacts

        ours = Artifacts("git-mlops-artifacts:/", self.recorder)
        base = f"{self.state.info.get('experiment_id', '0')}/{self.entry.run_id}/artifacts"
        with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
            if ours.list_artifacts(base):
                self.client.log_artifacts(run_id, ours.download_artifacts(base, folder))
        for model in self.state.models.values():
            if model.get("deleted") is None and hasattr(self.client, "create_logged_model"):
                self._model(run_id, model, ours)

    def _model(self, run_id: str, model: Mapping[str, Any], ours: Any) -> None:
        from mlflow.entities import LoggedModelOutput

        made = self.client.create_logged_model(
            self.place,
            model["name"],
            run_id,
            tags={**model.get("tags", {}), registered.MODEL: model["model_id"]},
            params=dict(model.get("params", {})),
            model_type=model.get("model_type"),
        )
        base = f"0/models/{model['model_id']}/artifacts"
        with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
            if ours.list_artifacts(base):
                self.client.log_model_artifacts(made.model_id, ours.download_artifacts(base, folder))
        if model.get("status") in ("READY", "FAILED"):
            self.client.finalize_logged_model(made.model_id, _status(model["status"]))
        self.client.log_outputs(run_id, [LoggedModelOutput(made.model_id, 0)])

    def _tags(self) -> dict[str, str]:
        entry = self.entry
        tags = {
            **self.state.tags,
            COMMIT: entry.commit or "",
            RUN: entry.run_id,
            "mlops.ref": entry.ref or "",
        }
        return {_name(name): value[:_LONGEST_TAG] for name, value in tags.items() if value}


def _status(text: str) -> Any:
    from mlflow.entities import LoggedModelStatus

    return LoggedModelStatus(text)


def _name(key: str) -> str:
    """MLflow's alphabet: letters, digits, `_-. :/`."""
    return "".join(c if c.isalnum() or c in "_-. :/" else "_" for c in key)[:250].strip("./ ") or "_"


def _portions(items: list[Any], most: int) -> Iterator[list[Any]]:
    yield from (items[at : at + most] for at in range(0, len(items), most))


def points(found: Iterable[Any]) -> list[Point]:
    """MLflow's metrics as ours."""
    return [(float(one.value), int(one.timestamp), int(one.step)) for one in found]
