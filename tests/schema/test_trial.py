"""A schema is tried without data: rules that guard nothing are named."""

from pathlib import Path

import pytest
import sklearn.datasets
from hypothesis import given, settings
from hypothesis import strategies as st

from git_mlops.schema import trial
from git_mlops.schema.infer import infer
from git_mlops.schema.load import load
from git_mlops.schema.samples import from_pattern
from git_mlops.schema.trial import Tried, try_out


def tried(columns: str, rest: str = "") -> list[Tried]:
    done = try_out(load(f"columns:\n  {columns}\n{rest}".encode(), "s.yaml"))
    assert done.good == []
    return done.rules


def outcomes(columns: str, rest: str = "") -> dict[str, str]:
    return {f"{rule.column or ''} {rule.rule}".strip(): rule.outcome for rule in tried(columns, rest)}


ALL = """id: {dtype: int64, unique: true, checks: {ge: 0}}
  age: {dtype: Int64, nullable: true, checks: {in_range: {min_value: 0, max_value: 120}}}
  city: {dtype: str, checks: {isin: [Ghent, Namur]}}
  code: {dtype: str, checks: {str_matches: '^[A-Z]{2}-\\d{3,5}$', str_length: {max_value: 7}}}
  ratio: {dtype: float64, checks: {gt: 0, lt: 1}}
  when: {dtype: 'datetime64[ns]', coerce: true, checks: {ge: '2020-01-01'}}
  ok: {dtype: bool}"""


def test_every_rule_of_a_good_schema_catches_something() -> None:
    found = outcomes(ALL, "strict: true\nordered: true\nunique: [city, code]")
    assert {name for name, outcome in found.items() if outcome != "caught"} == set()
    assert {"strict", "ordered", "unique (city, code)", "id unique", "id ge", "age in_range", "city isin",
            "code str_matches", "code str_length", "ratio gt", "ratio lt", "when ge", "ok type bool",
            "ok not null", "ok required"} <= found.keys()  # fmt: skip
    assert "age not null" not in found


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        ("a: {dtype: str, checks: {str_matches: '.*'}}", "a str_matches"),
        ("a: {dtype: str, checks: {str_contains: ''}}", "a str_contains"),
        ("a: {dtype: uint8, checks: {ge: 0}}", "a ge"),
        ("a: {dtype: int8, checks: {in_range: {min_value: -128, max_value: 127}}}", "a in_range"),
        ("a: {dtype: str, checks: {str_length: {min_value: 0}}}", "a str_length"),
        ("a: {dtype: bool, checks: {isin: [true, false]}}", "a isin"),
    ],
)
def test_a_rule_that_lets_everything_pass_catches_nothing(column: str, rule: str) -> None:
    assert outcomes(column)[rule] == "catches nothing"


def test_a_check_that_only_warns_is_told() -> None:
    rules = tried("a: {dtype: int64, checks: {ge: {min_value: 0, options: {raise_warning: true}}}}")
    assert Tried("a", "ge", "caught", "but only warned of") in rules


def test_rules_that_exclude_each_other_are_not_tried() -> None:
    (rule,) = tried("a: {dtype: int64, checks: {ge: 5, lt: 5}}")
    assert rule == Tried("a", "all", "not tried", "no value that satisfies `ge`, `lt` could be made")


def test_schemas_that_were_inferred_are_sound(tmp_path: Path) -> None:
    for name in ("iris", "diabetes"):
        frame = getattr(sklearn.datasets, f"load_{name}")(as_frame=True).frame
        frame.to_csv(tmp_path / "t.csv", index=False)
        done = try_out(load(infer(tmp_path / "t.csv", "t.csv"), "s.yaml"))
        assert (name, done.good, [rule for rule in done.rules if rule.outcome != "caught"]) == (name, [], [])


@settings(max_examples=50)
@given(st.sampled_from([r"^[A-Z]{2}-\d{3,5}$", r"\w+@\w+\.com", "a|bc?d*", r"[^a-z]+x", r"(?:ab){2}\s", "."]))
def test_a_text_of_a_pattern_matches_it(pattern: str) -> None:
    assert all(from_pattern(pattern, choice) is not None for choice in range(10))


def test_rules_of_a_wide_table_are_tried_together_with_the_same_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    columns = ALL + "\n  any: {dtype: str, checks: {str_matches: '.*'}}"
    alone = tried(columns, "unique: [city, code]")
    monkeypatch.setattr(trial, "_TOGETHER", 4)
    assert tried(columns, "unique: [city, code]") == alone
