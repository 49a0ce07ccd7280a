"""Where a model is that MLflow registers: in a run, a logged model, another version, or elsewhere.

Loaded by the entry points alone.
"""

import json
from typing import NamedTuple
from urllib.parse import quote

from mlflow.exceptions import MlflowException

from git_mlops.errors import MlopsError
from git_mlops.experiments import sealing
from git_mlops.experiments.layout import RUN
from git_mlops.git import histories, objects
from git_mlops.git.repo import Repo
from git_mlops.registry import read
from git_mlops.registry.read import Version
from git_mlops.tracking import registry
from git_mlops.tracking.files import Artifacts
from git_mlops.tracking.recorder import Recorder
from git_mlops.tracking.runs import Entry
from git_mlops.tracking.store import ARTIFACTS

ELSEWHERE = ".mlops/elsewhere.json"
"""The only file of a version whose model is none of this repository's: it says where it is."""
_MODELS = "models:/"


class Source(NamedTuple):
    """What is registered."""

    commit: str
    path: str
    run_id: str | None = None
    model_id: str | None = None
    location: str | None = None
    """Where MLflow finds the files, if not by the version itself."""


def find(recorder: Recorder, source: str, run_id: str | None, model_id: str | None) -> Source:
    """What MLflow's `source` means.

    Raises:
        MlopsError: a version that is not there.
    """
    repo, index = recorder.repo, recorder.index
    parts = source.rstrip("/").split("/")
    named = next((part for part in parts if part.startswith("m-")), None)
    model = model_id or named
    if model and (entry := index.of_model(model)) is not None:
        if not _has(recorder, f"models/{model}", ""):
            return Source(_elsewhere(repo, source), ELSEWHERE, _run(entry), model, source)
        return Source(_commit(recorder, entry), f"{RUN}models/{model}", _run(entry), model)
    if source.startswith(_MODELS):
        return _copied(repo, source)
    wanted = run_id or next((part for part in parts if part in index.entries), "")
    found = index.get(wanted) if wanted else None
    below = _below(parts, wanted)
    if found is None or not _has(recorder, wanted, below):
        return Source(_elsewhere(repo, source), ELSEWHERE, run_id, model_id, source)
    return Source(_commit(recorder, found), f"{RUN}artifacts/{below}".rstrip("/"), _run(found))


def _below(parts: list[str], run_id: str) -> str:
    """`model` of `…/<run>/artifacts/model` and of `runs:/<run>/model`."""
    if "artifacts" in parts:
        return "/".join(parts[parts.index("artifacts") + 1 :])
    return "/".join(parts[parts.index(run_id) + 1 :]) if parts[0] == "runs:" and run_id in parts else ""


def _has(recorder: Recorder, place: str, below: str) -> bool:
    """Whether a run, or `models/<id>`, has such a file or directory."""
    there = Artifacts(f"{ARTIFACTS}/0/{place}/artifacts", recorder)
    return bool(there.list_artifacts(below)) or below in {
        one.path for one in there.list_artifacts(below.rpartition("/")[0])
    }


def _run(entry: Entry) -> str | None:
    return None if entry.facts.get("kind") else entry.run_id


def _commit(recorder: Recorder, entry: Entry) -> str:
    """The experiment; of a run under way, a commit of what it has logged so far."""
    recorder.settle()
    recorder.index.refresh()
    if entry.log is None and entry.commit is not None:
        return entry.commit
    return sealing.checkpoint(recorder.repo, recorder.place(entry))


def _copied(repo: Repo, source: str) -> Source:
    """`models:/NAME/2`, `models:/NAME@prod`: the version that is meant."""
    name, at, alias = source.removeprefix(_MODELS).partition("@")
    number = "" if at else name.rpartition("/")[2]
    name = name if at else name.rpartition("/")[0]
    known = registry.kept(repo)
    model = registry.tags_name(known, name)
    found = read.artifact(repo, model) if model else None
    if found is None:
        raise MlopsError(f"there is no model `{name}`")
    ordered = registry.versions(found, known.get(name, {}))
    event = found.stages.get(alias)
    one = found.find(event.version or "") if event else None
    if number.isdigit() and 0 < int(number) <= len(ordered):
        one = ordered[int(number) - 1]
    if one is None or not one.active:
        raise MlopsError(f"Model Version (name={name}, version={number or alias}) not found")
    version = read.version_of(repo, found, one)
    object_ = version.facts.get("object")
    path = object_.get("path") if isinstance(object_, dict) else None
    return Source(version.commit, path or ELSEWHERE, None, said(version).get("model_id"), uri(version))


def _elsewhere(repo: Repo, source: str) -> str:
    """A commit without history that says where the model is: nothing of this repository made it."""
    content = json.dumps({"version": 1, "source": source}, indent=1) + "\n"
    with objects.scratch_index(repo) as index:
        objects.put(repo, index, {ELSEWHERE: content.encode()})
        tree = objects.write_tree(repo, index)
    return histories.commit(repo, tree, [], f"model: from elsewhere\n\n{source}\n")


def said(version: Version) -> dict[str, str]:
    """What the tag says for MLflow: `run_id model_id source location created`."""
    found = version.facts.get("mlflow")
    return dict(found) if isinstance(found, dict) else {}


def uri(version: Version) -> str:
    """Where the files of a version are: its tag says it, whatever became of the run."""
    own = f"{ARTIFACTS}/0/versions/{quote(version.name, safe='')}@{version.version}/artifacts"
    return said(version).get("location") or own


def unresolved(source: str, error: MlopsError) -> MlflowException:
    """MLflow's words for a source that names nothing."""
    return MlflowException(
        f"Unable to fetch model from model URI source artifact location '{source}'.Error: {error}"
    )
