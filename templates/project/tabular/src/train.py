"""Train on data/prepared/train.csv with the parameters of params.yaml; write models/model.joblib."""

from pathlib import Path

import joblib
import pandas as pd
import yaml
from model import fit

PATH = Path("models/model.joblib")

if __name__ == "__main__":
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))["train"]
    forest = fit(pd.read_csv("data/prepared/train.csv"), **params)
    PATH.parent.mkdir(exist_ok=True)
    joblib.dump(forest, PATH)
    print(f"trained {len(forest.estimators_)} trees")
