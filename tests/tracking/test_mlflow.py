"""Experiments in a real MLflow: its SQLite store, and its server over HTTP."""

import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from git_mlops.git.repo import Repo
from tests.conftest import Run


@pytest.fixture
def recorded(dvc_repo: Repo, mlops: Run) -> Repo:
    """Two experiments, the second of a command that failed."""
    (dvc_repo.root / "params.yaml").write_text("train: {lr: 0.1, depth: 3}\n")
    (dvc_repo.root / "metrics.json").write_text('{"auc": 0.93, "nested": {"loss": 0.2}, "label": "good"}\n')
    mlops("exp", "save", "-n", "first", "-m", "a note", cwd=dvc_repo.root)
    mlops("exp", "run", "-n", "second", "--", "false", cwd=dvc_repo.root, status=1)
    return dvc_repo


def runs(uri: str, name: str) -> dict[str, list[object]]:
    """What MLflow itself says is there, asked in another process."""
    code = (
        "import json, sys; from mlflow import MlflowClient; c = MlflowClient(tracking_uri=sys.argv[1])\n"
        "e = c.get_experiment_by_name(sys.argv[2])\n"
        "print(json.dumps({r.info.run_name: [r.data.metrics, r.data.params, r.info.status,"
        " r.data.tags['mlops.commit'], r.data.tags.get('mlflow.note.content')]"
        " for r in c.search_runs([e.experiment_id])}))"
    )
    python = shutil.which("python") or "python"
    done = subprocess.run([python, "-c", code, uri, name], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]  # JSON


@pytest.mark.slow
def test_experiments_become_runs_once(recorded: Repo, mlops: Run, tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    first = mlops("mlflow", "export", "--to", uri, "--json", cwd=recorded.root)
    again = mlops("mlflow", "export", "--to", uri, cwd=recorded.root)
    commit = recorded.text("for-each-ref", "--format=%(objectname)", "refs/exps/*/*/first")
    found = runs(uri, recorded.root.name)
    assert sorted(json.loads(first.stdout)["data"]["sent"]) == ["first", "second"]
    assert again.stderr.splitlines()[-1] == "sent 0 experiments, 2 were there already"
    assert found["first"] == [
        {"auc": 0.93, "nested.loss": 0.2},
        {"train.lr": "0.1", "train.depth": "3"},
        "FINISHED",
        commit,
        "a note",
    ]
    assert found["second"][2] == "FAILED"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A real MLflow server on a free port of the loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    store = ["--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}"]
    with subprocess.Popen(
        [*words, *store], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(url, process)
            yield url
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until it answers: the connection itself is what is waited for."""
    for _attempt in range(1200):
        assert process.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(f"{url}/health", timeout=1).close()
        except (urllib.error.URLError, OSError):
            subprocess.run(["sleep", "0.1"], check=True)
        else:
            return
    raise AssertionError("the server does not answer")


@pytest.mark.slow
def test_a_real_server_takes_them_over_http(recorded: Repo, mlops: Run, server: str) -> None:
    mlops("mlflow", "export", "first", "--to", server, "--experiment", "team", cwd=recorded.root)
    assert set(runs(server, "team")) == {"first"}


def test_a_place_that_is_none_is_a_clear_error(recorded: Repo, mlops: Run) -> None:
    done = mlops("mlflow", "export", "--to", "nonsense://x", cwd=recorded.root, status=3)
    assert done.stderr.splitlines()[-1].startswith("error: MLflow at `nonsense://x`: ")


@pytest.mark.slow
def test_a_server_that_is_not_up_is_said_at_once(recorded: Repo, mlops: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens, and nobody else can
        uri = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = mlops("mlflow", "export", "--to", uri, cwd=recorded.root, status=3)
    assert done.stderr.splitlines() == [
        f"error: MLflow at `{uri}`: nothing answers there (Connection refused)",
        "hint: is the server up, and this its address? `sqlite:///FILE` needs no server",
    ]


def test_an_unknown_experiment_is_named(recorded: Repo, mlops: Run) -> None:
    done = mlops("mlflow", "export", "nope", "--to", "sqlite:///x.db", cwd=recorded.root, status=2)
    assert done.stderr.splitlines()[0] == "error: no experiment `nope`"
