"""Measure a model on the patients that trained none. Writes metrics.json."""

import argparse
import json
from pathlib import Path

import joblib
import pandas as pd
from patients import LABEL, MEASURES, PATH, held_back
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

parser = argparse.ArgumentParser()
parser.add_argument("--model", default="model.joblib")

table = pd.read_csv(PATH)
test = table[held_back(table)]
said = joblib.load(parser.parse_args().model).predict(test[MEASURES])
metrics = {
    "mae": round(mean_absolute_error(test[LABEL], said), 3),
    "rmse": round(root_mean_squared_error(test[LABEL], said), 3),
}
Path("metrics.json").write_text(json.dumps(metrics) + "\n", encoding="utf-8")
print(f"{len(test)} patients: mean absolute error {metrics['mae']}")
