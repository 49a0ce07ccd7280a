import datetime as dt
import json
from pathlib import Path
from typing import cast

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import datasets

from git_mlops.errors import MlopsError
from git_mlops.schema.infer import infer
from git_mlops.schema.load import load
from git_mlops.schema.validate import validate


def columns(tmp_path: Path, content: str, name: str = "d.csv") -> dict[str, dict[str, object]]:
    (tmp_path / "object").write_text(content)
    document = yaml.safe_load(infer(tmp_path / "object", name))
    return cast("dict[str, dict[str, object]]", document["columns"])


def test_iris_is_described_as_a_person_would(tmp_path: Path) -> None:
    datasets.load_iris(as_frame=True).frame.to_csv(tmp_path / "iris.csv", index=False)
    assert (
        infer(tmp_path / "iris.csv", "data/iris.csv").decode()
        == """\
# Schema of data/iris.csv, inferred from 150 rows by `git mlops schema infer`.
# A first draft: tighten and loosen it by hand. `git mlops schema check` validates.
schema_type: dataframe
columns:
  sepal length (cm):
    dtype: float64
    checks:
      in_range: {min_value: 3, max_value: 9}
  sepal width (cm):
    dtype: float64
    checks:
      in_range: {min_value: 1, max_value: 5}
  petal length (cm):
    dtype: float64
    checks:
      in_range: {min_value: 0, max_value: 9}
  petal width (cm):
    dtype: float64
    checks:
      in_range: {min_value: 0, max_value: 4}
  target:
    dtype: int64
    checks:
      isin: [0, 1, 2]
strict: true
"""
    )


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (3, 97, (0, 100)),
        (0, 100, (0, 100)),
        (1990, 2024, (1990, 2030)),
        (-7, 12, (-10, 20)),
        (0.012, 0.087, (0.01, 0.09)),
        (4.3, 7.9, (4, 8)),
        (0.1, 0.30000000000000004, (0.1, 0.4)),
    ],
)
def test_ranges_are_rounded_outward(
    tmp_path: Path, low: float, high: float, expected: tuple[float, float]
) -> None:
    found = columns(tmp_path, f"a\n{low}\n{high}\n")["a"]["checks"]
    assert found == {"in_range": {"min_value": expected[0], "max_value": expected[1]}}


def test_few_values_seen_often_are_categories(tmp_path: Path) -> None:
    found = columns(tmp_path, "a,b\n" + "".join(f"{'xy'[i % 2]},name {i}\n" for i in range(40)))
    assert found == {"a": {"dtype": "str", "checks": {"isin": ["x", "y"]}}, "b": {"dtype": "str"}}


def test_a_key_is_unique_and_open_above(tmp_path: Path) -> None:
    found = columns(tmp_path, "customer_id,n\n" + "".join(f"{i},{i}\n" for i in range(1, 30)))
    assert found["customer_id"] == {
        "dtype": "int64",
        "unique": True,
        "checks": {"greater_than_or_equal_to": 0},
    }
    assert "unique" not in found["n"]


def test_codes_with_leading_zeros_stay_text(tmp_path: Path) -> None:
    assert columns(tmp_path, "zip\n01234\n99999\n")["zip"] == {"dtype": "str", "coerce": True}


def test_nullable_only_where_nulls_were_seen(tmp_path: Path) -> None:
    assert columns(tmp_path, "a,b\n1,1\n,2\n") == {
        "a": {"dtype": "Int64", "nullable": True, "coerce": True, "checks": {"greater_than_or_equal_to": 0}},
        "b": {"dtype": "int64", "checks": {"in_range": {"min_value": 1, "max_value": 2}}},
    }


def test_days_are_times_and_impossible_days_are_text(tmp_path: Path) -> None:
    found = columns(tmp_path, "a,b\n2024-01-31,2024-02-30\n2024-12-01,2024-01-01\n")
    assert found == {"a": {"dtype": "datetime64[ns]", "coerce": True}, "b": {"dtype": "str"}}


def test_words_that_yaml_reads_otherwise_are_quoted(tmp_path: Path) -> None:
    content = "no,null\n" + "yes,on\nno,off\n" * 20
    found = columns(tmp_path, content)
    assert found == {
        "no": {"dtype": "str", "checks": {"isin": ["no", "yes"]}},
        "null": {"dtype": "str", "checks": {"isin": ["off", "on"]}},
    }


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    datasets.load_wine(as_frame=True).frame.to_csv(tmp_path / "w.csv", index=False)
    assert infer(tmp_path / "w.csv", "w.csv") == infer(tmp_path / "w.csv", "w.csv")


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("a\n1\n", "d.xlsx", "d.xlsx: its form is not known by its name"),
        ("", "d.csv", "d.csv: cannot be read as csv: it is empty, without even a header"),
        ("a\n", "d.csv", "d.csv: has no rows to infer a schema from"),
        ("a,a\n1,2\n", "d.csv", "d.csv: the column `a` stands more than once"),
        ("a,b\n1\n", "d.csv", "d.csv: cannot be read as csv: line 2 has 1 fields, the header 2"),
    ],
)
def test_what_cannot_be_inferred_is_said(tmp_path: Path, content: str, name: str, message: str) -> None:
    with pytest.raises(MlopsError) as caught:
        columns(tmp_path, content, name)
    assert str(caught.value) == message


cells = st.sampled_from([
    st.integers(-(10**20), 10**20), st.integers(0, 9), st.floats(), st.booleans(), st.text(max_size=5),
    st.sampled_from(["007", "12", "", "NA", "no", "2024-01-01", "2024-13-01"]), st.dates(), st.datetimes(),
    st.sampled_from(["x", "y"]),
]).flatmap(lambda kind: st.lists(st.none() | kind, min_size=30, max_size=30))  # fmt: skip
tables = st.dictionaries(st.text(min_size=1, max_size=6), cells, min_size=1, max_size=4)


def _writable(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.date) else value


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables)
def test_any_table_satisfies_the_schema_inferred_from_it(
    tmp_path: Path, form: str, table: dict[str, list[object]]
) -> None:
    file = tmp_path / "object"
    if form == "csv":
        pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in table.items()}).to_csv(
            file, index=False
        )
    else:
        rows = ({name: _writable(values[i]) for name, values in table.items()} for i in range(30))
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    try:
        content = infer(file, f"d.{form}")
    except MlopsError as error:
        # no table: names that repeat, a carriage return that ends a record
        reasons = ("cannot be read", "more than once", "no rows")
        if not any(reason in str(error) for reason in reasons):
            raise
        return
    assert validate(file, f"d.{form}", load(content, "s.yaml")) == []


def many(values: list[object], name: str = "a") -> str:
    return f"{name}\n" + "".join(f"{value}\n" for value in values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([20 + number % 41 for number in range(200)], (0, 80)),  # ages: others will be younger and older
        ([number / 100 for number in range(2, 98)], (0, 1)),  # shares
        ([-5 + number / 10 for number in range(100)], (-8, 8)),
        ([-1 - number % 30 for number in range(90)], (-40, 0)),
        ([*range(40, 90), *range(40, 90), 999], (0, 1000)),
    ],
)
def test_ranges_leave_room_by_the_spread_of_the_values(
    tmp_path: Path, values: list[object], expected: tuple[float, float]
) -> None:
    found = columns(tmp_path, many(values))["a"]["checks"]
    assert found == {"in_range": {"min_value": expected[0], "max_value": expected[1]}}


def test_what_half_of_the_rows_say_holds_for_nearly_all(tmp_path: Path) -> None:
    frame = datasets.load_wine(as_frame=True).frame
    frame[::2].to_csv(tmp_path / "half.csv", index=False)
    frame.to_csv(tmp_path / "all.csv", index=False)
    schema = load(infer(tmp_path / "half.csv", "t.csv"), "s.yaml")
    found = [(f.data["column"], f.data["failures"]) for f in validate(tmp_path / "all.csv", "t.csv", schema)]
    assert found == [("magnesium", 1), ("flavanoids", 1)]


def doubts(tmp_path: Path, content: str) -> list[str]:
    (tmp_path / "object").write_text(content)
    lines = infer(tmp_path / "object", "d.csv").decode().splitlines()
    return [line for line in lines[2:] if line.startswith("#")]


def test_what_a_person_should_look_at_is_told(tmp_path: Path) -> None:
    assert doubts(tmp_path, many([*range(40, 90), *range(40, 90), 999])) == [
        "# Look at `a`: 1 of 101 values (999) are far from all others."
    ]
    towns = ["Ghent", "Namur"] * 60
    assert doubts(tmp_path, many([*towns, "ghent"])) == ["# Look at `a`: `ghent` is seldom."]


def test_candidates_for_a_key_are_told(tmp_path: Path) -> None:
    days = "day,shop,sold\n" + "".join(f"2024-01-{1 + i // 5:02},s{i % 5},{i % 7}\n" for i in range(100))
    assert doubts(tmp_path, days) == [
        "# Unique together, and so perhaps the key of the table (`unique:`): `day` and `shop`."
    ]
    assert doubts(tmp_path, "mail,n\n" + "".join(f"m{i},{i % 9}\n" for i in range(60))) == [
        "# Unique in every row, and so perhaps the key: `mail`."
    ]
