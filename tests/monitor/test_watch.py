"""Two tables, from their files to findings."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from git_mlops.errors import MlopsError
from git_mlops.findings import exit_code
from git_mlops.monitor import document as documents
from git_mlops.monitor import drift, samples, watch
from git_mlops.monitor.observed import Observation
from git_mlops.monitor.settings import Own, Settings
from git_mlops.reports import document_html
from tests.monitor.conftest import ROWS, people

USUAL = Settings()


def _compare(old: Path, new: Path, settings: Settings = USUAL) -> Observation:
    return watch.files(watch.Request(watch.side(old), watch.side(new)), settings)


def _said(one: Observation) -> list[tuple[str, str]]:
    return [(found.rule, found.level) for found in one.findings]


def test_more_of_the_same_is_nothing_to_say_whatever_the_form(tables: Path) -> None:
    found = _compare(tables / "old.csv", tables / "same.parquet")
    assert (_said(found), exit_code(found.findings)) == ([], 0)
    assert found.drift is not None
    assert [one.column.name for one in found.drift.moved] == ["age", "city"]
    assert [(one.name, one.why) for one in found.drift.both.left] == [
        ("id", "it tells rows apart: each has a value of its own")
    ]


def test_a_column_that_moved_is_named_with_its_figures(tables: Path) -> None:
    (found,) = _compare(tables / "old.csv", tables / "older.csv").findings
    assert (found.rule, found.level, found.data["column"]) == ("drift", "error", "age")
    assert "`age` moved: mean 39.55 → 45.35" in found.message
    assert found.data["wasserstein"] == pytest.approx(0.5, abs=0.1)


def test_a_directory_is_one_table(tables: Path) -> None:
    folder = tables / "parts"
    folder.mkdir()
    for number in range(3):
        people(500, seed=number + 5).write_parquet(folder / f"{number}.parquet")
    found = _compare(tables / "old.csv", folder)
    assert found.drift is not None
    assert (found.drift.both.rows, _said(found)) == ((ROWS, 1500), [])


_EDITS: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], list[tuple[str, str]]]] = {
    "gaps": (
        lambda t: t.with_columns(pl.when(pl.int_range(pl.len()) % 5 > 0).then(pl.col("age"))),
        [("nulls", "error")],
    ),
    "a new city": (
        lambda t: t.with_columns(
            pl.when(pl.int_range(pl.len()) % 5 > 0).then(pl.col("city")).otherwise(pl.lit("Ypres"))
        ),
        [("drift", "error"), ("new-category", "error")],
    ),
    "one row of a new city": (
        lambda t: t.with_columns(
            pl.when(pl.int_range(pl.len()) > 0).then(pl.col("city")).otherwise(pl.lit("Ypres"))
        ),
        [("new-category", "warning")],
    ),
    "beyond the range": (
        lambda t: t.with_columns(
            pl.when(pl.int_range(pl.len()) % 75 > 0).then(pl.col("age")).otherwise(500.0)
        ),
        [("range", "error")],
    ),
    "infinite": (
        lambda t: t.with_columns(
            pl.when(pl.int_range(pl.len()) > 0).then(pl.col("age")).otherwise(float("inf"))
        ),
        [("range", "error")],
    ),
    "text for numbers": (
        lambda t: t.with_columns(pl.lit("old").alias("age")),
        [("skew", "error")],
    ),
    "some text for numbers": (
        lambda t: t.with_columns(
            pl.when(pl.int_range(pl.len()) > 2).then(pl.col("age").cast(pl.String)).otherwise(pl.lit("?"))
        ),
        [("skew", "error")],
    ),
    "a column less": (lambda t: t.drop("city"), [("skew", "error")]),
    "a column more": (lambda t: t.with_columns(pl.lit(1).alias("extra")), [("skew", "note")]),
}


@pytest.mark.parametrize("edit", _EDITS)
def test_each_rule_finds_what_it_is_for_and_nothing_else(tables: Path, edit: str) -> None:
    change, expected = _EDITS[edit]
    change(people(seed=2)).write_parquet(tables / "new.parquet")
    assert _said(_compare(tables / "old.csv", tables / "new.parquet")) == expected


def test_few_rows_are_not_evaluated_and_it_is_said_how_many_are_needed(tables: Path) -> None:
    people(20, seed=4).write_csv(tables / "few.csv")
    found = _compare(tables / "old.csv", tables / "few.csv")
    assert (_said(found), exit_code(found.findings)) == ([("drift", "unknown")], 3)
    needed = found.findings[0].data["needed"]
    assert isinstance(needed, int)
    assert f"{needed} are needed" in found.findings[0].message
    people(needed, seed=4).write_csv(tables / "enough.csv")
    assert _said(_compare(tables / "old.csv", tables / "enough.csv")) == []


def test_so_many_rows_as_are_needed_do_find_the_shift_in_four_cases_of_five(tables: Path) -> None:
    needed, _more = drift.rows_needed(ROWS, 1, 2, 0.01, 0.5)
    assert needed is not None
    hits = 0
    for seed in range(20):
        people(needed, seed=seed + 10, older=0.5).write_parquet(tables / "n.parquet")
        hits += ("drift", "error") in _said(_compare(tables / "old.csv", tables / "n.parquet"))
    assert hits >= 14


def test_large_samples_do_not_alarm_on_differences_that_are_nothing(tmp_path: Path) -> None:
    people(60_000, seed=1).write_parquet(tmp_path / "old.parquet")
    people(60_000, seed=2, older=0.03).write_parquet(tmp_path / "new.parquet")
    found = _compare(tmp_path / "old.parquet", tmp_path / "new.parquet")
    assert found.drift is not None
    answer = found.drift.moved[0].answer
    assert answer is not None
    assert (answer.adjusted <= 0.01, _said(found)) == (True, [])
    strict = _compare(tmp_path / "old.parquet", tmp_path / "new.parquet", Settings(effect=0.01))
    assert _said(strict) == [("drift", "error")]


def test_settings_of_a_column_count_for_it_alone(tables: Path) -> None:
    skipped = _compare(tables / "old.csv", tables / "older.csv", Settings(columns={"a*": Own(skip=True)}))
    lenient = _compare(tables / "old.csv", tables / "older.csv", Settings(columns={"age": Own(effect=0.9)}))
    assert (_said(skipped), _said(lenient)) == ([], [])
    people(seed=2).drop("city").write_parquet(tables / "less.parquet")
    without = _compare(
        tables / "old.csv", tables / "less.parquet", Settings(columns={"city": Own(skip=True)})
    )
    assert _said(without) == []


def test_a_slice_that_moved_is_found_though_the_whole_did_not(tables: Path) -> None:
    old, new = people(8000, seed=1), people(8000, seed=2)
    moved = new.with_columns(
        pl.when(pl.col("city") == "Bruges").then(pl.col("age") + 3).otherwise(pl.col("age"))
    )
    old.write_parquet(tables / "a.parquet")
    moved.write_parquet(tables / "b.parquet")
    found = _compare(tables / "a.parquet", tables / "b.parquet", Settings(slices=("city",), effect=0.1))
    assert [f.message.partition(":")[0] for f in found.findings] == ["where `city` is `Bruges`"]


def test_more_rows_than_are_kept_are_sampled_and_counted_whole(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pl.DataFrame({"x": random.normal(size=30_000), "c": random.choice(["a", "b"], size=30_000)})
    rare = frame.with_columns(
        pl.when(pl.int_range(pl.len()) == 17).then(pl.lit("z")).otherwise(pl.col("c")).alias("c")
    )
    both = samples.read(frame.lazy(), rare.lazy(), most=1000)
    assert both.rows == (30_000, 30_000)
    assert both.kept[0] < 1100
    assert [(one.current.rows, dict(one.new)) for one in both.columns] == [(30_000, {}), (30_000, {"z": 1})]
    again = samples.read(rare.lazy(), rare.lazy(), most=1000)
    assert again.columns[1].new == {}


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"PAR1 but no more", b"a,b\n1,2,3\n4\n"])
def test_what_is_no_table_is_said_and_no_traceback(tables: Path, content: bytes) -> None:
    codes = []
    for name in ("bad.csv", "bad.parquet"):
        (tables / name).write_bytes(content)
        try:
            codes.append(exit_code(_compare(tables / "old.csv", tables / name).findings))
        except MlopsError as error:
            codes.append(error.exit_code)
    assert set(codes) <= {1, 3}


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_log_that_was_only_begun_is_empty_and_beside_another_nothing(tables: Path, form: str) -> None:
    (tables / "now").mkdir()
    (tables / "now" / f"a.{form}").touch()
    with pytest.raises(MlopsError, match="is empty") as caught:
        _compare(tables / "old.csv", tables / "now" / f"a.{form}")
    assert caught.value.exit_code == 3
    (tables / "now" / "b.csv").write_bytes((tables / "old.csv").read_bytes())
    assert _compare(tables / "old.csv", tables / "now").findings == ()


def test_sides_without_rows_and_names_with_anything_in_them_are_survived(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"a`b\n|<x>": np.arange(300.0), "huge": np.arange(300.0) * 1e305, "flag": [True] * 300}
    )
    frame.write_parquet(tmp_path / "all.parquet")
    frame.head(0).write_parquet(tmp_path / "none.parquet")
    for old, new, expected in (
        ("all", "all", 0),
        ("all", "none", 3),
        ("none", "all", 3),
        ("none", "none", 3),
    ):
        found = _compare(tmp_path / f"{old}.parquet", tmp_path / f"{new}.parquet")
        assert exit_code(found.findings) == expected
        assert "<x>" not in document_html.render(documents.document(found))
