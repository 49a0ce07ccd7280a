"""Measure models/model.joblib on data/prepared/test.csv, over all and by slice; write metrics.json."""

import joblib
import pandas as pd
from measure import measured
from project import TOP, write_metrics
from train import PATH

if __name__ == "__main__":
    write_metrics(*measured(joblib.load(PATH), pd.read_csv(TOP / "data" / "prepared" / "test.csv")))
