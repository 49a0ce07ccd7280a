"""Our runs, experiments and models as MLflow's entities. Loaded by the entry points alone."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from mlflow.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentTag,
    InputTag,
    LifecycleStage,
    LoggedModel,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunTag,
)
from mlflow.entities.logged_model_status import LoggedModelStatus

from git_mlops.experiments.runlog import State
from git_mlops.tracking.groups import Group


def below(root: str, *parts: str) -> str:
    """A place below another; what follows `?` or `#` in a URI stays behind it."""
    scheme, _, _rest = root.partition("://")
    if not _rest or not ({"?", "#"} & {*root}):
        return "/".join((root, *parts))
    where = urlsplit(root)
    return urlunsplit(
        (scheme, where.netloc, "/".join((where.path.rstrip("/"), *parts)), where.query, where.fragment)
    )


def _place(group: Group, root: str) -> str:
    return group.location or below(root, group.id)


def experiment(group: Group, root: str) -> Experiment:
    """An experiment; artifacts below `root` unless it says otherwise."""
    return Experiment(
        experiment_id=group.id,
        name=group.name,
        artifact_location=_place(group, root),
        lifecycle_stage=LifecycleStage.DELETED if group.deleted else LifecycleStage.ACTIVE,
        tags=[ExperimentTag(name, value) for name, value in group.tags.items()],
        creation_time=group.created,
        last_update_time=group.updated,
    )


def run_info(state: State, group: Group, root: str) -> RunInfo:
    """What a run is; deleted where its experiment is."""
    info = state.info
    gone = info.get("deleted") is not None or group.deleted
    return RunInfo(
        run_id=info["run_id"],
        experiment_id=group.id,
        user_id=info.get("user", ""),
        status=info.get("status", "FINISHED"),
        start_time=info.get("start_time") or 0,
        end_time=info.get("end_time"),
        lifecycle_stage=LifecycleStage.DELETED if gone else LifecycleStage.ACTIVE,
        artifact_uri=below(_place(group, root), info["run_id"], "artifacts"),
        run_name=info.get("run_name"),
    )


def run(state: State, group: Group, root: str) -> Run:
    """The whole run."""
    metrics = [Metric(name, value, moment, step) for name, (value, moment, step) in state.latest.items()]
    data = RunData(
        metrics=metrics,
        params=[Param(name, value) for name, value in state.params.items()],
        tags=[RunTag(name, value) for name, value in state.tags.items()],
    )
    inputs = RunInputs(
        dataset_inputs=[dataset(one) for one in state.datasets],
        model_inputs=[LoggedModelInput(model_id=one) for one in state.inputs],
    )
    outputs = RunOutputs([LoggedModelOutput(model_id=one, step=step) for one, step in state.outputs])
    return Run(run_info(state, group, root), data, inputs, outputs)


def dataset(found: Mapping[str, Any]) -> DatasetInput:
    """An input of a run."""
    data = Dataset(
        name=found["name"],
        digest=found["digest"],
        source_type=found.get("source_type", ""),
        source=found.get("source", ""),
        schema=found.get("schema"),
        profile=found.get("profile"),
    )
    return DatasetInput(dataset=data, tags=[InputTag(k, v) for k, v in found.get("tags", {}).items()])


def model(found: Mapping[str, Any], run_id: str | None, group: Group, root: str) -> LoggedModel:
    """A logged model."""
    model_id = found["model_id"]
    return LoggedModel(
        experiment_id=group.id,
        model_id=model_id,
        name=found["name"],
        artifact_location=below(_place(group, root), "models", model_id, "artifacts"),
        creation_timestamp=found.get("created", 0),
        last_updated_timestamp=found.get("updated", 0),
        model_type=found.get("model_type"),
        source_run_id=run_id or found.get("source_run_id"),
        status=LoggedModelStatus(found.get("status", "PENDING")),
        status_message=found.get("status_message"),
        tags=dict(found.get("tags", {})),
        params=dict(found.get("params", {})),
        metrics=_model_metrics(found, run_id) or None,
    )


def _model_metrics(found: Mapping[str, Any], run_id: str | None) -> list[Metric]:
    """The newest value of each, by dataset."""
    newest: dict[tuple[object, ...], list[Any]] = {}
    for one in found.get("metrics", ()):
        name, value, moment, step, *more = one
        key = (name, *more[:2])
        old = newest.get(key)
        if old is None or (step, moment, float(value)) >= (old[3], old[2], float(old[1])):
            newest[key] = one
    return [
        Metric(
            key=name,
            value=float(value),
            timestamp=moment,
            step=step,
            model_id=found["model_id"],
            run_id=run or run_id,
            dataset_name=dataset,
            dataset_digest=digest,
        )
        for name, value, moment, step, dataset, digest, run in (
            [*one, None, None, None][:7] for one in newest.values()
        )
    ]
