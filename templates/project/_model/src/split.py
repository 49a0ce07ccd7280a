"""What is trained on and what is measured on."""

import pandas as pd
from features import KEY


def split(table: pd.DataFrame, *, test_share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Disjoint train and test parts, by a hash of the key; another seed gives others.

    A row stays in its part when others come: on new data, too, the model that serves is measured on rows that
    it was not trained on.
    """
    keys = table[KEY].astype(str).to_numpy(dtype=object)
    tested = pd.util.hash_array(keys, hash_key=f"{seed:016}") / 2**64 < test_share
    return table[~tested].sort_values(KEY), table[tested].sort_values(KEY)
