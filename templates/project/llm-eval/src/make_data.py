"""Make data/questions.jsonl, once: six texts with five questions each, written for this template (CC0-1.0).

Replace this file and the questions by your own; then let `git mlops schema infer` draft the schema.
"""

import json
from pathlib import Path

import pandas as pd
from project import TOP

PATH = Path("data/questions.jsonl")
UNKNOWN = "unknown"

# a text, then its questions: kind, question, what a right answer contains
SETS: list[tuple[str, list[tuple[str, str, str]]]] = [
    (
        "The lighthouse of Almar stands on a rock in the north of the bay. It was built of grey "
        "granite in 1871 by the engineer Ida Voss. Its lamp is seen from 34 kilometres away. "
        "Since 1986 no keeper lives in the tower. Visitors climb 212 steps to the gallery.",
        [
            ("fact", "Of what was the lighthouse built?", "granite"),
            ("fact", "Which engineer built the lighthouse?", "Ida Voss"),
            ("number", "How many steps do visitors climb?", "212"),
            ("number", "From how many kilometres away is the lamp seen?", "34"),
            ("unanswerable", "Who paints the doors every spring?", UNKNOWN),
        ],
    ),
    (
        "The market of Tolm opens every Thursday at six in the morning. Farmers of the valley "
        "sell cheese, honey and wool. A stall costs 18 crowns a day. The oldest stall belongs to "
        "the Renn family. In winter the market moves into the old tram depot.",
        [
            ("fact", "Where does the market move in winter?", "tram depot"),
            ("fact", "To whom does the oldest stall belong?", "Renn"),
            ("number", "What does a stall cost?", "18"),
            ("fact", "What do farmers of the valley sell?", "honey"),
            ("unanswerable", "Which river floods the cellars?", UNKNOWN),
        ],
    ),
    (
        "The pump of the greenhouse starts when the soil is drier than 20 percent. It draws rain "
        "water from a tank under the floor. The tank holds 4000 litres. A valve closes the pipe "
        "when frost is forecast. The gardener gets a message when the filter is blocked.",
        [
            ("number", "How many litres does the tank hold?", "4000"),
            ("fact", "What closes the pipe when frost is forecast?", "valve"),
            ("fact", "Who gets a message when the filter is blocked?", "gardener"),
            ("number", "When the soil is drier than how much does the pump start?", "20 percent"),
            ("unanswerable", "Which colour have the orchids?", UNKNOWN),
        ],
    ),
    (
        "The library lends tools as well as books. A drill may be kept for seven days. Members "
        "pay 12 crowns a year. Children need the signature of an adult. The repair workshop on "
        "the second floor is open on Saturdays.",
        [
            ("number", "How long may a drill be kept?", "seven days"),
            ("fact", "Whose signature do children need?", "adult"),
            ("number", "What do members pay a year?", "12"),
            ("fact", "When is the repair workshop open?", "Saturdays"),
            ("unanswerable", "Which architect drew the facade?", UNKNOWN),
        ],
    ),
    (
        "The night train leaves platform 3 at 22:40. It carries bicycles in the last carriage. "
        "Breakfast is served from half past six. A ticket for a bed costs 75 crowns. Dogs travel "
        "free of charge in the compartments at the front.",
        [
            ("number", "From which platform does the night train leave?", "3"),
            ("fact", "In which carriage does it carry bicycles?", "last"),
            ("number", "What does a ticket for a bed cost?", "75"),
            ("fact", "When is breakfast served?", "half past six"),
            ("unanswerable", "Which language speaks the conductor?", UNKNOWN),
        ],
    ),
    (
        "The choir rehearses on Monday evenings in the school hall. Its conductor is Samuel "
        "Brandt. The choir has 46 singers, most of them altos. New singers audition in September. "
        "The summer concert takes place by the lake.",
        [
            ("fact", "Who is the conductor of the choir?", "Samuel Brandt"),
            ("number", "How many singers has the choir?", "46"),
            ("fact", "Where does the summer concert take place?", "lake"),
            ("fact", "When do new singers audition?", "September"),
            ("unanswerable", "Which bakery delivers cakes?", UNKNOWN),
        ],
    ),
]


def table() -> pd.DataFrame:
    """One row per question, with `id` as key."""
    rows = [(kind, text, question, expected) for text, asked in SETS for kind, question, expected in asked]
    found = pd.DataFrame(rows, columns=["kind", "text", "question", "expected"])
    found.insert(0, "id", range(1, len(found) + 1))
    return found


def write(rows: pd.DataFrame, path: Path) -> None:
    """A line of JSON per row."""
    path.parent.mkdir(exist_ok=True)
    rows.to_json(path, orient="records", lines=True, force_ascii=False)


def read(path: Path) -> pd.DataFrame:
    """What `write` wrote; words that look like numbers or dates stay words."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return pd.DataFrame([json.loads(line) for line in lines])


if __name__ == "__main__":
    write(table(), TOP / PATH)
    print(f"wrote {PATH}")
