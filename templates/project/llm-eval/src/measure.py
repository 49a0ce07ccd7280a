"""What answers are worth, over all and by kind of question."""

import pandas as pd
from make_data import UNKNOWN

Measured = tuple[dict[str, float], dict[str, dict[str, float]]]


def measured(questions: pd.DataFrame, answers: pd.DataFrame) -> Measured:
    """Metrics of all questions, and of each kind."""
    rows = questions.merge(answers, on="id", how="left", validate="one_to_one").fillna({"answer": ""})
    return metrics(rows), {kind: metrics(part) for kind, part in rows.groupby("kind")}


def metrics(rows: pd.DataFrame) -> dict[str, float]:
    """Of these answers; `invented` is the share of those without an answer in the text that got one."""
    right = [_right(row.answer, row.expected) for row in rows.itertuples()]
    found = {
        "right": sum(right) / len(rows),
        "words": rows["answer"].str.split().str.len().mean(),
    }
    without = rows["expected"] == UNKNOWN
    if without.any():
        found["invented"] = (rows.loc[without, "answer"].map(_plain) != UNKNOWN).mean()
    return found


def _right(answer: str, expected: str) -> bool:
    """Whether it has what is expected, as words; who says "unknown" says nothing else."""
    said, wanted = _plain(answer), _plain(expected)
    return said == wanted if wanted == UNKNOWN else f" {wanted} " in f" {said} "


def _plain(text: str) -> str:
    letters = "".join(letter if letter.isalnum() else " " for letter in text.casefold())
    return " ".join(letters.split())
