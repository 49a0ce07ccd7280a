"""MLflow's own server on refs, asked over HTTP by a client that has no plugin."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from git_mlops.git.repo import Repo
from git_mlops.tracking import server as own
from tests.conftest import Run
from tests.tracking.test_mlflow import _wait
from tests.tracking.test_store import experiments, record

CODE = """
import sys, json, urllib.request, mlflow
from mlflow import MlflowClient
url = sys.argv[1]
client = MlflowClient(tracking_uri=url)
mlflow.set_tracking_uri(url)
mlflow.set_experiment("http")
with mlflow.start_run(run_name="far") as run:
    mlflow.log_param("lr", 0.1)
    for step in range(20):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_text("hello", "notes/a.txt")
found = client.get_run(run.info.run_id)
group = found.info.experiment_id
text = mlflow.artifacts.load_text(found.info.artifact_uri + "/notes/a.txt")
page = urllib.request.urlopen(url + "/").read().decode()
asked = {"run_ids": [run.info.run_id], "metric_key": "loss"}
words = "&".join(f"run_ids={one}" for one in asked["run_ids"]) + "&metric_key=loss&max_results=100"
bulk = urllib.request.urlopen(f"{url}/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{words}")
print(json.dumps([found.info.status, len(client.get_metric_history(run.info.run_id, "loss")), text,
    "<title>MLflow" in page, len(json.loads(bulk.read())["metrics"]),
    [one.info.run_name for one in client.search_runs([group])],
    [one.name for one in client.search_experiments(order_by=["name"])],
    len(client.search_traces(locations=[group])), run.info.run_id]))
"""


@pytest.fixture
def server(repo: Repo, tmp_path: Path) -> Iterator[str]:
    """A real MLflow server as `git mlops mlflow ui` starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = own.command(repo, "127.0.0.1", port, ("--workers", "1"))
    log = (tmp_path / "server.log").open("w")
    with subprocess.Popen(words, cwd=repo.root, stdout=log, stderr=log) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(url, process)
            yield url
        finally:
            process.terminate()
    log.close()


@pytest.mark.slow
def test_a_client_without_a_plugin_records_into_refs(
    repo: Repo, server: str, run: Run, script: Callable[[str], Path], tmp_path: Path
) -> None:
    import json

    environment = {**os.environ, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    done = run(sys.executable, script(CODE), server, cwd=tmp_path, env=environment, timeout=120)
    *said, run_id = json.loads(done.stdout.splitlines()[-1])
    kept = record(repo, "far")
    assert said == ["FINISHED", 20, "hello", True, 20, ["far"], ["Default", "http"], 0]
    assert (experiments(repo), kept["mlflow"]["run_id"]) == (["far"], run_id)
    assert repo.text("ls-tree", "-r", "--name-only", "refs/mlops/mlflow/experiments") != ""
