"""MLflow's tracking store on refs. Loaded by the entry points alone: it imports MLflow."""

import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from mlflow.entities import (
    DatasetInput,
    Experiment,
    ExperimentTag,
    LoggedModel,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelParameter,
    LoggedModelStatus,
    LoggedModelTag,
    Metric,
    Param,
    Run,
    RunInfo,
    RunStatus,
    RunTag,
    ViewType,
)
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    BAD_REQUEST,
    INVALID_PARAMETER_VALUE,
    INVALID_STATE,
    RESOURCE_ALREADY_EXISTS,
    RESOURCE_DOES_NOT_EXIST,
)
from mlflow.store.entities.paged_list import PagedList
from mlflow.store.tracking.abstract_store import AbstractStore
from mlflow.utils.search_utils import SearchExperimentsUtils, SearchLoggedModelsUtils, SearchUtils

from git_mlops.errors import MlopsError
from git_mlops.experiments import names, remove
from git_mlops.experiments.runlog import State
from git_mlops.git.refs import Ref
from git_mlops.tracking import entities, genai, valid
from git_mlops.tracking.groups import Group
from git_mlops.tracking.recorder import Recorder
from git_mlops.tracking.runs import DEFAULT, Entry

ARTIFACTS = "git-mlops-artifacts:"
"""The scheme of what is logged as files: it names the run, not a place, and so survives a clone."""
_MOST = 50_000
_RUN_NAME, _NOTE = "mlflow.runName", "mlflow.note.content"
_LOGGED_MODELS = "mlflow.log-model.history"


def _now() -> int:
    return time.time_ns() // 1_000_000


@contextmanager
def said() -> Iterator[None]:
    """Our errors as MLflow's. Its clients ask again and again after a 500, which an INVALID_STATE is, too."""
    try:
        yield
    except MlopsError as error:
        hint = f" ({error.hint})" if error.hint else ""
        raise MlflowException(f"{error}{hint}", BAD_REQUEST) from error
    except OSError as error:
        raise MlflowException(f"git-mlops: {error}", BAD_REQUEST) from error


def refuse(text: str, code: int = INVALID_PARAMETER_VALUE) -> NoReturn:
    """MLflow's error."""
    raise MlflowException(text, code)


class Store(genai.Delegating, AbstractStore):  # type: ignore[misc]  # MLflow has no types
    """Runs, experiments and logged models in git; the rest in MLflow's own store beside it."""

    def __init__(self, recorder: Recorder, artifact_uri: str | None = None) -> None:
        super().__init__()
        self.recorder = recorder
        self.repo = recorder.repo
        self.root = (artifact_uri or f"{ARTIFACTS}/").rstrip("/")
        self.artifact_root_uri = self.root

    # experiments

    def search_experiments(
        self,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Any:
        valid.most(max_results, _MOST)
        with said():
            groups = self.recorder.groups.all().values()
        found = [entities.experiment(one, self.root) for one in groups if _viewed(view_type, one.deleted)]
        found = SearchExperimentsUtils.filter(found, filter_string)
        ordered = SearchExperimentsUtils.sort(found, order_by or ["creation_time DESC", "experiment_id ASC"])
        return PagedList(*SearchUtils.paginate(ordered, page_token, max_results))

    def create_experiment(self, name: str, artifact_location: Any = None, tags: Any = None) -> str:
        valid.experiment_name(name)
        for tag in tags or ():
            valid.tag(tag.key, tag.value)
        with said():
            if (known := self.recorder.groups.named(name)) is not None:
                gone = " in deleted state" if known.deleted else ""
                refuse(f"Experiment(name={name}) already exists{gone}.", RESOURCE_ALREADY_EXISTS)
            location = valid.location(artifact_location) if artifact_location else None
            made = self.recorder.groups.create(name, location, {t.key: t.value for t in tags or ()})
        return made.id

    def get_experiment(self, experiment_id: str) -> Experiment:
        return entities.experiment(self._group(experiment_id), self.root)

    def get_experiment_by_name(self, experiment_name: str) -> Experiment | None:
        with said():
            found = self.recorder.groups.named(experiment_name)
        return entities.experiment(found, self.root) if found else None

    def _group(self, experiment_id: object) -> Group:
        with said():
            found = self.recorder.groups.all().get(str(experiment_id))
        if found is None:
            refuse(f"No Experiment with id={experiment_id} exists", RESOURCE_DOES_NOT_EXIST)
        return found

    def _change(self, experiment_id: str, how: Callable[[Group], Group]) -> None:
        self._group(experiment_id)
        with said():
            self.recorder.groups.change(str(experiment_id), lambda old: how(old)._replace(updated=_now()))

    def delete_experiment(self, experiment_id: str) -> None:
        if self._group(experiment_id).deleted:
            refuse(f"No Experiment with id={experiment_id} exists", RESOURCE_DOES_NOT_EXIST)
        self._change(experiment_id, lambda old: old._replace(deleted=True))

    def restore_experiment(self, experiment_id: str) -> None:
        if not self._group(experiment_id).deleted:
            refuse(f"No Experiment with id={experiment_id} exists", RESOURCE_DOES_NOT_EXIST)
        self._change(experiment_id, lambda old: old._replace(deleted=False))

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        valid.experiment_name(new_name)
        if self._group(experiment_id).deleted:
            refuse("Cannot rename a non-active experiment.", INVALID_STATE)
        with said():
            other = self.recorder.groups.named(new_name)
        if other is not None and other.id != str(experiment_id):
            refuse(f"Experiment(name={new_name}) already exists.", RESOURCE_ALREADY_EXISTS)
        self._change(experiment_id, lambda old: old._replace(name=new_name))

    def set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        valid.tag(tag.key, tag.value)
        self._active_group(experiment_id)
        self._change(experiment_id, lambda old: old._replace(tags={**old.tags, tag.key: tag.value}))

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        group = self._active_group(experiment_id)
        if key not in group.tags:
            refuse(f"No tag with name: {key} in experiment with id {experiment_id}", RESOURCE_DOES_NOT_EXIST)
        self._change(
            experiment_id,
            lambda old: old._replace(tags={name: value for name, value in old.tags.items() if name != key}),
        )

    def _active_group(self, experiment_id: str) -> Group:
        group = self._group(experiment_id)
        if group.deleted:
            refuse(f"The experiment {experiment_id} must be in the 'active' state. Current state is deleted.")
        return group

    # runs

    def create_run(self, experiment_id: str, user_id: str, start_time: int, tags: Any, run_name: str) -> Run:
        group = self._active_group(experiment_id)
        named = {tag.key: tag.value for tag in tags or ()}
        for key, value in named.items():
            valid.tag(key, value)
        told = named.get(_RUN_NAME)
        if run_name and told and run_name != told:
            refuse(
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with "
                f"different values (run_name='{run_name}', mlflow.runName='{told}')."
            )
        name = run_name or told or names.generate(random.Random(), attempt=4)  # noqa: S311  # a name
        named.setdefault(_RUN_NAME, name)
        with said():
            entry = self.recorder.begin(group, name, user_id or "", start_time or _now(), named)
        return self._run(entry)

    def _run(self, entry: Entry) -> Run:
        state = entry.state()
        return entities.run(state, self._group_of(state), self.root)

    def _group_of(self, state: State) -> Group:
        place = str(state.info.get("experiment_id", DEFAULT[0]))
        kept = self.recorder.groups.kept().get(place)
        return kept or Group(place, str(state.info.get("experiment", place)))

    def _entry(self, run_id: str) -> Entry:
        entry = self.recorder.index.entries.get(run_id)
        if entry is None or not entry.live:
            with said():
                entry = self.recorder.index.get(run_id)
        if entry is None or entry.state().info.get("kind"):
            refuse(f"Run with id={run_id} not found", RESOURCE_DOES_NOT_EXIST)
        return entry

    def _active(self, run_id: str) -> tuple[Entry, State]:
        entry = self._entry(run_id)
        state = entry.state()
        if state.info.get("deleted") is not None or self._group_of(state).deleted:
            refuse(f"The run {run_id} must be in the 'active' state. Current state is deleted.")
        return entry, state

    def _log(self, entry: Entry, event: dict[str, Any]) -> None:
        with said():
            self.recorder.log(entry, event)

    def get_run(self, run_id: str) -> Run:
        with said():
            self.recorder.index.refresh()
        return self._run(self._entry(run_id))

    def update_run_info(self, run_id: str, run_status: Any, end_time: Any, run_name: Any) -> RunInfo:
        entry, _state = self._active(run_id)
        told: dict[str, Any] = {}
        if run_status is not None:
            told["status"] = RunStatus.to_string(run_status)
        if end_time is not None:
            told["end_time"] = end_time
        if run_name:
            told["run_name"] = run_name
        event: dict[str, Any] = {"i": told, **({"t": [[_RUN_NAME, run_name]]} if run_name else {})}
        if told:
            self._log(entry, event)
        with said():
            self.recorder.index.refresh()
        now = self._entry(run_id).state()
        return entities.run_info(now, self._group_of(now), self.root)

    def delete_run(self, run_id: str) -> None:
        entry = self._entry(run_id)
        if entry.state().info.get("deleted") is None:
            self._log(entry, {"i": {"deleted": _now()}})

    def restore_run(self, run_id: str) -> None:
        entry = self._entry(run_id)
        if entry.state().info.get("deleted") is not None:
            self._log(entry, {"i": {"deleted": None}})

    def _get_deleted_runs(self, older_than: int = 0) -> list[str]:
        """For `mlflow gc`."""
        with said():
            self.recorder.index.refresh()
        states = [(one.run_id, one.state().info.get("deleted")) for one in self._entries()]
        return [run_id for run_id, moment in states if moment is not None and moment <= _now() - older_than]

    def _hard_delete_run(self, run_id: str) -> None:
        """For `mlflow gc`; as `git mlops exp rm` does it, the experiment can be brought back."""
        entry = self._entry(run_id)
        with said():
            self.recorder.seal(entry)
            sealed = self.recorder.index.get(run_id)
            if sealed and sealed.ref and sealed.commit:
                remove.drop(self.repo, [Ref(sealed.ref, sealed.commit)], "mlflow gc")
                self.recorder.index.refresh()

    def _entries(self) -> list[Entry]:
        return [one for one in [*self.recorder.index.entries.values()] if not _kind(one)]

    # what is logged

    def log_batch(
        self, run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
    ) -> None:
        valid.run_id(run_id)
        valid.batch(metrics, params, tags)
        params = [valid.param(one) for one in params]
        tags = [valid.truncated_tag(one) for one in tags]
        entry, state = self._active(run_id)
        _refuse_changed(run_id, state, params)
        event: dict[str, Any] = {}
        if metrics:
            event["m"] = [_metric(one) for one in metrics]
        if params and (new := [[one.key, one.value] for one in params if one.key not in state.params]):
            event["p"] = new
        if tags:
            event["t"] = [[one.key, one.value] for one in tags]
            if name := next((one.value for one in tags if one.key == _RUN_NAME), None):
                event["i"] = {"run_name": name}
        if event:
            self._log(entry, event)
            self._tell_models(run_id, state, event.get("m", ()))

    def log_metric(self, run_id: str, metric: Metric) -> None:
        valid.metric(metric, "")
        entry, state = self._active(run_id)
        line = _metric(metric)
        self._log(entry, {"m": [line]})
        if len(line) > 4:
            self._tell_models(run_id, state, [line])

    def _tell_models(self, run_id: str, state: State, lines: Sequence[list[Any]]) -> None:
        """Metrics of models that another run logged, or none: they are the model's, too."""
        told: dict[str, list[list[Any]]] = {}
        for name, value, moment, step, *more in lines:
            if more and more[0] not in state.models:
                told.setdefault(more[0], []).append([name, value, moment, step, *more[1:], run_id])
        for model_id, metrics in told.items():
            with said():
                entry = self.recorder.index.of_model(model_id)
            if entry is not None:
                self._log(entry, {"mm": [model_id, metrics]})

    def log_param(self, run_id: str, param: Param) -> None:
        param = valid.param(param)
        entry, state = self._active(run_id)
        old = state.params.get(param.key)
        if old is not None and old != param.value:
            refuse(
                f"Changing param values is not allowed. Param with key='{param.key}' was already logged "
                f"with value='{old}' for run ID='{run_id}'. Attempted logging new value '{param.value}'."
            )
        if old is None:
            self._log(entry, {"p": [[param.key, param.value]]})

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        self.log_batch(run_id, [], [], [valid.truncated_tag(tag)])

    def delete_tag(self, run_id: str, key: str) -> None:
        entry, state = self._active(run_id)
        if key not in state.tags:
            refuse(f"No tag with name: {key} in run with id {run_id}", RESOURCE_DOES_NOT_EXIST)
        self._log(entry, {"-t": [key]})

    def log_inputs(
        self,
        run_id: str,
        datasets: list[DatasetInput] | None = None,
        models: list[LoggedModelInput] | None = None,
    ) -> None:
        valid.run_id(run_id)
        if datasets is not None and not isinstance(datasets, list):
            raise TypeError(f"Argument 'datasets' should be a list, got '{type(datasets)}'")
        valid.datasets(datasets or [])
        entry, _state = self._active(run_id)
        event: dict[str, Any] = {}
        if datasets:
            event["d"] = [_dataset(one) for one in datasets]
        if models:
            event["in"] = [one.model_id for one in models]
        if event:
            self._log(entry, event)

    def log_outputs(self, run_id: str, models: list[LoggedModelOutput]) -> None:
        entry, _state = self._active(run_id)
        self._log(entry, {"out": [[one.model_id, one.step] for one in models]})

    def record_logged_model(self, run_id: str, mlflow_model: Any) -> None:
        if not hasattr(mlflow_model, "get_tags_dict"):
            kind = type(mlflow_model)
            raise TypeError(f"Argument 'mlflow_model' should be mlflow.models.Model, got '{kind}'")
        entry, state = self._active(run_id)
        import json

        known = json.loads(state.tags.get(_LOGGED_MODELS, "[]"))
        value = json.dumps([*known, mlflow_model.get_tags_dict()])
        self._log(entry, {"t": [[_LOGGED_MODELS, value]]})

    # what is asked

    def get_metric_history(
        self, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
    ) -> Any:
        entry = self._entry(run_id)
        with said():
            found = self.recorder.index.history(entry, metric_key)
        offset = SearchUtils.parse_start_offset_from_page_token(page_token)
        end = len(found) if max_results is None else offset + max_results
        token = SearchUtils.create_page_token(end) if end < len(found) else None
        return PagedList([Metric(metric_key, *point) for point in found[offset:end]], token)

    def get_metric_history_bulk(self, run_ids: Sequence[str], metric_key: str, max_results: int) -> list[Any]:
        from mlflow.entities.metric import MetricWithRunId

        found = []
        with said():
            self.recorder.index.refresh()
            for run_id in sorted(run_ids):
                entry = self.recorder.index.entries.get(run_id)
                points = self.recorder.index.history(entry, metric_key) if entry else []
                found += [
                    MetricWithRunId(run_id=run_id, metric=Metric(metric_key, *point)) for point in points
                ]
                if len(found) >= max_results:
                    break
        return found[:max_results]

    def get_max_step_for_metric(self, run_id: str, metric_key: str) -> int:
        with said():
            return max(
                (p[2] for p in self.recorder.index.history(self._entry(run_id), metric_key)), default=0
            )

    def _search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None,
        run_view_type: int,
        max_results: int,
        order_by: Sequence[str] | None,
        page_token: str | None,
    ) -> tuple[list[Run], Any]:
        valid.most(max_results, _MOST)
        wanted = {str(one) for one in experiment_ids}
        with said():
            self.recorder.index.refresh()
        runs = [run for entry in self._entries() if (run := self._wanted(entry, wanted, run_view_type))]
        found = SearchUtils.sort(SearchUtils.filter(runs, filter_string), order_by)
        page, token = SearchUtils.paginate(found, page_token, max_results)
        return page, token

    def _wanted(self, entry: Entry, wanted: set[str], view: int) -> Run | None:
        if not entry.live and isinstance(entry.made, tuple):
            kept, place, run = entry.made
            if place not in wanted:
                return None
            if kept is self.recorder.groups.kept().get(place):
                return run if _viewed(view, run.info.lifecycle_stage == "deleted") else None
        state = entry.state()
        group = self._group_of(state)
        if group.id not in wanted:
            return None
        run = entities.run(state, group, self.root)
        if not entry.live:
            entry.made = (self.recorder.groups.kept().get(group.id), group.id, run)
        return run if _viewed(view, run.info.lifecycle_stage == "deleted") else None

    def _search_datasets(self, experiment_ids: Sequence[str]) -> list[Any]:
        from mlflow.entities import _DatasetSummary

        wanted = {str(one) for one in experiment_ids}
        found: dict[tuple[str, str, str, str | None], None] = {}
        with said():
            self.recorder.index.refresh()
        for entry in self._entries():
            state = entry.state()
            place = str(state.info.get("experiment_id"))
            for one in state.datasets if place in wanted else ():
                context = one.get("tags", {}).get("mlflow.data.context")
                found[place, one["name"], one["digest"], context] = None
        return [_DatasetSummary(*one) for one in list(found)[:1000]]

    # logged models

    def create_logged_model(
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: list[LoggedModelTag] | None = None,
        params: list[LoggedModelParameter] | None = None,
        model_type: str | None = None,
    ) -> LoggedModel:
        valid.logged_model_name(name)
        group = self._active_group(experiment_id)
        now = _now()
        model: dict[str, Any] = {
            "model_id": f"m-{uuid.uuid4().hex}",
            "name": name or names.generate(random.Random(), attempt=4),  # noqa: S311  # a name
            "status": "PENDING",
            "created": now,
            "updated": now,
            "tags": {one.key: one.value for one in tags or ()},
            "params": {one.key: one.value for one in params or ()},
        }
        if model_type:
            model["model_type"] = model_type
        if source_run_id:
            model["source_run_id"] = source_run_id
        if source_run_id and (entry := self.recorder.index.get(source_run_id)) is not None:
            self._log(entry, {"model": model})
        else:
            with said():
                self.recorder.model_alone(group, model)
        return self.get_logged_model(model["model_id"])

    def _model(self, model_id: str, *, deleted: bool = False) -> tuple[Entry, dict[str, Any]]:
        with said():
            entry = self.recorder.index.of_model(model_id)
        found = entry.state().models.get(model_id) if entry else None
        if entry is None or found is None or (found.get("deleted") is not None and not deleted):
            refuse(f"Logged model with ID '{model_id}' not found.", RESOURCE_DOES_NOT_EXIST)
        return entry, found

    def _as_model(self, entry: Entry, found: dict[str, Any]) -> LoggedModel:
        state = entry.state()
        run_id = None if state.info.get("kind") else entry.run_id
        return entities.model(found, run_id, self._group_of(state), self.root)

    def get_logged_model(self, model_id: str, allow_deleted: bool = False) -> LoggedModel:
        return self._as_model(*self._model(model_id, deleted=allow_deleted))

    def delete_logged_model(self, model_id: str) -> None:
        entry, _found = self._model(model_id)
        self._log(entry, {"mi": [model_id, {"deleted": _now(), "updated": _now()}]})

    def _get_deleted_logged_models(self, older_than: int = 0) -> list[str]:
        """For `mlflow gc`; with their run they go."""
        del older_than
        return []

    def finalize_logged_model(self, model_id: str, status: LoggedModelStatus) -> LoggedModel:
        entry, _found = self._model(model_id)
        value = LoggedModelStatus(status).value if not isinstance(status, int) else _from_int(status)
        event: dict[str, Any] = {"mi": [model_id, {"status": value, "updated": _now()}]}
        if entry.state().info.get("kind"):
            event["i"] = {"status": "FINISHED", "end_time": _now()}
        self._log(entry, event)
        return self.get_logged_model(model_id)

    def log_logged_model_params(self, model_id: str, params: list[LoggedModelParameter]) -> None:
        entry, _found = self._model(model_id)
        self._log(entry, {"mp": [model_id, {one.key: one.value for one in params}]})

    def set_logged_model_tags(self, model_id: str, tags: list[LoggedModelTag]) -> None:
        entry, _found = self._model(model_id)
        self._log(entry, {"mt": [model_id, {one.key: one.value for one in tags}]})

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        entry, found = self._model(model_id)
        if key not in found.get("tags", {}):
            refuse(f"No tag with key {key!r} found for model with ID {model_id!r}.", RESOURCE_DOES_NOT_EXIST)
        self._log(entry, {"-mt": [model_id, key]})

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        datasets: Sequence[dict[str, Any]] | None = None,
        max_results: int | None = None,
        order_by: Sequence[dict[str, Any]] | None = None,
        page_token: str | None = None,
    ) -> Any:
        if datasets and not all(one.get("dataset_name") for one in datasets):
            refuse("`dataset_name` in the `datasets` clause must be specified.")
        wanted = {str(one) for one in experiment_ids}
        with said():
            self.recorder.index.refresh()
        found = []
        for entry in [*self.recorder.index.entries.values()]:
            if not entry.live and not entry.facts.get("models"):
                continue
            state = entry.state()
            group = self._group_of(state)
            if group.id in wanted and not group.deleted:
                found += [self._as_model(entry, m) for m in state.models.values() if m.get("deleted") is None]
        for model in found:
            model.metrics = model.metrics or []  # what MLflow compares; it answers None
        chosen = SearchLoggedModelsUtils.filter_logged_models(found, filter_string, datasets)
        ordered = SearchLoggedModelsUtils.sort(chosen, order_by)
        page, token = SearchLoggedModelsUtils.paginate(ordered, page_token, max_results or 100)
        for model in page:
            model.metrics = model.metrics or None
        return PagedList(page, token)


def _from_int(status: int) -> str:
    return str(LoggedModelStatus.from_int(status).value)


def _kind(entry: Entry) -> object:
    facts = entry.facts or (entry.log.began.facts if entry.log else {})
    return facts.get("kind")


def _viewed(view: int, deleted: bool) -> bool:
    return bool(view == ViewType.ALL or deleted == (view == ViewType.DELETED_ONLY))


def _metric(one: Metric) -> list[Any]:
    value = float(one.value)
    line: list[Any] = [one.key, value, int(one.timestamp), int(one.step or 0)]
    if getattr(one, "model_id", None):
        line += [one.model_id, one.dataset_name, one.dataset_digest]
    return line


def _dataset(one: DatasetInput) -> dict[str, Any]:
    found = one.dataset
    values = {
        "name": found.name,
        "digest": found.digest,
        "source_type": found.source_type,
        "source": found.source,
        "schema": found.schema,
        "profile": found.profile,
        "tags": {tag.key: tag.value for tag in one.tags or ()},
    }
    return {name: value for name, value in values.items() if value not in (None, {})}


def _refuse_changed(run_id: str, state: State, params: Sequence[Param]) -> None:
    changed = [
        {"key": one.key, "old_value": state.params[one.key], "new_value": one.value}
        for one in params
        if state.params.get(one.key, one.value) != one.value
    ]
    if changed:
        refuse(
            f"Changing param values is not allowed. Params were already logged='{changed}' "
            f"for run ID='{run_id}'."
        )
