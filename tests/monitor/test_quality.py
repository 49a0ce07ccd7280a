"""Metrics beside those of scikit-learn."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn import metrics

from git_mlops.errors import MlopsError
from git_mlops.monitor import joined, quality, watch
from git_mlops.monitor.joined import Asked
from git_mlops.monitor.settings import Settings

RANDOM = np.random.default_rng(0)


def test_metrics_of_numbers_are_those_of_scikit_learn() -> None:
    truth = RANDOM.normal(size=200)
    said = truth + RANDOM.normal(size=200)
    found = quality.regression(truth, said)
    assert found["mse"][0] == pytest.approx(metrics.mean_squared_error(truth, said))
    assert found["mae"][0] == pytest.approx(metrics.mean_absolute_error(truth, said))
    assert found["r2"][0] == pytest.approx(metrics.r2_score(truth, said))


def test_metrics_of_classes_are_those_of_scikit_learn() -> None:
    truth, said = (np.array(RANDOM.choice(["a", "b", "c"], size=300), dtype=object) for _side in range(2))
    found = quality.classification(truth, said)
    assert found["accuracy"][0] == pytest.approx(metrics.accuracy_score(truth, said))
    assert found["f1_macro"][0] == pytest.approx(metrics.f1_score(truth, said, average="macro"))
    assert found["balanced_accuracy"][0] == pytest.approx(metrics.balanced_accuracy_score(truth, said))


def test_metrics_of_probabilities_are_those_of_scikit_learn() -> None:
    said = RANDOM.random(400).round(2)
    truth = (RANDOM.random(400) < said).astype(float)
    found, bins = quality.probability(truth, said)
    assert found["log_loss"][0] == pytest.approx(metrics.log_loss(truth, np.clip(said, 1e-15, 1 - 1e-15)))
    assert found["brier"][0] == pytest.approx(metrics.brier_score_loss(truth, said))
    assert found["roc_auc"][0] == pytest.approx(metrics.roc_auc_score(truth, said))
    assert sum(rows for _told, _came, rows in bins) == 400
    assert found["ece"][0] < 0.1


def _asked(folder: Path, labels: pl.DataFrame, **more: str) -> Asked:
    labels.write_csv(folder / "labels.csv")
    return Asked(watch.side(folder / "labels.csv"), ("id",), **more)


@pytest.mark.parametrize(
    ("said", "truth", "metric"),
    [
        ([0.1, 0.9, 0.8, 0.3], [0, 1, 1, 0], "roc_auc"),
        ([0, 1, 1, 0], [0, 1, 1, 1], "accuracy"),
        (["x", "y", "x", "x"], ["x", "y", "y", "x"], "accuracy"),
        ([1.5, 2.5, 3.0, 9.9], [1.0, 2.0, 3.5, 9.0], "rmse"),
    ],
)
def test_what_is_measured_follows_from_the_columns(
    tmp_path: Path, said: list[object], truth: list[object], metric: str
) -> None:
    current = pl.DataFrame({"id": [1, 2, 3, 4], "prediction": said}).lazy()
    labels = pl.DataFrame({"id": [4, 3, 2, 1, 7], "truth": [*truth[::-1], truth[0]]})
    found = joined.measure(current, _asked(tmp_path, labels), ["prediction"])
    assert (found.rows, found.labels, metric in found.metrics) == (4, 5, True)


def test_a_probability_of_a_named_class_is_one(tmp_path: Path) -> None:
    current = pl.DataFrame({"id": range(4), "p": [0.9, 0.2, 0.7, 0.1]}).lazy()
    labels = pl.DataFrame({"id": range(4), "truth": ["yes", "no", "yes", "no"]})
    found = joined.measure(current, _asked(tmp_path, labels, positive="yes", prediction="p"), [])
    assert found.metrics["roc_auc"][0] == 1.0


@pytest.mark.parametrize(
    ("columns", "said"),
    [({"truth": [1]}, "has no column `id`"), ({"id": [1], "a": [1], "b": [1]}, "which column is the label")],
)
def test_columns_that_are_not_there_are_named(
    tmp_path: Path, columns: dict[str, list[int]], said: str
) -> None:
    current = pl.DataFrame({"id": [1], "prediction": [1]}).lazy()
    with pytest.raises(MlopsError, match=said):
        joined.measure(current, _asked(tmp_path, pl.DataFrame(columns)), ["prediction"])


def test_a_metric_is_worse_only_beyond_chance_and_what_is_allowed() -> None:
    found = quality.Quality(500, 500, {"accuracy": (0.85, 0.016), "rmse": (3.0, 0.1)})
    assert joined.judge(found, {"m.json:accuracy": 0.9, "rmse": 2.9, "other": 1.0}, Settings()) == []
    worse = joined.judge(found, {"m.json:acc": 0.95, "rmse": 2.0, "accuracy": True}, Settings())
    assert [one.data["metric"] for one in worse] == ["accuracy", "rmse"]
    few = joined.judge(found._replace(rows=3), {"acc": 0.95}, Settings())
    assert [(one.rule, one.level) for one in few] == [("quality", "unknown")]
