"""From flowers to what the model sees. Used by training, evaluation and serving alike."""

import pandas as pd

LABEL = "species"
KEY = "flower"
MEASURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def features(table: pd.DataFrame) -> pd.DataFrame:
    """One row per flower, in the same order; neither key nor label is in it."""
    return table[MEASURES].assign(
        sepal_shape=table["sepal_length"] / table["sepal_width"],
    )
