"""Measure a model on data/prepared/test.csv, over all and by slice; write metrics.json.

The model is models/model.joblib, or, for `git mlops retrain`, that of `--model FILE`.
"""

import argparse

import joblib
import pandas as pd
from measure import measured
from project import TOP, write_metrics
from train import PATH

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default=PATH)
    model = joblib.load(parser.parse_args().model)
    write_metrics(*measured(model, pd.read_csv(TOP / "data" / "prepared" / "test.csv")))
