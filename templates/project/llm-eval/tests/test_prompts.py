"""The prompts: the one in use is there, and nothing but prompt, text and question is sent."""

import pandas as pd
import pytest
from project import params
from prompt import instructions, messages, names


def test_the_prompt_in_use_is_there() -> None:
    assert params("answer")["prompt"] in names()


@pytest.mark.parametrize("name", names())
def test_a_prompt_is_short_text_with_no_gap_to_fill(name: str) -> None:
    text = instructions(name)
    assert 0 < len(text) < 2000
    assert [mark for mark in ("{", "}", "TODO") if mark in text] == []


@pytest.mark.parametrize("name", ["nothing", "../params", ""])
def test_another_file_is_no_prompt(name: str) -> None:
    with pytest.raises(ValueError, match="no prompt"):
        instructions(name)


def test_what_is_expected_is_never_sent(table: pd.DataFrame) -> None:
    row = table.iloc[0]
    sent = messages("careful", row["text"], row["question"])
    assert [message["role"] for message in sent] == ["system", "user"]
    assert sent[1]["content"] == f"Text: {row['text']}\n\nQuestion: {row['question']}"
