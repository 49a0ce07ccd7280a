"""The data: its schema holds, no text gives its package away, and the split is honest."""

from pathlib import Path

import make_data
import pandas as pd
import pandera.pandas as pa
import pytest
from pandera.errors import SchemaErrors

SCHEMA = pa.DataFrameSchema.from_yaml(Path(__file__).parent.parent / "schemas" / "texts.yaml")
Parts = tuple[pd.DataFrame, pd.DataFrame]


def test_the_texts_satisfy_their_schema(table: pd.DataFrame) -> None:
    SCHEMA.validate(table, lazy=True)


@pytest.mark.parametrize(
    ("column", "value"),
    [("text", "too short"), ("text", None), ("package", "os"), ("name", "no name"), ("text", "x" * 2001)],
)
def test_the_schema_refuses_a_wrong_value(table: pd.DataFrame, column: str, value: object) -> None:
    wrong = table.astype({column: object})
    wrong.loc[wrong.index[7], column] = value
    with pytest.raises(SchemaErrors):
        SCHEMA.validate(wrong.infer_objects(), lazy=True)


def test_no_text_names_its_package(table: pd.DataFrame) -> None:
    assert [text for text in table["text"] if make_data.NAMES.search(text)] == []


def test_no_text_is_in_both_parts(table: pd.DataFrame, parts: Parts) -> None:
    train, test = (set(part["text"]) for part in parts)
    assert (train & test, train | test) == (set(), set(table["text"]))
