"""How good a model is, over all and by slice. `git mlops retrain` calls it with `--model FILE`."""

import argparse

import joblib
import make_data
import pandas as pd
from features import LABEL
from model import predict
from project import TOP, params, write_metrics
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import Pipeline
from split import split

Measured = tuple[dict[str, float], dict[str, dict[str, float]]]


def measured(model: Pipeline, table: pd.DataFrame) -> Measured:
    """Metrics of all flowers, and of each species."""
    species = {name: metrics(model, part) for name, part in table.groupby(LABEL)}
    return metrics(model, table), species


def metrics(model: Pipeline, table: pd.DataFrame) -> dict[str, float]:
    """Of these flowers."""
    found = predict(model, table)
    return {
        "accuracy": accuracy_score(table[LABEL], found),
        "f1": f1_score(table[LABEL], found, average="weighted"),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    model = joblib.load(parser.parse_args().model)
    write_metrics(*measured(model, split(pd.read_csv(TOP / make_data.PATH), **params("prepare"))[1]))
