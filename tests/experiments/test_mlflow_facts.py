"""Facts of MLflow for people, from records of any kind; runs of MLflow: tests/tracking/test_shown.py."""

from git_mlops.experiments import mlflow_facts
from git_mlops.experiments.mlflow_facts import Artifacts, Told
from git_mlops.experiments.reads import Read


def test_what_is_not_as_expected_is_left_out() -> None:
    odd = {
        "tags": ["a"],
        "datasets": [1, {"name": "x", "source": "[[["}],
        "models": "m",
        "model_inputs": None,
    }
    assert mlflow_facts.facts(Told(odd)) == [("datasets", "x")]
    assert mlflow_facts.plain(Told({})) == {"mlflow": None, "read": None, "artifacts": None}


def test_many_values_are_counted_and_models_say_how_they_are() -> None:
    tags = {f"t{n}": "v" for n in range(10)}
    models = [
        {"name": "clf", "model_id": "m-1", "status": "READY"},
        {"name": "bad", "model_id": "m-2", "status": "FAILED"},
    ]
    found = mlflow_facts.facts(
        Told({"tags": {**tags, "mlflow.user": "ada", "mlops.ref": "x"}, "models": models})
    )
    assert found == [
        ("tags", ", ".join(f"t{n}=v" for n in range(8)) + ", and 2 more"),
        ("models", "clf (m-1), bad (m-2, FAILED)"),
    ]


def test_data_that_was_read_is_told_from_what_may_have_been() -> None:
    said = [mlflow_facts.facts(Told({}, read=Read(("a", "b"), whole))) for whole in (True, False)]
    assert said == [[("data it read", "a, b")], [("data it read", "a, b, and perhaps more")]]


def test_artifacts_that_are_not_here_are_counted() -> None:
    (said,) = mlflow_facts.facts(Told({}, artifacts=Artifacts(3, 5 * 2**20, ())))
    assert said == ("artifacts", "3 files, 5.0 MiB (not on this machine: `git mlops exp pull`)")
