"""A directory of partitions says what one file with all its rows says."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from git_mlops.findings import Finding
from git_mlops.schema import cluster, partitioned
from git_mlops.schema.cluster import Here, Part, Workers
from git_mlops.schema.load import Schema, load
from git_mlops.schema.streaming import Limits
from git_mlops.schema.validate import validate
from tests.schema import parts_of_tables as cases

Said = list[tuple[object, ...]]


def schema(text: str) -> Schema:
    return load(text.encode(), "s.yaml")


def written(folder: Path, rows: Sequence[str], cuts: Iterable[int], head: str) -> dict[str, Path]:
    """A CSV in pieces, each with the header."""
    bounds = [0, *cuts, len(rows)]
    folder.mkdir()
    files = {}
    for number, (start, end) in enumerate(pairwise(bounds)):
        file = folder / f"p{number}.csv"
        file.write_text("\n".join([head, *rows[start:end]]) + "\n")
        files[file.name] = file
    return files


def whole(tmp_path: Path, case: cases.Case) -> Said:
    file = tmp_path / "whole.csv"
    file.write_text("\n".join([case.head, *case.rows]) + "\n")
    return summed(validate(file, "whole.csv", schema(case.schema)), {})


def summed(found: Iterable[Finding], starts: Mapping[str, int]) -> Said:
    """What a finding counts, and the rows of its examples, from 0 in the whole table."""
    return sorted(
        (
            (f.level, f.data.get("column"), f.data.get("check"), f.data.get("failures"), f.data.get("rows"),
             tuple(sorted(_row(example, starts) for example in cases.examples(f))))
            for f in found
        ),
        key=repr,
    )  # fmt: skip


def _row(example: Mapping[str, object], starts: Mapping[str, int]) -> int:
    """Every cell of the cases is on one line, and so is the header."""
    line = example["line"]
    assert isinstance(line, int)
    return line - 2 + starts.get(str(example.get("partition")), 0)


@pytest.mark.parametrize("name", cases.CASES)
def test_partitions_fail_as_the_one_table_does(tmp_path: Path, name: str) -> None:
    case = cases.CASES[name]
    cuts = [len(case.rows) // 3, 2 * len(case.rows) // 3]
    files = written(tmp_path / "t", case.rows, cuts, case.head)
    starts = dict(zip(sorted(files), [0, *cuts], strict=True))
    found = cluster.here("t", files, schema(case.schema))
    assert summed(found, starts) == whole(tmp_path, case), [f.message for f in found]


def test_a_finding_names_the_partition_its_line_and_the_value(tmp_path: Path) -> None:
    files = written(tmp_path / "t", ["1,5", "2,-5", "3,5", "1,5"], [2], "id,age")
    found = cluster.here(
        "data/t", files, schema("columns: {id: {dtype: int64, unique: true}, age: {dtype: int64, ge: 0}}")
    )
    assert [(f.path, f.level, f.message) for f in found] == [
        ("data/t", "error", "column `age` breaks `greater_than_or_equal_to(0)` in 1 of 4 rows (25 %): `p0.csv` line 3 `-5`"),  # noqa: E501  # as it is printed
        ("data/t", "error", "column `id` must be unique, but values repeat in 2 of 4 rows (50 %): `p0.csv` line 2 `1`, `p1.csv` line 3 `1`"),  # noqa: E501  # the same
    ]  # fmt: skip
    assert found[0].data["partitions"] == {"p0.csv": 1}


def test_an_unreadable_partition_is_named_and_the_others_are_judged(tmp_path: Path) -> None:
    files = written(tmp_path / "t", ["1,5", "2,-5", "3,5"], [2], "id,age")
    files["p1.csv"].write_bytes(b"id,age\n1,2,3\n")
    found = cluster.here("t", files, schema("columns: {id: {dtype: int64}, age: {dtype: int64, ge: 0}}"))
    assert [(f.path, f.level, f.line) for f in found] == [("t/p1.csv", "error", 2), ("t", "error", None)]


def test_keys_that_are_text_here_and_numbers_there_are_not_compared(tmp_path: Path) -> None:
    import polars as pl

    files = {name: tmp_path / name for name in ("a.parquet", "b.parquet")}
    pl.DataFrame({"id": [1, 2]}).write_parquet(files["a.parquet"])
    pl.DataFrame({"id": ["1", "2"]}).write_parquet(files["b.parquet"])
    found = cluster.here("t", files, schema("columns: {id: {unique: true}}"))
    assert [(f.level, f.message) for f in found] == [
        ("unknown", "whether column `id` repeats is not evaluated: it is int here, text there")
    ]


def test_partitions_without_a_row_fail_only_together(tmp_path: Path) -> None:
    files = written(tmp_path / "t", ["1"], [1], "id")
    some = schema("columns: {id: {dtype: int64}}")
    assert cluster.here("t", files, some) == []
    files = {"p1.csv": files["p1.csv"]}
    assert [f.message for f in cluster.here("t", files, some)] == ["has no rows, so that nothing was checked"]


@pytest.mark.parametrize(
    "text",
    [
        "columns: {a: {dtype: int64, checks: {unique_values_eq: [1, 2]}}}",
        "columns: {a: {dtype: int64}}\nindex: [{dtype: int64}]",
    ],
)
def test_what_is_about_all_rows_at_once_is_not_evaluated_in_parts(tmp_path: Path, text: str) -> None:
    files = written(tmp_path / "t", ["1", "2"], [1], "a")
    assert [f.level for f in cluster.here("t", files, schema(text))] == ["unknown"]


@pytest.mark.parametrize("most", [1, 3, 1000])
def test_many_ranges_of_hashes_say_what_one_says(tmp_path: Path, most: int) -> None:
    rows = [str(n % 37) for n in range(60)]
    files = written(tmp_path / "t", rows, [20, 40], "id")
    unique = schema("columns: {id: {dtype: int64, unique: true}}")
    workers = Workers(
        lambda payload: partitioned.examine(files[payload.decode()], payload.decode(), unique),
        lambda payload, spec: partitioned.located(files[payload.decode()], payload.decode(), unique, spec),
    )
    parts = [Part(name, name.encode()) for name in sorted(files)]
    with Here() as engine:
        found = cluster.findings(engine, cluster.begin(engine, "t", parts, workers), workers, most)
    assert [
        (f.data["failures"], [(e["partition"], e["line"]) for e in cases.examples(f)]) for f in found
    ] == [(46, [("p0.csv", n) for n in range(2, 7)])]


def test_a_partition_read_in_pieces_says_the_same(tmp_path: Path) -> None:
    rows = [f"{n % 150},{n}" for n in range(300)]
    files = written(tmp_path / "t", rows, [100, 200], "id,n")
    text = schema("columns: {id: {dtype: int64, unique: true}, n: {dtype: int64, le: 250}}")
    in_pieces = Limits(small=0, whole=0, rows=0, keys=16, block=256)
    first = [partitioned.examine(files[name], name, text) for name in sorted(files)]
    second = [partitioned.examine(files[name], name, text, in_pieces) for name in sorted(files)]
    assert first == second


@pytest.mark.parametrize(
    ("check", "levels"), [("ge(0)", []), ("(bool, element_wise=True)", ["error"]), ("(len)", ["unknown"])]
)
def test_python_checks_are_made_where_they_look_at_one_row(
    tmp_path: Path, check: str, levels: list[str]
) -> None:
    import pandera.pandas as pa

    made = {"ge(0)": pa.Check.ge(0), "(bool, element_wise=True)": pa.Check(bool, element_wise=True)}
    built = pa.DataFrameSchema({"a": pa.Column("int64", made.get(check, pa.Check(len)))})
    some = Schema("s.py", {"columns": {"a": {"dtype": "int64"}}}, built)
    files = written(tmp_path / "t", ["1", "0"], [1], "a")
    assert [f.level for f in cluster.here("t", files, some)] == levels
