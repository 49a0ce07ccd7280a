"""Dialects: a CSV that is declared is read alike by schemas and by frames, and nothing else changes."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from git_mlops.config import parse
from git_mlops.data import tabular
from git_mlops.data.merge import merge_tables
from git_mlops.data.threeway import CannotMergeError, Sides
from git_mlops.decode import DecodeError
from git_mlops.schema.infer import infer
from git_mlops.schema.load import load
from git_mlops.schema.streaming import Limits
from git_mlops.schema.validate import validate
from git_mlops.tables import forms, frames
from git_mlops.tables.forms import Form, form_of
from git_mlops.tables.nulls import NULLS
from git_mlops.tables.settings import Dialect

OLD = Dialect(
    delimiter=";",
    encoding="latin-1",
    quote="'",
    decimal=",",
    nulls=("-",),
    dates={"joined": "%d/%m/%Y"},
)
TEXT = "id;name;joined;height\n1;'Zoë; Ada';05/01/2024;1,75\n2;-;29/02/2024;-\n3;O\"Hara;31/12/2023;,5\n"
SCHEMA = """\
columns:
  id: {dtype: int64, unique: true}
  name: {dtype: str, nullable: true}
  joined: {dtype: 'datetime64[ns]', coerce: true}
  height: {dtype: float64, nullable: true, in_range: {min_value: 0, max_value: 2}}
strict: true
"""


@pytest.fixture(autouse=True)
def _nothing_stays_declared() -> Iterator[None]:
    yield
    forms.declare({})


def declared(dialect: Dialect, name: str = "d.csv") -> Form:
    forms.declare({name: dialect})
    form = form_of(name)
    assert form is not None
    return form


def said(file: Path, schema: str = SCHEMA) -> list[str]:
    return [finding.message for finding in validate(file, "d.csv", load(schema.encode(), "s.yaml"))]


def written(folder: Path, text: str, encoding: str) -> Path:
    (folder / "object").write_bytes(text.encode(encoding))
    return folder / "object"


ENCODINGS = ["utf-8", "utf-16", "utf-16-le", "utf-32", "latin-1", "windows-1252", "iso-8859-15"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_schemas_and_frames_see_the_same_table(tmp_path: Path, encoding: str) -> None:
    form = declared(OLD._replace(encoding=encoding))  # type: ignore[arg-type]
    file = written(tmp_path, TEXT, encoding)
    assert said(file) == []
    frame = frames.scan(file, form, NULLS)
    assert frame.collect(engine="streaming").rows() == [
        ("1", "Zoë; Ada", "2024-01-05", "1.75"),
        ("2", None, "2024-02-29", None),
        ("3", 'O"Hara', "2023-12-31", ".5"),
    ]
    assert frame.select("height").head(1).collect().item() == "1.75"
    assert frame.filter(pl.col("id") == "3").select(pl.len()).collect().item() == 1
    columns = tabular.measure(file, form).columns
    assert [columns[name]["type"] for name in columns] == ["int64", "string", "date", "float64"]


def test_what_is_inferred_holds(tmp_path: Path) -> None:
    declared(OLD)
    file = written(tmp_path, TEXT, "latin-1")
    schema = infer(file, "d.csv").decode()
    assert said(file, schema) == []
    columns: Any = load(schema.encode(), "s.yaml").document["columns"]
    assert [str(columns[name]["dtype"]) for name in columns] == ["int64", "str", "datetime64[ns]", "float64"]


FAULTS = {
    "ISO where another format is declared": ("05/01/2024", "2024-01-05", "`joined` is not datetime64[ns]"),
    "no day": ("05/01/2024", "31/02/2024", "`joined` is not datetime64[ns]"),
    "month first": ("05/01/2024", "01/15/2024", "`joined` is not datetime64[ns]"),
    "a point in place of the comma": ("1,75", "1.75", "`height` is not float64"),
    "thousands": ("1,75", "1.001,75", "`height` is not float64"),
    "out of range": ("1,75", "2,75", "`height` breaks `in_range(0, 2)`"),
    "null that is not declared": ("1;'", "?;'", "`id` is not int64"),
}


@pytest.mark.parametrize(("old", "new", "message"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_fault_is_found_with_the_cell_as_it_stands(
    tmp_path: Path, encoding: str, old: str, new: str, message: str
) -> None:
    declared(OLD._replace(encoding=encoding))  # type: ignore[arg-type]
    (found,) = said(written(tmp_path, TEXT.replace(old, new), encoding))
    assert found.startswith(f"column {message} in 1 of 3 rows (33 %): line 2")
    cell = new.removesuffix(";'")
    assert found.endswith((f"`{cell}`", "2.75"))


def test_a_point_is_no_number_to_a_profile_either(tmp_path: Path) -> None:
    form = declared(Dialect(delimiter=";", decimal=","))
    file = written(tmp_path, "a;b\n1.5;1,5\n2.25;2\n", "utf-8")
    columns = tabular.measure(file, form).columns
    assert (columns["a"]["type"], columns["b"]["type"]) == ("string", "float64")
    inferred: Any = load(infer(file, "d.csv"), "s.yaml").document["columns"]
    assert (str(inferred["a"]["dtype"]), str(inferred["b"]["dtype"])) == ("str", "float64")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("columns", [(), ("id", "name"), ("id",)])
def test_a_table_without_a_header_has_names(tmp_path: Path, encoding: str, columns: tuple[str, ...]) -> None:
    form = declared(Dialect(header=False, columns=columns, encoding=encoding))  # type: ignore[arg-type]
    file = written(tmp_path, "1,x\n2,\n-3,z\n", encoding)
    names = [*columns, *["column_1", "column_2"][len(columns) :]]
    found = frames.scan(file, form).collect()
    assert (found.columns, found.rows()) == (names, [("1", "x"), ("2", None), ("-3", "z")])
    schema = f"columns: {{{names[0]}: {{dtype: int64, ge: 0}}, {names[1]}: {{dtype: str}}}}\nstrict: true"
    assert said(file, schema) == [
        f"column `{names[0]}` breaks `greater_than_or_equal_to(0)` in 1 of 3 rows (33 %): line 3 `-3`",
        f"column `{names[1]}` has nulls in 1 of 3 rows (33 %): line 2",
    ]


def test_more_declared_columns_than_there_are_is_an_error(tmp_path: Path) -> None:
    declared(Dialect(header=False, columns=("a", "b", "c")))
    file = written(tmp_path, "1,x\n", "utf-8")
    assert said(file, "columns: {a: {dtype: int64}}") == [
        "cannot be read as csv: it has 2 columns, and 3 are declared"
    ]


def test_without_quotes_a_quote_is_itself(tmp_path: Path) -> None:
    form = declared(Dialect(quote=""))
    file = written(tmp_path, 'a,b\n"x,2\ny",3\n', "utf-8")
    assert frames.scan(file, form).collect().rows() == [('"x', "2"), ('y"', "3")]
    assert said(file, "columns: {a: {dtype: str}, b: {dtype: int64, ge: 3}}") == [
        "column `b` breaks `greater_than_or_equal_to(3)` in 1 of 2 rows (50 %): line 2 `2`"
    ]


UNDECODABLE = [
    ("shift_jis", b"a,b\n1,\x81\n2,3\n", 2),
    ("utf-16", "a,b\n1,2\n".encode("utf-16") + b"\0", 3),
    ("euc-kr", b"a,b\n" + b"1,2\n" * 90_000 + b"\xff\n", 90_002),
    ("windows-1252", b"a,b\n\n\x81,2\n", 3),
    ("utf-16", "a,b\n1,2\n".encode("utf-16-le"), 1),
]


@pytest.mark.parametrize(("encoding", "content", "line"), UNDECODABLE)
def test_what_is_not_in_the_declared_encoding_is_an_error(
    tmp_path: Path, encoding: str, content: bytes, line: int
) -> None:
    form = declared(Dialect(encoding=encoding))  # type: ignore[arg-type]
    (tmp_path / "object").write_bytes(content)
    assert said(tmp_path / "object", "columns: {a: {dtype: str}}") == [
        f"cannot be read as csv: line {line} is not {encoding}, as declared"
    ]
    with pytest.raises(frames.FrameError):
        tabular.measure(tmp_path / "object", form)


def test_tables_with_a_dialect_are_not_merged(tmp_path: Path) -> None:
    form = declared(OLD)
    side = written(tmp_path, TEXT, "latin-1")
    with pytest.raises(CannotMergeError, match="how it is written is declared"):
        merge_tables(Sides(side, side, side), form, ("id",), tmp_path / "merged")


def test_a_packed_file_may_be_in_any_encoding(tmp_path: Path) -> None:
    forms.declare({"*.csv.gz": OLD})
    form = form_of("data/d.csv.gz")
    assert form is not None
    (tmp_path / "object").write_bytes(gzip.compress(TEXT.encode("latin-1")))
    assert frames.scan(tmp_path / "object", form).collect()["name"][0] == "Zoë; Ada"
    found = validate(tmp_path / "object", "data/d.csv.gz", load(SCHEMA.encode(), "s.yaml"))
    assert found == []


def test_times_of_a_column_may_have_a_zone_and_fractions(tmp_path: Path) -> None:
    declared(Dialect(dates={"a": "%d.%m.%Y %H:%M:%S.%f", "b": "%Y%m%d %H%M %z"}))
    file = written(tmp_path, "a,b\n05.01.2024 10:00:00.5,20240105 1000 +0200\n", "utf-8")
    schema = (
        "columns: {a: {dtype: 'datetime64[ns]', coerce: true, eq: '2024-01-05T10:00:00.5'},"
        " b: {dtype: 'datetime64[ns, UTC]', coerce: true, eq: '2024-01-05T08:00:00Z'}}"
    )
    assert said(file, schema) == []


def test_a_dialect_changes_what_a_verdict_is_about_and_no_other_tables() -> None:
    plain = str(form_of("d.csv"))
    subjects = {str(declared(dialect)) for dialect in (OLD, OLD._replace(nulls=()), Dialect(header=False))}
    assert (plain, len(subjects), str(form_of("e.csv"))) == ("csv", 3, "csv")
    assert all(each.startswith("csv#") and each.replace("#", "").isalnum() for each in subjects)
    assert str(declared(Dialect())) == str(declared(Dialect(kind="csv"))) == "csv"


def test_a_name_without_a_suffix_may_be_declared_a_table() -> None:
    forms.declare({"raw/*.data": Dialect(kind="csv", header=False)})
    assert [form_of(name) is None for name in ("raw/adult.data", "adult.data")] == [False, True]
    assert form_of("raw/adult.data.gz") is None


BAD = {
    "delimiter": ("a.csv: {delimiter: ';;'}", "`forms.a.csv.delimiter`: expected one character of ASCII"),
    "encoding": ("a.csv: {encoding: latin1}", "`forms.a.csv.encoding`: "),
    "kind": ("a.parquet: {delimiter: ';'}", "`forms.a.parquet.delimiter`: only a CSV has it"),
    "json": ("'*.jsonl.zst': {nulls: [x]}", "`forms.*.jsonl.zst.nulls`: only a CSV has it"),
    "date": ("a.csv: {dates: {d: dd/mm}}", "`forms.a.csv.dates.d`: `dd/mm` is no format of times"),
    "fraction": ("a.csv: {dates: {d: '%S%f'}}", "`forms.a.csv.dates.d`: "),
    "columns": ("a.csv: {columns: [a]}", "`forms.a.csv.columns`: the header names the columns"),
    "twice": ("a.csv: {header: false, columns: [a, a]}", "`forms.a.csv.columns`: a name stands twice"),
    "unknown": ("a.csv: {separator: ';'}", "`forms.a.csv.separator`: "),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_what_makes_no_sense_is_refused(text: str, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        parse(f"version: 1\nforms: {{{text}}}\n".encode())
    assert str(caught.value).startswith(message)


BROKEN = {
    "a stream": lambda packed: packed[:40] + b"\xa5" * 30 + packed[70:],
    "an end": lambda packed: packed[: len(packed) // 2],
    "a sum": lambda packed: packed[:-8] + b"\0" * 8,
}


@pytest.mark.parametrize("break_", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("encoding", ["utf-8", "shift_jis"])
@pytest.mark.parametrize("limits", [Limits(), Limits(small=0, whole=0, block=1000)])
def test_a_broken_packing_is_an_error(
    tmp_path: Path, encoding: str, limits: Limits, break_: Callable[[bytes], bytes]
) -> None:
    forms.declare({"d.csv.gz": Dialect(encoding=encoding, delimiter=";")})  # type: ignore[arg-type]
    content = "".join(f"{n};{n * n % 97}\n" for n in range(5000)).encode(encoding)
    (tmp_path / "object").write_bytes(break_(gzip.compress(b"a;b\n" + content)))
    schema = load(b"columns: {a: {dtype: int64}, b: {dtype: int64}}", "s.yaml")
    (found,) = validate(tmp_path / "object", "d.csv.gz", schema, limits)
    assert found.message.startswith("cannot be read as csv.gz: ")
    form = form_of("d.csv.gz")
    assert form is not None
    with pytest.raises(frames.FrameError):
        tabular.measure(tmp_path / "object", form)
