"""Metrics beside those of scikit-learn."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn import metrics

from git_mlops.errors import MlopsError
from git_mlops.monitor import joined, quality, watch, worse
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
    [
        ({"truth": [1]}, "has no column `id`"),
        ({"ID": [1], "a": [1]}, "has no column `id`"),
        ({"id": [1], "a": [1], "b": [1]}, "which column is the label"),
    ],
)
def test_columns_that_are_not_there_are_named(
    tmp_path: Path, columns: dict[str, list[int]], said: str
) -> None:
    current = pl.DataFrame({"id": [1], "prediction": [1]}).lazy()
    with pytest.raises(MlopsError, match=said):
        joined.measure(current, _asked(tmp_path, pl.DataFrame(columns)), ["prediction"])


def test_a_metric_is_worse_only_beyond_chance_and_what_is_allowed() -> None:
    found = quality.Quality(500, 500, {"accuracy": (0.85, 0.016), "rmse": (3.0, 0.1)})
    assert worse.judge(found, {"m.json:accuracy": 0.9, "rmse": 2.9, "other": 1.0}, Settings()) == []
    judged = worse.judge(found, {"m.json:acc": 0.95, "rmse": 2.0, "accuracy": True}, Settings())
    assert [one.data["metric"] for one in judged] == ["accuracy", "rmse"]
    few = worse.judge(found._replace(rows=3), {"acc": 0.95}, Settings())
    assert [(one.rule, one.level) for one in few] == [("quality", "unknown")]


def _probable(rows: int, seed: int, off: float = 0.0) -> pl.DataFrame:
    """A probability, and what came true; `off` is how much too sure it was."""
    random = np.random.default_rng(seed)
    true = random.uniform(0.05, 0.95, size=rows)
    said = np.clip(true + off * np.sign(true - 0.5), 0.01, 0.99)
    truth = (random.random(rows) < true).astype(np.int64)
    return pl.DataFrame({"id": range(rows), "prediction": said, "truth": truth})


def _judged(folder: Path, table: pl.DataFrame, recorded: dict[str, float]) -> list[tuple[str, str]]:
    asked = _asked(folder, table.select("id", "truth"))
    found = joined.measure(table.drop("truth").lazy(), asked, ["prediction"])
    return [(one.rule, one.level) for one in worse.judge(found, recorded, Settings())]


def test_probabilities_that_do_not_come_true_are_found_and_right_ones_are_not(tmp_path: Path) -> None:
    right, sure = _probable(2000, 1), _probable(2000, 1, off=0.15)
    assert _judged(tmp_path, right, {"ece": 0.0}) == []
    assert _judged(tmp_path, sure, {}) == [("calibration", "warning")]
    assert _judged(tmp_path, sure, {"m.json:ece": 0.02}) == [("calibration", "error")]
    assert _judged(tmp_path, sure, {"ece": 0.4}) == []


def test_few_labels_do_not_say_that_probabilities_are_wrong(tmp_path: Path) -> None:
    alarms = [_judged(tmp_path, _probable(60, seed), {}) for seed in range(20)]
    assert sum(map(bool, alarms)) <= 1


def test_a_slice_is_held_against_what_is_recorded_of_it_or_against_the_other_rows(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    city = random.choice(["Ghent", "Namur", "Mons"], size=900)
    wrong = (random.random(900) < np.where(city == "Namur", 0.4, 0.1)).astype(np.int64)
    truth = random.integers(0, 2, size=900)
    table = pl.DataFrame({"id": range(900), "city": city, "prediction": truth ^ wrong})
    asked = _asked(tmp_path, pl.DataFrame({"id": range(900), "truth": truth}))
    found = joined.measure(table.lazy(), asked, ["prediction"], ["city", "nothing"])
    assert {part.value for part in found.slices} == {"Ghent", "Namur", "Mons"}
    (part,) = [one for one in worse.judge(found, {}, Settings()) if one.level == "warning"]
    assert part.data["slice"] == {"city": "Namur"}
    named = {"slices.Namur.accuracy": 0.9, "m.json:slices.city=Ghent.accuracy": 0.9}
    (error,) = worse.judge(found, named, Settings())
    assert (error.level, error.data["slice"], error.data["recorded"]) == ("error", {"city": "Namur"}, 0.9)
    assert worse.judge(found, {"slices.Namur.accuracy": 0.6}, Settings()) == []
