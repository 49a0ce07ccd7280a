"""What is trained on and what is measured on."""

import pandas as pd
from features import KEY
from sklearn.model_selection import train_test_split


def split(table: pd.DataFrame, *, test_share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Disjoint train and test parts; the same seed gives the same parts."""
    train, test = train_test_split(table, test_size=test_share, random_state=seed)
    return train.sort_values(KEY), test.sort_values(KEY)
