import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn import datasets

from git_mlops.findings import Finding
from git_mlops.reports.formats import FORMATS
from git_mlops.schema.infer import infer
from git_mlops.schema.load import load
from git_mlops.schema.validate import validate

SCHEMA = """\
columns:
  id: {dtype: str, unique: true}
  age: {dtype: int64, checks: {in_range: {min_value: 0, max_value: 120}}}
  city: {dtype: str, nullable: true, checks: {isin: [Ghent, Namur]}}
  day: {dtype: 'datetime64[ns]', coerce: true}
strict: true
"""
GOOD = "id,age,city,day\n007,17,Ghent,2024-01-01\n08,90,,2024-02-29\n009,41,Namur,2024-03-01\n"


def check(tmp_path: Path, content: str | bytes, name: str = "d.csv", schema: str = SCHEMA) -> list[Finding]:
    """Validate bytes that lie, as in a cache, under a name without a suffix."""
    file = tmp_path / "ab12"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return validate(file, name, load(schema.encode(), "schemas/d.yaml"))


def said(findings: list[Finding]) -> list[str]:
    return [finding.message for finding in findings]


def test_good_data_has_no_finding(tmp_path: Path) -> None:
    assert check(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\xef\xbb\xbf" + GOOD.encode(), "d.csv"),
        (GOOD.replace("\n", "\r\n").encode(), "d.csv"),
        (GOOD.removesuffix("\n").encode(), "D.CSV"),
        (gzip.compress(GOOD.encode()), "d.csv.gz"),
        (pa.Codec("zstd").compress(GOOD.encode(), asbytes=True), "d.csv.zst"),
        (GOOD.replace(",", "\t").encode(), "d.tsv"),
        (GOOD.replace("\n", "\n\n").encode(), "d.csv"),
    ],
    ids=["byte order mark", "CRLF", "no last line break", "gzip", "zstd", "tabs", "blank lines"],
)
def test_how_a_table_is_written_does_not_matter(tmp_path: Path, content: bytes, name: str) -> None:
    assert check(tmp_path, content, name) == []


def test_shuffled_columns_are_fine_unless_the_schema_orders_them(tmp_path: Path) -> None:
    shuffled = "age,id,day,city\n17,007,2024-01-01,Ghent\n"
    assert check(tmp_path, shuffled) == []
    assert said(check(tmp_path, shuffled, schema=SCHEMA + "ordered: true\n"))[0] == (
        "column `age` is not where the schema has it"
    )


FAULTS = {
    "null": ("08,90,", "08,,", "column `age` has nulls in 1 of 3 rows (33 %): line 3"),
    "type drift": ("08,90", "08,ninety", "column `age` is not int64 in 1 of 3 rows (33 %): line 3 `ninety`"),
    "fraction": ("08,90", "08,90.5", "column `age` is not int64 in 1 of 3 rows (33 %): line 3 `90.5`"),
    "hexadecimal": ("08,90", "08,0x5a", "column `age` is not int64 in 1 of 3 rows (33 %): line 3 `0x5a`"),
    "beyond 64 bits": (
        "08,90",
        "08,99999999999999999999",
        "column `age` is not int64 in 1 of 3 rows (33 %): line 3 `99999999999999999999`",
    ),
    "out of range": (
        "08,90",
        "08,-1",
        "column `age` breaks `in_range(0, 120)` in 1 of 3 rows (33 %): line 3 `-1`",
    ),
    "mistyped category": (
        "Namur",
        "Namour",
        "column `city` breaks `isin(['Ghent', 'Namur'])` in 1 of 3 rows (33 %): line 4 `Namour`",
    ),
    "repeated key": (
        "009",
        "007",
        "column `id` must be unique, but values repeat in 2 of 3 rows (67 %): line 2 `007`, line 4 `007`",
    ),
    "no such day": (
        "2024-02-29",
        "2023-02-29",
        "column `day` is not datetime64[ns] in 1 of 3 rows (33 %): line 3 `2023-02-29`",
    ),
    "renamed column": ("age", "Age", "column `age` is missing; the file has `Age`"),
    "ragged line": ("08,90,,", "08,90,", "cannot be read as csv: line 3 has 3 fields, the header 4"),
    "repeated column": ("city", "age", "column `age` stands more than once"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_named(tmp_path: Path, fault: str) -> None:
    old, new, message = FAULTS[fault]
    assert old in GOOD
    assert message in said(check(tmp_path, GOOD.replace(old, new, 1)))


@pytest.mark.parametrize("fault", ["null", "type drift", "out of range", "mistyped category", "ragged line"])
def test_one_fault_is_one_finding(tmp_path: Path, fault: str) -> None:
    old, new, message = FAULTS[fault]
    assert said(check(tmp_path, GOOD.replace(old, new, 1))) == [message]


def test_a_finding_carries_everything_for_programs(tmp_path: Path) -> None:
    assert check(tmp_path, GOOD.replace("90", "-1")) == [
        Finding(
            "schema",
            "error",
            "column `age` breaks `in_range(0, 120)` in 1 of 3 rows (33 %): line 3 `-1`",
            "d.csv",
            3,
            None,
            {
                "column": "age",
                "check": "in_range(0, 120)",
                "failures": 1,
                "rows": 3,
                "examples": [{"line": 3, "value": "-1"}],
            },
        )
    ]


def test_extra_and_missing_columns_are_found(tmp_path: Path) -> None:
    content = "id,age,day,note\n007,17,2024-01-01,x\n"
    assert said(check(tmp_path, content)) == [
        "column `note` is not in the schema",
        "column `city` is missing",
    ]


UNREADABLE = {
    "empty": (b"", "d.csv", "cannot be read as csv: it is empty, without even a header"),
    "blank lines alone": (b"\n\n", "d.csv", "cannot be read as csv: it is empty, without even a header"),
    "header alone": (b"id,age,city,day\n", "d.csv", "has no rows, so that nothing was checked"),
    "latin-1": (b"id,age\nJ\xf6rg,1\n", "d.csv", "cannot be read as csv: line 2 is not UTF-8 (byte 0xf6)"),
    "latin-1 header": (
        b"gr\xf6\xdfe\n1\n",
        "d.csv",
        "cannot be read as csv: line 1 is not UTF-8 (byte 0xf6)",
    ),
    "UTF-16": ("id\n1\n".encode("utf-16"), "d.csv", "cannot be read as csv: it is UTF-16; save it as UTF-8"),
    "semicolons": (
        b"a;b\n1;2\n",
        "d.csv",
        "cannot be read as csv: its columns are separated by `;`, not by commas",
    ),
    "open quote": (b'a,b\n1,"x\n2,y\n', "d.csv", "cannot be read as csv: a quote is opened and never closed"),
    "no gzip": (b"a,b\n1,2\n", "d.csv.gz", "cannot be read as csv.gz: its gzip data is broken: "),
    "truncated gzip": (
        gzip.compress(GOOD.encode())[:-12],
        "d.csv.gz",
        "cannot be read as csv.gz: its gzip data",
    ),
    "no zstd": (b"a,b\n1,2\n", "d.csv.zst", "cannot be read as csv.zst: its zstd data is broken: "),
    "truncated zstd": (
        pa.Codec("zstd").compress(GOOD.encode(), asbytes=True)[:-9],
        "d.csv.zst",
        "cannot be read as csv.zst: its zstd data is broken: ",
    ),
    "no Arrow": (b"a,b\n1,2\n", "d.arrow", "cannot be read as arrow: "),
    "old Feather": (b"FEA1", "d.feather", "cannot be read as arrow: it is Feather of version 1"),
    "no Parquet": (b"a,b\n1,2\n", "d.parquet", "cannot be read as parquet: "),
    "no JSON": (b'{"a": 1}\n{"a": \n', "d.jsonl", "cannot be read as jsonl: line 2 is not JSON: "),
    "JSON, no object": (
        b'{"a": 1}\n\n[1]\n',
        "d.jsonl",
        "cannot be read as jsonl: line 3 is not a JSON object",
    ),
    "deep JSON": (b"[" * 100_000, "d.jsonl", "cannot be read as jsonl: line 1 is not JSON: "),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_is_no_table_is_a_finding(tmp_path: Path, case: str) -> None:
    content, name, message = UNREADABLE[case]
    (finding,) = check(tmp_path, content, name)
    assert (finding.level, finding.message[: len(message)]) == ("error", message)


def test_a_truncated_parquet_file_is_a_finding(tmp_path: Path) -> None:
    pd.DataFrame({"age": range(1000)}).to_parquet(tmp_path / "whole")
    content = (tmp_path / "whole").read_bytes()
    for cut in (len(content) // 2, len(content) - 4, 10):
        (finding,) = check(tmp_path, content[:cut], "d.parquet")
        assert finding.message.startswith("cannot be read as parquet: ")


def test_an_unknown_form_is_not_evaluated(tmp_path: Path) -> None:
    (finding,) = check(tmp_path, b"x", "d.xlsx")
    assert (finding.level, finding.message) == ("unknown", "its form is not known by its name")


def test_a_type_failure_does_not_count_as_null_but_a_real_null_does(tmp_path: Path) -> None:
    content = "age\n1\nx\n\nNA\n"
    assert said(check(tmp_path, content, schema="columns: {age: {dtype: int64}}")) == [
        "column `age` is not int64 in 1 of 3 rows (33 %): line 3 `x`",
        "column `age` has nulls in 1 of 3 rows (33 %): line 5",
    ]


def test_cells_of_another_type_do_not_repeat_each_other(tmp_path: Path) -> None:
    schema = "columns: {age: {dtype: int64, nullable: true, unique: true}}"
    assert said(check(tmp_path, "age\n1\nx\ny\n", schema=schema)) == [
        "column `age` is not int64 in 2 of 3 rows (67 %): line 3 `x`, line 4 `y`",
    ]


def test_failures_beside_nulls_are_all_counted(tmp_path: Path) -> None:
    schema = "columns: {age: {dtype: Int64, nullable: true, ge: 0}}"
    (finding,) = check(tmp_path, "age,b\n,1\n" + "-1,1\n" * 9, schema=schema)
    assert finding.data["failures"] == 9


def test_times_with_and_without_zones_are_a_finding(tmp_path: Path) -> None:
    schema = "columns: {t: {dtype: 'datetime64[ns]'}}"
    (finding,) = check(tmp_path, "t\n2024-01-01\n2024-01-01T10:00:00Z\n", schema=schema)
    assert finding.level == "error"


def test_a_type_that_has_no_nulls_says_which_one_has(tmp_path: Path) -> None:
    assert said(check(tmp_path, "a,b\n1,1\n,1\n", schema="columns: {a: {dtype: int64, nullable: true}}")) == [
        "column `a` has nulls, which int64 cannot hold (`dtype: Int64` can), in 1 of 2 rows (50 %): line 3"
    ]


def test_coercion_takes_whole_fractions_but_never_cuts(tmp_path: Path) -> None:
    schema = "columns: {a: {dtype: int64, coerce: true}}"
    assert check(tmp_path, "a\n1.0\n2\n", schema=schema) == []
    assert said(check(tmp_path, "a\n1.5\n2\n", schema=schema)) == [
        "column `a` is not int64 in 1 of 2 rows (50 %): line 2 `1.5`"
    ]
    pd.DataFrame({"a": [1.5, 2.0]}).to_parquet(tmp_path / "p")
    assert said(check(tmp_path, (tmp_path / "p").read_bytes(), "d.parquet", schema)) == [
        "column `a` is not int64 in 1 of 2 rows (50 %): row 1 1.5"
    ]


def test_text_is_no_truth_even_when_coerced(tmp_path: Path) -> None:
    schema = "columns: {a: {dtype: bool, coerce: true}}"
    assert check(tmp_path, "a\ntrue\nFalse\n0\n", schema=schema) == []
    assert said(check(tmp_path, "a\nno\ntrue\n", schema=schema)) == [
        "column `a` is not bool in 1 of 2 rows (50 %): line 2 `no`"
    ]


def test_nan_is_null_and_infinity_is_a_value(tmp_path: Path) -> None:
    schema = "columns: {a: {dtype: float64, checks: {less_than: 10}}}"
    assert said(check(tmp_path, "a\n1\nnan\ninf\n", schema=schema)) == [
        "column `a` has nulls in 1 of 3 rows (33 %): line 3",
        "column `a` breaks `less_than(10)` in 1 of 3 rows (33 %): line 4 `inf`",
    ]


def test_lines_are_those_of_an_editor_also_after_line_breaks_in_cells(tmp_path: Path) -> None:
    content = 'a,b\n"x\ny",1\n\nz,-1\n'
    (finding,) = check(tmp_path, content, schema="columns: {b: {dtype: int64, checks: {ge: 0}}}")
    assert (finding.line, finding.data["examples"]) == (5, [{"line": 5, "value": "-1"}])


def test_json_lines_keep_their_types(tmp_path: Path) -> None:
    content = '{"a": 1, "b": "x"}\n\n{"a": "2", "b": 3}\n{"a": true}\n'
    schema = "columns: {a: {dtype: int64}, b: {dtype: str, nullable: true}}"
    assert said(check(tmp_path, content, "d.jsonl", schema)) == [
        "column `a` is not int64 in 2 of 3 rows (67 %): line 3 `2`, line 4 true",
        "column `b` is not str in 1 of 3 rows (33 %): line 3 3",
    ]


def test_parquet_says_rows_and_keeps_integers_with_nulls(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([2**53 + 1, None, -5])}), tmp_path / "p")
    schema = "columns: {a: {dtype: Int64, nullable: true, checks: {ge: 0}}}"
    (finding,) = check(tmp_path, (tmp_path / "p").read_bytes(), "d.parquet", schema)
    assert (
        finding.message == "column `a` breaks `greater_than_or_equal_to(0)` in 1 of 3 rows (33 %): row 3 -5"
    )


def test_row_labels_of_pandas_do_not_move_rows(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1, -2, 3]}, index=[7, 7, 7]).to_parquet(tmp_path / "p")
    (finding,) = check(tmp_path, (tmp_path / "p").read_bytes(), "d.parquet", "columns: {a: {ge: 0}}")
    assert finding.data["examples"] == [{"row": 2, "value": -2}]


@pytest.mark.slow
def test_two_million_failures_say_no_more_than_five(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"a": pa.array(np.full(2_000_000, -1)), "b": pa.nulls(2_000_000)}), tmp_path / "p"
    )
    schema = load(b"columns: {a: {ge: 0, unique: true}, b: {}}", "x.yaml")
    findings = validate(tmp_path / "p", "d.parquet", schema)
    assert [finding.data["failures"] for finding in findings] == [2_000_000] * 3
    assert len(FORMATS["json"].render(findings, title="t")) < 5000


def test_huge_values_are_shortened(tmp_path: Path) -> None:
    (finding,) = check(
        tmp_path, "a\n" + "x" * 100_000 + "\n", schema="columns: {a: {str_length: {max_value: 5}}}"
    )
    assert finding.data["examples"] == [{"line": 2, "value": "x" * 79 + "…"}]


def test_a_warning_of_pandera_is_a_warning_here(tmp_path: Path) -> None:
    schema = "columns: {a: {dtype: int64, checks: {gt: {min_value: 5, options: {raise_warning: true}}}}}"
    (finding,) = check(tmp_path, "a\n1\n9\n", schema=schema)
    assert finding.level == "warning"


def test_keys_over_several_columns_are_checked(tmp_path: Path) -> None:
    schema = "columns: {a: {dtype: int64}, b: {dtype: int64}}\nunique: [a, b]\n"
    (finding,) = check(tmp_path, "a,b\n1,1\n1,2\n1,1\n", schema=schema)
    assert finding.message == "rows repeat in their key columns in 2 of 3 rows (67 %): line 2, line 4"


def test_columns_by_pattern_are_typed_and_checked(tmp_path: Path) -> None:
    schema = "columns: {'x_[0-9]+': {dtype: int64, regex: true, ge: 0}}"
    assert said(check(tmp_path, "x_1,x_22\n1,a\n-1,2\n", schema=schema)) == [
        "column `x_22` is not int64 in 1 of 2 rows (50 %): line 2 `a`",
        "column `x_1` breaks `greater_than_or_equal_to(0)` in 1 of 2 rows (50 %): line 3 `-1`",
    ]


def test_the_environment_cannot_switch_checks_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pandera.config import CONFIG

    monkeypatch.setattr(CONFIG, "validation_enabled", False)
    assert len(check(tmp_path, GOOD.replace("90", "-1"))) == 1


def test_columns_of_any_alphabet_are_named(tmp_path: Path) -> None:
    schema = "columns: {'größe (cm) 身長': {dtype: float64, checks: {gt: 0}}}"
    (finding,) = check(tmp_path, "größe (cm) 身長\n-1\n", schema=schema)
    assert finding.data["column"] == "größe (cm) 身長"


REAL: dict[str, Callable[..., object]] = {
    name: getattr(datasets, f"load_{name}") for name in ("iris", "breast_cancer", "diabetes", "wine")
}


def real(name: str) -> pd.DataFrame:
    frame = REAL[name](as_frame=True).frame  # type: ignore[attr-defined]  # scikit-learn has no types
    assert isinstance(frame, pd.DataFrame)
    return frame


def written(frame: pd.DataFrame, file: Path, name: str) -> None:
    if name.endswith(".csv"):
        frame.to_csv(file, index=False)
    elif name.endswith(".parquet"):
        frame.to_parquet(file)
    else:
        frame.to_json(file, orient="records", lines=True)


@pytest.mark.parametrize("name", ["d.csv", "d.parquet", "d.jsonl"])
@pytest.mark.parametrize("source", REAL)
def test_real_data_satisfies_the_schema_inferred_from_it(tmp_path: Path, source: str, name: str) -> None:
    written(real(source), tmp_path / "object", name)
    schema = load(infer(tmp_path / "object", name), "s.yaml")
    assert validate(tmp_path / "object", name, schema) == []


@pytest.mark.parametrize("source", REAL)
def test_an_inferred_schema_means_the_same_to_pandera_alone(tmp_path: Path, source: str) -> None:
    from pandera.io.pandas_io import from_yaml

    written(real(source), tmp_path / "d.csv", "d.csv")
    frame = pd.read_csv(tmp_path / "d.csv")
    schema = from_yaml(infer(tmp_path / "d.csv", "d.csv").decode())
    assert schema.validate(frame, lazy=True).equals(frame)


def _nulls(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{frame.columns[0]: frame.iloc[:, 0].mask(frame.index == 3)})


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{frame.columns[1]: frame.iloc[:, 1].astype(object).where(frame.index != 3, "?")})


def _scaled(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{frame.columns[1]: frame.iloc[:, 1].where(frame.index != 3, -1000.0)})


PLANTED: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "nulls": (_nulls, "has nulls"),
    "type drift": (_typed, "is not float64"),
    "out of range": (_scaled, "breaks `in_range"),
    "missing column": (lambda frame: frame.drop(columns=frame.columns[0]), "is missing"),
    "extra column": (lambda frame: frame.assign(extra=1), "is not in the schema"),
    "swapped names": (lambda frame: frame.rename(columns={frame.columns[0]: "new"}), "is missing"),
}


@pytest.mark.parametrize("fault", PLANTED)
@pytest.mark.parametrize("source", REAL)
def test_a_fault_planted_in_real_data_is_found(tmp_path: Path, source: str, fault: str) -> None:
    spoil, message = PLANTED[fault]
    written(real(source), tmp_path / "good", "d.csv")
    written(spoil(real(source)), tmp_path / "bad", "d.csv")
    findings = validate(tmp_path / "bad", "d.csv", load(infer(tmp_path / "good", "d.csv"), "s.yaml"))
    assert any(message in finding.message for finding in findings)
    json.dumps([finding.to_json() for finding in findings], allow_nan=False)


@pytest.mark.parametrize("coerce", ["true", "false"])
@pytest.mark.parametrize(
    "dtype", ["int64", "bool", "float64", "str", "'datetime64[ns]'", "category", "int8", "Int64"]
)
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_null_is_found_in_every_type_and_form(tmp_path: Path, form: str, dtype: str, coerce: str) -> None:
    value = {"bool": True, "str": "x", "'datetime64[ns]'": "2024-01-01", "category": "x"}.get(dtype, 1)
    content: str | bytes = f"a,b\n{value},1\n,1\n"
    if form == "jsonl":
        content = json.dumps({"a": value}) + '\n{"a": null}\n'
    elif form == "parquet":
        cells = pa.array([value, None])
        pq.write_table(
            pa.table({"a": cells.cast(pa.timestamp("ns")) if "date" in dtype else cells}), tmp_path / "p"
        )
        content = (tmp_path / "p").read_bytes()
    schema = f"columns: {{a: {{dtype: {dtype}, coerce: {coerce}}}}}"
    assert (
        "column `a` has nulls in 1 of 2 rows (50 %)" in said(check(tmp_path, content, f"d.{form}", schema))[0]
    )


def test_half_a_character_in_json_is_no_text(tmp_path: Path) -> None:
    (finding,) = check(tmp_path, b'{"a": "x"}\n{"a": "\\ud800"}\n', "d.jsonl", "columns: {a: {dtype: str}}")
    assert finding.message == "cannot be read as jsonl: line 2 is not UTF-8"
    assert check(tmp_path, b'{"a": "\\ud83d\\ude00"}\n', "d.jsonl", "columns: {a: {dtype: str}}") == []


@pytest.mark.parametrize("rule", ["unique: true", "isin: [x]", "str_matches: x", "dtype: str", "gt: 1"])
@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_nested_values_under_a_plain_rule_fail_without_a_crash(tmp_path: Path, form: str, rule: str) -> None:
    content = b'{"a": [1]}\n{"a": [1]}\n'
    if form == "parquet":
        pq.write_table(pa.table({"a": [[1], [1]]}), tmp_path / "p")
        content = (tmp_path / "p").read_bytes()
    findings = check(tmp_path, content, f"d.{form}", f"columns: {{a: {{{rule}}}}}")
    assert {finding.level for finding in findings} == {"error"}


@pytest.mark.parametrize("stream", [False, True], ids=["file", "stream"])
def test_arrow_files_keep_their_types_and_say_rows(tmp_path: Path, stream: bool) -> None:
    table = pa.table({"n": pa.array([1, None, -3], pa.int32()), "c": ["x", "y", "z"]})
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with pa.OSFile(str(tmp_path / "a"), "wb") as sink, new(sink, table.schema) as writer:
        writer.write_table(table, 2)
    content = (tmp_path / "a").read_bytes()
    schema = "columns: {n: {dtype: Int32, nullable: true, ge: 0}, c: {dtype: str}}\nstrict: true"
    (finding,) = check(tmp_path, content, "d.arrow", schema)
    assert (
        finding.message == "column `n` breaks `greater_than_or_equal_to(0)` in 1 of 3 rows (33 %): row 3 -3"
    )
    inferred = infer(tmp_path / "a", "d.arrow")
    assert validate(tmp_path / "a", "d.arrow", load(inferred, "s.yaml")) == []
