"""How good a model is, over all and by slice."""

import numpy as np
import pandas as pd
from features import label
from model import predict
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, log_loss, recall_score, roc_auc_score

Measured = tuple[dict[str, float], dict[str, dict[str, float]]]
LARGE = 550.0
"""Mean area of nuclei: half of the patients are above."""


def measured(model: RandomForestClassifier, table: pd.DataFrame) -> Measured:
    """Metrics of all patients, and two of them of those with small and with large nuclei."""
    large = table["mean_area"] > LARGE
    slices = {"small": table[~large], "large": table[large]}
    return metrics(model, table), {name: _shares(metrics(model, part)) for name, part in slices.items()}


def _shares(values: dict[str, float]) -> dict[str, float]:
    return {name: values[name] for name in ("accuracy", "recall")}


def metrics(model: RandomForestClassifier, table: pd.DataFrame) -> dict[str, float]:
    """Of these patients; `recall` is the share of malignant cases that are found."""
    truth, risk = label(table), predict(model, table)
    found = np.asarray(risk) >= 0.5
    return {
        "accuracy": accuracy_score(truth, found),
        "log_loss": log_loss(truth, risk, labels=[0, 1]),
        "recall": recall_score(truth, found),
        "roc_auc": roc_auc_score(truth, risk),
    }
