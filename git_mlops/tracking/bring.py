"""Runs of any MLflow server or database into refs, with all they have."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.experiments import sealing
from git_mlops.experiments.environment import Environment
from git_mlops.experiments.runlog import Log
from git_mlops.experiments.sealing import Beginning
from git_mlops.experiments.settings import Settings
from git_mlops.git.repo import Repo, resolve
from git_mlops.tracking import registered
from git_mlops.tracking.groups import Group
from git_mlops.tracking.mlflow import asked, points, sides
from git_mlops.tracking.pages import pages
from git_mlops.tracking.recorder import Recorder
from git_mlops.tracking.registered import RUN, Moved

if TYPE_CHECKING:
    from mlflow import MlflowClient

_PORTION = 1000


class Brought(NamedTuple):
    """What an import did, by the names of runs."""

    new: list[str]
    known: list[str]
    """Here already, by their id."""
    running: list[str]
    """Under way there: nothing of them is final."""
    models: Moved | None = None
    """Versions of registered models, where they were asked for."""


class What(NamedTuple):
    """What to bring."""

    groups: Sequence[str] = ()
    """MLflow's experiments; none: all."""
    models: bool = False
    """Registered models, too."""


def bring(repo: Repo, uri: str, what: What, settings: Settings, data: DataSettings) -> Brought:
    """Record the runs of the MLflow at `uri`, or of some of its experiments; they keep their ids.

    Raises:
        MlopsError: the URI cannot be used, or there is no such experiment.
    """
    recorder = Recorder(repo, settings, data)
    recorder.index.refresh()
    done = Brought([], [], [])
    with asked(uri) as client:
        for there in _experiments(client, what.groups):
            here = _group(recorder, there)
            runs = pages(
                lambda token, place=there.experiment_id: client.search_runs([place], page_token=token)
            )
            for run in runs:
                name = run.info.run_name or run.info.run_id
                if run.info.status in ("RUNNING", "SCHEDULED"):
                    done.running.append(name)
                elif {run.info.run_id, run.data.tags.get(RUN)} & recorder.index.entries.keys():
                    done.known.append(name)
                else:
                    _Bringing(client, recorder, here, run).bring(settings, data)
                    done.new.append(name)
        if what.models:
            done = done._replace(models=registered.take(sides(recorder, uri)))
    return done


def _experiments(client: "MlflowClient", names: Sequence[str]) -> list[Any]:
    if not names:
        return list(pages(lambda token: client.search_experiments(page_token=token)))
    found = []
    for name in names:
        one = client.get_experiment_by_name(name)
        if one is None:
            raise NotFoundError(f"no experiment `{name}` there", hint="without a name, all are brought")
        found.append(one)
    return found


def _group(recorder: Recorder, there: Any) -> Group:
    """The experiment of the same name; its tags come along."""
    known = recorder.groups.named(there.name)
    if known is not None:
        return known
    return recorder.groups.create(there.name, None, dict(there.tags or {}))


class _Bringing:
    """One run on its way."""

    def __init__(self, client: "MlflowClient", recorder: Recorder, group: Group, run: Any) -> None:
        self.client, self.recorder, self.group, self.run = client, recorder, group, run

    def bring(self, settings: Settings, data: DataSettings) -> None:
        """Begun, filled, sealed; what an interruption leaves is begun anew."""
        repo = self.recorder.repo
        place = sealing.folder(repo, self.run.info.run_id)
        shutil.rmtree(place, ignore_errors=True)
        sealing.drop_holder(repo, self.run.info.run_id)
        how = Beginning(
            self.run.info.run_id, self._facts(), Environment(b"", ""), (), self._commit(), owned=True
        )
        sealing.begin(repo, how, settings, data)
        try:
            self._metrics(place)
            self._artifacts(place)
            sealing.seal(repo, place)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            sealing.drop_holder(repo, self.run.info.run_id)
            raise

    def _commit(self) -> str:
        told = self.run.data.tags.get("mlflow.source.git.commit", "")
        try:
            return resolve(self.recorder.repo, told or "HEAD")
        except MlopsError:
            return resolve(self.recorder.repo, "HEAD")

    def _facts(self) -> dict[str, Any]:
        info, data = self.run.info, self.run.data
        found = {
            "run_id": info.run_id,
            "experiment_id": self.group.id,
            "experiment": self.group.name,
            "run_name": info.run_name,
            "user": info.user_id,
            "status": info.status,
            "start_time": info.start_time,
            "end_time": info.end_time,
            "params": dict(data.params),
            "tags": dict(data.tags),
            "datasets": [_dataset(one) for one in self.run.inputs.dataset_inputs] if self.run.inputs else [],
            "models": [_model(one) for one in self._models()],
        }
        return {name: value for name, value in found.items() if value not in (None, [], {})}

    def _models(self) -> list[Any]:
        if not hasattr(self.client, "search_logged_models"):
            return []
        place = self.run.info.experiment_id
        found = pages(lambda token: self.client.search_logged_models([place], page_token=token))
        return [one for one in found if one.source_run_id == self.run.info.run_id]

    def _metrics(self, place: Path) -> None:
        log = Log(place)
        for name in self.run.data.metrics:
            lines = [
                [name, *point] for point in points(self.client.get_metric_history(self.run.info.run_id, name))
            ]
            for at in range(0, len(lines), _PORTION):
                log.append({"m": lines[at : at + _PORTION]})
        log.close()

    def _artifacts(self, place: Path) -> None:
        from mlflow.artifacts import download_artifacts

        uri = self.client.tracking_uri
        run_id = self.run.info.run_id
        if self.client.list_artifacts(run_id):
            with tempfile.TemporaryDirectory(prefix="mlops-", dir=place) as folder:
                found = self.client.download_artifacts(run_id, "", folder)
                shutil.copytree(found, place / "artifacts", dirs_exist_ok=True)
        for model in self._models():
            target = place / "models" / model.model_id
            target.mkdir(parents=True)
            download_artifacts(artifact_uri=model.artifact_location, dst_path=str(target), tracking_uri=uri)
            _lift(target)


def _lift(folder: Path) -> None:
    """MLflow puts a directory's files into one more directory."""
    inner = list(folder.iterdir())
    if len(inner) == 1 and inner[0].is_dir() and inner[0].name == "artifacts":
        for one in list(inner[0].iterdir()):
            one.rename(folder / one.name)
        inner[0].rmdir()


def _dataset(found: Any) -> Mapping[str, Any]:
    one = found.dataset
    values = {
        "name": one.name,
        "digest": one.digest,
        "source_type": one.source_type,
        "source": one.source,
        "schema": one.schema,
        "profile": one.profile,
        "tags": {tag.key: tag.value for tag in found.tags or ()},
    }
    return {name: value for name, value in values.items() if value not in (None, {})}


def _model(one: Any) -> Mapping[str, Any]:
    values = {
        "model_id": one.model_id,
        "name": one.name,
        "status": str(getattr(one.status, "value", one.status)),
        "model_type": one.model_type,
        "created": one.creation_timestamp,
        "updated": one.last_updated_timestamp,
        "tags": dict(one.tags or {}),
        "params": dict(one.params or {}),
        "metrics": [
            [m.key, m.value, m.timestamp, m.step, m.dataset_name, m.dataset_digest] for m in one.metrics or ()
        ],
    }
    return {name: value for name, value in values.items() if value not in (None, [], {})}
