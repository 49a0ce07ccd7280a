"""What `exp show` says of a run of MLflow."""

import json
from typing import Any

import pytest

from git_mlops.git.repo import Repo
from tests.conftest import Run
from tests.experiments.conftest import commit


@pytest.fixture
def nested(dvc_repo: Repo, mlflow: Any, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A run with everything, and one inside of it."""
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.http_dataset_source import HTTPDatasetSource
    from mlflow.data.meta_dataset import MetaDataset

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"git-mlops://{dvc_repo.root}")
    mlflow.set_experiment("iris")
    with mlflow.start_run(run_name="outer", tags={"stage": "dev", "why": "one\ntwo " * 20}):
        web = MetaDataset(HTTPDatasetSource("https://example.com/a.csv"), name="web", digest="aa")
        mlflow.log_input(web, context="training")
        mlflow.log_input(MetaDataset(CodeDatasetSource({}), name="made", digest="bb"))
        mlflow.log_text("hello", "report.txt")
        mlflow.log_text("hello", "plots/one.txt")
        with mlflow.start_run(run_name="inner", nested=True):
            pass
    return dvc_repo


def fact(text: str, name: str) -> str:
    """The line of a fact."""
    return next(line for line in text.splitlines() if line.startswith(f"{name} ")).removeprefix(name).strip()


def test_tags_datasets_and_artifacts_of_a_run_are_shown(nested: Repo, mlops: Run) -> None:
    shown = mlops("exp", "show", "outer", cwd=nested.root).stdout
    said = json.loads(mlops("exp", "show", "outer", "--json", cwd=nested.root).stdout)["data"]
    run_id = said["mlflow"]["run_id"]
    assert fact(shown, "MLflow").startswith(f"iris, run {run_id}, ")
    assert fact(shown, "tags") == "stage=dev, why=" + ("one two " * 20)[:59] + "…"
    assert fact(shown, "datasets") == "web (training, https://example.com/a.csv, aa), made (bb)"
    assert fact(shown, "artifacts") == "2 files, 10 bytes: plots/ (1), report.txt"
    assert said["mlflow"]["experiment"] == "iris"
    assert said["mlflow"]["tags"] == {"stage": "dev", "why": "one\ntwo " * 20}
    assert said["mlflow"]["datasets"][0] == {
        "name": "web",
        "digest": "aa",
        "source_type": "http",
        "source": "https://example.com/a.csv",
        "context": "training",
    }
    assert said["artifacts"] == {"files": 2, "size": 10, "paths": ["plots/one.txt", "report.txt"]}


def test_a_nested_run_names_its_parent(nested: Repo, mlops: Run) -> None:
    outer = json.loads(mlops("exp", "show", "outer", "--json", cwd=nested.root).stdout)["data"]
    run_id = outer["mlflow"]["run_id"]
    shown = mlops("exp", "show", "inner", cwd=nested.root).stdout
    mlops("exp", "rm", "outer", cwd=nested.root)
    alone = mlops("exp", "show", "inner", cwd=nested.root).stdout
    assert (fact(shown, "parent"), fact(alone, "parent")) == (f"outer ({run_id})", run_id)


def test_artifacts_are_shown_where_there_is_no_dvc_and_none_where_mlflow_was_not_used(
    repo: Repo, mlflow: Any, mlops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(repo, {"metrics.json": '{"acc": 1}'})
    mlops("exp", "save", "-n", "saved", cwd=repo.root)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"git-mlops://{repo.root}")
    with mlflow.start_run(run_name="plain"):
        mlflow.log_text("hello", "report.txt")
    shown = mlops("exp", "show", "plain", cwd=repo.root).stdout
    saved = json.loads(mlops("exp", "show", "saved", "--json", cwd=repo.root).stdout)["data"]
    assert fact(shown, "artifacts") == "1 file, 5 bytes: report.txt"
    assert (saved["mlflow"], saved["artifacts"]) == (None, None)


def test_a_run_under_way_says_what_it_has_told_until_now(
    repo: Repo, mlflow: Any, mlops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"git-mlops://{repo.root}")
    with mlflow.start_run(run_name="live", tags={"stage": "dev"}):
        before = mlops("exp", "show", "live", cwd=repo.root).stdout
        mlflow.set_tag("more", "said")
        mlflow.log_text("hello", "report.txt")
        shown = mlops("exp", "show", "live", cwd=repo.root).stdout
    assert (fact(before, "tags"), "artifacts" in before) == ("stage=dev", False)
    assert (fact(shown, "status"), fact(shown, "tags")) == ("running", "stage=dev, more=said")
    assert fact(shown, "artifacts") == "1 file, 5 bytes: report.txt"
