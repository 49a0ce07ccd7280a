"""What is compiled, what is refused, and that nothing is left out in silence."""

import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_mlops.schema.compiled import Column, Key, NotCompiledError, Plan, plan
from git_mlops.schema.load import CHECKS, load
from git_mlops.schema.regexes import UntranslatableError, translated
from git_mlops.schema.streaming import Limits
from git_mlops.schema.tables import Wanted
from git_mlops.schema.validate import streamed, whole
from git_mlops.tables.forms import Form

CSV = Form("csv", packed=False)
PIECES = Limits(small=0, whole=0, rows=0, keys=64, block=1000)

EACH: dict[str, tuple[str, str, str, str]] = {
    "equal_to": ("int64", "{value: 3}", "3", "4"),
    "not_equal_to": ("int64", "{value: 3}", "4", "3"),
    "greater_than": ("float64", "{min_value: 3}", "3.5", "3"),
    "greater_than_or_equal_to": ("int64", "{min_value: 3}", "3", "2"),
    "less_than": ("float64", "{max_value: 3}", "2", "3"),
    "less_than_or_equal_to": ("'datetime64[ns]'", "{max_value: 2024-01-01}", "2024-01-01", "2024-01-02"),
    "isin": ("str", "[a, b]", "a", "c"),
    "notin": ("str", "[a, b]", "c", "a"),
    "str_matches": ("str", "{pattern: 'ab|cd$'}", "cd", "xcd"),
    "str_contains": ("str", "{pattern: 'b$'}", "ab", "ba"),
    "str_startswith": ("str", "{string: a.}", "a.b", "ab"),
    "str_endswith": ("str", "{string: .b}", "a.b", "ab"),
    "in_range": ("int64", "{min_value: 1, max_value: 3}", "3", "4"),
    "str_length": ("str", "{min_value: 1, max_value: 2}", "éé", "ééé"),
}
"""Check → type, arguments, a value that holds, one that fails."""
ALIASES = {
    "eq": "equal_to", "ne": "not_equal_to", "gt": "greater_than", "ge": "greater_than_or_equal_to",
    "lt": "less_than", "le": "less_than_or_equal_to", "between": "in_range",
}  # fmt: skip
AS_A_WHOLE = {"unique_values_eq"}


def made(schema: str, **columns: pl.DataType) -> Plan:
    built = load(schema.encode(), "s.yaml").built
    return plan(built, {name: Column(dtype, None) for name, dtype in columns.items()})


def test_every_check_of_the_grammar_is_accounted_for() -> None:
    assert {*EACH, *ALIASES, *AS_A_WHOLE} == set(CHECKS)


@pytest.mark.parametrize("name", [*EACH, *ALIASES])
def test_a_check_finds_what_pandera_finds(tmp_path: Path, name: str) -> None:
    dtype, arguments, good, bad = EACH[ALIASES.get(name, name)]
    schema = load(f"columns: {{a: {{dtype: {dtype}, checks: {{{name}: {arguments}}}}}}}".encode(), "s.yaml")
    file = tmp_path / "d"
    file.write_text(f"a,b\n{good},1\n{good},2\n")
    assert streamed(file, CSV, "d.csv", schema, PIECES) == []
    file.write_text(f"a,b\n{good},1\n{bad},2\n")
    found = streamed(file, CSV, "d.csv", schema, PIECES)
    assert found == whole(file, CSV, "d.csv", schema)
    assert found is not None
    assert [(f.data["failures"], f.line) for f in found] == [(1, 3)]


@pytest.mark.parametrize("name", AS_A_WHOLE)
def test_a_check_of_the_whole_column_is_not_compiled(name: str) -> None:
    with pytest.raises(NotCompiledError):
        made(f"columns: {{a: {{dtype: int64, checks: {{{name}: [1]}}}}}}", a=pl.Int64())


BESIDE = {
    "a check of the frame": "columns: {a: {}}\nchecks: {ge: 0}",
    "row labels": "columns: {a: {}}\nindex: [{dtype: int64, checks: {ge: 0}}]",
    "a type of the frame": "columns: {a: {}}\ndtype: int64",
    "filled columns": "columns: {a: {}}\nadd_missing_columns: true",
    "a default": "columns: {a: {dtype: int64, default: 1}}",
    "nulls that count": "columns: {a: {checks: {ge: {min_value: 0, options: {ignore_na: false}}}}}",
    "a warning": "columns: {a: {checks: {ge: {min_value: 0, options: {raise_warning: true}}}}}",
    "two parts for one column": "columns: {a: {ge: 0}, '[ab]': {regex: true, ge: 1}}",
    "no column of the table": "columns: {z: {required: false, ge: 0}}",
    "a check twice": "columns: {a: {checks: [{min_value: 0, options: {check_name: ge}},"
    " {min_value: 0, options: {check_name: ge}}]}}",
    "a text for a number": "columns: {a: {checks: {ge: x}}}",
    "a number that floats round": "columns: {a: {checks: {ge: 9007199254740993}}}",
    "not a number": "columns: {a: {checks: {ge: .nan}}}",
    "a pattern over numbers": "columns: {a: {checks: {str_matches: x}}}",
    "another type": "columns: {a: {dtype: float64, coerce: true, ge: 0}}",
}


@pytest.mark.parametrize("what", BESIDE)
def test_what_might_mean_something_else_is_left_to_pandera(what: str) -> None:
    schema = load(BESIDE[what].encode(), "s.yaml")
    want = Wanted("float", "float64", coerce=True) if what == "another type" else None
    with pytest.raises(NotCompiledError):
        plan(schema.built, {"a": Column(pl.Int64(), want)})


def test_every_rule_of_a_schema_is_in_its_plan() -> None:
    schema = "columns: {a: {ge: 0, le: 9, unique: true}, b: {str_length: {min_value: 1}, nullable: true}}"
    found = made(schema + "\nunique: [a, b]", a=pl.Int64(), b=pl.String())
    assert {rule.key for rule in found.rules} | {key.key for key in found.unique} == {
        Key("a", "null"),
        Key("a", "check", "greater_than_or_equal_to(0)"),
        Key("a", "check", "less_than_or_equal_to(9)"),
        Key("a", "unique"),
        Key("b", "check", "str_length(1, None)"),
        Key(None, "unique"),
    }


@pytest.mark.parametrize(
    "pattern", [r"(?i)a", r"a(?=b)", r"(a)\1", r"\bx", r"[^\d]", r"\D", "(?>a)", "a{2000}", "a(?<!b)"]
)
def test_patterns_without_an_equal_are_refused(pattern: str) -> None:
    with pytest.raises(UntranslatableError):
        translated(pattern, at_start=True)


PATTERNS = [
    "ab|cd$",
    "^a|^b",
    "a$",
    "[^,]b",
    r"\d+",
    r"\w",
    r"\s",
    "a.b",
    "(?:a|b)*c?",
    "a{2}",
    "^$",
    "[a-é]",
]


@given(st.sampled_from(PATTERNS), st.text(alphabet="abcdx,1 \n٣é", max_size=6), st.booleans())
@settings(max_examples=100)
def test_a_translated_pattern_takes_nothing_that_python_refuses(pattern: str, text: str, start: bool) -> None:
    law = re.compile(pattern.removeprefix("^")).match if start else re.compile(pattern).search
    python = law(text) is not None
    ours = pl.Series([text]).str.contains(translated(pattern, at_start=start)).item()
    if text.isascii() and "\n" not in text:
        assert ours == python
    else:
        assert ours <= python
