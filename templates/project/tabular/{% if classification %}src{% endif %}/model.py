"""The model: a random forest that gives the same answer for the same data, parameters and seed."""

import numpy as np
import pandas as pd
from features import features, label
from sklearn.ensemble import RandomForestClassifier


def fit(table: pd.DataFrame, *, trees: int, depth: int, min_leaf: int, seed: int) -> RandomForestClassifier:
    """A forest trained on patients with a diagnosis."""
    forest = RandomForestClassifier(
        n_estimators=trees, max_depth=depth, min_samples_leaf=min_leaf, random_state=seed, n_jobs=1
    )
    return forest.fit(features(table), label(table))


def predict(model: RandomForestClassifier, table: pd.DataFrame) -> np.ndarray:
    """The probability of malignancy, per patient."""
    return model.predict_proba(features(table))[:, 1]
