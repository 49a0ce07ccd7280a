"""What the words of a data sheet mean."""

import datetime as dt

import pytest

from git_mlops.governance import fields
from git_mlops.governance.fields import Duration

TODAY = dt.date(2026, 11, 21)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("30 days", Duration(days=30)), ("1d", Duration(days=1)), ("2 weeks", Duration(days=14)),
        ("18 months", Duration(months=18)), ("5 Years", Duration(months=60)), ("1y", Duration(months=12)),
        ("for ever", None), ("", None), ("3", None), ("99999 years", None),
    ],
)  # fmt: skip
def test_lengths_of_time(text: str, found: Duration | None) -> None:
    assert fields.duration(text) == found


@pytest.mark.parametrize(
    ("sheet", "ends"),
    [
        ({"retention": "2027-01-31"}, dt.date(2027, 1, 31)),
        ({"retention": "2 years"}, dt.date(2028, 11, 21)),
        ({"retention": "1 month", "collected": "2026-01-31"}, dt.date(2026, 2, 28)),
        ({"retention": "1 month", "collected": "2024-01-31"}, dt.date(2024, 2, 29)),
        ({"retention": "10 days", "collected": "2026-12-28"}, dt.date(2027, 1, 7)),
        ({"retention": "9999 years"}, None),
        ({"retention": "soon"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_the_last_day(sheet: dict[str, str], ends: dt.date | None) -> None:
    assert fields.ends(sheet, TODAY) == ends


def test_values_that_mean_nothing_are_said() -> None:
    sheet = {"sensitivity": "hgh", "retention": "soon", "collected": "yesterday", "licence": "MIT"}
    assert [message for message, _hint in fields.problems(sheet)] == [
        "`sensitivity: hgh` is none of public, internal, high, personal",
        "`retention: soon` is neither a date nor a length of time",
        "`collected: yesterday` is no date",
    ]
