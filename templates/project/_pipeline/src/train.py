"""Train on data/prepared/train.csv with the parameters of params.yaml; write models/model.joblib."""

import joblib
import pandas as pd
from model import fit
from project import TOP, params

PATH = TOP / "models" / "model.joblib"

if __name__ == "__main__":
    train = pd.read_csv(TOP / "data" / "prepared" / "train.csv")
    model = fit(train, **params("train"))
    PATH.parent.mkdir(exist_ok=True)
    joblib.dump(model, PATH)
    print(f"trained on {len(train)} rows")
