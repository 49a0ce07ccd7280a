"""Constraints on whole tables, on what is staged."""

import io
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from tests.checks.conftest import Project, said

RULE = "tables"
ORDERS = b"id,user,day\n1,a,2026-01-01\n2,b,2026-01-02\n2,c,2026-01-03\n"


def parquet(**columns: list[object]) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame(columns).write_parquet(buffer)
    return buffer.getvalue()


def test_a_declared_key_must_be_unique(project: Project) -> None:
    project.settings("data:\n  keys: {orders.csv: [id]}\n")
    project.data("orders.csv", ORDERS)
    assert said(project.check(RULE)) == [
        ("error", "orders.csv", "`id` must be unique; 1 value repeats in 2 rows: 2")
    ]
    project.settings("data:\n  keys: {orders.csv: [id, user]}\n")
    assert project.check(RULE) == []


def test_rows_with_a_null_in_them_repeat_nothing(project: Project) -> None:
    project.settings("tables:\n  t.csv: {unique: [a + b, c]}\n")
    project.data("t.csv", b"a,b,c\n1,,5\n1,,NA\n1,2,\n1,2,6\n")
    assert said(project.check(RULE)) == [
        ("error", "t.csv", "`a` + `b` must be unique; 1 value repeats in 2 rows: 1, 2")
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("{min: 4}", "3 rows, where at least 4 are expected"),
        ("{max: 2}", "3 rows, where at most 2 are expected"),
        ("{min: 3, max: 3}", None),
    ],
)
def test_the_number_of_rows_has_bounds(project: Project, rows: str, message: str | None) -> None:
    project.settings(f"tables:\n  '*.csv': {{rows: {rows}}}\n")
    project.data("orders.csv", ORDERS)
    assert [text for _level, _path, text in said(project.check(RULE))] == ([message] if message else [])


def test_a_directory_is_one_table(project: Project) -> None:
    project.settings("tables:\n  parts: {unique: [id], rows: {max: 3}}\n")
    project.folder(
        "parts", {"1.parquet": parquet(id=[1, 2]), "2.parquet": parquet(id=[2, 3]), "read.me": b"x"}
    )
    assert said(project.check(RULE)) == [
        ("error", "parts", "4 rows, where at most 3 are expected"),
        ("error", "parts", "`id` must be unique; 1 value repeats in 2 rows: 2"),
    ]


def test_values_must_be_in_the_table_that_they_refer_to(project: Project) -> None:
    project.settings("tables:\n  orders.csv: {references: {user: 'users.parquet:name'}}\n")
    project.data("orders.csv", ORDERS)
    assert said(project.check(RULE)) == [
        ("error", "orders.csv", "`user` refers to `users.parquet`, which is not there")
    ]
    project.data("users.parquet", parquet(name=["a", "b"]))
    assert said(project.check(RULE)) == [
        ("error", "orders.csv", "1 value of `user` in 1 row is not in `name` of `users.parquet`: c")
    ]


def test_a_change_of_the_table_that_is_referred_to_is_a_change_of_the_reference(project: Project) -> None:
    project.settings("tables:\n  orders.csv: {references: {user: 'users.csv:name'}}\n")
    project.data("orders.csv", ORDERS)
    project.write("users.csv", b"name\na\nb\nc\n")
    assert project.check(RULE) == []
    project.git("commit", "-q", "-m", "both")
    project.write("users.csv", b"name\na\nb\n")
    assert [text for _level, _path, text in said(project.check(RULE))] == [
        "1 value of `user` in 1 row is not in `name` of `users.csv`: c"
    ]


def test_freshness_is_of_today_also_for_a_known_verdict(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    old, new = (now - timedelta(days=9)).isoformat(), (now - timedelta(days=2)).isoformat()
    project.settings("tables:\n  t.csv: {fresh: {column: at, within: 7d}}\n")
    project.data("t.csv", f"at\n{old}\n{new}\n".encode())
    assert project.check(RULE) == []
    project.data("t.csv", f"at\n{old}\n".encode())
    for _known in (False, True):
        ((level, path, text),) = said(project.check(RULE))
        assert (level, path, text) == (
            "error", "t.csv", f"`at` goes up to {old}: 9.0 days old, where 7 are allowed"
        )  # fmt: skip


def test_what_cannot_be_judged_is_said(project: Project) -> None:
    project.settings(
        "tables:\n  t.csv: {unique: [nope]}\n  gone.csv: {rows: {min: 1}}\n  b.parquet: {rows: {}}\n"
    )
    project.data("t.csv", ORDERS)
    project.data("gone.csv", b"a\n1\n").unlink()
    project.data("b.parquet", b"no parquet")
    found = said(project.check(RULE))
    assert (
        "error",
        "t.csv",
        "it has no column `nope`, which `unique` of `tables:` in mlops.yaml names",
    ) in found
    assert {(level, path) for level, path, _text in found} == {
        ("unknown", "gone.csv"), ("error", "t.csv"), ("error", "b.parquet")
    }  # fmt: skip
