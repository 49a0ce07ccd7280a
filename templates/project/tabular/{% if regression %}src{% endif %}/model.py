"""The model: a random forest that gives the same answer for the same data, parameters and seed."""

import numpy as np
import pandas as pd
from features import features, label
from sklearn.ensemble import RandomForestRegressor


def fit(table: pd.DataFrame, *, trees: int, depth: int, min_leaf: int, seed: int) -> RandomForestRegressor:
    """A forest trained on patients whose progression is known."""
    forest = RandomForestRegressor(
        n_estimators=trees, max_depth=depth, min_samples_leaf=min_leaf, random_state=seed, n_jobs=1
    )
    return forest.fit(features(table), label(table))


def predict(model: RandomForestRegressor, table: pd.DataFrame) -> np.ndarray:
    """The expected progression, per patient."""
    return model.predict(features(table))
