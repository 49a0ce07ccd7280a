"""Make data/patients.csv, once: the Wisconsin diagnostic breast cancer data that scikit-learn carries.

569 real patients (Wolberg, Street and Mangasarian, UCI 1995): 30 measures of cell nuclei and the diagnosis.
Replace this file and the table by your own data; then let `git mlops schema infer` draft the schema.
"""

from pathlib import Path

import pandas as pd
from project import TOP
from sklearn.datasets import load_breast_cancer

PATH = Path("data/patients.csv")


def table() -> pd.DataFrame:
    """One row per patient, with `patient` as key and `diagnosis` as label."""
    source = load_breast_cancer(as_frame=True)
    measures = source.data.rename(columns=lambda name: name.replace(" ", "_"))
    diagnosis = source.target.map(dict(enumerate(source.target_names))).rename("diagnosis")
    patient = pd.RangeIndex(1, len(measures) + 1).to_series(index=measures.index, name="patient")
    return pd.concat([patient, measures, diagnosis], axis=1)


if __name__ == "__main__":
    (TOP / PATH).parent.mkdir(exist_ok=True)
    table().to_csv(TOP / PATH, index=False, lineterminator="\n")
    print(f"wrote {PATH}")
