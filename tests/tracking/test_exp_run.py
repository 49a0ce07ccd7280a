"""MLflow inside `exp run`: one experiment, one row. And what is left by processes that are killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from git_mlops.git.repo import Repo
from tests.conftest import Run
from tests.tracking.test_store import experiments, record

Script = Callable[[str], Path]

TRAIN = """
import mlflow
mlflow.set_experiment("iris")
with mlflow.start_run(run_name="inner") as run:
    mlflow.log_param("lr", 0.1)
    for step in range(3):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_text("hello", "a.txt")
    with mlflow.start_run(run_name="child", nested=True):
        mlflow.log_metric("fold", 1)
print(run.info.run_id)
"""


def test_the_run_of_the_child_is_the_experiment(
    dvc_repo: Repo, mlops: Run, script: Script, mlflow: Any
) -> None:
    done = mlops("exp", "run", "-n", "outer", "--", sys.executable, script(TRAIN), cwd=dvc_repo.root)
    run_id = done.stdout.split()[0]
    said = record(dvc_repo, "outer")
    ref = dvc_repo.text("for-each-ref", "--format=%(refname)", "refs/exps/*/*/outer")
    client = mlflow.MlflowClient(tracking_uri=f"git-mlops://{dvc_repo.root}")
    found = client.get_run(run_id)
    assert sorted(experiments(dvc_repo)) == ["child", "outer"]
    assert (said["how"], said["mlflow"]["run_id"], said["mlflow"]["status"]) == (
        "command",
        run_id,
        "FINISHED",
    )
    assert dvc_repo.text("show", f"{ref}:.mlops/run/plots/loss.tsv").count("\n") == 3
    assert "artifacts.dvc" in dvc_repo.text("ls-tree", "-r", "--name-only", ref)
    assert (found.data.params, found.data.metrics) == ({"lr": "0.1"}, {"loss": 1 / 3})
    assert [file.path for file in client.list_artifacts(run_id)] == ["a.txt"]
    assert record(dvc_repo, "child")["mlflow"]["tags"]["mlflow.parentRunId"] == run_id


LOGGING = """
import os, sys, mlflow
with mlflow.start_run(run_name="victim") as run:
    mlflow.log_param("lr", 0.1)
    for step in range(10**9):
        mlflow.log_metric("loss", step, step=step)
        if step == 50:
            print(run.info.run_id, flush=True)
"""


def test_a_killed_run_is_interrupted_and_has_what_it_logged(repo: Repo, mlops: Run, script: Script) -> None:
    environment = {**os.environ, "MLFLOW_TRACKING_URI": "git-mlops:"}
    words = [sys.executable, str(script(LOGGING))]
    with subprocess.Popen(words, cwd=repo.root, env=environment, stdout=subprocess.PIPE) as victim:
        assert victim.stdout
        victim.stdout.readline()
        victim.send_signal(signal.SIGKILL)
    listed = json.loads(mlops("exp", "list", "--json", cwd=repo.root).stdout)["data"]
    said = record(repo, "victim")
    ref = repo.text("for-each-ref", "--format=%(refname)", "refs/exps/")
    values = repo.text("show", f"{ref}:.mlops/run/plots/loss.tsv").splitlines()[1:]
    assert [(one["name"], one["status"]) for one in listed] == [("victim", "interrupted")]
    assert (said["status"], said["mlflow"]["status"]) == ("interrupted", "KILLED")
    assert [line.split("\t")[0] for line in values] == [str(step) for step in range(len(values))]
    assert len(values) > 50


MANY = """
import os, sys, mlflow
client = mlflow.MlflowClient()
run_id = client.create_run("0", run_name="shared").info.run_id
children = []
for number in range(4):
    child = os.fork()
    if child == 0:
        for step in range(250):
            client.log_metric(run_id, "m", number * 1000 + step, step=step)
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
client.set_terminated(run_id)
"""


def test_four_processes_log_to_one_run_and_lose_nothing(repo: Repo, run: Run, script: Script) -> None:
    environment = {**os.environ, "MLFLOW_TRACKING_URI": "git-mlops:"}
    run(sys.executable, script(MANY), cwd=repo.root, env=environment)
    ref = repo.text("for-each-ref", "--format=%(refname)", "refs/exps/")
    lines = repo.text("show", f"{ref}:.mlops/run/plots/m.tsv").splitlines()[1:]
    values = sorted(float(line.split("\t")[2]) for line in lines)
    assert values == sorted(float(number * 1000 + step) for number in range(4) for step in range(250))
