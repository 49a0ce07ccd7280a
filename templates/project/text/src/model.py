"""The model: the same answer for the same data, parameters and seed."""

import numpy as np
import pandas as pd
from features import LABEL, features
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline


def fit(table: pd.DataFrame, *, ngrams: int, min_texts: int, strength: float, seed: int) -> Pipeline:
    """A model trained on texts whose package is known; words of fewer than `min_texts` texts are left out."""
    words = TfidfVectorizer(ngram_range=(1, ngrams), min_df=min_texts, sublinear_tf=True)
    regression = LogisticRegression(C=strength, max_iter=1000, class_weight="balanced", random_state=seed)
    return make_pipeline(words, regression).fit(features(table), table[LABEL])


def predict(model: Pipeline, table: pd.DataFrame) -> np.ndarray:
    """The package, per text."""
    return model.predict(features(table))


def probability(model: Pipeline, table: pd.DataFrame, package: str) -> np.ndarray:
    """How sure the model is of that package, per text."""
    return model.predict_proba(features(table))[:, list(model.classes_).index(package)]
