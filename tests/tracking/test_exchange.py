"""Runs to another MLflow and from it, with all they have; and what `doctor` says."""

import json
from pathlib import Path
from typing import Any

import pytest

from git_mlops.git.repo import Repo, discover
from tests.conftest import Run
from tests.tracking.conftest import Client
from tests.tracking.test_store import record, settle, trained


@pytest.mark.slow
def test_a_run_goes_out_and_comes_back_whole(
    repo: Repo, client: Client, mlops: Run, run: Run, tmp_path: Path
) -> None:
    one = client(repo)
    group = one.create_experiment("iris")
    run_id = trained(one, "first", group)
    one.log_text(run_id, "hello", "notes/a.txt")
    settle(repo)
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    first = mlops("mlflow", "export", "--to", uri, "--json", cwd=repo.root)
    again = mlops("mlflow", "export", "--to", uri, "--json", cwd=repo.root)
    run("git", "clone", "-q", repo.root, tmp_path / "clone", cwd=tmp_path)
    brought = mlops("mlflow", "import", "iris", "--from", uri, "--json", cwd=tmp_path / "clone")
    twice = mlops("mlflow", "import", "--from", uri, "--json", cwd=tmp_path / "clone")
    back = mlops("mlflow", "import", "--from", uri, "--json", cwd=repo.root)
    there = discover(tmp_path / "clone")
    (found,) = client(there).search_runs([client(there).get_experiment_by_name("iris").experiment_id])
    history = client(there).get_metric_history(found.info.run_id, "loss")
    data = [json.loads(done.stdout)["data"] for done in (first, again, brought, twice, back)]
    assert [(one["sent"], one["known"]) for one in data[:2]] == [(["first"], []), ([], ["first"])]
    assert [(one["new"], one["known"]) for one in data[2:]] == [
        (["first"], []),
        ([], ["first"]),
        ([], ["first"]),
    ]
    assert [(m.step, m.timestamp, m.value) for m in history] == [
        (0, 2000, 1.0),
        (1, 2001, 0.5),
        (2, 2002, 1 / 3),
    ]
    assert (found.data.params, found.data.tags["who"]) == ({"lr": "0.10", "depth": "3"}, "Ada")
    assert found.data.tags["mlops.run_id"] == run_id
    assert (found.info.status, found.info.start_time, found.info.end_time) == ("FINISHED", 1000, 5000)
    assert [file.path for file in client(there).list_artifacts(found.info.run_id, "notes")] == ["notes/a.txt"]
    assert record(there, "first")["status"] == "finished"


@pytest.mark.slow
def test_more_than_a_request_holds_arrives_whole(
    repo: Repo, client: Client, mlops: Run, run: Run, tmp_path: Path
) -> None:
    from mlflow.entities import Metric, Param

    one = client(repo)
    run_id = one.create_run("0", run_name="many").info.run_id
    params = {f"p{number}": str(number) for number in range(250)}
    for at in range(0, 250, 100):
        one.log_batch(run_id, params=[Param(*pair) for pair in [*params.items()][at : at + 100]])
    for at in range(0, 2000, 1000):
        one.log_batch(run_id, metrics=[Metric("loss", n / 4, 1000 + n, n) for n in range(at, at + 1000)])
    one.set_terminated(run_id)
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    mlops("mlflow", "export", "many", "--to", uri, "--experiment", "there", cwd=repo.root)
    run("git", "clone", "-q", repo.root, tmp_path / "clone", cwd=tmp_path)
    mlops("mlflow", "import", "there", "--from", uri, cwd=tmp_path / "clone")
    there = client(discover(tmp_path / "clone"))
    (found,) = there.search_runs([there.get_experiment_by_name("there").experiment_id])
    history = there.get_metric_history(found.info.run_id, "loss")
    assert found.data.params == params
    assert sorted(m.step for m in history) == [*range(2000)]


@pytest.mark.slow
def test_registered_models_go_out_and_come_in(
    repo: Repo, client: Client, mlops: Run, run: Run, tmp_path: Path
) -> None:
    one = client(repo)
    run_id = one.create_run("0", run_name="first").info.run_id
    one.log_text(run_id, "the model", "model/model.txt")
    one.set_terminated(run_id)
    settle(repo)
    one.create_registered_model("churn", {"team": "risk"}, "ours")
    one.create_model_version("churn", f"runs:/{run_id}/model", run_id, {"k": "v"}, description="the first")
    one.create_model_version("churn", f"runs:/{run_id}/model", run_id)
    one.set_registered_model_alias("churn", "prod", "2")
    (repo.root / "m.joblib").write_text("in git")
    run("git", "add", "m.joblib", cwd=repo.root)
    run("git", "commit", "-q", "-m", "a model", cwd=repo.root)
    mlops("model", "register", "plain", "--path", "m.joblib", cwd=repo.root)
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    words = ["--models", "--json"]
    out = [mlops("mlflow", "export", "--to", uri, *words, cwd=tmp_path / repo.root) for _ in range(2)]
    back = mlops("mlflow", "import", "--from", uri, *words, cwd=repo.root)
    other = tmp_path / "other"
    run("git", "init", "-q", other, cwd=tmp_path)
    run("git", "commit", "-q", "--allow-empty", "-m", "first", cwd=other)
    (other / "mlops.yaml").write_text("version: 1\nmodels: {stages: {staging: {}}}\n")
    brought = [mlops("mlflow", "import", "--from", uri, *words, cwd=other) for _ in range(2)]
    said = [json.loads(done.stdout)["data"]["models"] for done in (*out, back, *brought)]
    both = ["churn@v0.1.0", "churn@v0.1.1", "plain@v0.1.0"]
    found = client(discover(other))
    version = found.get_model_version("churn", "1")
    place = found.get_model_version_download_uri("churn", "1")
    plain = found.get_model_version_download_uri("plain", "1")
    from mlflow.artifacts import download_artifacts

    assert [(one["new"], one["known"]) for one in said] == [
        (both, []), ([], both), ([], both), (both, []), ([], both),
    ]  # fmt: skip
    assert "has no stage `prod`" in said[3]["refused"][0]
    assert (version.description, version.tags["k"]) == ("the first", "v")
    assert found.get_registered_model("churn").tags == {"team": "risk"}
    texts = [
        Path(download_artifacts(artifact_uri=file, tracking_uri=f"git-mlops://{other}")).read_text()
        for file in (f"{place}/model.txt", f"{plain}/m.joblib")
    ]
    assert texts == ["the model", "in git"]


@pytest.mark.slow
def test_doctor_says_whether_mlflow_finds_us(repo: Repo, mlops: Run) -> None:
    good = json.loads(mlops("doctor", "--json", cwd=repo.root).stdout)["data"]
    assert [(one["rule"], one["level"]) for one in good] == [
        ("mlflow-plugin", "note"),
        ("mlflow-runs", "warning"),
        ("mlflow-runs", "note"),
    ]


def test_doctor_says_what_is_not_installed(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    from git_mlops.tracking import doctor

    monkeypatch.setitem(doctor.GROUPS, "mlflow.tracking_store", "not-there")
    found: list[Any] = list(doctor.examine(repo))
    assert [(one.rule, one.level) for one in found] == [("mlflow-plugin", "error")]


def test_mlflows_server_is_told_to_hand_files_on(repo: Repo) -> None:
    from git_mlops.tracking import server

    words = server.command(repo, "127.0.0.1", 5000, ("--workers", "1"))
    assert words[2:8] == ["mlflow", "server", "--backend-store-uri", f"git-mlops://{_quoted(repo)}",
                          "--artifacts-destination", "git-mlops-artifacts:/"]  # fmt: skip
    assert words[-4:] == ["--port", "5000", "--workers", "1"]


def _quoted(repo: Repo) -> str:
    from urllib.parse import quote

    return quote(str(repo.root))
