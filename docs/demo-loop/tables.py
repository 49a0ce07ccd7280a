"""Real patients, in the order in which they come: `python docs/demo-loop/tables.py FOLDER`.

The 442 patients with diabetes that scikit-learn carries (Efron, Hastie, Johnstone and Tibshirani, Least Angle
Regression, 2004). They, their measures, and how far the disease had progressed a year later are real, and
nothing is changed or made up. Who comes first is staged: a practice for people under 50 trains a model, then
older ones come.
"""

import sys
from pathlib import Path

import pandas as pd
from sklearn.datasets import load_diabetes

AGE = 50
FIRST, OLDER = 130, 140
NAMES = {
    "bp": "blood_pressure",
    "s1": "cholesterol",
    "s2": "ldl",
    "s3": "hdl",
    "s4": "ratio",
    "s5": "triglycerides",
    "s6": "glucose",
}


def tables() -> dict[str, pd.DataFrame]:
    """By the name of their file."""
    source = load_diabetes(as_frame=True, scaled=False)
    whole = source.data.rename(columns=NAMES)
    whole["progression"] = source.target
    whole.insert(0, "patient", range(1, len(whole) + 1))
    young, old = whole[whole["age"] < AGE], whole[whole["age"] >= AGE]
    first, older = young.iloc[:FIRST], old.iloc[:OLDER]
    newest = pd.concat([young.iloc[FIRST:], old.iloc[OLDER:]]).sort_values("patient")
    labels = older[["progression"]].assign(request="visit-" + older["patient"].astype(str))
    return {
        "first": first,
        "older": older.drop(columns="progression"),
        "older-a-year-later": labels[["request", "progression"]],
        "first-and-older": pd.concat([first, older]).sort_values("patient"),
        "newest": newest.drop(columns="progression"),
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    for name, table in tables().items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
        print(f"{name}.csv: {len(table)} patients")
