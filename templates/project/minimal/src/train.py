"""Split data/irises.csv, train, measure; write models/model.joblib and metrics.json."""

import joblib
import make_data
import pandas as pd
from measure import measured
from model import fit
from project import TOP, params, write_metrics
from split import split

PATH = TOP / "models" / "model.joblib"

if __name__ == "__main__":
    train, test = split(pd.read_csv(TOP / make_data.PATH), **params("prepare"))
    model = fit(train, **params("train"))
    PATH.parent.mkdir(exist_ok=True)
    joblib.dump(model, PATH)
    write_metrics(*measured(model, test))
