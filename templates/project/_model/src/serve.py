"""Answer with a trained model: `python src/serve.py < rows.jsonl`, a prediction for each row of JSON.

What is served goes through the same `features.py` and `model.py` as what was trained. `--log FILE` keeps
what was asked and answered, for `git mlops monitor`.
"""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

import joblib
import pandas as pd
from model import predict
from train import PATH
from watched import watched


def answers(model: Any, lines: Iterable[str], log: TextIO | None = None) -> Iterator[str]:
    """One line of JSON for each row."""
    for line in lines:
        row = json.loads(line)
        (value,) = predict(model, pd.DataFrame([row]))
        answer = {"prediction": value.item() if hasattr(value, "item") else value}
        if log is not None:
            print(json.dumps({**watched(row), **answer}), file=log, flush=True)
        yield json.dumps(answer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", help="a file that is added to")
    name = parser.parse_args().log
    with open(name, "a", encoding="utf-8") if name else contextlib.nullcontext() as log:
        for answer in answers(joblib.load(PATH), sys.stdin, log):
            print(answer)
