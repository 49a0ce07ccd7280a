"""The evaluation set: its schema holds and refuses what is wrong, and every answer can be found."""

from pathlib import Path

import make_data
import pandas as pd
import pandera.pandas as pa
import pytest
from pandera.errors import SchemaErrors

FOLDER = Path(__file__).parent.parent / "schemas"
SCHEMA = pa.DataFrameSchema.from_yaml(FOLDER / "questions.yaml")


def test_the_questions_satisfy_their_schema(table: pd.DataFrame) -> None:
    SCHEMA.validate(table, lazy=True)


def test_the_answers_satisfy_their_schema(given: pd.DataFrame) -> None:
    pa.DataFrameSchema.from_yaml(FOLDER / "answers.yaml").validate(given, lazy=True)


@pytest.mark.parametrize(
    ("column", "value"), [("kind", "riddle"), ("question", "No question."), ("expected", None), ("id", 1)]
)
def test_the_schema_refuses_a_wrong_value(table: pd.DataFrame, column: str, value: object) -> None:
    wrong = table.astype({column: object})
    wrong.loc[wrong.index[7], column] = value
    with pytest.raises(SchemaErrors):
        SCHEMA.validate(wrong.infer_objects(), lazy=True)


def test_what_is_expected_is_in_the_text_unless_there_is_no_answer(table: pd.DataFrame) -> None:
    has = [row.expected in row.text for row in table.itertuples()]
    assert has == list(table["kind"] != "unanswerable")


def test_no_question_is_asked_twice(table: pd.DataFrame) -> None:
    assert not table.duplicated(["text", "question"]).any()


def test_what_is_written_is_read_the_same(table: pd.DataFrame, tmp_path: Path) -> None:
    make_data.write(table, tmp_path / "q.jsonl")
    pd.testing.assert_frame_equal(make_data.read(tmp_path / "q.jsonl"), table)
