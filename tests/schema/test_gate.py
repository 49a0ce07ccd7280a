import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from git_mlops.errors import MlopsError
from git_mlops.findings import Finding
from git_mlops.git import objects, refs
from git_mlops.git.repo import Repo
from git_mlops.schema import verdicts
from git_mlops.schema.gate import Item, gate

SCHEMA = b"columns: {age: {dtype: int64, checks: {ge: 0}}}\n"


def never() -> Path:
    raise AssertionError("the data was read")


def item(
    repo: Repo,
    file: Path | None,
    *,
    path: str = "data/a.csv",
    schema: bytes = SCHEMA,
    like: Path | None = None,
) -> Item:
    """The item of a file; `like`: without the file at hand, under its hash."""
    named = like or file
    hash_ = hashlib.md5(named.read_bytes()).hexdigest() if named else "0" * 32
    return Item(
        path, "md5", hash_, lambda: file, "schemas/a.yaml", objects.blob_id(repo, schema), lambda: schema
    )


def run(repo: Repo, items: Sequence[Item]) -> list[Finding]:
    return list(gate(repo, items))


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    (tmp_path / "bad").write_text("age\n1\n-1\n")
    return tmp_path / "bad"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    (tmp_path / "good").write_text("age\n1\n")
    return tmp_path / "good"


def test_data_that_holds_is_silent_and_its_verdict_recorded(repo: Repo, good: Path) -> None:
    assert run(repo, [item(repo, good)]) == []
    assert repo.text("log", "--format=%s", verdicts.REF) == "verdicts: 1 pass, 0 fail"


def test_a_known_verdict_is_used_without_the_data(repo: Repo, bad: Path) -> None:
    first = run(repo, [item(repo, bad)])
    again = run(repo, [item(repo, bad)._replace(file=never)])
    assert first == again
    assert [finding.message for finding in again] == [
        "column `age` breaks `greater_than_or_equal_to(0)` in 1 of 2 rows (50 %): line 3 `-1`"
    ]


def test_the_same_data_under_another_name_is_read_once(repo: Repo, bad: Path) -> None:
    items = [item(repo, bad), item(repo, bad, path="copy/b.csv")._replace(file=never)]
    assert [finding.path for finding in run(repo, items)] == ["data/a.csv", "copy/b.csv"]


@pytest.mark.parametrize("change", ["hash", "schema", "form"])
def test_other_data_another_schema_or_form_is_checked_anew(repo: Repo, good: Path, change: str) -> None:
    run(repo, [item(repo, good)])
    other = {
        "hash": item(repo, None),
        "schema": item(repo, None, like=good, schema=SCHEMA + b"strict: true\n"),
        "form": item(repo, None, like=good, path="data/a.tsv"),
    }[change]
    assert [finding.level for finding in run(repo, [other])] == ["unknown"]


def test_missing_data_is_unknown_with_the_command_that_brings_it(repo: Repo) -> None:
    assert run(repo, [item(repo, None, path="my data/a.csv")]) == [
        Finding(
            "schema",
            "unknown",
            "its data is not on this machine",
            "my data/a.csv",
            hint="`git mlops pull 'my data/a.csv'`",
        )
    ]
    assert refs.read(repo, verdicts.REF) is None


def test_a_wrong_schema_is_one_finding_about_itself_and_no_verdict(repo: Repo, good: Path) -> None:
    schema = b"columns:\n  age: {dtpye: int64}\n"
    items = [item(repo, good, schema=schema), item(repo, good, schema=schema, path="b.csv")]
    assert run(repo, items) == [
        Finding(
            "schema",
            "error",
            "`columns.age.dtpye`: unknown key",
            "schemas/a.yaml",
            2,
            "did you mean `dtype`?",
            {"check": "grammar"},
        ),
        Finding("schema", "unknown", "not checked: its schema `schemas/a.yaml` is wrong", "b.csv"),
    ]
    assert refs.read(repo, verdicts.REF) is None


def test_unreadable_data_has_a_verdict_too(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"PAR1")
    first = run(repo, [item(repo, tmp_path / "x", path="a.parquet")])
    assert [finding.level for finding in first] == ["error"]
    assert run(repo, [item(repo, None, like=tmp_path / "x", path="a.parquet")]) == first


def test_an_unknown_form_has_no_verdict(repo: Repo, good: Path) -> None:
    assert [finding.level for finding in run(repo, [item(repo, good, path="a.xlsx")])] == ["unknown"]
    assert refs.read(repo, verdicts.REF) is None


def test_what_was_computed_is_recorded_when_the_run_breaks_off(repo: Repo, good: Path) -> None:
    def interrupted() -> Path:
        raise KeyboardInterrupt

    items = [item(repo, good), item(repo, None)._replace(file=interrupted)]
    with pytest.raises(KeyboardInterrupt):
        run(repo, items)
    assert run(repo, [item(repo, None, like=good)]) == []


def test_no_items_cost_no_process(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert run(repo, []) == []


def test_an_error_of_the_caller_passes_through(repo: Repo) -> None:
    def unreadable() -> Path:
        raise MlopsError("cannot read", exit_code=3)

    with pytest.raises(MlopsError, match="cannot read"):
        run(repo, [item(repo, None)._replace(file=unreadable)])


def test_a_damaged_object_gets_no_verdict(repo: Repo, good: Path, bad: Path) -> None:
    (finding,) = run(repo, [item(repo, bad, like=good)])
    assert (finding.level, finding.hint) == ("unknown", f"`rm {bad}`, then `git mlops pull data/a.csv`")
    assert refs.read(repo, verdicts.REF) is None


def test_a_blob_of_git_goes_by_its_blob_id(repo: Repo, bad: Path) -> None:
    oid = objects.blob_id(repo, bad.read_bytes())
    plain = item(repo, bad)._replace(algorithm="git", hash=oid)
    assert run(repo, [plain]) == run(repo, [plain._replace(file=never)])
