"""MLflow inside `exp run`: one experiment, one row. And what is left by processes that are killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from git_mlops.git.repo import Repo
from tests.conftest import Run
from tests.tracking.conftest import Client
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_four_processes_log_to_one_run_and_lose_nothing(repo: Repo, run: Run, script: Script) -> None:
    environment = {**os.environ, "MLFLOW_TRACKING_URI": "git-mlops:"}
    run(sys.executable, script(MANY), cwd=repo.root, env=environment)
    ref = repo.text("for-each-ref", "--format=%(refname)", "refs/exps/")
    lines = repo.text("show", f"{ref}:.mlops/run/plots/m.tsv").splitlines()[1:]
    values = sorted(float(line.split("\t")[2]) for line in lines)
    assert values == sorted(float(number * 1000 + step) for number in range(4) for step in range(250))


KILLED = """
import json, os, signal, sys
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments import recovery
from git_mlops.experiments.settings import Settings
from git_mlops.git.repo import discover
from git_mlops.tracking.groups import Group
from git_mlops.tracking.recorder import Recorder

repo, each = discover(), int(sys.argv[1])
WRITES = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "subprocess.Popen", "shutil.rmtree"}

def work(said):
    recorder = Recorder(repo, Settings(), DataSettings())
    entry = recorder.begin(Group("0", "Default"), "victim", "", 1000, {})
    os.write(said, f"{entry.run_id} 0\\n".encode())
    for step in range(5):
        recorder.log(entry, {"m": [["loss", step / 2, 1000, step]]})
    recorder.log(entry, {"i": {"status": "FINISHED", "end_time": 2000}})
    os.write(said, f"{entry.run_id} 1\\n".encode())
    entry = recorder.index.get(entry.run_id)
    recorder._sealed.clear()
    recorder.log(entry, {"t": [["edited", "yes"]], "m": [["loss", 9.0, 1000, 5]]})
    os.write(said, f"{entry.run_id} 2\\n".encode())

def child(said, last):
    seen = 0
    def hook(event, args):
        nonlocal seen
        if event in WRITES or (event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR)):
            seen += 1
            if seen == last:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    work(said)
    os._exit(0)

acknowledged, last, whole = {}, 1, False
while not whole:
    out, said = os.pipe()
    pid = os.fork()
    if pid == 0:
        child(said, last)
    os.close(said)
    status = os.waitpid(pid, 0)[1]
    for line in os.read(out, 4096).decode().splitlines():
        run_id, level = line.split()
        acknowledged[run_id] = int(level)
    os.close(out)
    whole = status == 0
    last += each
recovery.recover(repo)
recovery.recover(repo)
print(json.dumps([acknowledged, last]))
"""


@pytest.mark.slow
def test_a_process_killed_between_two_writes_loses_and_doubles_nothing(
    repo: Repo, run: Run, client: Client
) -> None:
    done = run(sys.executable, "-c", KILLED, "4", cwd=repo.root)
    acknowledged, tried = json.loads(done.stdout)
    refs = repo.text("for-each-ref", "--format=%(objectname)", "refs/exps/").splitlines()
    facts = [json.loads(repo.text("show", f"{oid}:.mlops/run/record.json"))["mlflow"] for oid in refs]
    found = {one["run_id"]: one for one in facts}
    history = {run_id: len(client(repo).get_metric_history(run_id, "loss")) for run_id in found}
    assert tried > 40
    assert len(found) == len(refs)
    assert {run_id for run_id in acknowledged if run_id not in found} == set()
    for run_id, level in acknowledged.items():
        if level >= 1:
            assert (found[run_id]["status"], history[run_id] >= 5) == ("FINISHED", True)
        if level == 2:
            assert (found[run_id]["tags"], history[run_id]) == ({"edited": "yes"}, 6)
    assert run("git", "fsck", "--full", "--strict", "--no-dangling", cwd=repo.root).stdout == ""
    assert repo.text("for-each-ref", "refs/mlops/runs/") == ""
    assert list((repo.private / "runs").glob("*/mlflow/run.json")) == []


def test_a_person_is_asked_for_before_a_run_begins(
    repo: Repo, client: Client, mlflow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{name}_NAME")
        monkeypatch.delenv(f"GIT_{name}_EMAIL")
    repo.git("config", "user.useConfigOnly", "true")
    with pytest.raises(mlflow.exceptions.MlflowException, match="git does not know who you are"):
        client(repo).create_run("0")
