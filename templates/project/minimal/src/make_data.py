"""Make data/irises.csv, once: the irises that scikit-learn carries (Anderson 1935, Fisher 1936)."""

from pathlib import Path

import pandas as pd
from project import TOP
from sklearn.datasets import load_iris

PATH = Path("data/irises.csv")


def table() -> pd.DataFrame:
    """One row per flower, with `flower` as key and `species` as label; lengths in cm."""
    source = load_iris(as_frame=True)
    measures = source.data.rename(columns=lambda name: name.removesuffix(" (cm)").replace(" ", "_"))
    species = source.target.map(dict(enumerate(source.target_names))).rename("species")
    flower = pd.Series(range(1, len(measures) + 1), index=measures.index, name="flower")
    return pd.concat([flower, measures, species], axis=1)


if __name__ == "__main__":
    (TOP / PATH).parent.mkdir(exist_ok=True)
    table().to_csv(TOP / PATH, index=False, lineterminator="\n")
    print(f"wrote {PATH}")
