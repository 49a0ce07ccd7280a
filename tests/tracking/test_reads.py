"""Data that a run of MLflow read, and data that was only in its tree: in records, lineage and taints."""

import json
from typing import Any

import pytest

from git_mlops.git.repo import Repo
from git_mlops.registry import read as registry
from tests.conftest import Run
from tests.experiments.conftest import commit
from tests.tracking.test_store import record

A, B = "a" * 32, "b" * 32


@pytest.fixture
def trained(repo: Repo, mlflow: Any, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """Two files of data; a run that says it read the first, with a model, and one that says nothing."""
    pointer = "outs: [{{md5: {0}, hash: md5, path: {1}.csv}}]\n"
    commit(repo, {"data/a.csv.dvc": pointer.format(A, "a"), "data/b.csv.dvc": pointer.format(B, "b")})
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"git-mlops://{repo.root}")
    with mlflow.start_run(run_name="said") as run:
        mlflow.log_input(dataset(mlflow, f"{repo.root}/data/a.csv"), context="training")
        mlflow.log_text("model", "model/model.pkl")
        client = mlflow.MlflowClient()
        client.create_registered_model("m")
        client.create_model_version("m", f"runs:/{run.info.run_id}/model", run.info.run_id)
    with mlflow.start_run(run_name="silent"):
        mlflow.log_metric("loss", 0.5)
    return repo


def dataset(mlflow: Any, path: str) -> Any:
    from mlflow.data.dataset_source_registry import resolve_dataset_source
    from mlflow.data.meta_dataset import MetaDataset

    return MetaDataset(resolve_dataset_source(path), name="a")


def ways(mlops: Run, repo: Repo, name: str) -> dict[str, str]:
    """Path of data → what it has to do with an experiment."""
    said = json.loads(mlops("lineage", name, "--up", "--json", cwd=repo.root).stdout)["data"]
    labels = {node["id"]: node["label"] for node in said["nodes"] if node["kind"] == "object"}
    return {labels[one["source"]]: one["how"] for one in said["edges"] if one["source"] in labels}


@pytest.mark.filterwarnings(
    "ignore:The specified dataset source can be interpreted"
)  # MLflow, of one of its own
def test_lineage_says_what_was_read_and_what_was_in_the_tree(trained: Repo, mlops: Run) -> None:
    assert record(trained, "said")["read"] == {"paths": ["data/a.csv"], "whole": True}
    assert "read" not in record(trained, "silent")
    assert registry.resolve(trained, "m").facts["read"] == {"paths": ["data/a.csv"], "whole": True}
    assert ways(mlops, trained, "said") == {"data/a.csv": "read", "data/b.csv": "was in the tree"}
    assert ways(mlops, trained, "silent") == {"data/a.csv": "may have read", "data/b.csv": "may have read"}


@pytest.mark.filterwarnings("ignore:The specified dataset source can be interpreted")  # as above
def test_a_taint_reaches_who_may_have_read_and_not_who_said_what_it_read(trained: Repo, mlops: Run) -> None:
    done = json.loads(mlops("taint", "data/b.csv", "-m", "wrong", "--json", cwd=trained.root).stdout)["data"]
    shown = mlops("lineage", "m", cwd=trained.root).stdout.splitlines()
    promoted = json.loads(mlops("model", "promote", "m", "prod", "--json", cwd=trained.root).stdout)["data"]
    mlops("taint", "data/a.csv", "-m", "wrong, too", cwd=trained.root)
    refused = mlops("model", "promote", "m", "staging", cwd=trained.root, status=1)
    assert [node["label"] for node in done["reached"]] == ["silent"]
    assert [node["label"] for node in done["beside"]] == ["m@v0.1.0", "said"]
    assert shown[0] == "model m@v0.1.0 [tainted data was in its tree]"
    assert "its run said what it read, and not the tainted `data/b.csv` of its tree" in json.dumps(promoted)
    assert "it came from `data/a.csv`: wrong, too" in refused.stderr


@pytest.mark.filterwarnings("ignore:The specified dataset source can be interpreted")  # as above
def test_a_dataset_that_is_logged_later_counts(trained: Repo, mlflow: Any) -> None:
    from tests.tracking.test_store import settle

    client = mlflow.MlflowClient()
    run_id = record(trained, "silent")["mlflow"]["run_id"]
    from mlflow.entities import DatasetInput

    one = dataset(mlflow, f"{trained.root}/data/b.csv")._to_mlflow_entity()
    client.log_inputs(run_id, [DatasetInput(one, [])])
    settle(trained)
    assert record(trained, "silent")["read"] == {"paths": ["data/b.csv"], "whole": True}


@pytest.mark.filterwarnings("ignore:The specified dataset source can be interpreted")  # as above
def test_a_version_says_it_where_its_experiment_is_not(trained: Repo, mlops: Run) -> None:
    for ref in trained.text("for-each-ref", "--format=%(refname)", "refs/exps").splitlines():
        trained.git("update-ref", "-d", ref)
    found = ways(mlops, trained, "m")
    assert (found["data/a.csv"], found["data/b.csv"]) == ("read", "was in the tree")


@pytest.mark.slow
def test_a_command_may_have_read_more_than_mlflow_was_told(repo: Repo, mlops: Run) -> None:
    commit(
        repo,
        {
            "data/a.csv.dvc": f"outs: [{{md5: {A}, hash: md5, path: a.csv}}]\n",
            "data/b.csv.dvc": f"outs: [{{md5: {B}, hash: md5, path: b.csv}}]\n",
            "train.py": "import mlflow\n"
            "from mlflow.data.dataset_source_registry import resolve_dataset_source\n"
            "from mlflow.data.meta_dataset import MetaDataset\n"
            "mlflow.log_input(MetaDataset(resolve_dataset_source('data/a.csv'), name='a'))\n",
        },
    )
    mlops("exp", "run", "-n", "cmd", "--", "python", "train.py", cwd=repo.root)
    assert record(repo, "cmd")["read"] == {"paths": ["data/a.csv"], "whole": False}
    assert ways(mlops, repo, "cmd") == {"data/a.csv": "read", "data/b.csv": "may have read"}
