"""Tables of SQLite: named `FILE#TABLE`, read as they are stored, and the file is left as it is."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from git_mlops import config
from git_mlops.checks import scope
from git_mlops.git.repo import Repo
from git_mlops.hooks import triage
from git_mlops.hooks.check import checked
from git_mlops.schema.bindings import schema_for, with_tables
from git_mlops.schema.infer import infer
from git_mlops.schema.load import load
from git_mlops.schema.validate import validate
from git_mlops.tables import databases
from git_mlops.tables.databases import DatabaseError
from git_mlops.tables.forms import file_and_table, form_of

HOSTILE = 'we"ird; DROP TABLE users; --'
MAKE = f"""
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, age INT, joined TEXT, active BOOLEAN, height REAL);
CREATE INDEX by_name ON users (name, age, joined, active, height, id);
CREATE TABLE "{HOSTILE.replace('"', '""')}" ("a ""b" INT);
INSERT INTO "{HOSTILE.replace('"', '""')}" VALUES (1);
CREATE TABLE empty (x INT);
CREATE TABLE keyed (k TEXT PRIMARY KEY, twice INT AS (length(k) * 2) STORED) WITHOUT ROWID;
INSERT INTO keyed (k) VALUES ('b'), ('a');
CREATE VIEW shown AS SELECT * FROM users;
"""
SCHEMA = """\
columns:
  id: {dtype: int64, unique: true}
  name: {dtype: str, nullable: true}
  age: {dtype: int64, checks: {in_range: {min_value: 0, max_value: 120}}}
  joined: {dtype: 'datetime64[ns]', coerce: true}
  active: {dtype: bool}
  height: {dtype: float64, nullable: true}
strict: true
"""
ROWS = [(n, f"n{-n}", 20 + n, f"2024-01-{n:02}", n % 2, n if n % 3 else None) for n in range(1, 10)]


def make(file: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(file)) as database:
        database.executescript(MAKE)
        database.executemany("INSERT INTO users VALUES (?, ?, ?, ?, ?, ?)", ROWS)
        for statement in statements:
            database.execute(statement)
        database.commit()
    return file


def said(file: Path, table: str = "users", schema: str = SCHEMA) -> list[str]:
    return [finding.message for finding in validate(file, f"d.db#{table}", load(schema.encode(), "s.yaml"))]


def test_names_say_the_file_and_the_table() -> None:
    named = ["a/app.db#users", "app.SQLite3#x y#z", "app.db", "a#b.csv", "app.db#", "x.sqlite#t.csv"]
    assert [file_and_table(name) for name in named] == [
        ("a/app.db", "users"), ("app.SQLite3", "x y#z"), ("app.db", ""), ("a#b.csv", ""), ("app.db#", ""),
        ("x.sqlite", "t.csv"),
    ]  # fmt: skip
    assert [form.kind if (form := form_of(name)) else None for name in named] == [
        "sqlite", "sqlite", None, "csv", None, "sqlite",
    ]  # fmt: skip
    assert len({str(form_of(f"a.db#{table}")) for table in ("a", "b", "sqlite")}) == 3


def test_what_holds_is_no_finding_and_nothing_is_written(tmp_path: Path) -> None:
    file = make(tmp_path / "object")
    before = hashlib.sha256(file.read_bytes()).digest()
    file.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        assert said(file) == []
    finally:
        tmp_path.chmod(0o755)
    assert (hashlib.sha256(file.read_bytes()).digest(), list(tmp_path.iterdir())) == (before, [file])


FAULTS = {
    "text among numbers": ("age = 'abc' WHERE id = 3", "`age` is not int64 in 1 of 9 rows (11 %): row 3"),
    "bytes among texts": ("name = x'00ff' WHERE id = 2", "`name` is not str in 1 of 9 rows (11 %): row 2"),
    "no truth": ("active = 7 WHERE id = 2", "`active` is not bool in 1 of 9 rows (11 %): row 2 7"),
    "a null": ("age = NULL WHERE id = 2", "`age` has nulls in 1 of 9 rows (11 %): row 2"),
    "no time": ("joined = '2024-02-30' WHERE id = 2", "`joined` is not datetime64[ns] in 1 of 9 rows"),
    "out of range": ("age = -1 WHERE id = 2", "`age` breaks `in_range(0, 120)` in 1 of 9 rows (11 %): row 2"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found_in_its_row(tmp_path: Path, change: str, message: str) -> None:
    (found,) = said(make(tmp_path / "object", f"UPDATE users SET {change}"))  # our own
    assert found.startswith(f"column {message}")


def test_hostile_names_are_only_names(tmp_path: Path) -> None:
    file = make(tmp_path / "object")
    assert said(file, HOSTILE, "columns: {'a \"b': {dtype: int64}}\nstrict: true") == []
    assert next(databases.rows(file, "users"))[0] == 1


def test_tables_without_row_numbers_and_computed_columns_are_read(tmp_path: Path) -> None:
    assert list(databases.rows(make(tmp_path / "object"), "keyed")) == [("a", 2), ("b", 2)]


MISSING = {
    "user": "it has no table `user`; did you mean `users`?",
    "USERS": "it has no table `USERS`; did you mean `users`?",
    "zzz": f"it has no table `zzz`; it has `empty`, `keyed`, `users`, `{HOSTILE}`",
    "shown": "`shown` is a view; only tables are read",
    "by_name": f"it has no table `by_name`; it has `empty`, `keyed`, `users`, `{HOSTILE}`",
    "a\0b": f"it has no table `a\0b`; it has `empty`, `keyed`, `users`, `{HOSTILE}`",
}


@pytest.mark.parametrize("table", MISSING)
def test_what_is_no_table_is_said(tmp_path: Path, table: str) -> None:
    assert said(make(tmp_path / "object"), table) == [f"cannot be read as sqlite: {MISSING[table]}"]


def test_an_empty_table_is_no_pass(tmp_path: Path) -> None:
    file = make(tmp_path / "object")
    assert said(file, "empty", "columns: {x: {dtype: int64}}") == ["has no rows, so that nothing was checked"]


def test_virtual_tables_do_not_run(tmp_path: Path) -> None:
    file = make(tmp_path / "object", "CREATE VIRTUAL TABLE words USING fts5(body)")
    (found,) = said(file, "words")
    assert "is a virtual table" in found


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:9000])


def scrambled(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    file.write_bytes(content)


def logged(file: Path) -> None:
    Path(f"{file}-wal").write_bytes(b"x")


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "truncated": (truncated, "malformed"),
    "scrambled": (scrambled, "malformed"),
    "no database": (lambda file: file.write_text("id,age\n1,2\n"), "it is no database of SQLite"),
    "empty": (lambda file: file.write_bytes(b""), "it is empty"),
    "a header alone": (lambda file: file.write_bytes(b"SQLite format 3\0"), "not a database"),
    "a log beside it": (logged, "a write-ahead log (`object-wal`) stands beside it"),
}


@pytest.mark.parametrize(("harm", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_a_finding(tmp_path: Path, harm: Callable[[Path], Any], message: str) -> None:
    file = make(tmp_path / "object")
    harm(file)
    (found,) = said(file)
    assert found.startswith("cannot be read as sqlite: ")
    assert message in found


def test_text_that_is_none_is_found_with_its_row_and_column(tmp_path: Path) -> None:
    file = make(tmp_path / "object", "UPDATE users SET name = CAST(x'6162ff' AS TEXT) WHERE id = 4")
    assert said(file) == [
        "cannot be read as sqlite: row 4 cannot be read: Could not decode to UTF-8 column 'name'"
    ]


def test_a_computed_cell_may_not_fill_the_memory(tmp_path: Path) -> None:
    file = make(
        tmp_path / "object",
        "CREATE TABLE bomb (a INT, b BLOB AS (zeroblob(a)) VIRTUAL)",
        "INSERT INTO bomb VALUES (999000000)",
    )
    with pytest.raises(DatabaseError, match="row 1 cannot be read: string or blob too big"):
        list(databases.rows(file, "bomb"))


def test_what_is_inferred_holds(tmp_path: Path) -> None:
    file = make(tmp_path / "object")
    schema = infer(file, "d.db#users").decode()
    assert said(file, schema=schema) == []
    columns: Any = load(schema.encode(), "s.yaml").document["columns"]
    assert {name: str(columns[name]["dtype"]) for name in columns} == {
        "id": "int64", "name": "str", "age": "int64", "joined": "datetime64[ns]", "active": "bool",
        "height": "float64",
    }  # fmt: skip


def test_a_database_is_bound_by_its_tables() -> None:
    bindings = {
        "data/*.db#users": "u.yaml",
        "app.db#users": "v.yaml",
        "data/app.db#orders": "o.yaml",
        "*.csv": "c",
    }
    assert list(with_tables("data/app.db", bindings)) == [
        "data/app.db",
        "data/app.db#users",
        "data/app.db#orders",
    ]
    assert list(with_tables("data/other.db", bindings)) == ["data/other.db", "data/other.db#users"]
    assert list(with_tables("data/app.csv", bindings)) == ["data/app.csv"]
    assert schema_for("data/other.db#users", bindings) == "u.yaml"


def test_a_commit_with_a_bad_table_is_refused(repo: Repo) -> None:
    (repo.root / "data").mkdir()
    make(repo.root / "data/app.db", "UPDATE users SET age = -1 WHERE id = 2")
    (repo.root / "s.yaml").write_text(SCHEMA)
    (repo.root / "mlops.yaml").write_text(
        "version: 1\nschemas: {data/*.db#users: s.yaml, no.db#users: s.yaml}\nchecks: {data-in-git: off}\n"
    )
    repo.git("add", ".")
    found = [f for f in checked(scope.staged(repo)) if f.rule == "schema"]
    assert sorted((f.level, f.path, f.message.partition(":")[0]) for f in found) == [
        ("error", "data/app.db#users", "column `age` breaks `in_range(0, 120)` in 1 of 9 rows (11 %)"),
        ("warning", "mlops.yaml", "`no.db#users` is bound to `s.yaml`, but there is no such data"),
    ]


def test_a_commit_of_a_bound_database_never_goes_the_short_way(repo: Repo) -> None:
    pointer = "outs:\n- md5: {}\n  size: 1\n  hash: md5\n  path: {}\n"
    for name, digit in (("app.db", "a"), ("other.db", "b")):
        (repo.root / f"{name}.dvc").write_text(pointer.format(digit * 32, name))
    (repo.root / "mlops.yaml").write_text("version: 1\nschemas: {app.db#users: s.yaml}\n")
    triage.write(repo, config.load(repo).config, settled=None)
    rows = (repo.private_here / "known").read_text().splitlines()[1:]
    assert [row.split("\t")[0] for row in rows] == ["other.db.dvc"]
    assert "path app.db" in (repo.private_here / "triage").read_text()
