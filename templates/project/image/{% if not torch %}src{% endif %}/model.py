"""The model: a network of scikit-learn that gives the same answer for the same data, parameters and seed."""

import numpy as np
import pandas as pd
from features import LABEL, features
from sklearn.neural_network import MLPClassifier

Model = MLPClassifier


def fit(table: pd.DataFrame, *, width: int, rounds: int, seed: int) -> Model:
    """A network trained on pictures whose digit is known."""
    network = MLPClassifier((width,), random_state=seed)
    pictures, digits = _flat(features(table)), table[LABEL].to_numpy()
    for _ in range(rounds):
        network.partial_fit(pictures, digits, classes=range(10))
    return network


def predict(model: Model, table: pd.DataFrame) -> np.ndarray:
    """The digit, per picture."""
    return np.argmax(probabilities(model, table), axis=1)


def probabilities(model: Model, table: pd.DataFrame) -> np.ndarray:
    """How sure the model is of each digit, per picture."""
    return model.predict_proba(_flat(features(table)))


def _flat(pictures: np.ndarray) -> np.ndarray:
    return pictures.reshape(len(pictures), -1)
