"""Ask every question of data/questions.jsonl; write data/answers.jsonl."""

import make_data
import pandas as pd
from client import ask, endpoint
from project import TOP, params

PATH = TOP / "data" / "answers.jsonl"


def answers(questions: pd.DataFrame, address: str, **how: object) -> pd.DataFrame:
    """One row per question, in the same order; an empty answer is written as `-`."""
    asked = zip(questions["text"], questions["question"], strict=True)
    texts = [ask(address, text, question, **how) or "-" for text, question in asked]
    return pd.DataFrame({"id": questions["id"].to_numpy(), "answer": texts})


if __name__ == "__main__":
    how = params("answer")
    with endpoint(how.pop("endpoint")) as address:
        given = answers(make_data.read(TOP / make_data.PATH), address, **how)
    make_data.write(given, PATH)
    print(f"{len(given)} answers")
