"""What is trained on and what is measured on."""

import pandas as pd
from features import KEY, LABEL
from sklearn.model_selection import train_test_split


def split(table: pd.DataFrame, *, test_share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Disjoint train and test parts with equal shares of the digits; the same for the same seed."""
    train, test = train_test_split(table, test_size=test_share, random_state=seed, stratify=table[LABEL])
    return train.sort_values(KEY), test.sort_values(KEY)
