"""The data: its schema holds and refuses what is wrong, every picture is there, the split is honest."""

from pathlib import Path

import features
import pandas as pd
import pandera.pandas as pa
import pytest
from pandera.errors import SchemaErrors

SCHEMA = pa.DataFrameSchema.from_yaml(Path(__file__).parent.parent / "schemas" / "labels.yaml")
Parts = tuple[pd.DataFrame, pd.DataFrame]


def test_the_labels_satisfy_their_schema(table: pd.DataFrame) -> None:
    SCHEMA.validate(table, lazy=True)


@pytest.mark.parametrize(
    ("column", "value"), [("digit", 10), ("ink", None), ("file", "../0001.png"), ("file", "0001.png")]
)
def test_the_schema_refuses_a_wrong_value(table: pd.DataFrame, column: str, value: object) -> None:
    wrong = table.astype({column: object})
    wrong.loc[wrong.index[7], column] = value
    with pytest.raises(SchemaErrors):
        SCHEMA.validate(wrong.infer_objects(), lazy=True)


def test_every_picture_has_a_label_and_every_label_a_picture(table: pd.DataFrame) -> None:
    assert sorted(path.name for path in features.folder.iterdir()) == sorted(table["file"])


def test_no_picture_is_in_both_parts(table: pd.DataFrame, parts: Parts) -> None:
    train, test = (set(part["file"]) for part in parts)
    assert (train & test, train | test) == (set(), set(table["file"]))
