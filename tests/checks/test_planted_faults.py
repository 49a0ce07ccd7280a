# ruff: noqa: E501  # one fault a line
"""Some eighty ways in which tables go wrong: each is found, and told as what it is, or said to be out of scope.

One good table is spoilt in one way at a time, and the whole check runs over what is staged: schema, constraints
on whole tables, personal data. What is expected is a rule and a part of its message.
"""

import csv
import gzip
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pandas as pd
import polars as pl
import pytest
from sklearn import datasets as sets
from vega_datasets import local_data

from git_mlops.checks import scope
from git_mlops.hooks.check import checked
from git_mlops.schema import infer
from tests.checks.conftest import Project

Rows = list[dict[str, str]]
TODAY = datetime.now(UTC).date()

SCHEMA = """schema_type: dataframe
version: 0.20.4
strict: true
columns:
  id: {dtype: int64, unique: true}
  name: {dtype: str, checks: {str_length: {min_value: 1, max_value: 40}}}
  age: {dtype: int64, checks: {in_range: {min_value: 0, max_value: 120}}}
  height: {dtype: float64, checks: {in_range: {min_value: 50, max_value: 250}}}
  city: {dtype: str, checks: {isin: [Ghent, Namur, Liège, Mons]}}
  zip: {dtype: str, checks: {str_matches: '^[0-9]{4}$'}}
  joined:
    dtype: datetime64[ns]
    checks: {in_range: {min_value: '2000-01-01', max_value: '2100-01-01'}}
  score: {dtype: float64, checks: {in_range: {min_value: 0, max_value: 1}}}
  active: {dtype: bool}
  label: {dtype: str, checks: {isin: [yes_, no_]}}
  note: {dtype: str, nullable: true, checks: {str_length: {max_value: 200}}}
"""
SETTINGS = """schemas: {'t.*': s.yaml}
data: {keys: {t.csv: [id]}}
tables:
  t.csv:
    rows: {min: 30, max: 60}
    references: {city: 'cities.csv:name'}
    fresh: {column: joined, within: 30d}
"""
CITIES = "Ghent", "Namur", "Liège", "Mons"


def good() -> Rows:
    return [
        {
            "id": str(n), "name": f"P{n} Ünal", "age": str(20 + n), "height": f"{150 + n}.5",
            "city": CITIES[n % 4], "zip": f"{9000 + n}", "joined": str(TODAY - timedelta(days=n)),
            "score": f"0.{n + 10}", "active": "True" if n % 2 else "False", "label": ("yes_", "no_")[n % 3 == 0],
            "note": "" if n % 5 else f"Nr. {n}, fine",
        }
        for n in range(40)
    ]  # fmt: skip


def text(rows: Rows, delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


Spoilt = bytes | str | Rows


class Fault(NamedTuple):
    """How the table is spoilt, and what must be said; nothing where it is no fault, or out of scope."""

    spoil: Callable[[Rows], Spoilt | None]
    rule: str | None
    said: str = ""
    file: str = "t.csv"


def cell(row: int, column: str, value: str) -> Callable[[Rows], None]:
    def spoil(rows: Rows) -> None:
        rows[row][column] = value

    return spoil


def every(column: str, change: Callable[[str], str]) -> Callable[[Rows], None]:
    def spoil(rows: Rows) -> None:
        for row in rows:
            row[column] = change(row[column])

    return spoil


def raw(change: Callable[[str], str | bytes]) -> Callable[[Rows], Spoilt]:
    return lambda rows: change(text(rows))


def lines(change: Callable[[list[str]], list[str]]) -> Callable[[Rows], Spoilt]:
    return lambda rows: "\n".join(change(text(rows).splitlines())) + "\n"


def renamed(old: str, new: str) -> Callable[[Rows], Spoilt]:
    return lambda rows: [{new if k == old else k: v for k, v in row.items()} for row in rows]


def extended(name: str, source: str) -> Callable[[Rows], Spoilt]:
    return lambda rows: [{**row, name: row[source]} for row in rows]


def swapped(one: str, other: str) -> Callable[[Rows], None]:
    def spoil(rows: Rows) -> None:
        for row in rows:
            row[one], row[other] = row[other], row[one]

    return spoil


def parquet(**change: pl.Expr) -> Callable[[Rows], Spoilt]:
    def spoil(rows: Rows) -> bytes:
        frame = pl.DataFrame(rows).with_columns(
            pl.col("id", "age").cast(pl.Int64), pl.col("height", "score").cast(pl.Float64),
            pl.col("joined").str.to_datetime("%Y-%m-%d", time_unit="ns"), pl.col("active") == "True",
        )  # fmt: skip
        out = io.BytesIO()
        frame.with_columns(**change).write_parquet(out)
        return out.getvalue()

    return spoil


def json_lines(change: Callable[[list[str]], list[str]]) -> Callable[[Rows], Spoilt]:
    def spoil(rows: Rows) -> str:
        frame = pl.read_parquet(as_bytes(parquet()(rows))).with_columns(
            pl.col("joined").dt.to_string("%Y-%m-%dT%H:%M:%S")
        )
        return "\n".join(change(frame.write_ndjson().splitlines())) + "\n"

    return spoil


def cut(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]


def as_bytes(made: Spoilt) -> bytes:
    assert isinstance(made, bytes)
    return made


def plus(rows: Rows, more: Rows) -> Rows:
    return [*rows, *more]


FAULTS: dict[str, Fault] = {
    # nothing wrong
    "as it should be": Fault(lambda rows: rows, None),
    "shuffled columns": Fault(lambda rows: [dict(reversed(row.items())) for row in rows], None),
    "a byte order mark": Fault(raw(lambda t: b"\xef\xbb\xbf" + t.encode()), None),
    "Windows line endings": Fault(raw(lambda t: t.replace("\n", "\r\n")), None),
    "no last line ending": Fault(raw(lambda t: t.rstrip("\n")), None),
    "line breaks in cells": Fault(cell(0, "note", "one\ntwo, three"), None),
    "good Parquet": Fault(parquet(), None, file="t.parquet"),
    "good JSON lines": Fault(json_lines(list), None, file="t.jsonl"),
    # types
    "a word among numbers": Fault(cell(3, "age", "thirty"), "schema", "`age` is not int64"),
    "fractions among integers": Fault(cell(3, "age", "31.5"), "schema", "`age` is not int64"),
    "an integer of a thousand digits": Fault(cell(3, "age", "9" * 1000), "schema", "`age`"),
    "an integer larger than 64 bits": Fault(cell(3, "id", "99999999999999999999"), "schema", "`id`"),
    "hexadecimal": Fault(cell(3, "age", "0x1f"), "schema", "`age`"),
    "a decimal comma": Fault(every("height", lambda v: v.replace(".", ",")), "schema", "`height` is not float64"),
    "a separator of thousands": Fault(cell(3, "height", "1 050.0"), "schema", "`height` is not float64"),
    "a currency": Fault(every("score", lambda v: f"€{v}"), "schema", "`score` is not float64"),
    "a percent sign": Fault(cell(3, "score", "50%"), "schema", "`score` is not float64"),
    "yes and no for a boolean": Fault(every("active", lambda v: "yes" if v == "True" else "no"), "schema", "`active`"),
    "a third boolean": Fault(cell(3, "active", "2"), "schema", "`active`"),
    "an impossible date": Fault(cell(3, "joined", "2026-02-30"), "schema", "`joined`"),
    "dates in two forms": Fault(cell(3, "joined", "03/04/2026"), "schema", "`joined`"),
    "a date as a number of days": Fault(cell(3, "joined", "46000"), "schema", "`joined`"),
    # missing and non-finite
    "a null": Fault(cell(3, "age", ""), "schema", "`age`"),
    "a burst of nulls": Fault(lambda rows: [{**r, "city": ""} if 9 < i < 30 else r for i, r in enumerate(rows)], "schema", "`city` has nulls in 20 of 40"),
    "a column that is all null": Fault(every("score", lambda _v: ""), "schema", "`score`"),
    "NULL as a word": Fault(cell(3, "name", "NULL"), "schema", "`name` has nulls"),
    "NaN": Fault(cell(3, "score", "nan"), "schema", "`score`"),
    "infinity": Fault(cell(3, "score", "inf"), "schema", "`score` breaks"),
    "minus infinity": Fault(cell(3, "height", "-inf"), "schema", "`height` breaks"),
    "a number that overflows": Fault(cell(3, "height", "1e400"), "schema", "`height`"),
    # values
    "metres for centimetres": Fault(every("height", lambda v: str(float(v) / 100)), "schema", "`height` breaks"),
    "percent for a share": Fault(every("score", lambda v: str(float(v) * 100)), "schema", "`score` breaks"),
    "a negative age": Fault(cell(3, "age", "-1"), "schema", "`age` breaks"),
    "999 for unknown": Fault(cell(3, "age", "999"), "schema", "`age` breaks"),
    "the year 9999 for unknown": Fault(cell(3, "joined", "9999-12-31"), "schema", "`joined`"),
    "the year 1970 for unknown": Fault(cell(3, "joined", "1970-01-01"), "schema", "`joined`"),
    "swapped columns": Fault(swapped("age", "height"), "schema", "`age`"),
    "a slip in a category": Fault(cell(3, "city", "Gent"), "schema", "`city` breaks"),
    "another case": Fault(cell(0, "city", "ghent"), "schema", "`city` breaks"),
    "a space behind": Fault(cell(0, "city", "Ghent "), "schema", "`city` breaks"),
    "an invisible character": Fault(cell(0, "city", "Ghent\u200b"), "schema", "`city` breaks"),
    "another normal form of Unicode": Fault(every("city", lambda v: v.replace("è", "e\u0300")), "schema", "`city` breaks"),
    "a lost leading zero": Fault(cell(3, "zip", "903"), "schema", "`zip` breaks"),
    "a number as a fraction": Fault(cell(3, "zip", "9003.0"), "schema", "`zip` breaks"),
    "digits of another script": Fault(cell(3, "zip", "९००३"), "schema", "`zip` breaks"),
    "a huge field": Fault(cell(3, "note", "x" * 1_000_000), "schema", "`note` breaks"),
    "double encoding": Fault(every("city", lambda v: v.encode().decode("latin-1")), "schema", "`city` breaks"),
    # keys and rows
    "a repeated key": Fault(cell(3, "id", "4"), "schema", "`id` must be unique"),
    "a row that stands twice": Fault(lambda rows: plus(rows, [rows[3]]), "tables", "`id` must be unique; 1 value "),
    "half of the rows": Fault(lambda rows: rows[:20], "tables", "20 rows, where at least 30"),
    "all rows twice": Fault(lambda rows: plus(rows, [{**r, "id": str(100 + i)} for i, r in enumerate(rows)]), "tables", "80 rows, where at most 60"),
    "one row": Fault(lambda rows: rows[:1], "tables", "1 rows, where at least 30"),
    "a value that nothing refers to": Fault(cell(3, "city", "Bruges"), "tables", "`city` in 1 row is not in `name` of `cities.csv`: Bruges"),
    "old data": Fault(every("joined", lambda v: str(date.fromisoformat(v) - timedelta(days=90))), "tables", "90.", ),
    # columns
    "a missing column": Fault(lambda rows: [{k: v for k, v in r.items() if k != "zip"} for r in rows], "schema", "`zip` is missing"),
    "a renamed column": Fault(renamed("zip", "ZIP"), "schema", "`zip` is missing; the file has `ZIP`"),
    "a column that is new": Fault(extended("extra", "age"), "schema", "`extra` is not in the schema"),
    "a leaked label": Fault(extended("target", "label"), "schema", "`target` is not in the schema"),
    "row labels": Fault(lambda rows: [{"": str(i), **r} for i, r in enumerate(rows)], "schema", "`Unnamed: 0` is not in the schema"),
    "a column that stands twice": Fault(lines(lambda ls: [f"{ln},{ln.split(',')[2]}" for ln in ls]), "schema", "`age` stands more than once"),
    "spaces in the header": Fault(raw(lambda t: t.replace("age,", " age,", 1)), "schema", "`age` is missing"),
    # form
    "nothing at all": Fault(raw(lambda _t: ""), "schema", "it is empty"),
    "a header alone": Fault(lines(lambda ls: ls[:1]), "schema", "has no rows"),
    "no header": Fault(lines(lambda ls: ls[1:]), "schema", "is missing"),
    "a header in the middle": Fault(lines(lambda ls: [*ls, *ls[:1]]), "schema", "`age` is not int64"),
    "semicolons": Fault(lambda rows: text(rows, ";"), "schema", "separated by `;`"),
    "tabs in a CSV": Fault(lambda rows: text(rows, "\t"), "schema", "cannot be read as csv: line 2 has 2 fields"),
    "a short row": Fault(lines(lambda ls: [*ls[:5], ls[5].rsplit(",", 2)[0], *ls[6:]]), "schema", "cannot be read"),
    "a long row": Fault(lines(lambda ls: [*ls[:5], ls[5] + ",x", *ls[6:]]), "schema", "cannot be read"),
    "a cut last row": Fault(raw(lambda t: t[:-30]), "schema", "cannot be read"),
    "a quote that stays open": Fault(lines(lambda ls: [*ls[:5], ls[5] + '"', *ls[6:]]), "schema", "line 6 has 12 fields"),
    "Latin-1": Fault(raw(lambda t: t.encode("latin-1")), "schema", "UTF-8"),
    "UTF-16": Fault(raw(lambda t: t.encode("utf-16")), "schema", "UTF-16"),
    "NUL bytes": Fault(raw(lambda t: t.replace("Ghent", "Gh\0nt")), "schema", "`city` breaks"),
    "an error page": Fault(raw(lambda _t: "<html><body>502 Bad Gateway</body></html>\n"), "schema", "has no rows"),
    "a Git LFS pointer": Fault(raw(lambda _t: "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"), "schema", "`id` is missing"),
    "conflict markers": Fault(lines(lambda ls: [*ls[:9], "<<<<<<< ours", ls[9], "=======", ls[9], ">>>>>>> theirs", *ls[10:]]), "schema", "cannot be read"),
    "gzip that is cut": Fault(lambda rows: cut(gzip.compress(text(rows).encode()), 0.7), "schema", "gzip", file="t.csv.gz"),
    "Parquet that is cut": Fault(lambda rows: cut(as_bytes(parquet()(rows)), 0.8), "schema", "cannot be read", file="t.parquet"),
    "text for integers in Parquet": Fault(parquet(age=pl.col("age").cast(pl.String)), "schema", "`age` is not int64", file="t.parquet"),
    "fractions for integers in Parquet": Fault(parquet(age=pl.col("age") + 0.5), "schema", "`age` is not int64", file="t.parquet"),
    "nulls among integers in Parquet": Fault(parquet(age=pl.when(pl.col("id") > 3).then("age")), "schema", "`age` has nulls", file="t.parquet"),
    "a time zone in Parquet": Fault(parquet(joined=pl.col("joined").dt.replace_time_zone("Asia/Tokyo")), "schema", "`joined` is not datetime64[ns]", file="t.parquet"),
    "a broken JSON line": Fault(json_lines(lambda ls: [*ls[:5], ls[5][:-9], *ls[6:]]), "schema", "cannot be read", file="t.jsonl"),
    "a number as text in JSON": Fault(json_lines(lambda ls: [ls[0].replace('"age":20', '"age":"20"'), *ls[1:]]), "schema", "`age`", file="t.jsonl"),
    # what must not leave
    "a secret key": Fault(cell(5, "note", "AKIAIOSFODNN7EXAMPLQ"), "pii", "`note`"),
    "e-mail addresses": Fault(every("note", lambda _v: "ada.lovelace@engine.org"), "pii", "`note`"),
    "card numbers": Fault(every("note", lambda _v: "4539 1488 0343 6467"), "pii", "`note`"),
    # out of scope: no row is wrong by itself (see docs/schemas.md, What is not caught)
    "labels all of one class": Fault(every("label", lambda _v: "yes_"), None),
    "a sensor that is stuck": Fault(every("score", lambda _v: "0.5"), None),
    "another distribution": Fault(every("age", lambda v: str(120 - int(v))), None),
}  # fmt: skip


def test_there_are_enough() -> None:
    assert sum(fault.rule is not None for fault in FAULTS.values()) >= 75


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(project: Project, name: str) -> None:
    fault = FAULTS[name]
    rows = good()
    made = fault.spoil(rows)
    made = rows if made is None else made
    content = text(made) if isinstance(made, list) else made
    project.settings(SETTINGS)
    project.write("s.yaml", SCHEMA.encode())
    project.write("cities.csv", "name\nGhent\nNamur\nLiège\nMons\n".encode())
    project.data(fault.file, content if isinstance(content, bytes) else content.encode())
    project.git("add", "-A")
    # the settings name the CSV, too: that other forms leave it out is only a warning
    found = [
        (f.rule, f.message)
        for f in checked(scope.staged(project.repo))
        if f.level in ("error", "warning") and (f.rule, f.level) != ("config-valid", "warning")
    ]
    if fault.rule is None:
        assert found == []
    else:
        assert any(rule == fault.rule and fault.said in message for rule, message in found), found


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (BOMB, ""),
        ("", ""),
        ("columns: {}\n", ""),
        (SCHEMA.replace("checks:", "cheks:"), "cheks"),
        (
            SCHEMA.replace(
                "in_range: {min_value: 0, max_value: 120}", "in_rang: {min_value: 0, max_value: 120}"
            ),
            "in_rang",
        ),
        ("columns: {age: {dtype: int64, checks: null}}\n", "checks"),
    ],
    ids=[
        "a billion laughs",
        "empty",
        "no columns",
        "a slip in a key",
        "a slip in a check",
        "a check that is nothing",
    ],
)
def test_a_schema_that_would_check_nothing_is_an_error(project: Project, schema: str, said: str) -> None:
    project.settings("schemas: {'t.*': s.yaml}\n")
    project.write("s.yaml", schema.encode())
    project.data("t.csv", text(good()).encode())
    found = [f for f in project.check("schema") if f.path == "s.yaml"]
    assert [f.level for f in found] == ["error"]
    assert said in found[0].message


def frame_of(name: str) -> pd.DataFrame:
    """A table that people have used for decades; nothing is fetched."""
    loaders = {"wine": sets.load_wine, "cancer": sets.load_breast_cancer, "diabetes": sets.load_diabetes}
    found = (
        loaders[name](as_frame=True).frame
        if name in loaders
        else getattr(local_data, name.replace("-", "_"))()
    )
    assert isinstance(found, pd.DataFrame)
    return found


REAL = ["wine", "cancer", "diabetes", *local_data.list_datasets()]


def test_there_are_twenty_real_tables() -> None:
    assert len(REAL) >= 20


@pytest.mark.filterwarnings("ignore:The 'convert_dates' keyword")  # of vega_datasets
@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_clean_real_table_raises_nothing(project: Project, name: str, form: str) -> None:
    file = project.root / f"t.{form}"
    frame = frame_of(name)
    (frame.to_csv if form == "csv" else frame.to_parquet)(file, index=False)
    project.settings(f"schemas: {{{file.name}: s.yaml}}\n")
    project.write("s.yaml", infer.infer(file, file.name))
    project.write(".gitignore", f"/{file.name}\n".encode())
    project.data(file.name, file.read_bytes())
    project.git("add", "-A")
    found = checked(scope.staged(project.repo))
    assert [f for f in found if f.level != "note"] == []
