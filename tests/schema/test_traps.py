"""Where engines differ (shared/engines.md): a table read in pieces gets what pandas gets."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from git_mlops.findings import Finding
from git_mlops.schema.load import load
from git_mlops.schema.streaming import Limits
from git_mlops.schema.validate import streamed, whole
from git_mlops.tables.forms import Form, form_of

PIECES = Limits(small=0, whole=0, rows=0, keys=64, block=1000)


def both(tmp_path: Path, data: str | pa.Table, schema: str) -> tuple[list[Finding], bool]:
    """The law's findings, which those of the pieces must be; and whether the pieces were enough."""
    file = tmp_path / "d"
    name = "d.csv" if isinstance(data, str) else "d.parquet"
    if isinstance(data, str):
        file.write_text(data)
    else:
        pq.write_table(data, file)
    loaded, form = load(schema.encode(), "s.yaml"), form_of(name)
    assert isinstance(form, Form)
    law, ours = whole(file, form, name, loaded), streamed(file, form, name, loaded, PIECES)
    assert ours is None or ours == law
    return law, ours is not None


def text(**options: str) -> str:
    return (
        "columns: {a: {dtype: str, nullable: true, "
        + ", ".join(f"{k}: {v}" for k, v in options.items())
        + "}}"
    )


TEXTS = pa.table({"a": ["ab", "xcd", "cd", None, "abz"]})


def test_a_bad_value_is_refused_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pandera.config import CONFIG, ValidationDepth

    monkeypatch.setattr(CONFIG, "validation_enabled", False)
    monkeypatch.setattr(CONFIG, "validation_depth", ValidationDepth.SCHEMA_ONLY)
    law, pieces = both(tmp_path, pa.table({"a": [1, -1]}), "columns: {a: {dtype: int64, ge: 0}}")
    assert (len(law), pieces) == (1, True)


def test_alternatives_are_anchored_as_pandas_does(tmp_path: Path) -> None:
    law, pieces = both(tmp_path, TEXTS, text(str_matches="'ab|cd$'"))
    assert ([f.data["examples"] for f in law], pieces) == ([[{"row": 2, "value": "xcd"}]], True)


def test_look_ahead_is_left_to_python(tmp_path: Path) -> None:
    law, pieces = both(tmp_path, TEXTS, text(str_matches="'ab(?=z)|cd'"))
    assert ([f.data["failures"] for f in law], pieces) == ([2], False)


@pytest.mark.parametrize("values", [["ab", "ab\n"], ["1", "٣"], ["é", "b"]])
@pytest.mark.parametrize("pattern", ["ab$", r"\d", r"\w$", "a.$"])
def test_line_ends_and_digits_of_other_alphabets_are_left_to_python(
    tmp_path: Path, values: list[str], pattern: str
) -> None:
    both(tmp_path, pa.table({"a": values}), text(str_matches=f"'{pattern}'"))
    both(tmp_path, pa.table({"a": values}), text(str_contains=f"'{pattern}'"))


@pytest.mark.parametrize("nullable", ["true", "false"])
def test_nan_is_null_but_greater_than_nothing(tmp_path: Path, nullable: str) -> None:
    schema = f"columns: {{a: {{dtype: float64, nullable: {nullable}, lt: 10}}}}"
    law, pieces = both(tmp_path, pa.table({"a": [1.0, float("nan"), None, float("inf")]}), schema)
    assert [f.data["failures"] for f in law] == ([1] if nullable == "true" else [2, 1])
    assert pieces


@pytest.mark.parametrize("values", [[None, None, 1], [None, 1, 2], [1, 1, None]])
@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.string()])
def test_nulls_in_a_key_repeat(tmp_path: Path, values: list[int | None], kind: pa.DataType) -> None:
    table = pa.table({"a": pa.array(values).cast(kind)})
    law, _pieces = both(tmp_path, table, "columns: {a: {nullable: true, unique: true}}")
    assert len(law) == (values != [None, 1, 2])


def test_zero_and_minus_zero_are_one_key(tmp_path: Path) -> None:
    law, pieces = both(tmp_path, pa.table({"a": [0.0, -0.0]}), "columns: {a: {unique: true}}")
    assert (len(law), pieces) == (1, True)


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float64"])
@pytest.mark.parametrize("coerce", ["true", "false"])
@pytest.mark.parametrize("values", [[1, None, -5], [1, 2], [None, None], [2**53 + 1, None]])
def test_integers_with_nulls(tmp_path: Path, dtype: str, coerce: str, values: list[int | None]) -> None:
    schema = f"columns: {{a: {{dtype: {dtype}, nullable: true, coerce: {coerce}, ge: 0}}}}"
    law, _pieces = both(tmp_path, pa.table({"a": pa.array(values, pa.int64())}), schema)
    csv = "a,b\n" + "".join(f"{'' if v is None else v},1\n" for v in values)
    law_of_csv, pieces = both(tmp_path, csv, schema)
    assert (pieces, bool(law_of_csv)) == (True, (dtype == "int64" and None in values) or -5 in values)
    assert law or dtype != "int64" or None not in values


@pytest.mark.parametrize("kind", [pa.null(), pa.int64(), pa.string(), pa.float64(), pa.timestamp("us")])
@pytest.mark.parametrize("nullable", ["true", "false"])
@pytest.mark.parametrize("dtype", ["", "dtype: int64,", "dtype: str,", "dtype: float64,"])
def test_a_column_of_nulls_alone(tmp_path: Path, kind: pa.DataType, nullable: str, dtype: str) -> None:
    table = pa.table({"a": pa.nulls(3, kind), "b": [1, 2, 3]})
    law, _pieces = both(tmp_path, table, f"columns: {{a: {{{dtype} nullable: {nullable}}}}}")
    assert law or nullable == "true"


def test_a_null_after_the_rows_that_pandera_sees_still_changes_the_type(tmp_path: Path) -> None:
    table = pa.table({"a": [*range(1000), None], "b": [1] * 1001})
    law, pieces = both(tmp_path, table, "columns: {a: {nullable: true, dtype: int64}}")
    assert ([f.data["failures"] for f in law], pieces) == ([1], True)


@pytest.mark.parametrize(
    "check", ["isin: [x, y]", "notin: [z]", "eq: x", "ge: a", "str_length: {max_value: 1}"]
)
@pytest.mark.parametrize("dtype", ["dtype: category,", ""])
def test_categories(tmp_path: Path, check: str, dtype: str) -> None:
    table = pa.table({"a": pa.array(["x", "y", "z", None]).dictionary_encode()})
    both(tmp_path, table, f"columns: {{a: {{{dtype} nullable: true, {check}}}}}")
    both(tmp_path, table.slice(0, 2), f"columns: {{a: {{{dtype} {check}}}}}")
    both(tmp_path, "a,b\nx,1\ny,2\nz,3\n", f"columns: {{a: {{dtype: category, {check}}}}}")
    numbers = pa.table({"a": pa.array([1, 2]).dictionary_encode()})
    both(tmp_path, numbers, f"columns: {{a: {{{dtype} ge: 0}}}}")


COERCED = {
    "fractions to integers": (pa.array([1.0, 2.5]), "int64"),
    "integers to a wider type": (pa.array([1, -2], pa.int8()), "int64"),
    "integers to a narrower type": (pa.array([1, 300]), "int8"),
    "large integers to fractions": (pa.array([2**53 + 1, -1]), "float64"),
    "text to integers": (pa.array(["1", "x"]), "int64"),
    "truths to integers": (pa.array([True, False]), "int64"),
    "fractions to narrower ones": (pa.array([0.1, -0.1]), "float32"),
    "times before nanoseconds": (pa.array([0, -(2**54)]).cast(pa.timestamp("us")), "'datetime64[ns]'"),
    "times beyond all": (pa.array([0, -(2**60)]).cast(pa.timestamp("us")), "'datetime64[ns]'"),
    "integers to text": (pa.array([1, 2]), "str"),
}


@pytest.mark.parametrize("what", COERCED)
def test_coercion(tmp_path: Path, what: str) -> None:
    cells, dtype = COERCED[what]
    check = {"str": "", "'datetime64[ns]'": ", ge: 1960-01-01"}.get(dtype, ", ge: 0")
    both(tmp_path, pa.table({"a": cells}), f"columns: {{a: {{dtype: {dtype}, coerce: true{check}}}}}")
    both(tmp_path, pa.table({"a": cells[:1]}), f"columns: {{a: {{dtype: {dtype}, coerce: true{check}}}}}")


FILES = {
    "a short line": "a,b\n1,2\n3\n",
    "a long line": "a,b\n1,2\n3,4,5\n",
    "both": "a,b\n1,2\n3\n4,5,6\n",
    "an open quote": 'a,b\n1,"x\n2,y\n',
    "a hexadecimal number": "a,b\n1,2\n0x1F,2\n",
    "NAN, which is no number": "a,b\n1,2\nNAN,2\n",
    "NaN, which is null": "a,b\n1,2\nNaN,2\n",
    "blanks": "a,b\n 1 ,2\n\n2,2\n",
    "CRLF": "a,b\r\n1,2\r\n-2,2\r\n",
    "a line break in a cell": 'a,b\n1,"x\ny"\n-2,z\n',
    "a line break in the header": '"a","b\nc"\n1,2\n-2,z\n',
    "blank lines before the header": "\n\na,b\n1,2\n-2,z\n",
    "header alone": "a,b\n",
    "nothing": "",
    "repeated names": "a,a\n1,2\n",
    "a missing column": "b,c\n1,2\n",
    "a plus": "a,b\n+1,2\n+,2\n",
    "two negative numbers": "a,b\n-1,2\n1,2\n-3,4\n",
}


@pytest.mark.parametrize("what", FILES)
@pytest.mark.parametrize("dtype", ["int64", "float64", "str", "Int64"])
def test_how_a_csv_is_written(tmp_path: Path, what: str, dtype: str) -> None:
    check = "str_matches: '[0-9]'" if dtype == "str" else "ge: 0"
    both(tmp_path, FILES[what], f"columns: {{a: {{dtype: {dtype}, {check}}}}}\nstrict: true")


TIMES = [
    "2024-01-01",
    "2024-1-1",
    "2024-01-01 10:00",
    "2024-01-01T10:00:00Z",
    "1500-01-01",
    "20240101",
    "1/2/2024",
]


@pytest.mark.parametrize("time", TIMES)
def test_times_of_a_csv(tmp_path: Path, time: str) -> None:
    schema = "columns: {a: {dtype: 'datetime64[ns]', coerce: true, ge: 2000-01-01}}"
    both(tmp_path, f"a,b\n{time},1\n", schema)
    both(tmp_path, f"a,b\n2024-01-01,1\n{time},1\n", schema)
