"""The model: the same answer for the same data, parameters and seed."""

import numpy as np
import pandas as pd
from features import LABEL, features
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def fit(table: pd.DataFrame, *, strength: float, seed: int) -> Pipeline:
    """A model trained on flowers with a species; the smaller `strength`, the simpler it is."""
    regression = LogisticRegression(C=strength, max_iter=1000, random_state=seed)
    return make_pipeline(StandardScaler(), regression).fit(features(table), table[LABEL])


def predict(model: Pipeline, table: pd.DataFrame) -> np.ndarray:
    """The species, per flower."""
    return model.predict(features(table))


def probability(model: Pipeline, table: pd.DataFrame, species: str) -> np.ndarray:
    """How sure the model is of that species, per flower."""
    return model.predict_proba(features(table))[:, list(model.classes_).index(species)]
