"""The model: a random forest that gives the same answer for the same data, parameters and seed."""

from collections.abc import Sequence

import pandas as pd
from features import features, label
from sklearn.ensemble import RandomForestClassifier


def fit(
    patients: pd.DataFrame, *, trees: int, depth: int, min_leaf: int, seed: int
) -> RandomForestClassifier:
    """A forest trained on patients with a diagnosis."""
    forest = RandomForestClassifier(
        n_estimators=trees, max_depth=depth, min_samples_leaf=min_leaf, random_state=seed, n_jobs=1
    )
    return forest.fit(features(patients), label(patients))


def risk(model: RandomForestClassifier, patients: pd.DataFrame) -> Sequence[float]:
    """The probability of malignancy, per patient."""
    return model.predict_proba(features(patients))[:, 1]
