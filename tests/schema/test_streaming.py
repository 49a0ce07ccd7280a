"""Tables read in pieces: the same findings as of the whole, whatever the data and the schema."""

import datetime as dt
import gzip
import json
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_mlops.errors import MlopsError
from git_mlops.findings import Finding
from git_mlops.schema.load import load
from git_mlops.schema.partitions import Keys, hashed
from git_mlops.schema.streaming import Limits
from git_mlops.schema.validate import streamed, validate, whole
from git_mlops.tables import forms
from git_mlops.tables.forms import Form, form_of
from git_mlops.tables.settings import Dialect

PIECES = Limits(small=0, whole=0, rows=0, keys=64, block=1000)

POOLS: dict[str, list[str]] = {
    "int": [
        "1",
        "2",
        "7",
        "120",
        "-3",
        "+5",
        " 4",
        "",
        "NA",
        "x",
        "2.0",
        "2.5",
        "0x1f",
        "99999999999999999999",
    ],
    "float": ["1", "2.5", "0.1", "-3.25", "1e3", "inf", "", "NaN", "NAN", "x", ".5", "1e400"],
    "text": ["a", "ab", "xcd", "cd", "b", "é", "٣", "", "NA", "a b", "A", "12"],
    "bool": ["true", "False", "0", "", "yes"],
    "time": ["2024-01-01", "2020-02-29", "2024-01-01 10:00:00", "", "2023-02-29", "1999-12-31"],
}
TYPES: dict[str, list[str | None]] = {
    "int": ["int64", "Int64", "int8", "uint8", None],
    "float": ["float64", "float32", "Float64"],
    "text": ["str", "string", "category", "object"],
    "bool": ["bool", "boolean"],
    "time": ["datetime64[ns]", "datetime64[us]"],
}
NUMBERS: list[Any] = [
    {"ge": 0}, {"gt": 0.1}, {"le": 100}, {"lt": 2.5}, {"eq": 1}, {"ne": 1}, {"isin": [1, 2, 7]},
    {"notin": [2]},
    {"in_range": {"min_value": 0, "max_value": 7, "include_min": False}}, {"unique_values_eq": [1, 2]},
    {"ge": 0, "lt": 100},
]  # fmt: skip
CHECKS: dict[str, list[Any]] = {
    "int": NUMBERS,
    "float": [*NUMBERS, {"isin": [1, 2.5]}],
    "text": [
        {"isin": ["a", "ab"]}, {"notin": ["a"]}, {"eq": "a"}, {"ge": "ab"}, {"str_matches": "ab|cd$"},
        {"str_contains": "b$"}, {"str_contains": r"\d"}, {"str_startswith": "a"}, {"str_endswith": "b"},
        {"str_length": {"max_value": 2}}, {"str_length": {"exact_value": 1}},
    ],
    "bool": [{"eq": True}, {"isin": [True]}],
    "time": [{"ge": "2000-01-01"}, {"lt": "2024-01-01T05:00:00"}],
}  # fmt: skip
ARROW: dict[str, list[pa.DataType]] = {
    "int": [pa.int64(), pa.int8(), pa.uint8()],
    "float": [pa.float64(), pa.float32()],
    "text": [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())],
    "bool": [pa.bool_()],
    "time": [pa.timestamp("ns"), pa.timestamp("us")],
}
VALUES: dict[str, list[Any]] = {
    "int": [1, 2, 7, 100],
    "float": [1.0, 2.5, 0.1, float("nan")],
    "text": ["a", "ab", "xcd", "ab\n", "é", "٣"],
    "bool": [True, False],
    "time": [dt.datetime(2024, 1, 1), dt.datetime(1999, 1, 1, 12)],  # noqa: DTZ001  # no zones
}


@st.composite
def part(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """What a schema says of a column."""
    said: dict[str, Any] = {"nullable": draw(st.booleans()), "coerce": draw(st.booleans())}
    if (dtype := draw(st.sampled_from(TYPES[kind]))) is not None:
        said["dtype"] = dtype
    if draw(st.integers(0, 4)) == 0:
        said["unique"] = True
    if draw(st.integers(0, 3)):
        said["checks"] = draw(st.sampled_from(CHECKS[kind]))
    return said


def either(file: Path, name: str, schema: dict[str, Any]) -> tuple[list[Finding], list[Finding] | None]:
    try:
        loaded = load(json.dumps(schema).encode(), "s.yaml")
    except MlopsError:
        return [], None
    form = form_of(name)
    assert form is not None
    return whole(file, form, name, loaded), streamed(file, form, name, loaded, PIECES)


@pytest.mark.slow
@given(st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_csv_in_pieces_has_the_findings_of_the_whole(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(list(POOLS)), min_size=1, max_size=3))
    most = [data.draw(st.sampled_from([3, len(POOLS[kind])])) for kind in kinds]
    row = st.tuples(*(st.sampled_from(POOLS[k][:m]) for k, m in zip(kinds, most, strict=True)))
    rows = data.draw(st.lists(row, min_size=1, max_size=12)) * data.draw(st.sampled_from([1, 1, 40]))
    schema: dict[str, Any] = {"columns": {f"c{i}": data.draw(part(kind)) for i, kind in enumerate(kinds)}}
    if len(kinds) > 1 and data.draw(st.booleans()):
        schema["unique"] = ["c0", "c1"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "d")
        names = [*schema["columns"], "pad"]
        file.write_text("\n".join([",".join(names), *(",".join([*row, "1"]) for row in rows), ""]))
        law, ours = either(file, "d.csv", schema)
    assert ours is None or ours == law


@pytest.mark.slow
@given(st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_parquet_or_arrow_file_in_pieces_has_the_findings_of_the_whole(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=3))
    rows = data.draw(st.integers(1, 12))
    columns = {}
    for number, kind in enumerate(kinds):
        pool = [*VALUES[kind][: data.draw(st.integers(1, 9))], *data.draw(st.sampled_from([[], [None]]))]
        cells = data.draw(st.lists(st.sampled_from(pool), min_size=rows, max_size=rows))
        columns[f"c{number}"] = pa.array(cells, data.draw(st.sampled_from(ARROW[kind])))
    schema: dict[str, Any] = {"columns": {f"c{i}": data.draw(part(kind)) for i, kind in enumerate(kinds)}}
    if data.draw(st.booleans()):
        schema |= {"strict": True, "ordered": True}
    table = pa.concat_tables([pa.table(columns)] * data.draw(st.sampled_from([1, 1, 40])))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "d")
        pq.write_table(table, file, row_group_size=50)
        law, ours = either(file, "d.parquet", schema)
        assert ours is None or ours == law
        made: Any = data.draw(st.sampled_from([pa.ipc.new_file, pa.ipc.new_stream]))
        with made(file, table.schema) as writer:
            writer.write_table(table, max_chunksize=50)
        law, ours = either(file, "d.arrow", schema)
    assert ours is None or ours == law


OBJECTS: dict[str, list[Any]] = {
    "int": [1, 2, 7, -3, None, 2.0, 2.5, "x", 2**62, 2**70, True],
    "float": [1.0, 2.5, 0.1, float("nan"), None, 1, "x", float("inf")],
    "text": ["a", "ab", "xcd", "é", "NA", "", None, 3],
    "bool": [True, False, None, 0, "true"],
    "time": ["2024-01-01", "2024-01-01 10:00:00", None, "2023-02-29", 5],
}


def squeezed(content: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(content, asbytes=True))


def write_lines(file: Path, rows: list[dict[str, Any]]) -> str:
    file.write_text("\n\n".join(json.dumps(row) for row in rows))
    return "d.jsonl"


def write_packed(file: Path, rows: list[dict[str, Any]]) -> str:
    file.write_bytes(squeezed("\n".join(json.dumps(row) for row in rows).encode()))
    return "d.jsonl.zst"


def write_database(file: Path, rows: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with closing(sqlite3.connect(file)) as database:
        kinds = ["BOOLEAN" if any(isinstance(row.get(name), bool) for row in rows) else "" for name in names]
        made = ", ".join(f"{name} {kind}" for name, kind in zip(names, kinds, strict=True))
        database.execute(f"CREATE TABLE t ({made})")
        filled = [[row.get(name) for name in names] for row in rows]
        fitting = [[float(c) if isinstance(c, int) and c > 2**63 else c for c in row] for row in filled]
        database.executemany(f"INSERT INTO t VALUES ({', '.join('?' for _ in names)})", fitting)  # ours
        database.commit()
    return "d.db#t"


@given(st.data(), st.sampled_from([write_lines, write_packed, write_database]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.slow
def test_objects_in_pieces_have_the_findings_of_the_whole(
    data: st.DataObject, write: Callable[[Path, list[dict[str, Any]]], str]
) -> None:
    kinds = data.draw(st.lists(st.sampled_from(list(OBJECTS)), min_size=1, max_size=3))
    most = [data.draw(st.sampled_from([3, len(OBJECTS[kind])])) for kind in kinds]
    pools = {f"c{i}": OBJECTS[k][:m] for i, (k, m) in enumerate(zip(kinds, most, strict=True))}
    row = st.fixed_dictionaries(
        {"pad": st.just(1)}, optional={name: st.sampled_from(pool) for name, pool in pools.items()}
    )
    rows = data.draw(st.lists(row, min_size=1, max_size=12)) * data.draw(st.sampled_from([1, 1, 40]))
    schema: dict[str, Any] = {"columns": {f"c{i}": data.draw(part(kind)) for i, kind in enumerate(kinds)}}
    if len(kinds) > 1 and data.draw(st.booleans()):
        schema["unique"] = ["c0", "c1"]
    with tempfile.TemporaryDirectory() as folder:
        law, ours = either(Path(folder, "d"), write(Path(folder, "d"), rows), schema)
    assert ours is None or ours == law


DIALECTS = [
    Dialect(delimiter=";", quote="'", nulls=("x", "7")),
    Dialect(decimal=",", delimiter="\t", dates={"c0": "%Y-%m-%d", "c1": "%Y-%m-%d %H:%M:%S"}),
    Dialect(header=False, columns=("c0",), encoding="utf-16"),
    Dialect(quote="", encoding="windows-1252", nulls=("a",), dates={"c0": "%Y-%m-%d"}),
]


@given(st.data(), st.sampled_from(DIALECTS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.slow
def test_a_declared_csv_in_pieces_has_the_findings_of_the_whole(
    data: st.DataObject, dialect: Dialect
) -> None:
    kinds = data.draw(st.lists(st.sampled_from(list(POOLS)), min_size=1, max_size=3))
    row = st.tuples(*(st.sampled_from([*POOLS[k], "1,5", "'a'", '"b']) for k in kinds))
    rows = data.draw(st.lists(row, min_size=1, max_size=12)) * data.draw(st.sampled_from([1, 1, 40]))
    names = [f"c{i}" if dialect.header or i == 0 else f"column_{i + 1}" for i in range(len(kinds))]
    schema: dict[str, Any] = {"columns": {n: data.draw(part(k)) for n, k in zip(names, kinds, strict=True)}}
    between = dialect.delimiter or ","
    lines = [between.join([*names, "pad"])] if dialect.header else []
    lines += [between.join([*(cell.replace(between, "-") for cell in row), "1"]) for row in rows]
    forms.declare({"d.csv": dialect})
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "d")
            file.write_bytes(("\n".join(lines) + "\n").encode(dialect.encoding, "replace"))
            law, ours = either(file, "d.csv", schema)
    finally:
        forms.declare({})
    assert ours is None or ours == law


LONG = 5000
SCHEMA = """\
columns:
  id: {dtype: int64, unique: true}
  age: {dtype: int64, checks: {in_range: {min_value: 0, max_value: 120}}}
  city: {dtype: str, nullable: true, checks: {isin: [Ghent, Namur]}}
  day: {dtype: 'datetime64[ns]', coerce: true}
strict: true
"""


def table() -> pl.DataFrame:
    """Long enough for several pieces, and without a fault."""
    n = pl.int_range(LONG, eager=True)
    city = pl.Series(["Ghent", "Namur", None] * LONG).head(LONG)
    day = pl.Series([dt.datetime(2024, 1, 1)] * LONG, dtype=pl.Datetime("ns"))  # noqa: DTZ001  # no zones
    return pl.DataFrame({"id": n, "age": n % 90, "city": city, "day": day})


def written(frame: pl.DataFrame, file: Path, form: Form) -> None:
    if form.kind == "parquet":
        frame.write_parquet(file, row_group_size=700)
        return
    if form.kind == "arrow":
        frame.write_ipc_stream(file, compat_level=pl.CompatLevel.oldest())
        return
    frame = frame.with_columns(pl.col("day").dt.date())
    if form.kind == "sqlite":
        write_database(file, frame.with_columns(pl.col("day").cast(pl.String)).to_dicts())
        return
    text = (
        frame.write_ndjson()
        if form.kind == "jsonl"
        else frame.write_csv(separator="\t" if form.kind == "tsv" else ",")
    )
    pack: Any = {"gz": gzip.compress, "zst": squeezed}[form.by] if form.packed else bytes
    file.write_bytes(pack(text.encode()))


FAULTS: dict[str, list[pl.Expr]] = {
    "none": [],
    "one value": [pl.when(pl.col("id") == 4321).then(-1).otherwise("age").alias("age")],
    "many values": [(pl.col("age") - 40).alias("age")],
    "a null far down": [pl.when(pl.col("id") != 4321).then("age").alias("age")],
    "a key twice": [pl.when(pl.col("id") == 4321).then(7).otherwise("id").alias("id")],
    "all keys twice": [(pl.col("id") // 2).alias("id")],
    "an extra column": [pl.lit(1).alias("extra")],
    "several": [(pl.col("age") - 40).alias("age"), (pl.col("city") + "!").alias("city")],
}


ALL = ["d.parquet", "d.csv", "d.tsv", "d.csv.gz", "d.arrow", "d.jsonl", "d.jsonl.zst", "d.db#t"]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_long_table_is_told_as_if_it_were_read_whole(
    tmp_path: Path, name: str, fault: str
) -> None:
    form = form_of(name)
    assert form is not None
    written(table().with_columns(FAULTS[fault]), tmp_path / "d", form)
    schema = load(SCHEMA.encode(), "s.yaml")
    ours = streamed(tmp_path / "d", form, name, schema, PIECES)
    assert ours == whole(tmp_path / "d", form, name, schema)
    assert bool(ours) == (fault != "none")


def test_small_tables_are_read_whole(tmp_path: Path) -> None:
    form = Form("parquet", packed=False)
    written(table(), tmp_path / "d", form)
    schema = load(SCHEMA.encode(), "s.yaml")
    assert streamed(tmp_path / "d", form, "d.parquet", schema, Limits()) is None
    assert validate(tmp_path / "d", "d.parquet", schema) == []


def test_a_table_with_failures_is_read_whole_while_that_is_cheap(tmp_path: Path) -> None:
    form = Form("parquet", packed=False)
    schema = load(SCHEMA.encode(), "s.yaml")
    limits = Limits(small=0)
    written(table(), tmp_path / "d", form)
    assert streamed(tmp_path / "d", form, "d.parquet", schema, limits) == []
    written(table().with_columns(FAULTS["one value"]), tmp_path / "d", form)
    assert streamed(tmp_path / "d", form, "d.parquet", schema, limits) is None


@given(st.lists(st.integers(0, 40) | st.none(), max_size=200), st.sampled_from([3, 50, 1000]))
@settings(max_examples=60, deadline=None)
def test_what_repeats_is_found_however_little_is_held(values: list[int | None], held: int) -> None:
    keys = Keys(held)
    try:
        for start in range(0, len(values), 7):
            keys.add(hashed(pl.DataFrame({"a": pl.Series(values[start : start + 7], dtype=pl.Int64)})))
        found = keys.repeats()
    finally:
        keys.close()
    twice = [value for value in values if values.count(value) > 1]
    assert (found.rows, len(found.hashes)) == (len(twice), len(set(twice))) if found else not twice


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    for name in ("d.parquet", "d.csv"):
        form = form_of(name)
        assert form is not None
        written(table().with_columns(FAULTS["a key twice"]), tmp_path / "d", form)
        streamed(tmp_path / "d", form, name, load(SCHEMA.encode(), "s.yaml"), PIECES)
    assert list((tmp_path / "tmp").iterdir()) == []
