"""MLflow's model registry on git's tags. Loaded by the entry points alone: it imports MLflow.

MLflow counts versions 1, 2, 3: the order in which they were registered. Its aliases are stages. Its own
stages (`Staging`, `Production`) are words of its own, where mlops.yaml has no rules for stages.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from mlflow.entities.model_registry import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelAlias,
    RegisteredModelTag,
)
from mlflow.entities.model_registry.model_version_stages import (
    ALL_STAGES,
    DEFAULT_STAGES_FOR_GET_LATEST_VERSIONS,
    STAGE_NONE,
    get_canonical_stage,
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

from git_mlops.errors import MlopsError
from git_mlops.models import promote, register, retire, settings
from git_mlops.models.context import Context
from git_mlops.registry import read
from git_mlops.registry.message import Message
from git_mlops.registry.read import Version
from git_mlops.registry.state import Artifact, Registered
from git_mlops.tracking import registry, sources, valid
from git_mlops.tracking.recorder import Recorder
from git_mlops.tracking.registry import Kept
from git_mlops.tracking.store import said

_MOST_MODELS, _MOST_VERSIONS = 1000, 200_000
_PROMPT = "mlflow.prompt.is_prompt"
_ALIAS = re.compile(r"[\w\-]{1,255}")


def _missing(text: str) -> NoReturn:
    raise MlflowException(text, RESOURCE_DOES_NOT_EXIST)


def _invalid(text: str) -> NoReturn:
    raise MlflowException(text, INVALID_PARAMETER_VALUE)


class Model(NamedTuple):
    """A model: its name in MLflow, its tags in git, what else MLflow keeps of it."""

    name: str
    found: Artifact
    more: Kept

    def number(self, version: str) -> int:
        """How MLflow counts a version."""
        ordered = registry.versions(self.found, self.more)
        return next((n for n, one in enumerate(ordered, 1) if one.version == version), 0)

    @property
    def active(self) -> list[Registered]:
        """Its versions, the oldest first."""
        return [one for one in registry.versions(self.found, self.more) if one.active]

    def told(self, version: str) -> Kept:
        """What MLflow keeps of a version."""
        told: Kept = self.more.get("versions", {}).get(version, {})
        return told


class Registry(AbstractStore):  # type: ignore[misc]  # MLflow has no types
    """Registered models, versions and aliases."""

    def __init__(self, recorder: Recorder, context: Context) -> None:
        super().__init__()
        self._recorder, self._context = recorder, context
        self.repo = recorder.repo
        self._messages: dict[str, Message] = {}

    # models

    def create_registered_model(
        self, name: str, tags: Any = None, description: str | None = None, deployment_job_id: Any = None
    ) -> RegisteredModel:
        valid.model_name(name)
        told = {tag.key: tag.value for tag in tags or ()}
        for key, value in told.items():
            valid.model_tag(key, value)
        with said():
            known = registry.kept(self.repo)
            if (there := self._known(known, name)) is not None:
                _refuse_taken(there, told)
            model = registry.free_name(known, name, lambda: read.artifacts(self.repo))
            found = read.artifact(self.repo, model)
            new: Kept = {
                "version": 1,
                "name": name,
                "created": registry.now(),
                "tags": told,
                **registry.touched(found),
            }
            new |= {"before": len(found.versions)} if found.versions else {}
            new |= {"description": description} if description is not None else {}
            new |= {"model": model} if model != name else {}
            registry.change(self.repo, name, lambda _old: new)
        return self.get_registered_model(name)

    def _known(self, known: Mapping[str, Kept], name: str) -> Model | None:
        """What git's tags and we know of it; None where it is not, or deprecated, or deleted."""
        model = registry.tags_name(known, name)
        if model is None or (model == name and _called_otherwise(known, name)):
            return None
        found, more = read.artifact(self.repo, model), known.get(name, {})
        return Model(name, found, more) if registry.there(found, more) else None

    def _get(self, name: str) -> Model:
        if not name:
            _invalid("Missing value for required parameter 'name'.")
        found = self._look(name)
        if found is None:
            _missing(f"Registered Model with name={name} not found")
        return found

    def _look(self, name: str) -> Model | None:
        with said():
            return self._known(registry.kept(self.repo), name)

    def _all(self) -> list[Model]:
        with said():
            artifacts, kept = read.artifacts(self.repo), registry.kept(self.repo)
        found = []
        for name, model in sorted(registry.names(kept, artifacts).items()):
            artifact, more = artifacts.get(model) or Artifact(model), kept.get(name, {})
            if registry.there(artifact, more):
                found.append(Model(name, artifact, more))
        return found

    def get_registered_model(self, name: str) -> RegisteredModel:
        return self._model(self._get(name))

    def _model(self, model: Model) -> RegisteredModel:
        found, more = model.found, model.more
        first = min((event.time for event in found.events), default=0) * 1000
        numbers = {one.version: model.number(one.version) for one in model.active}
        return RegisteredModel(
            name=model.name,
            creation_timestamp=more.get("created") or first,
            last_updated_timestamp=registry.updated(found, more),
            description=more.get("description"),
            latest_versions=self._latest(model, ()),
            tags=[RegisteredModelTag(k, v) for k, v in more.get("tags", {}).items()],
            aliases=[
                RegisteredModelAlias(stage, numbers[event.version])
                for stage, event in found.stages.items()
                if event.version in numbers
            ],
        )

    def update_registered_model(
        self, name: str, description: str | None, deployment_job_id: Any = None
    ) -> RegisteredModel:
        self._touch(self._get(name), {"description": description or ""})
        return self.get_registered_model(name)

    def _change(self, name: str, how: Callable[[Kept], Kept]) -> None:
        with said():
            registry.change(self.repo, name, how)

    def _touch(self, model: Model, told: Kept) -> None:
        """Say more of a model; it has changed."""
        with said():
            now = registry.touched(read.artifact(self.repo, model.found.name))
        self._change(model.name, lambda old: {**old, **told, **now})

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        model = self._get(name)
        valid.model_name(new_name, "new_name")
        with said():
            known = registry.kept(self.repo)
            taken = self._known(known, new_name)
            if taken is not None:
                _refuse_taken(taken, model.more.get("tags", {}))
            first = min((event.time for event in model.found.events), default=0) * 1000
            created = model.more.get("created") or first
            registry.rename(self.repo, name, new_name, model.found.name, created)
        return self.get_registered_model(new_name)

    def delete_registered_model(self, name: str) -> None:
        model = self._get(name)
        with said():
            if model.found.versions and not model.found.deprecated:
                retire.retire(self.repo, model.found.name, "deleted in MLflow")
        self._touch(model, {"deleted": registry.now()})

    def set_registered_model_tag(self, name: str, tag: RegisteredModelTag) -> None:
        valid.model_tag(tag.key, tag.value)
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
        models = self._all()
        self._read(one for model in models for one in model.active)
        found = [self._model(model) for model in models]
        if not _asks_for_prompts(filter_string):
            found = [one for one in found if not _is_prompt(one.tags)]
        chosen = SearchModelUtils.sort(SearchModelUtils.filter(found, filter_string), order_by)
        return PagedList(*SearchUtils.paginate(chosen, page_token, most))

    def get_latest_versions(self, name: str, stages: Any = None) -> list[ModelVersion]:
        wanted = [get_canonical_stage(stage) for stage in stages or ()]
        return self._latest(self._get(name), wanted)

    def _latest(self, model: Model, stages: Sequence[str]) -> list[ModelVersion]:
        """The last version of each of MLflow's stages."""
        last = {model.told(one.version).get("stage", STAGE_NONE): one for one in model.active}
        return [self._version(model, one) for stage, one in last.items() if not stages or stage in stages]

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
        del local_model_path
        told = {tag.key: tag.value for tag in tags or ()}
        for key, value in told.items():
            valid.model_tag(key, value)
        model = self._get(name)
        created = registry.now()
        with said():
            try:
                what = sources.find(self._recorder, source, run_id, model_id)
            except MlopsError as error:
                raise sources.unresolved(source, error) from error
            facts = {
                "run_id": what.run_id or run_id,
                "model_id": what.model_id or model_id,
                "source": source,
                "run_link": run_link,
                "location": what.location,
                "created": created,
            }
            more = {"mlflow": {key: value for key, value in facts.items() if value}}
            request = register.Request(
                model.found.name, what.commit, path=what.path, message=description or "", more=more
            )
            version = register.register(self.repo, request, self._context).version
            new = {k: v for k, v in {"tags": told, "description": description}.items() if v not in ({}, None)}
            events = len(read.artifact(self.repo, model.found.name).events)
            now = {"updated": created, "events": events}
            registry.change(self.repo, name, lambda old: {**_with(old, version.version, new), **now})
        model = self._get(name)
        made = model.found.find(version.version)
        assert made is not None
        return self._version(model, made)

    def _find(self, name: str, version: Any) -> tuple[Model, Registered]:
        text, one = str(version), None
        model = self._look(name) if name else None
        if re.fullmatch(r"-?\d+", text) is None and not text.startswith("v"):
            _invalid(f"Parameter 'version' must be an integer, got '{version}'.")
        if model is not None:
            ordered = dict(enumerate(registry.versions(model.found, model.more), 1))
            one = model.found.find(text) if text.startswith("v") else ordered.get(int(text))
        if model is None or one is None or not one.active:
            _missing(f"Model Version (name={name}, version={version}) not found")
        return model, one

    def _read(self, wanted: Iterable[Registered]) -> None:
        """What tags say, of many at once: a tag object never changes."""
        oids = [one.event.oid for one in wanted if one.event.oid not in self._messages]
        with said():
            self._messages |= read.messages(self.repo, oids)

    def _tagged(self, model: Model, one: Registered) -> Version:
        self._read([one])
        event, stages = one.event, model.found.stages_of(one.version)
        return Version(
            model.found.name, one.version, event.tag, event.target, self._messages[event.oid].facts,
            event.oid, event.time, event.who, event.email, stages, one.active,
        )  # fmt: skip

    def _version(self, model: Model, one: Registered) -> ModelVersion:
        version = self._tagged(model, one)
        told, facts = model.told(one.version), sources.said(version)
        tags = dict(told.get("tags", {}))
        if not facts:  # MLflow did not make it, and counts it all the same
            tags = {"mlops.version": one.version, **tags}
        created = facts.get("created") or version.time * 1000
        return ModelVersion(
            name=model.name,
            version=model.number(one.version),
            creation_timestamp=created,
            last_updated_timestamp=max(created, told.get("updated", 0)),
            description=told.get("description"),
            user_id=version.who,
            current_stage=told.get("stage", STAGE_NONE),
            source=facts.get("source") or sources.uri(version),
            run_id=facts.get("run_id"),
            run_link=facts.get("run_link"),
            status_message=one.version,
            model_id=facts.get("model_id"),
            tags=[ModelVersionTag(key, value) for key, value in tags.items()],
            aliases=list(version.stages),
        )

    def get_model_version(self, name: str, version: Any) -> ModelVersion:
        return self._version(*self._find(name, version))

    def get_model_version_download_uri(self, name: str, version: Any) -> str:
        return sources.uri(self._tagged(*self._find(name, version)))

    def update_model_version(self, name: str, version: Any, description: str | None) -> ModelVersion:
        return self._edit(name, version, lambda _told: {"description": description or ""})

    def _edit(self, name: str, version: Any, how: Callable[[Kept], Kept]) -> ModelVersion:
        model, one = self._find(name, version)
        told = {**how(model.told(one.version)), "updated": registry.now()}
        self._change(name, lambda old: _with(old, one.version, told))
        return self.get_model_version(name, version)

    def set_model_version_tag(self, name: str, version: Any, tag: ModelVersionTag) -> None:
        valid.model_tag(tag.key, tag.value)
        self._tags(name, version, lambda tags: {**tags, tag.key: tag.value})

    def delete_model_version_tag(self, name: str, version: Any, key: str) -> None:
        self._tags(name, version, lambda tags: _but(tags, key))

    def _tags(self, name: str, version: Any, how: Callable[[dict[str, str]], dict[str, str]]) -> None:
        model, one = self._find(name, version)
        tags = how(model.told(one.version).get("tags", {}))
        self._change(name, lambda old: _with(old, one.version, {"tags": tags}))

    def delete_model_version(self, name: str, version: Any) -> None:
        model, one = self._find(name, version)
        own = model.found.name
        with said():
            for stage in model.found.stages_of(one.version):
                retire.retire(self.repo, f"{own}#{stage}", "deleted in MLflow")
            retire.retire(self.repo, f"{own}@{one.version}", "deleted in MLflow")
        self._touch(model, {})

    def transition_model_version_stage(
        self, name: str, version: Any, stage: str, archive_existing_versions: bool
    ) -> ModelVersion:
        stage = get_canonical_stage(stage)
        active = stage in DEFAULT_STAGES_FOR_GET_LATEST_VERSIONS
        if archive_existing_versions and not active:
            _invalid(
                "Model version transition cannot archive existing model versions because "
                f"'{stage}' is not an Active stage. Valid stages are "
                f"{DEFAULT_STAGES_FOR_GET_LATEST_VERSIONS}"
            )
        model, one = self._find(name, version)
        if settings.stages_of(self._context.models, model.found.name):
            raise MlflowNotImplementedException(
                "stages have rules in mlops.yaml here: set the alias `prod`, or the like"
            )
        told: dict[str, Kept] = {one.version: {"stage": stage, "updated": registry.now()}}
        if archive_existing_versions:
            for other in model.active:
                if other != one and model.told(other.version).get("stage") == stage:
                    told[other.version] = {"stage": "Archived", "updated": registry.now()}

        def how(old: Kept) -> Kept:
            for each, new in told.items():
                old = _with(old, each, new)
            return {**old, **registry.touched(model.found)}

        self._change(name, how)
        return self.get_model_version(name, version)

    def get_model_version_stages(self, name: str, version: Any) -> list[str]:
        self._find(name, version)
        return list(ALL_STAGES)

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Any:
        most = max_results if max_results is not None else 10_000
        valid.max_results(most, _MOST_VERSIONS)
        models = self._all()
        self._read(one for model in models for one in model.active)
        found = [self._version(model, one) for model in models for one in model.active]
        if not _asks_for_prompts(filter_string):
            found = [one for one in found if not _is_prompt(one.tags)]
        found.sort(key=lambda one: (-one.last_updated_timestamp, one.name, -int(one.version)))
        try:
            chosen = SearchModelVersionUtils.filter(found, filter_string)
        except ValueError as error:
            raise MlflowException(
                f"Invalid filter '{filter_string}': {error}", INVALID_PARAMETER_VALUE
            ) from error
        if order_by:
            chosen = SearchModelVersionUtils.sort(chosen, order_by)
        return PagedList(*SearchUtils.paginate(chosen, page_token, most))

    # aliases

    def set_registered_model_alias(self, name: str, alias: str, version: Any) -> None:
        _checked_alias(alias)
        model, one = self._find(name, version)
        request = promote.Request(f"{model.found.name}@{one.version}", alias)
        with said():
            done = promote.promote(self.repo, request, self._context)
            if done.refused:
                raise promote.refused(done)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        model = self._get(name)
        if alias in model.found.stages:
            with said():
                retire.retire(self.repo, f"{model.found.name}#{alias}", "deleted in MLflow")

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        model = self._get(name)
        event = model.found.stages.get(alias)
        if alias == "latest" and event is None and model.active:
            return self._version(model, model.active[-1])
        one = model.found.find(event.version) if event and event.version else None
        if one is None or one not in model.active:
            _invalid(f"Registered model alias {alias} not found.")
        return self._version(model, one)

    # webhooks: nobody is there to call them

    def list_webhooks(self, max_results: Any = None, page_token: Any = None) -> Any:
        del max_results, page_token
        return PagedList([], None)

    def list_webhooks_by_event(self, event: Any, max_results: Any = None, page_token: Any = None) -> Any:
        del event, max_results, page_token
        return PagedList([], None)


def _called_otherwise(known: Mapping[str, Kept], name: str) -> bool:
    """Whether the tags of this name are another model's in MLflow."""
    return any(one.get("model") == name for other, one in known.items() if other != name)


def _refuse_taken(there: Model, tags: Mapping[str, str]) -> NoReturn:
    old, new = (
        "prompt" if _is_prompt(one) else "registered model" for one in (there.more.get("tags", {}), tags)
    )
    text = f"{new.title()} (name={there.name}) already exists."
    if old != new:
        text = (
            f"Tried to create a {new} with name {there.name!r}, but the name is already taken by a {old}. "
            "MLflow does not allow creating a model and a prompt with the same name."
        )
    raise MlflowException(text, RESOURCE_ALREADY_EXISTS)


def _is_prompt(tags: Mapping[str, str]) -> bool:
    return tags.get(_PROMPT) == "true"


def _asks_for_prompts(filter_string: str | None) -> bool:
    found = re.search(rf"`?{re.escape(_PROMPT)}`?\s*(=|!=)\s*['\"](\w+)['\"]", filter_string or "")
    return found is not None and (found[1] == "=") == (found[2].lower() == "true")


def _checked_alias(alias: str) -> None:
    if not alias:
        _invalid("Registered model alias name cannot be empty.")
    if not _ALIAS.fullmatch(alias):
        _invalid(
            f"Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and "
            "dashes (-)."
        )
    if alias.lower() == "latest":
        _invalid("'latest' alias name (case insensitive) is reserved.")
    if re.fullmatch(r"[vV]\d+", alias):
        _invalid(f"Version alias name '{alias}' is reserved.")


def _but(tags: dict[str, str], key: str) -> dict[str, str]:
    return {name: value for name, value in tags.items() if name != key}


def _with(old: Kept, version: str, told: Kept) -> Kept:
    versions = old.get("versions", {})
    return {**old, "versions": {**versions, version: {**versions.get(version, {}), **told}}}
