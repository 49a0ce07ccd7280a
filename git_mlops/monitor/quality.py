"""How good predictions were, once their labels are known: metrics, calibration. Pure, on NumPy."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from git_mlops.monitor import chances

Floats = NDArray[np.float64]
_CALIBRATION = 10
_BIN = 5
"""Rows of a cell whose share says something."""


class Measure(NamedTuple):
    """One metric with what chance makes of it."""

    value: float
    error: float
    """Standard error; 0 where it is not known."""


class Quality(NamedTuple):
    """Predictions beside labels."""

    rows: int
    """That have both."""
    labels: int
    """That were given."""
    metrics: dict[str, tuple[float, float]]
    """Name → value and standard error."""
    bins: tuple[tuple[float, float, int], ...] = ()
    """Of a probability: what was said on average, what came true, rows."""
    slices: tuple["Sliced", ...] = ()


class Sliced(NamedTuple):
    """The quality of a part of the rows, and of the others."""

    column: str
    value: str
    rows: int
    metrics: dict[str, tuple[float, float]]
    others: dict[str, tuple[float, float]]


def miscalibrated(bins: tuple[tuple[float, float, int], ...]) -> float:
    """Logarithm of the chance that probabilities which are right look so wrong (Hosmer and Lemeshow)."""
    used = [one for one in bins if one[2] >= _BIN]
    off = sum(n * (told - came) ** 2 / max(told * (1 - told), 1e-9) for told, came, n in used)
    return float(chances.log_chi2(np.array([off]), max(len(used), 1))[0])


def regression(truth: Floats, said: Floats) -> dict[str, tuple[float, float]]:
    """Of numbers."""
    off = said - truth
    n = max(len(off), 1)
    squares = off**2
    mse, mae = float(squares.mean()), float(np.abs(off).mean())
    spread = float(((truth - truth.mean()) ** 2).mean())
    rmse = math.sqrt(mse)
    found = {
        "rmse": (rmse, float(squares.std() / math.sqrt(n)) / (2 * rmse) if rmse else 0.0),
        "mse": (mse, float(squares.std() / math.sqrt(n))),
        "mae": (mae, float(np.abs(off).std() / math.sqrt(n))),
    }
    if spread:
        error = float(squares.std() / math.sqrt(n)) / spread
        found["r2"] = (1 - mse / spread, error)
    return found


def classification(truth: NDArray[np.object_], said: NDArray[np.object_]) -> dict[str, tuple[float, float]]:
    """Of classes: text against text."""
    n = max(len(truth), 1)
    right = (truth == said).astype(np.float64)
    accuracy = float(right.mean())
    found = {"accuracy": (accuracy, math.sqrt(max(accuracy * (1 - accuracy), 0) / n))}
    scores = []
    recalls = []
    for label in sorted({*truth.tolist()}):
        hit = float(((truth == label) & (said == label)).sum())
        there, told = float((truth == label).sum()), float((said == label).sum())
        scores.append(2 * hit / (there + told) if there + told else 0.0)
        recalls.append(hit / there)
    found["f1_macro"] = (float(np.mean(scores)), found["accuracy"][1])
    found["balanced_accuracy"] = (float(np.mean(recalls)), found["accuracy"][1])
    return found


def probability(
    truth: Floats, said: Floats
) -> tuple[dict[str, tuple[float, float]], tuple[tuple[float, float, int], ...]]:
    """Of a probability of the positive class, `truth` 0 or 1: metrics and calibration."""
    n = max(len(truth), 1)
    clipped = np.clip(said, 1e-15, 1 - 1e-15)
    losses = -(truth * np.log(clipped) + (1 - truth) * np.log(1 - clipped))
    brier = (said - truth) ** 2
    found = {
        "log_loss": (float(losses.mean()), float(losses.std() / math.sqrt(n))),
        "brier": (float(brier.mean()), float(brier.std() / math.sqrt(n))),
    }
    if (auc := _auc(truth, said)) is not None:
        found["roc_auc"] = auc
    bins, off = [], 0.0
    place = np.minimum((said * _CALIBRATION).astype(np.int64), _CALIBRATION - 1)
    for number in range(_CALIBRATION):
        inside = place == number
        if inside.any():
            told, came = float(said[inside].mean()), float(truth[inside].mean())
            bins.append((told, came, int(inside.sum())))
            off += abs(told - came) * inside.sum() / n
    found["ece"] = (float(off), 0.0)
    return found, tuple(bins)


def _auc(truth: Floats, said: Floats) -> tuple[float, float] | None:
    """The area under the ROC curve, and its error by Hanley and McNeil."""
    positive, negative = said[truth == 1], said[truth == 0]
    if not len(positive) or not len(negative):
        return None
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left") + np.searchsorted(ordered, positive, "right")
    area = float(below.mean() / (2 * len(negative)))
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    p, n = len(positive), len(negative)
    spread = (area * (1 - area) + (p - 1) * (q1 - area**2) + (n - 1) * (q2 - area**2)) / (p * n)
    return area, math.sqrt(max(spread, 0.0))
