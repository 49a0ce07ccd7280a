"""From patients to what the model sees. Used by training, evaluation and serving alike."""

import pandas as pd

LABEL = "progression"
KEY = "patient"


def features(table: pd.DataFrame) -> pd.DataFrame:
    """One row per patient, in the same order; neither key nor label is in it."""
    measures = table.drop(columns=[KEY, LABEL], errors="ignore")
    return measures.assign(
        sex=(measures["sex"] == "b").astype(int),
        ldl_hdl_ratio=measures["ldl"] / measures["hdl"],
    )


def label(table: pd.DataFrame) -> pd.Series:
    """How far the disease had progressed after a year."""
    return table[LABEL]
