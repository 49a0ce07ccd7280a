"""MLflow's model registry on git's tags. Loaded by the entry points alone: it imports MLflow.

MLflow counts versions 1, 2, 3: the order in which they were registered. Its aliases are stages.
"""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn
from urllib.parse import quote

from mlflow.entities.model_registry import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelAlias,
    RegisteredModelTag,
)
from mlflow.exceptions import MlflowException, MlflowNotImplementedException
from mlflow.protos.databricks_pb2 import (
    INVALID_PARAMETER_VALUE,
    RESOURCE_ALREADY_EXISTS,
    RESOURCE_DOES_NOT_EXIST,
)
from mlflow.store.entities.paged_list import PagedList
from mlflow.store.model_registry.abstract_store import AbstractStore
from mlflow.utils.search_utils import SearchModelUtils, SearchModelVersionUtils, SearchUtils

from git_mlops.experiments import sealing
from git_mlops.experiments.layout import RUN
from git_mlops.models import promote, register, retire
from git_mlops.models.context import Context
from git_mlops.registry import grammar, read
from git_mlops.registry.read import Version
from git_mlops.registry.state import Artifact, Registered
from git_mlops.tracking import registry, valid
from git_mlops.tracking.recorder import Recorder
from git_mlops.tracking.registry import Kept
from git_mlops.tracking.runs import Entry
from git_mlops.tracking.store import ARTIFACTS, said

_MOST_MODELS, _MOST_VERSIONS = 1000, 200_000


def _missing(text: str) -> NoReturn:
    raise MlflowException(text, RESOURCE_DOES_NOT_EXIST)


class Registry(AbstractStore):  # type: ignore[misc]  # MLflow has no types
    """Registered models, versions and aliases."""

    def __init__(self, recorder: Recorder, context: Context) -> None:
        super().__init__()
        self._recorder, self._context = recorder, context
        self.repo = recorder.repo

    # models

    def create_registered_model(
        self, name: str, tags: Any = None, description: str | None = None, deployment_job_id: Any = None
    ) -> RegisteredModel:
        if not name:
            raise MlflowException("Missing value for required parameter 'name'.", INVALID_PARAMETER_VALUE)
        with said():
            grammar.checked_name(name)
            if self._known(name) is not None:
                text = f"Registered Model (name={name}) already exists."
                raise MlflowException(text, RESOURCE_ALREADY_EXISTS)
            for tag in tags or ():
                valid.tag(tag.key, tag.value)
            new = {"created": registry.now(), "tags": {t.key: t.value for t in tags or ()}}
            new |= {"description": description} if description else {}
            registry.change(self.repo, name, lambda old: {"version": 1, "name": name, **_without(old), **new})
        return self.get_registered_model(name)

    def _known(self, name: str) -> tuple[Artifact, Kept] | None:
        """What git's tags and we know of it; None where it is not, or deprecated, or deleted."""
        found = read.artifact(self.repo, name)
        more = registry.kept(self.repo).get(name, {})
        gone = more.get("deleted") is not None or found.deprecated
        there = any(one.active for one in found.versions) or "created" in more
        return (found, more) if there and not gone else None

    def _get(self, name: str) -> tuple[Artifact, Kept]:
        with said():
            known = self._known(name) if name else None
        if known is None:
            _missing(f"Registered Model with name={name} not found")
        return known

    def get_registered_model(self, name: str) -> RegisteredModel:
        return self._model(*self._get(name))

    def _model(self, found: Artifact, more: Kept) -> RegisteredModel:
        latest = [one for one in _ordered(found) if one.active][-1:]
        first = min((event.time for event in found.events), default=0) * 1000
        return RegisteredModel(
            name=found.name,
            creation_timestamp=more.get("created") or first,
            last_updated_timestamp=max(more.get("updated", 0), found.last_time * 1000),
            description=more.get("description", ""),
            latest_versions=[self._version(found, more, one) for one in latest],
            tags=[RegisteredModelTag(k, v) for k, v in more.get("tags", {}).items()],
            aliases=[
                RegisteredModelAlias(stage, str(_number(found, event.version or "")))
                for stage, event in found.stages.items()
            ],
        )

    def update_registered_model(
        self, name: str, description: str | None, deployment_job_id: Any = None
    ) -> RegisteredModel:
        self._get(name)
        self._change(name, lambda old: {**old, "description": description or ""})
        return self.get_registered_model(name)

    def _change(self, name: str, how: Callable[[Kept], Kept]) -> None:
        with said():
            registry.change(self.repo, name, how)

    def rename_registered_model(self, name: str, new_name: str) -> NoReturn:
        raise MlflowNotImplementedException("a model's name is in git's tags, which stay: register it anew")

    def delete_registered_model(self, name: str) -> None:
        found, _more = self._get(name)
        with said():
            if found.versions:
                retire.retire(self.repo, name, "deleted in MLflow")
        self._change(name, lambda old: {**old, "deleted": registry.now()})

    def set_registered_model_tag(self, name: str, tag: RegisteredModelTag) -> None:
        valid.tag(tag.key, tag.value)
        self._get(name)
        self._change(name, lambda old: {**old, "tags": {**old.get("tags", {}), tag.key: tag.value}})

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        self._get(name)
        self._change(name, lambda old: {**old, "tags": _but(old.get("tags", {}), key)})

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Any:
        most = max_results if max_results is not None else 100
        valid.max_results(most, _MOST_MODELS)
        with said():
            artifacts, kept = read.artifacts(self.repo), registry.kept(self.repo)
        found = []
        for name in sorted({*artifacts, *kept}):
            artifact, more = artifacts.get(name) or Artifact(name), kept.get(name, {})
            there = any(one.active for one in artifact.versions) or "created" in more
            if there and more.get("deleted") is None and not artifact.deprecated:
                found.append(self._model(artifact, more))
        chosen = SearchModelUtils.sort(SearchModelUtils.filter(found, filter_string), order_by)
        return PagedList(*SearchUtils.paginate(chosen, page_token, most))

    def get_latest_versions(self, name: str, stages: Any = None) -> list[ModelVersion]:
        del stages
        found, more = self._get(name)
        return [self._version(found, more, one) for one in [v for v in _ordered(found) if v.active][-1:]]

    # versions

    def create_model_version(  # MLflow's own parameters
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Any = None,
        run_link: str | None = None,
        description: str | None = None,
        local_model_path: str | None = None,
        model_id: str | None = None,
    ) -> ModelVersion:
        self._get(name)
        del run_link, local_model_path
        with said():
            entry, path, model = self._source(source, run_id, model_id)
            commit = self._commit(entry)
            facts = {"run_id": None if entry.facts.get("kind") else entry.run_id, "model_id": model}
            more = {"mlflow": {k: v for k, v in {**facts, "source": source}.items() if v}}
            request = register.Request(name, commit, path=path, message=description or "", more=more)
            version = register.register(self.repo, request, self._context).version
            new = {"tags": {t.key: t.value for t in tags or ()}, "description": description}
            told = {key: value for key, value in new.items() if value}
            if told:
                registry.change(self.repo, name, lambda old: _with(old, version.version, told))
        found, kept = self._get(name)
        made = found.find(version.version)
        assert made is not None
        return self._version(found, kept, made)

    def _source(self, source: str, run_id: str | None, model_id: str | None) -> tuple[Entry, str, str | None]:
        """The run, and where the model is in its experiment."""
        index = self._recorder.index
        parts = source.rstrip("/").split("/")
        named = next((part for part in parts if part.startswith("m-")), None)
        model = model_id or named
        if model and (entry := index.of_model(model)) is not None:
            return entry, f"{RUN}models/{model}", model
        below = "/".join(parts[parts.index("artifacts") + 1 :]) if "artifacts" in parts else ""
        wanted = run_id or next((part for part in parts if part in index.entries), "")
        found = index.get(wanted)
        if found is None:
            text = f"the model's source `{source}` is no run or model of this repository"
            raise MlflowException(text, INVALID_PARAMETER_VALUE)
        return found, f"{RUN}artifacts/{below}".rstrip("/"), None

    def _commit(self, entry: Entry) -> str:
        """The experiment; of a run under way, a commit of what it has logged so far."""
        self._recorder.settle()
        self._recorder.index.refresh()
        if entry.log is None and entry.commit is not None:
            return entry.commit
        return sealing.checkpoint(self.repo, self._recorder.place(entry))

    def _find(self, name: str, version: Any) -> tuple[Artifact, Kept, Registered]:
        found, more = self._get(name)
        text = str(version)
        ordered = _ordered(found)
        one = ordered[int(text) - 1] if text.isdigit() and 0 < int(text) <= len(ordered) else found.find(text)
        if one is None or not one.active:
            _missing(f"Model Version (name={name}, version={version}) not found")
        return found, more, one

    def _version(self, found: Artifact, more: Kept, one: Registered) -> ModelVersion:
        with said():
            version = read.version_of(self.repo, found, one)
        told = more.get("versions", {}).get(one.version, {})
        own = version.facts.get("mlflow")
        facts: dict[str, Any] = dict(own) if isinstance(own, dict) else {}
        tags = {"mlops.version": one.version, **told.get("tags", {})}
        created = version.time * 1000
        return ModelVersion(
            name=found.name,
            version=str(_number(found, one.version)),
            creation_timestamp=created,
            last_updated_timestamp=max(created, told.get("updated", 0)),
            description=told.get("description", ""),
            user_id=version.who,
            current_stage="None",
            source=facts.get("source") or uri(version),
            run_id=facts.get("run_id", ""),
            model_id=facts.get("model_id"),
            tags=[ModelVersionTag(key, value) for key, value in tags.items()],
            aliases=list(found.stages_of(one.version)),
        )

    def get_model_version(self, name: str, version: Any) -> ModelVersion:
        return self._version(*self._find(name, version))

    def get_model_version_download_uri(self, name: str, version: Any) -> str:
        found, _more, one = self._find(name, version)
        with said():
            return uri(read.version_of(self.repo, found, one))

    def update_model_version(self, name: str, version: Any, description: str | None) -> ModelVersion:
        return self._edit(name, version, lambda _tags: {"description": description or ""})

    def _edit(self, name: str, version: Any, how: Callable[[dict[str, str]], Kept]) -> ModelVersion:
        _found, more, one = self._find(name, version)
        tags = dict(more.get("versions", {}).get(one.version, {}).get("tags", {}))
        told = {**how(tags), "updated": registry.now()}
        self._change(name, lambda old: _with(old, one.version, told))
        return self.get_model_version(name, version)

    def set_model_version_tag(self, name: str, version: Any, tag: ModelVersionTag) -> None:
        valid.tag(tag.key, tag.value)
        self._edit(name, version, lambda tags: {"tags": {**tags, tag.key: tag.value}})

    def delete_model_version_tag(self, name: str, version: Any, key: str) -> None:
        self._edit(name, version, lambda tags: {"tags": _but(tags, key)})

    def delete_model_version(self, name: str, version: Any) -> None:
        _found, _more, one = self._find(name, version)
        with said():
            retire.retire(self.repo, f"{name}@{one.version}", "deleted in MLflow")

    def transition_model_version_stage(
        self, name: str, version: Any, stage: str, archive_existing_versions: bool
    ) -> NoReturn:
        raise MlflowNotImplementedException("stages are aliases here: set the alias `prod`, or the like")

    def get_model_version_stages(self, name: str, version: Any) -> list[str]:
        self._find(name, version)
        return ["None"]

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Any:
        most = max_results if max_results is not None else 10_000
        valid.max_results(most, _MOST_VERSIONS)
        with said():
            artifacts, kept = read.artifacts(self.repo), registry.kept(self.repo)
        found = [
            self._version(artifact, kept.get(name, {}), one)
            for name, artifact in artifacts.items()
            if not artifact.deprecated and kept.get(name, {}).get("deleted") is None
            for one in artifact.versions
            if one.active
        ]
        chosen = SearchModelVersionUtils.sort(
            SearchModelVersionUtils.filter(found, filter_string), order_by or []
        )
        return PagedList(*SearchUtils.paginate(chosen, page_token, most))

    # aliases

    def set_registered_model_alias(self, name: str, alias: str, version: Any) -> None:
        _found, _more, one = self._find(name, version)
        with said():
            done = promote.promote(self.repo, promote.Request(f"{name}@{one.version}", alias), self._context)
            if done.refused:
                raise promote.refused(done)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        found, _more = self._get(name)
        if alias in found.stages:
            with said():
                retire.retire(self.repo, f"{name}#{alias}", "deleted in MLflow")

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        found, more = self._get(name)
        event = found.stages.get(alias)
        if alias == "latest" and event is None and found.latest is not None:
            return self._version(found, more, found.latest)
        if event is None or event.version is None:
            raise MlflowException(f"Registered model alias {alias} not found.", INVALID_PARAMETER_VALUE)
        one = found.find(event.version)
        assert one is not None
        return self._version(found, more, one)

    # webhooks: nobody is there to call them

    def list_webhooks(self, max_results: Any = None, page_token: Any = None) -> Any:
        del max_results, page_token
        return PagedList([], None)

    def list_webhooks_by_event(self, event: Any, max_results: Any = None, page_token: Any = None) -> Any:
        del event, max_results, page_token
        return PagedList([], None)


def uri(version: Version) -> str:
    """Where the files of a version are: its tag says it, whatever became of the run."""
    return f"{ARTIFACTS}/0/versions/{quote(version.name, safe='')}@{version.version}/artifacts"


def _ordered(found: Artifact) -> list[Registered]:
    """In the order of registration."""
    return sorted(found.versions, key=lambda one: (one.event.time, grammar.order(one.version)))


def _number(found: Artifact, version: str) -> int:
    return next((n for n, one in enumerate(_ordered(found), 1) if one.version == version), 0)


def _without(old: Kept) -> Kept:
    return {name: value for name, value in old.items() if name not in ("deleted", "description", "tags")}


def _but(tags: dict[str, str], key: str) -> dict[str, str]:
    return {name: value for name, value in tags.items() if name != key}


def _with(old: Kept, version: str, told: Kept) -> Kept:
    versions = old.get("versions", {})
    return {**old, "versions": {**versions, version: {**versions.get(version, {}), **told}}}
