"""Make data/patients.csv, once: the diabetes data that scikit-learn carries.

442 real patients (Efron, Hastie, Johnstone and Tibshirani, Least Angle Regression, 2004): ten measures at the
baseline, and how far the disease had progressed a year later.
Replace this file and the table by your own data; then let `git mlops schema infer` draft the schema.
"""

from pathlib import Path

import pandas as pd
from project import TOP
from sklearn.datasets import load_diabetes

PATH = Path("data/patients.csv")
NAMES = {
    "bmi": "body_mass",
    "bp": "blood_pressure",
    "s1": "cholesterol",
    "s2": "ldl",
    "s3": "hdl",
    "s4": "cholesterol_ratio",
    "s5": "triglycerides_log",
    "s6": "glucose",
}


def table() -> pd.DataFrame:
    """One row per patient, with `patient` as key and `progression` as label."""
    source = load_diabetes(as_frame=True, scaled=False)
    measures = source.data.rename(columns=NAMES)
    measures["sex"] = measures["sex"].map({1.0: "a", 2.0: "b"})  # the source does not say which is which
    patient = pd.Series(range(1, len(measures) + 1), index=measures.index, name="patient")
    return pd.concat([patient, measures, source.target.rename("progression")], axis=1)


if __name__ == "__main__":
    (TOP / PATH).parent.mkdir(exist_ok=True)
    table().to_csv(TOP / PATH, index=False, lineterminator="\n")
    print(f"wrote {PATH}")
