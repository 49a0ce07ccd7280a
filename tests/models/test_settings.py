"""The section `models:` of mlops.yaml."""

import pytest

from git_mlops import config
from git_mlops.decode import DecodeError
from git_mlops.models.settings import Bound, Settings, Stage, seconds


def parsed(text: str) -> Settings:
    return config.parse(f"version: 1\nmodels:\n{text}".encode()).models


def test_stages_have_rules() -> None:
    text = """\
  stages:
    staging: {}
    prod: {after: staging, metrics: {auc: {min: 1}}, approvals: 2, approvals_expire: 6mo, signed: true}
  only:
    "x-*": {eu-west/prod: {max_age: 12h}}
"""
    prod = Stage(("staging",), {"auc": Bound(min=1.0)}, approvals=2, approvals_expire="6mo", signed=True)
    assert parsed(text) == Settings(
        {"staging": Stage(), "prod": prod}, {"x-*": {"eu-west/prod": Stage(max_age="12h")}}
    )
    assert [seconds(one) for one in ("6mo", "12h", "2 w")] == [180 * 86400, 43200, 14 * 86400]


_NAMES = "letters, digits, `-` and `_`, with a letter or digit at both ends"
_PROD = "`models.stages.prod"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "  stages: {prod: {after: [stagin]}, staging: {}}",
            f"{_PROD}.after`: there is no stage `stagin`",
            "did you mean `staging`?",
        ),
        (
            "  stages: {prod: {max_age: soon}}",
            f"{_PROD}.max_age`: `soon` is no length of time",
            "for example `30d`, `2w`, `12h`",
        ),
        ("  stages: {p.d: {}}", "`models.stages.p.d`: no stage can be called so", _NAMES),
        ("  only: {m: {a b: {}}}", "`models.only.m.a b`: no stage can be called so", _NAMES),
        (
            "  stages: {prod: {stands: ['m#prod#1']}}",
            f"{_PROD}.stands`: `m#prod#1` is no tag object",
            "`git rev-parse 'NAME#STAGE#N'`",
        ),
        ("  stages: {prod: {approvals: -1}}", f"{_PROD}.approvals`: cannot be less than none", None),
        ("  stages: {prod: {aproval: 1}}", f"{_PROD}.aproval`: unknown key", "did you mean `approvals`?"),
    ],
)
def test_what_makes_no_sense_is_an_error_where_it_stands(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(DecodeError) as error:
        parsed(text)
    assert (str(error.value), error.value.hint) == (message, hint)
