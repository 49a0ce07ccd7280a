"""Runs of MLflow that are under way, and runs by the id that MLflow gave them, in our own commands."""

import json
from pathlib import Path
from typing import Any

import pytest

from git_mlops.git.repo import Repo
from git_mlops.registry import read
from tests.conftest import Run
from tests.tracking.conftest import Client
from tests.tracking.test_store import settle, trained


def listed(mlops: Run, repo: Repo, *words: str) -> list[tuple[object, ...]]:
    """What `exp list` says."""
    rows = json.loads(mlops("exp", "list", "--json", *words, cwd=repo.root).stdout)["data"]
    return [(row["name"], row["status"], row["metrics"], row["params"]) for row in rows]


def test_a_run_under_way_is_listed_with_what_it_has_said(repo: Repo, client: Client, mlops: Run) -> None:
    one = client(repo)
    trained(one, "over")
    (repo.root / "params.yaml").write_text("depth: 3\n")
    run_id = one.create_run("0", run_name="going on").info.run_id
    one.log_param(run_id, "lr", "0.1")
    one.log_param(run_id, "depth", "3")
    one.log_metric(run_id, "loss", 0.5, step=1)
    first = listed(mlops, repo, "--where", "status == 'running'")
    one.log_metric(run_id, "loss", 0.25, step=2)
    shown = json.loads(mlops("exp", "show", run_id, "--json", cwd=repo.root).stdout)["data"]
    every = listed(mlops, repo, "--all")
    one.set_terminated(run_id)
    params = {"depth": 3, "lr": 0.1}
    assert first == [("going-on", "running", {"loss": 0.5}, params)]
    assert (shown["name"], shown["status"], shown["metrics"]) == ("going-on", "running", {"loss": 0.25})
    assert {name: status for name, status, _metrics, _params in every} == {
        "going-on": "running",
        "over": "finished",
    }
    assert ("going-on", "finished", {"loss": 0.25}, params) in listed(mlops, repo)


def test_a_run_that_is_opened_again_is_running(repo: Repo, client: Client, mlops: Run) -> None:
    one = client(repo)
    run_id = trained(one)
    one.set_tag(run_id, "note", "said of a run that is over")
    over = listed(mlops, repo)[0][1]
    one.update_run(run_id, status="RUNNING")
    one.log_metric(run_id, "late", 1.0)
    again = listed(mlops, repo)
    one.set_terminated(run_id)
    settle(repo)
    assert over == "finished"
    assert [(name, status) for name, status, _metrics, _params in again] == [("first", "running")]
    assert isinstance(again[0][2], dict)
    assert again[0][2]["late"] == 1.0


def test_an_experiment_is_found_by_the_id_of_its_run(repo: Repo, client: Client, mlops: Run) -> None:
    run_id = trained(client(repo))
    shown = json.loads(mlops("exp", "show", run_id, "--json", cwd=repo.root).stdout)["data"]
    other = mlops("exp", "show", "0" * 32, cwd=repo.root, status=2)
    assert shown["name"] == "first"
    assert f"no experiment `{'0' * 32}`" in other.stderr


def test_what_a_run_registers_knows_its_experiment_and_packages(
    repo: Repo, mlflow: Any, client: Client, mlops: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"git-mlops://{repo.root}")
    one, file = client(repo), tmp_path / "model.pkl"
    file.write_bytes(b"model")
    with mlflow.start_run(run_name="trained") as run:
        mlflow.log_artifact(str(file), "model")
        one.create_registered_model("m")
        one.create_model_version("m", f"runs:/{run.info.run_id}/model", run.info.run_id)
        mlflow.log_metric("auc", 0.9)
    one.set_tag(run.info.run_id, "note", "edited later: the experiment is another commit now")
    settle(repo)
    facts: dict[str, Any] = dict(read.resolve(repo, "m").facts)
    said = json.loads(mlops("lineage", "m", "--up", "--json", cwd=repo.root).stdout)["data"]
    made = [node["label"] for node in said["nodes"] if node["kind"] == "experiment"]
    assert facts["experiment"]["name"] == "trained"
    assert facts["environment"].keys() == {"lock", "python"}
    assert made == ["trained"]
    assert "| interpreter | CPython" in mlops("model", "card", "m", cwd=repo.root).stdout


@pytest.mark.slow
def test_an_experiment_of_mlflow_is_exported_by_its_name(
    repo: Repo, client: Client, mlops: Run, tmp_path: Path
) -> None:
    one = client(repo)
    trained(one, "inside", one.create_experiment("iris"))
    trained(one, "outside")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    done = mlops("mlflow", "export", "iris", "--to", uri, "--json", cwd=repo.root)
    assert json.loads(done.stdout)["data"] == {
        "sent": ["inside"],
        "known": [],
        "models": None,
    }
