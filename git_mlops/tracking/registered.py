"""Registered models to and from another MLflow: versions in their order, aliases, descriptions, tags.

Both sides are MLflow's clients: ours speaks to git's tags. Knows no MLflow itself.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from git_mlops.tracking.pages import pages

if TYPE_CHECKING:
    from mlflow import MlflowClient

VERSION = "mlops.version"
"""The tag of a version elsewhere that says which one of ours it is."""
FROM = "mlops.imported"
"""The tag of a version here that says which one of another MLflow it is: its number, and when it was made."""
MODEL = "mlops.model_id"
"""The tag of a logged model elsewhere that says which one of ours it is."""
RUN = "mlops.run_id"
"""The tag that tells which run of ours a run elsewhere is: it may have been edited since."""


class Moved(NamedTuple):
    """What was done, by `NAME@VERSION` of ours."""

    new: list[str]
    known: list[str]
    refused: list[str]
    """Aliases that rules did not allow, versions whose model is nowhere, and why."""


class Sides(NamedTuple):
    """Two MLflows."""

    ours: "MlflowClient"
    theirs: "MlflowClient"
    failure: type[Exception]
    """What they raise."""
    download: Callable[[str, str, str], str]
    """Files by their URI into a folder; the third is the tracking URI of the side that has them."""


def send(sides: Sides, groups: Sequence[str]) -> Moved:
    """Give the other MLflow what it does not have; aliases there are as here.

    Args:
        groups: ids of experiments there; models without a run are logged in the first of them.
    """
    done = Moved([], [], [])
    for model in pages(lambda token: sides.ours.search_registered_models(page_token=token)):
        there = _model(sides.theirs, model, sides.failure)
        numbers: dict[str, str] = {}
        for one in _versions(sides.ours, model.name):
            name = f"{model.name}@{one.status_message}"
            known = there.get(str(one.status_message))
            (done.known if known else done.new).append(name)
            numbers[str(one.version)] = known or _sent(sides, one, groups)
        held = dict(sides.theirs.get_registered_model(model.name).aliases)
        for alias, number in model.aliases.items():
            if str(number) in numbers and held.get(alias) != numbers[str(number)]:
                sides.theirs.set_registered_model_alias(model.name, alias, numbers[str(number)])
    return done


def _model(client: "MlflowClient", model: Any, failure: type[Exception]) -> dict[str, str]:
    """The versions that a model has there, by ours; it is made where there is none."""
    try:
        client.get_registered_model(model.name)
    except failure:
        client.create_registered_model(model.name, dict(model.tags or {}), model.description)
        return {}
    return {
        one.tags[VERSION]: str(one.version) for one in _versions(client, model.name) if VERSION in one.tags
    }


def _versions(client: "MlflowClient", name: str) -> list[Any]:
    """The oldest first."""
    quoted = name.replace("'", "\\'")
    found = pages(lambda token: client.search_model_versions(f"name='{quoted}'", page_token=token))
    return sorted(found, key=lambda one: int(one.version))


def _sent(sides: Sides, one: Any, groups: Sequence[str]) -> str:
    run = _run(sides.theirs, groups, one.run_id) if one.run_id else None
    below = str(one.source).partition(f"runs:/{one.run_id}/")[2]
    model = _logged(sides.theirs, groups, one.model_id) if one.model_id else None
    place = f"{run.info.artifact_uri}/{below}" if run and below else None
    if model is None and place is None:
        model = _log((sides.ours, sides.theirs), sides, one, groups[0])
    made = sides.theirs.create_model_version(
        one.name,
        f"models:/{model}" if model else place,
        run.info.run_id if run else None,
        tags={**one.tags, VERSION: str(one.status_message)},
        description=one.description or None,
        model_id=model,
        await_creation_for=0,
    )
    return str(made.version)


def _run(client: "MlflowClient", groups: Sequence[str], run_id: str) -> Any:
    """What our run became."""
    found = client.search_runs([*groups], f"tags.`{RUN}` = '{run_id}'", max_results=1)
    return found[0] if found else None


def _logged(client: "MlflowClient", groups: Sequence[str], model_id: str) -> str | None:
    """What our logged model became."""
    found = pages(lambda token: client.search_logged_models([*groups], page_token=token))
    return next((str(one.model_id) for one in found if one.tags.get(MODEL) == model_id), None)


def _log(way: tuple["MlflowClient", "MlflowClient"], sides: Sides, one: Any, group: str) -> str:
    """The files of a version as a logged model of its own, on the other side."""
    source, target = way
    uri = source.get_model_version_download_uri(one.name, str(one.version))
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        files = sides.download(uri, folder, source.tracking_uri)
        made = target.create_logged_model(group)
        target.log_model_artifacts(made.model_id, files)
    target.finalize_logged_model(made.model_id, "READY")
    return str(made.model_id)


def take(sides: Sides) -> Moved:
    """Register here what the other MLflow has and this repository has not; aliases ask the rules."""
    done = Moved([], [], [])
    for model in pages(lambda token: sides.theirs.search_registered_models(page_token=token)):
        try:
            sides.ours.get_registered_model(model.name)
        except sides.failure:
            sides.ours.create_registered_model(model.name, dict(model.tags or {}), model.description)
        own = _versions(sides.ours, model.name)
        here = {str(one.tags.get(FROM)): one for one in own}
        named = {str(one.status_message): one for one in own}
        numbers: dict[str, Any] = {}
        for one in _versions(sides.theirs, model.name):
            mark = f"{one.version} {one.creation_timestamp}"
            known = here.get(mark) or named.get(one.tags.get(VERSION, ""))
            try:
                found = known or _taken(sides, one, mark)
            except sides.failure as error:
                why = str(error).splitlines()[0]
                done.refused.append(f"version {one.version} of `{model.name}` is not registered: {why}")
                continue
            (done.known if known else done.new).append(f"{model.name}@{found.status_message}")
            numbers[str(one.version)] = found
        _aliases(sides, model, numbers, done)
    return done


def _taken(sides: Sides, one: Any, mark: str) -> Any:
    """A version here: of the run or logged model that came along, else of a copy of its files."""
    more = {"tags": {**one.tags, FROM: mark}, "description": one.description or None, "await_creation_for": 0}
    run_id, model_id = one.run_id or None, one.model_id or None
    with suppress(sides.failure):  # what it is of did not come along
        if model_id:
            sides.ours.get_logged_model(model_id)
        elif run_id:
            sides.ours.get_run(run_id)
        if model_id or run_id:
            return sides.ours.create_model_version(
                one.name, one.source, run_id=run_id, model_id=model_id, **more
            )
    model = _log((sides.theirs, sides.ours), sides, one, "0")
    return sides.ours.create_model_version(one.name, f"models:/{model}", model_id=model, **more)


def _aliases(sides: Sides, model: Any, numbers: Mapping[str, Any], done: Moved) -> None:
    held = dict(sides.ours.get_registered_model(model.name).aliases)
    for alias, number in model.aliases.items():
        one = numbers.get(str(number))
        if one is None or str(held.get(alias)) == str(one.version):
            continue
        try:
            sides.ours.set_registered_model_alias(model.name, alias, str(one.version))
        except sides.failure as error:
            done.refused.append(str(error).splitlines()[0])
