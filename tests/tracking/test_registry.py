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
    assert (one.run_id, one.tags) == (run.info.run_id, {"mlops.version": "v0.1.0", "seen": "yes"})
    assert (found.name, found.description, found.aliases) == ("churn", "who leaves", {"prod": "2"})
    assert "v0.1.1" in shown
    client.delete_model_version("churn", "1")
    assert [v.version for v in client.search_model_versions("name = 'churn'")] == ["2"]


def test_the_registrys_errors_keep_mlflows_words(repo: Repo, mlflow: Any, tmp_path: Path) -> None:
    client = mlflow.MlflowClient(f"git-mlops://{repo.root}", f"git-mlops://{repo.root}")
    client.create_registered_model("known", tags={"a": "b"})
    calls = {
        "Registered Model (name=known) already exists": lambda: client.create_registered_model("known"),
        "Registered Model with name=nope not found": lambda: client.get_registered_model("nope"),
        "Model Version (name=known, version=1) not found": lambda: client.get_model_version("known", "1"),
        "Registered model alias x not found": lambda: client.get_model_version_by_alias("known", "x"),
        "cannot be the name": lambda: client.create_registered_model("a.b"),
    }
    for text, call in calls.items():
        with pytest.raises(mlflow.exceptions.MlflowException) as caught:
            call()  # type: ignore[no-untyped-call]
        assert text in str(caught.value)
    assert client.get_registered_model("known").tags == {"a": "b"}
    client.delete_registered_model("known")
    assert list(client.search_registered_models()) == []
