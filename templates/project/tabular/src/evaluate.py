"""Measure models/model.joblib on data/prepared/test.csv; write metrics.json."""

import json
from collections.abc import Sequence
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from features import label
from model import risk
from sklearn.metrics import accuracy_score, log_loss, recall_score, roc_auc_score


def metrics(truth: Sequence[int], risks: Sequence[float]) -> dict[str, float]:
    """Rounded, so that two machines agree; `recall` is the share of malignant cases that are found."""
    found = np.asarray(risks) >= 0.5
    return {
        "accuracy": round(float(accuracy_score(truth, found)), 6),
        "log_loss": round(float(log_loss(truth, risks, labels=[0, 1])), 6),
        "recall": round(float(recall_score(truth, found)), 6),
        "roc_auc": round(float(roc_auc_score(truth, risks)), 6),
    }


if __name__ == "__main__":
    patients = pd.read_csv("data/prepared/test.csv")
    measured = metrics(label(patients), risk(joblib.load("models/model.joblib"), patients))
    Path("metrics.json").write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    print(", ".join(f"{name} {value}" for name, value in measured.items()))
