"""How good a model is, over all and by season."""

import numpy as np
import pandas as pd
from features import KEY, LABEL
from model import guess, predict
from sklearn.ensemble import GradientBoostingRegressor

Measured = tuple[dict[str, float], dict[str, dict[str, float]]]
SEASONS = {"winter": (12, 1, 2), "spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11)}


def measured(model: GradientBoostingRegressor, table: pd.DataFrame) -> Measured:
    """Metrics of all months, and of each season."""
    month = table[KEY].str[-2:].astype(int)
    slices = {name: metrics(model, table[month.isin(months)]) for name, months in SEASONS.items()}
    return metrics(model, table), slices


def metrics(model: GradientBoostingRegressor, table: pd.DataFrame) -> dict[str, float]:
    """Of these months, in ppm; `worst_error` is what nine of ten stay below."""
    error = np.abs(predict(model, table) - table[LABEL])
    guessed = np.abs(guess(table) - table[LABEL])
    return {
        "mean_error": error.mean(),
        "worst_error": np.quantile(error, 0.9),
        "skill": 1 - error.mean() / guessed.mean(),
    }
