"""Answer with a trained model: `python src/serve.py < rows.jsonl`, a prediction for each row of JSON.

What is served goes through the same `features.py` and `model.py` as what was trained.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import joblib
import pandas as pd
from model import predict
from train import PATH


def answers(model: Any, lines: Iterable[str]) -> Iterator[str]:
    """One line of JSON for each row."""
    for line in lines:
        (value,) = predict(model, pd.DataFrame([json.loads(line)]))
        yield json.dumps({"prediction": value.item() if hasattr(value, "item") else value})


if __name__ == "__main__":
    for answer in answers(joblib.load(PATH), sys.stdin):
        print(answer)
