"""Split the data into train and test: data/prepared/."""

import make_data
import pandas as pd
from project import TOP, params
from split import split

FOLDER = TOP / "data" / "prepared"

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    parts = split(pd.read_csv(TOP / make_data.PATH), **params("prepare"))
    for name, part in zip(("train", "test"), parts, strict=True):
        part.to_csv(FOLDER / f"{name}.csv", index=False, lineterminator="\n")
        print(f"{name}: {len(part)} rows")
