"""The exit code is a function of the findings."""

import pytest

from git_mlops.findings import Finding, Level, exit_code, ordered


@pytest.mark.parametrize(
    ("levels", "code"),
    [
        ([], 0),
        (["note", "warning"], 0),
        (["unknown", "warning"], 3),
        (["error", "unknown"], 1),
        (["error"], 1),
    ],
)
def test_the_worst_level_decides_the_exit_code(levels: list[Level], code: int) -> None:
    assert exit_code(Finding("r", level, "m") for level in levels) == code


def test_findings_are_ordered_worst_first_then_by_place() -> None:
    a, b = Finding("r", "warning", "m", "a"), Finding("r", "error", "m", "b", 2)
    c, d = Finding("r", "error", "m", "b", 1), Finding("r", "unknown", "m")
    assert ordered([a, b, c, d]) == [c, b, d, a]


def test_the_json_of_a_finding_has_every_key() -> None:
    assert Finding("r", "note", "m").to_json() == {
        "rule": "r",
        "level": "note",
        "message": "m",
        "path": None,
        "line": None,
        "hint": None,
        "data": {},
    }
