"""How good a model is, over all and by slice."""

import pandas as pd
from features import LABEL
from model import predict
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import Pipeline

Measured = tuple[dict[str, float], dict[str, dict[str, float]]]
SHORT = 100
"""Characters."""


def measured(model: Pipeline, table: pd.DataFrame) -> Measured:
    """Metrics of all texts, of each package, of short and of long ones."""
    short = table["text"].str.len() < SHORT
    slices = dict(iter(table.groupby(LABEL))) | {"short": table[short], "long": table[~short]}
    return metrics(model, table), {name: metrics(model, part) for name, part in slices.items()}


def metrics(model: Pipeline, table: pd.DataFrame) -> dict[str, float]:
    """Of these texts."""
    found = predict(model, table)
    return {
        "accuracy": accuracy_score(table[LABEL], found),
        "f1": f1_score(table[LABEL], found, average="weighted"),
    }
