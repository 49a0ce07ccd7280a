"""Directories that are bound to a schema: one table, on what is staged."""

from collections.abc import Callable
from pathlib import Path

import pytest

from git_mlops.checks import scope
from git_mlops.config import load
from git_mlops.hooks import data, triage
from git_mlops.hooks.check import checked
from tests.checks.conftest import Project, said

RULE = "schema"
SCHEMA = b"columns:\n  id: {dtype: int64, unique: true}\n  age: {dtype: int64, ge: 0}\n"
FILES = {"a.csv": b"id,age\n1,5\n2,5\n", "b.csv": b"id,age\n3,5\n1,5\n"}
"""Neither fails by itself."""
STEM = "column `id` must be unique, but values repeat in"
TWICE = ("error", "ta bl", f"{STEM} 2 of 4 rows (50 %): `a.csv` line 2 `1`, `b.csv` line 3 `1`")


def bound(project: Project, path: str = "ta bl") -> None:
    project.write("schemas/s.yaml", SCHEMA)
    project.settings(f"schemas: {{'{path}': schemas/s.yaml}}\n")


def tracked(project: Project) -> None:
    project.folder("ta bl", FILES)


def each_tracked(project: Project) -> None:
    for name, content in FILES.items():
        project.data(f"ta bl/{name}", content)


def plain(project: Project) -> None:
    for name, content in FILES.items():
        project.write(f"ta bl/{name}", content)


def objects(project: Project) -> list[Path]:
    return [file for file in project.root.glob(".dvc/cache/files/md5/*/*") if file.is_file()]


@pytest.mark.parametrize("kept", [tracked, each_tracked, plain])
def test_a_key_that_repeats_across_partitions_is_found(
    project: Project, kept: Callable[[Project], None]
) -> None:
    kept(project)
    bound(project, "./ta bl/")
    assert said(project.check(RULE)) == [TWICE]
    verdicts = project.repo.text("log", "--format=%s", "refs/mlops/verdicts")
    assert "verdicts: 0 pass, 1 fail" in verdicts.splitlines()
    for file in project.root.glob(".dvc/cache/files/md5/*/*"):
        if file.suffix != ".dir":
            file.unlink()  # the verdict is known: nothing is read
    assert said(project.check(RULE)) == [TWICE]
    found = [f for f in checked(scope.workspace(project.repo)) if f.rule == RULE]
    assert said(found) == [TWICE]


def test_a_partition_that_is_new_has_the_whole_table_looked_at(project: Project) -> None:
    each_tracked(project)
    bound(project)
    project.check(RULE)
    project.git("commit", "-qm", "first")
    project.data("ta bl/c.csv", b"id,age\n3,5\n")
    ends = (
        "4 of 5 rows (80 %): `a.csv` line 2 `1`, `b.csv` line 2 `3`, `b.csv` line 3 `1`, `c.csv` line 2 `3`"
    )
    assert said(project.check(RULE)) == [("error", "ta bl", f"{STEM} {ends}")]


def test_a_partition_that_cannot_be_read_is_named_also_by_the_verdict(project: Project) -> None:
    project.folder("ta bl", {**FILES, "b.csv": b"id,age\n3,5,7\n"})
    bound(project)
    for _ in range(2):
        assert [(f.path, f.line) for f in project.check(RULE)] == [("ta bl/b.csv", 2)]


def test_bound_by_a_pattern_each_file_is_for_itself(project: Project) -> None:
    tracked(project)
    bound(project, "ta bl/*")
    assert project.check(RULE) == []


def test_a_file_that_is_bound_by_itself_is_no_partition(project: Project) -> None:
    tracked(project)
    project.write("schemas/s.yaml", SCHEMA)
    project.settings("schemas: {ta bl: schemas/s.yaml, ta bl/b.csv: schemas/s.yaml}\n")
    assert project.check(RULE) == []


def test_what_is_not_here_or_damaged_is_not_passed_over(project: Project) -> None:
    tracked(project)
    bound(project)
    listing = next(file for file in objects(project) if file.suffix == ".dir")
    part = next(file for file in objects(project) if file.read_bytes() == FILES["a.csv"])
    part.write_bytes(b"id,age\n9,5\n")
    assert said(project.check(RULE)) == [
        (
            "unknown",
            "ta bl",
            "its partition `a.csv` is damaged on this machine: it has another hash than is said",
        )
    ]
    part.unlink()
    assert said(project.check(RULE)) == [
        ("unknown", "ta bl", "the data of 1 of 2 partitions is not on this machine")
    ]
    listing.unlink()
    assert said(project.check(RULE)) == [("unknown", "ta bl", "what is in it is not known on this machine")]


def test_files_that_are_no_tables_are_named(project: Project) -> None:
    project.folder("ta bl", {"a.csv": FILES["a.csv"], "notes.txt": b"x", "_SUCCESS": b""})
    bound(project)
    assert said(project.check(RULE)) == [("note", "ta bl", "no part of the table, by its name: `notes.txt`")]


def test_the_hook_does_not_take_the_short_way_past_a_table(project: Project) -> None:
    each_tracked(project)
    project.data("alone.csv", FILES["a.csv"])
    bound(project)
    triage.write(project.repo, load(project.repo).config, settled=None)
    known = (project.repo.private_here / "known").read_text().splitlines()
    assert [line.split("\t")[0] for line in known[1:]] == ["alone.csv.dvc"]
    assert "path ta*bl/*" in (project.repo.private_here / "triage").read_text().splitlines()


def test_a_pull_for_a_range_brings_the_whole_table(project: Project) -> None:
    each_tracked(project)
    bound(project)
    project.git("add", "-A")
    project.git("commit", "-qm", "first")
    project.data("ta bl/c.csv", b"id,age\n3,5\n")
    project.git("add", "-A")
    project.git("commit", "-qm", "second")
    found = data._needed(project.repo, "HEAD~1...HEAD", load(project.repo).config.schemas)  # no remote
    assert {out.path for out in found} == {f"ta bl/{name}.csv" for name in "abc"}
