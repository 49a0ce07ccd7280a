"""From windows to what the model sees. Used by training, evaluation and serving alike."""

import numpy as np
import pandas as pd

LABEL = "co2"
KEY = "month"


def features(table: pd.DataFrame) -> pd.DataFrame:
    """One row per window, in the same order: differences and the season, never the level."""
    angle = 2 * np.pi * table[KEY].str[-2:].astype(int) / 12
    return pd.DataFrame(
        {
            "last_change": table["lag_1"] - table["lag_2"],
            "change_before": table["lag_2"] - table["lag_3"],
            "last_year_change": table["lag_12"] - table["lag_13"],
            "year": table["lag_1"] - table["lag_13"],
            "season_sin": np.sin(angle),
            "season_cos": np.cos(angle),
        }
    )


def change(table: pd.DataFrame) -> pd.Series:
    """What is learnt: how much more there is than the month before."""
    return table[LABEL] - table["lag_1"]
