"""The data: its schema holds and refuses what is wrong, and the split is honest."""

from pathlib import Path

import pandas as pd
import pandera.pandas as pa
import pytest
from features import label
from pandera.errors import SchemaErrors

SCHEMA = pa.DataFrameSchema.from_yaml(Path(__file__).parent.parent / "schemas" / "patients.yaml")
Parts = tuple[pd.DataFrame, pd.DataFrame]


def test_the_patients_satisfy_their_schema(table: pd.DataFrame) -> None:
    SCHEMA.validate(table, lazy=True)


@pytest.mark.parametrize(
    ("column", "value"),
    [("mean_radius", -1.0), ("worst_area", None), ("diagnosis", "unclear"), ("patient", 1)],
)
def test_the_schema_refuses_a_wrong_value(table: pd.DataFrame, column: str, value: object) -> None:
    wrong = table.astype({column: object})
    wrong.loc[wrong.index[7], column] = value
    with pytest.raises(SchemaErrors):
        SCHEMA.validate(wrong.infer_objects(), lazy=True)


def test_no_patient_is_in_both_parts(table: pd.DataFrame, parts: Parts) -> None:
    train, test = (set(part["patient"]) for part in parts)
    assert (train & test, train | test) == (set(), set(table["patient"]))


def test_both_parts_have_the_same_share_of_malignant_cases(parts: Parts) -> None:
    train, test = (label(part).mean() for part in parts)
    assert abs(train - test) < 0.02
