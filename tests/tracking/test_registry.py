"""MLflow's model registry on git's tags."""

from pathlib import Path
from typing import Any

import pytest

from git_mlops.git.repo import Repo
from tests.conftest import Run
from tests.tracking.test_store import forget


@pytest.fixture
def fitted() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression().fit([[0.0], [1.0]], [0, 1])


@pytest.mark.slow
def test_a_model_is_registered_promoted_and_loaded(
    dvc_repo: Repo, mlflow: Any, fitted: Any, mlops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(dvc_repo.root)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "git-mlops:")
    client = mlflow.MlflowClient()
    with mlflow.start_run(run_name="fit") as run:
        mlflow.sklearn.log_model(fitted, name="clf", pip_requirements=[], registered_model_name="churn")
    second = mlflow.register_model(f"runs:/{run.info.run_id}/clf", "churn")
    client.set_registered_model_alias("churn", "prod", second.version)
    client.set_model_version_tag("churn", "1", "seen", "yes")
    client.update_registered_model("churn", "who leaves")
    forget()
    one = client.get_model_version("churn", "1")
    loaded = mlflow.sklearn.load_model("models:/churn@prod")
    by_number = mlflow.pyfunc.load_model("models:/churn/1")
    (found,) = mlflow.MlflowClient().search_registered_models()
    tags = dvc_repo.text("tag", "--list").splitlines()
    shown = mlops("model", "list", cwd=dvc_repo.root).stdout
    assert tags == ["churn#prod#1", "churn@v0.1.0", "churn@v0.1.1"]
    assert (loaded.predict([[1.0]]).tolist(), by_number.predict([[1.0]]).tolist()) == ([1], [1])
    assert (one.run_id, one.tags, one.status_message) == (run.info.run_id, {"seen": "yes"}, "v0.1.0")
    assert (found.name, found.description, found.aliases) == ("churn", "who leaves", {"prod": 2})
    assert "v0.1.1" in shown
    client.delete_model_version("churn", "1")
    assert [v.version for v in client.search_model_versions("name = 'churn'")] == [2]


def test_the_registrys_errors_keep_mlflows_words(repo: Repo, mlflow: Any, tmp_path: Path) -> None:
    client = mlflow.MlflowClient(f"git-mlops://{repo.root}", f"git-mlops://{repo.root}")
    client.create_registered_model("known", tags={"a": "b"})
    calls = {
        "Registered Model (name=known) already exists": lambda: client.create_registered_model("known"),
        "Registered Model with name=nope not found": lambda: client.get_registered_model("nope"),
        "Model Version (name=known, version=1) not found": lambda: client.get_model_version("known", "1"),
        "Registered model alias x not found": lambda: client.get_model_version_by_alias("known", "x"),
        "must be an integer, got 'x y'": lambda: client.get_model_version("known", "x y"),
        "must not resolve to other names": lambda: client.create_registered_model("../b"),
        "'latest' alias name": lambda: client.set_registered_model_alias("known", "Latest", "1"),
    }
    for text, call in calls.items():
        with pytest.raises(mlflow.exceptions.MlflowException) as caught:
            call()  # type: ignore[no-untyped-call]
        assert text in str(caught.value)
    assert client.get_registered_model("known").tags == {"a": "b"}
    client.delete_registered_model("known")
    assert list(client.search_registered_models()) == []


@pytest.fixture
def registry(repo: Repo, mlflow: Any) -> Any:
    return mlflow.MlflowClient(f"git-mlops://{repo.root}", f"git-mlops://{repo.root}")


def _tags(repo: Repo) -> list[str]:
    return repo.text("tag", "--list").splitlines()


def test_a_model_from_elsewhere_has_a_commit_that_says_where_it_is(repo: Repo, registry: Any) -> None:
    registry.create_registered_model("churn")
    made = registry.create_model_version("churn", "s3://models/churn", "run_1", tags={"a": "b"})
    assert (made.source, made.run_id, made.tags) == ("s3://models/churn", "run_1", {"a": "b"})
    assert registry.get_model_version_download_uri("churn", "1") == "s3://models/churn"
    assert repo.text("ls-tree", "-r", "--name-only", "churn@v0.1.0^{commit}") == ".mlops/elsewhere.json"
    assert repo.text("rev-list", "--count", "churn@v0.1.0") == "1"


def test_a_name_that_no_tag_can_have_gets_one(repo: Repo, registry: Any) -> None:
    registry.create_registered_model("who leaves?")
    registry.create_model_version("who leaves?", "s3://models/churn")
    registry.set_registered_model_alias("who leaves?", "prod", "1")
    (found,) = registry.search_registered_models("name LIKE 'who%'")
    assert (found.name, found.aliases) == ("who leaves?", {"prod": 1})
    assert _tags(repo) == ["who-leaves#prod#1", "who-leaves@v0.1.0"]
    assert registry.get_model_version_by_alias("who leaves?", "prod").name == "who leaves?"


def test_a_renamed_model_keeps_its_tags_and_leaves_its_name_to_others(
    repo: Repo, registry: Any, mlflow: Any
) -> None:
    registry.create_registered_model("old", tags={"a": "b"})
    registry.create_model_version("old", "s3://one")
    registry.rename_registered_model("old", "new")
    renamed = registry.get_registered_model("new")
    assert (renamed.name, renamed.tags, renamed.latest_versions[0].source) == ("new", {"a": "b"}, "s3://one")
    with pytest.raises(mlflow.exceptions.MlflowException, match="name=old not found"):
        registry.get_registered_model("old")
    registry.create_registered_model("old")
    registry.create_model_version("old", "s3://two")
    assert [one.source for one in registry.search_model_versions("name = 'new'")] == ["s3://one"]
    assert [one.source for one in registry.search_model_versions("name = 'old'")] == ["s3://two"]
    assert _tags(repo) == ["old-2@v0.1.0", "old@v0.1.0"]


def test_a_model_that_was_deleted_begins_anew(repo: Repo, registry: Any) -> None:
    registry.create_registered_model("churn")
    registry.create_model_version("churn", "s3://one")
    registry.set_registered_model_alias("churn", "prod", "1")
    registry.delete_registered_model("churn")
    assert list(registry.search_model_versions()) == []
    found = registry.create_registered_model("churn")
    assert (found.aliases, found.latest_versions) == ({}, [])
    assert registry.create_model_version("churn", "s3://two").version == 1
    assert [one.source for one in registry.search_model_versions()] == ["s3://two"]
    assert "churn@v0.1.1" in _tags(repo)


@pytest.mark.filterwarnings("ignore:.*is deprecated since:FutureWarning")  # MLflow's own stages are
def test_mlflows_own_stages_are_there_unless_rules_are(repo: Repo, registry: Any, mlflow: Any) -> None:
    registry.create_registered_model("churn")
    for number in range(3):
        registry.create_model_version("churn", f"s3://{number}")
    registry.transition_model_version_stage("churn", "1", "Production")
    registry.transition_model_version_stage("churn", "2", "production", archive_existing_versions=True)
    stages = {one.version: one.current_stage for one in registry.search_model_versions()}
    assert stages == {1: "Archived", 2: "Production", 3: "None"}
    assert [one.version for one in registry.get_latest_versions("churn", ["Production"])] == [2]
    (repo.root / "mlops.yaml").write_text("version: 1\nmodels: {stages: {prod: {approvals: 1}}}\n")
    forget()
    client = mlflow.MlflowClient(f"git-mlops://{repo.root}", f"git-mlops://{repo.root}")
    with pytest.raises(mlflow.exceptions.MlflowException, match=r"rules in mlops\.yaml"):
        client.transition_model_version_stage("churn", "3", "Production")


def test_an_alias_goes_with_its_version(repo: Repo, registry: Any) -> None:
    registry.create_registered_model("churn")
    for number in ("1", "2"):
        registry.create_model_version("churn", f"s3://{number}")
        registry.set_registered_model_alias("churn", "prod", number)
    registry.delete_model_version("churn", "2")
    assert registry.get_registered_model("churn").aliases == {}


def test_prompts_are_no_models(repo: Repo, registry: Any) -> None:
    registry.create_registered_model("churn")
    registry.register_prompt("ask", "Who {{what}}?")
    assert [one.name for one in registry.search_registered_models()] == ["churn"]
    assert [one.name for one in registry.search_prompts()] == ["ask"]
    assert registry.load_prompt("prompts:/ask/1").template == "Who {{what}}?"
    assert list(registry.search_model_versions()) == []
