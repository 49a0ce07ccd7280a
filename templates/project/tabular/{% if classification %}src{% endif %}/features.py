"""From patients to what the model sees. Used by training, evaluation and serving alike."""

import pandas as pd

LABEL = "diagnosis"
KEY = "patient"


def features(table: pd.DataFrame) -> pd.DataFrame:
    """One row per patient, in the same order; neither key nor label is in it."""
    measures = table.drop(columns=[KEY, LABEL], errors="ignore")
    return measures.assign(
        # how far the worst nuclei stand out from the patient's mean
        radius_spread=measures["worst_radius"] / measures["mean_radius"],
        texture_spread=measures["worst_texture"] / measures["mean_texture"],
    )


def label(table: pd.DataFrame) -> pd.Series:
    """1 for malignant, 0 for benign."""
    return (table[LABEL] == "malignant").astype(int)
