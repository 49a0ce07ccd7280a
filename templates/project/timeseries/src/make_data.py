"""Make data/months.csv, once, from src/co2.txt: carbon dioxide over Mauna Loa, month by month.

Replace this file and the series by your own data; then let `git mlops schema infer` draft the schema.
"""

from pathlib import Path

import pandas as pd
from project import TOP

PATH = Path("data/months.csv")
SOURCE = TOP / "src" / "co2.txt"


def table() -> pd.DataFrame:
    """One row per month that has measurements, with `month` as key; `co2` in parts per million."""
    return pd.read_csv(SOURCE, sep=" ", comment="#", names=["month", "co2", "weeks"])


if __name__ == "__main__":
    (TOP / PATH).parent.mkdir(exist_ok=True)
    table().to_csv(TOP / PATH, index=False, lineterminator="\n")
    print(f"wrote {PATH}")
