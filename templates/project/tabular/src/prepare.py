"""Split the patients into train and test, stratified by diagnosis."""

from pathlib import Path

import pandas as pd
import yaml
from sklearn.model_selection import train_test_split

FOLDER = Path("data/prepared")


def split(patients: pd.DataFrame, *, test_share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Disjoint train and test parts; the same seed gives the same parts."""
    train, test = train_test_split(
        patients, test_size=test_share, random_state=seed, stratify=patients["diagnosis"]
    )
    return train.sort_values("patient"), test.sort_values("patient")


if __name__ == "__main__":
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))["prepare"]
    FOLDER.mkdir(parents=True, exist_ok=True)
    parts = split(pd.read_csv("data/patients.csv"), **params)
    for name, part in zip(("train", "test"), parts, strict=True):
        part.to_csv(FOLDER / f"{name}.csv", index=False, lineterminator="\n")
        print(f"{name}: {len(part)} patients")
