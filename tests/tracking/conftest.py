"""MLflow itself, on repositories of the tests."""

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from git_mlops import plugin
from git_mlops.git.repo import Repo

Client = Callable[[Repo], Any]


@pytest.fixture(scope="session")
def mlflow() -> Any:
    """The module; importing it takes seconds and warns of much that is not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
        import mlflow.pyfunc
        import mlflow.sklearn

        return mlflow


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """MLflow remembers the experiment of the test before, and which repository `git-mlops:` was."""
    yield
    plugin._recorders.clear()
    for name in ("_tracking_service", "_model_registry"):
        if utils := sys.modules.get(f"mlflow.tracking.{name}.utils"):
            registry = getattr(utils, "_tracking_store_registry", None) or utils._get_store_registry()
            registry._get_store_with_resolved_uri.cache_clear()
    if "mlflow.tracking.fluent" in sys.modules:
        from mlflow.tracking import fluent

        fluent._active_experiment_id = None
        os.environ.pop("MLFLOW_EXPERIMENT_ID", None)


@pytest.fixture
def client(mlflow: Any) -> Client:
    """MLflow's client of a repository, as a script has it that names the repository."""

    def client_(repo: Repo) -> Any:
        return mlflow.MlflowClient(tracking_uri=f"git-mlops://{repo.root}")

    return client_


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], Path]:
    """A file with Python code."""

    def script_(code: str) -> Path:
        file = tmp_path / "script.py"
        file.write_text(code, encoding="utf-8")
        return file

    return script_
