"""From texts to what the model sees. Used by training, evaluation and serving alike."""

import pandas as pd

LABEL = "package"
KEY = "name"


def features(table: pd.DataFrame) -> pd.Series:
    """The text alone, one per row and in the same order: no capitals, numbers as `0`, single spaces."""
    texts = table["text"].str.lower().str.replace(r"\d+", "0", regex=True)
    return texts.str.replace(r"\s+", " ", regex=True).str.strip()
