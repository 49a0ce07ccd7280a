"""How good a model is, over all and by slice."""

import numpy as np
import pandas as pd
from features import label
from model import predict
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import mean_absolute_error, r2_score

Measured = tuple[dict[str, float], dict[str, dict[str, float]]]
HEAVY = 26.0
"""Body mass index: half of the patients are above."""


def measured(model: RandomForestRegressor, table: pd.DataFrame) -> Measured:
    """Metrics of all patients, by sex and by body mass."""
    heavy = table["body_mass"] > HEAVY
    slices = {f"sex_{sex}": part for sex, part in table.groupby("sex")} | {
        "light": table[~heavy],
        "heavy": table[heavy],
    }
    return metrics(model, table), {name: metrics(model, part) for name, part in slices.items()}


def metrics(model: RandomForestRegressor, table: pd.DataFrame) -> dict[str, float]:
    """Of these patients, in the unit of the label; `worst_error` is what nine of ten stay below."""
    truth, expected = label(table), predict(model, table)
    return {
        "mean_error": mean_absolute_error(truth, expected),
        "worst_error": np.quantile(np.abs(truth - expected), 0.9),
        "r2": r2_score(truth, expected),
    }
