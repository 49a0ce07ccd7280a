"""The expressions of `--where`."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_mlops.errors import MlopsError
from git_mlops.experiments.where import WhereError, compile_where

ROW = {
    "name": "calm-otter",
    "status": "finished",
    "metrics.auc": 0.93,
    "metrics.n": 5,
    "metrics.eval/acc": 0.8,
    "params.lr": 0.1,
    "params.model": "rf",
    "params.deep": True,
    "params.seeds[0]": 3,
    "params.odd key": 1,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.auc > 0.9", True),
        ("metrics.auc>0.9 and params.lr<0.1", False),
        ("metrics.auc > 0.9 or params.lr < 0.1", True),
        ("not metrics.auc > 0.9", False),
        ("not (metrics.auc > 0.9 and params.lr < 0.1)", True),
        ("0.9 < metrics.auc", True),
        ("metrics.n == 5", True),
        ("metrics.n = 5.0", True),
        ("metrics.n != 5", False),
        ("metrics.auc >= 9.3e-1", True),
        ("metrics.auc > -1", True),
        ("status == 'finished'", True),
        ('status == "failed"', False),
        ("name ~ 'OTTER'", True),
        ("params.model in ('gbm', 'rf')", True),
        ("params.model in ('gbm')", False),
        ("params.deep", True),
        ("params.deep == true", True),
        ("params.deep == 1", False),
        ("params.none", False),
        ("params.none == null", True),
        ("params.none > 1", False),
        ("not params.none > 1", True),
        ("params.model > 1", False),
        ("params.model < 'rg'", True),
        ("metrics.eval/acc == 0.8", True),
        ("params.seeds[0] == 3", True),
        ("`params.odd key` == 1", True),
        ("params.lr < 1 AND NOT params.lr > 1", True),
        ("false or true and false", False),
        (r"name == 'calm\'s'", False),
    ],
)
def test_an_expression_is_read_as_a_person_means_it(text: str, expected: bool) -> None:
    assert compile_where(text)(ROW) is expected


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", 1),
        ("metrics.auc >", 14),
        ("metrics.auc > 0.9 and", 22),
        ("metrics.auc > 0.9 params.lr", 19),
        ("(metrics.auc > 0.9", 19),
        ("metrics.auc ? 1", 13),
        ("a in ()", 7),
        ("a in 3", 6),
        ("__import__('os').system('true')", 17),
        ("1.2.3 > 1", 1),
        ("not " * 60 + "a", 209),
        ("(" * 60 + "a" + ")" * 60, 52),
    ],
)
def test_an_error_names_its_place(text: str, place: int) -> None:
    with pytest.raises(WhereError, match=f"at character {place}: ") as caught:
        compile_where(text)
    assert (caught.value.exit_code, str(caught.value.hint).startswith("for example")) == (2, True)


@given(st.text(max_size=40))
def test_any_text_is_an_expression_or_a_clear_error(text: str) -> None:
    with contextlib.suppress(WhereError):
        assert compile_where(text)(ROW) in (True, False)


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(finite, finite)
def test_comparisons_of_numbers_are_pythons(a: float, b: float) -> None:
    answers = [compile_where(f"x {sign} {b!r}")({"x": a}) for sign in ("<", "<=", "==", "!=", ">", ">=")]
    assert answers == [a < b, a <= b, a == b, a != b, a > b, a >= b]


KNOWN = ("name", "status", "baseline", "metrics.auc", "params.lr", "params.auc2", "metrics.lr")


@pytest.mark.parametrize(
    ("text", "expected"), [("auc > 0.9", True), ("not auc > 0.9", False), ("status == 'finished'", True)]
)
def test_the_short_form_of_a_name_does(text: str, expected: bool) -> None:
    row = {"metrics.auc": 0.95, "status": "finished"}
    assert compile_where(text, KNOWN)(row) is expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "not metrics.acu > 1",
            "no metric, parameter or other column `metrics.acu`",
            "did you mean `metrics.auc`?",
        ),
        ("lr > 1", "`lr` is a metric and a parameter", "`metrics.lr` or `params.lr`"),
        (
            "status == failed",
            "no metric, parameter or other column `failed`",
            "text stands in quotes: `'failed'`",
        ),
    ],
)
def test_a_name_that_none_has_is_an_error(text: str, message: str, hint: str) -> None:
    with pytest.raises(MlopsError) as caught:
        compile_where(text, KNOWN)
    assert (str(caught.value), caught.value.hint) == (message, hint)
