"""Whether MLflow finds us: it passes over a plugin that fails to load with a warning, or without a word."""

import logging
import warnings
from collections.abc import Iterator
from importlib import metadata

from git_mlops import env
from git_mlops.data import dvc
from git_mlops.experiments import sealing
from git_mlops.findings import Finding
from git_mlops.git.repo import Repo, head

OLDEST = (3, 5)
GROUPS = {
    "mlflow.tracking_store": "git-mlops",
    "mlflow.model_registry_store": "git-mlops",
    "mlflow.artifact_repository": "git-mlops-artifacts",
}
_AGAIN = "install git-mlops again, into the environment that MLflow is in"


def examine(repo: Repo) -> Iterator[Finding]:
    """What keeps MLflow from recording here, worst first; notes say what is well."""
    version = _version()
    if version is None:
        hint = "`pip install mlflow`"
        yield Finding("mlflow", "error", "MLflow is not installed in git-mlops' environment", hint=hint)
        return
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < OLDEST:
        yield Finding("mlflow", "error", f"MLflow {version} is too old", hint="`pip install 'mlflow>=3.5'`")
    missing = [group for group, name in GROUPS.items() if name not in _names(group)]
    for group in missing:
        text = f"the entry point `{GROUPS[group]}` of `{group}` is not installed"
        yield Finding("mlflow-plugin", "error", text, hint=_AGAIN)
    if missing:
        return
    yield from _tried(repo, version)
    yield from _around(repo)


def _version() -> str | None:
    try:
        return metadata.version("mlflow")
    except metadata.PackageNotFoundError:
        return None


def _names(group: str) -> set[str]:
    return {one.name for one in metadata.entry_points(group=group)}


def _tried(repo: Repo, version: str) -> Iterator[Finding]:
    """By asking it for our experiments, as a script would."""
    env.change({"MLFLOW_DISABLE_TELEMETRY": "true"})
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            from mlflow import MlflowClient

            found = MlflowClient(tracking_uri=sealing.uri(repo)).search_experiments()
        except Exception as error:  # noqa: BLE001  # whatever MLflow raises is what is looked for
            text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            yield Finding("mlflow-plugin", "error", f"MLflow {version} cannot use it: {text}", hint=_AGAIN)
            return
    ours = [str(one.message) for one in said if "git-mlops" in str(one.message)]
    for text in ours:
        yield Finding("mlflow-plugin", "error", f"MLflow warns: {text}", hint=_AGAIN)
    count = f"{len(found)} experiment{'s' if len(found) != 1 else ''}"
    yield Finding("mlflow-plugin", "note", f"MLflow {version} reads and records runs here ({count})")


def _around(repo: Repo) -> Iterator[Finding]:
    if head(repo) is None:
        text = "no commit yet: a run needs one to start from"
        yield Finding("mlflow-runs", "error", text, hint="make a first commit: `git commit`")
    if not dvc.initialised(repo):
        text = "DVC is not set up: artifacts go into git, and large ones stay on this machine"
        yield Finding("mlflow-runs", "warning", text, hint="`git mlops init`")
    uri = env.get(sealing.URI)
    if uri is None:
        text = "MLFLOW_TRACKING_URI is not set: outside of `git mlops exp run`, scripts record elsewhere"
        yield Finding("mlflow-runs", "note", text, hint="`export MLFLOW_TRACKING_URI=git-mlops:`")
    elif not uri.startswith("git-mlops:"):
        text = f"MLFLOW_TRACKING_URI is `{_shown(uri)}`: scripts record there, not here"
        yield Finding("mlflow-runs", "warning", text, hint="`export MLFLOW_TRACKING_URI=git-mlops:`")


def _shown(uri: str) -> str:
    """Without a password."""
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if rest else uri
