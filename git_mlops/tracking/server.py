"""How MLflow's own server is started on a repository. Knows no MLflow."""

import sys
from collections.abc import Sequence

from git_mlops import env, processes
from git_mlops.experiments import sealing
from git_mlops.git.repo import Repo


def command(repo: Repo, host: str, port: int, more: Sequence[str]) -> list[str]:
    """MLflow's server with runs in refs; its clients need no plugin, because it hands files on.

    Args:
        more: further options of `mlflow server`; they come last, and so count.
    """
    return [
        sys.executable, "-m", "mlflow", "server",
        "--backend-store-uri", sealing.uri(repo),
        "--artifacts-destination", "git-mlops-artifacts:/",
        "--default-artifact-root", "mlflow-artifacts:/",
        "--host", host,
        "--port", str(port),
        *more,
    ]  # fmt: skip


def serve(repo: Repo, host: str, port: int, more: Sequence[str]) -> int:
    """Run it until it ends; its exit status.

    Raises:
        MlopsError: it cannot be started.
    """
    told = {
        "MLFLOW_DISABLE_TELEMETRY": env.get("MLFLOW_DISABLE_TELEMETRY") or "true",
        sealing.URI: sealing.uri(repo),
        # a folder `mlflow` of the repository is not taken for the package, nor any file for a module
        "PYTHONSAFEPATH": "1",
    }
    return processes.serve(command(repo, host, port, more), cwd=repo.root, extra=told)
