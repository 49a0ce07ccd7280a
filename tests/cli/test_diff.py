"""`git mlops diff` as a user runs it."""

import json
import subprocess
from pathlib import Path

import pytest

from git_mlops.cli import diff_output
from git_mlops.data.diff import Change
from tests.conftest import Run
from tests.data.conftest import Data, data

__all__ = ["data"]  # the fixture

OLD = "id,age,city\n1,20,Ghent\n2,,Ghent\n3,41,Namur\n"
NEW = "id,age,town\n1,21,Ghent\n3,41,Namur\n4,7,Namur\n"


@pytest.fixture
def two(data: Data) -> Data:
    data.file("t.csv", OLD)
    data.folder("d", {"a": "a", "b": "b"})
    data.file("m.pkl", "x")
    data.commit("one")
    data.file("t.csv", NEW)
    data.folder("d", {"a": "a", "b": "c"})
    data.file("m.pkl", "xy")
    data.commit("two")
    return data


TEXT = """\
data d (modified directory)
--- HEAD~1: 122 B, 2 files, md5 {d[0]}
+++ HEAD: 122 B, 2 files, md5 {d[1]}
~ b

data m.pkl (modified model)
--- HEAD~1: 1 B, md5 9dd4e46126
+++ HEAD: 2 B, md5 3e44107170
  note: a pickle is code: it is not looked into

data t.csv (modified table by id)
--- HEAD~1: 3 rows, 43 B, md5 {t[0]}
+++ HEAD: 3 rows, 44 B, md5 {t[1]}
- 1 row
+ 1 row
~ 1 row changed
- column city (renamed)
+ column town (renamed)
  id:
-   {{p50: 2, p95: 3, max: 3, mean: 2.0, std: 0.816497}}
+   {{p50: 3, p95: 4, max: 4, mean: 2.66667, std: 1.24722}}
  age: 1 cell changed
-   {{nulls: 1, distinct: 2, min: 20, p05: 20, p50: 20, mean: 30.5, std: 10.5}}
+   {{nulls: 0, distinct: 3, min: 7, p05: 7, p50: 21, mean: 23.0, std: 13.9523}}
  town:
-   {{top: {{Ghent: 2}}}}
+   {{top: {{Namur: 2}}}}
- id: 2, age: null, city: Ghent
+ id: 4, age: 7, town: Namur
- id: 1, age: 20
+ id: 1, age: 21
"""


def short(data: Data, name: str) -> list[str]:
    return [data.git("show", f"{rev}:{name}.dvc").split()[3].strip('"')[:10] for rev in ("HEAD~1", "HEAD")]


def test_the_text_says_what_changed(two: Data, mlops: Run) -> None:
    done = mlops("diff", "HEAD~1..HEAD", "--rows", "3", cwd=two.root)
    expected = TEXT.format(d=short(two, "d"), t=short(two, "t.csv"))
    assert done.stdout == expected


def test_plus_and_minus_are_never_flipped(two: Data, mlops: Run) -> None:
    there = mlops("diff", "HEAD~1", "HEAD", "--rows", "9", cwd=two.root).stdout.splitlines()
    back = mlops("diff", "HEAD", "HEAD~1", "--rows", "9", cwd=two.root).stdout.splitlines()
    signs = str.maketrans("+-", "-+")
    flipped = [line[:3].translate(signs) + line[3:] if line[:1] in "+-" else line for line in back]
    # a renamed column stands under the name that it has in B
    assert sorted(there) == sorted(line.replace("  city:", "  town:") for line in flipped)


def test_stat_is_a_line_per_path(two: Data, mlops: Run) -> None:
    done = mlops("diff", "HEAD~1", "HEAD", "--stat", cwd=two.root)
    assert done.stdout == (
        "DATA   ROWS      COLUMNS  WHAT\n"
        "d                         ~1 files\n"
        "m.pkl                     a pickle is code: it is not looked into\n"
        "t.csv  +1 -1 ~1  ~2\n"
    )


def test_markdown_has_a_table_and_the_text(two: Data, mlops: Run) -> None:
    done = mlops("diff", "HEAD~1", "HEAD", "--md", "--", "t.csv", cwd=two.root)
    assert done.stdout.startswith(
        "| data | rows | columns | what |\n| --- | --- | --- | --- |\n| t.csv | +1 -1 "
    )
    assert "```diff\ndata t.csv" in done.stdout


def test_json_has_all_of_it(two: Data, mlops: Run) -> None:
    value = json.loads(mlops("diff", "HEAD~1", "--json", "--rows", "1", "t.csv", cwd=two.root).stdout)
    (found,) = value["data"]
    assert (value["mlops"], value["kind"], found["path"]) == (1, "data-diff", "t.csv")
    table = found["table"]
    assert {
        name: table[name] for name in ("rows", "key", "added", "removed", "changed", "cells", "columns")
    } == {
        "rows": [3, 3],
        "key": ["id"],
        "added": 1,
        "removed": 1,
        "changed": 1,
        "cells": {"age": 1},
        "columns": {"added": [], "removed": [], "renamed": [["city", "town"]], "retyped": {}},
    }
    assert table["examples"]["changed"] == [
        {"old": {"id": "1", "age": "20", "city": "Ghent"}, "new": {"id": "1", "age": "21", "town": "Ghent"}}
    ]


@pytest.mark.parametrize(("words", "status"), [(("HEAD~1",), 1), (("HEAD",), 0), ((), 0)])
def test_the_exit_code_is_that_of_git_diff(
    two: Data, mlops: Run, words: tuple[str, ...], status: int
) -> None:
    mlops("diff", *words, cwd=two.root)
    mlops("diff", *words, "--exit-code", cwd=two.root, status=status)
    mlops("diff", *words, "--exit-code", "--json", cwd=two.root, status=status)


def test_paths_are_as_typed(two: Data, mlops: Run) -> None:
    (two.root / "sub").mkdir()
    done = mlops("diff", "HEAD~1", "HEAD", "../d", cwd=two.root / "sub")
    assert done.stdout.splitlines()[0] == "data d (modified directory)"
    assert mlops("diff", "HEAD~1", "HEAD", "--stat", "--", "..", cwd=two.root / "sub").stdout.count("\n") == 4


def test_behind_two_dashes_everything_is_a_path(two: Data, mlops: Run) -> None:
    two.git("branch", "d")
    assert mlops("diff", "HEAD~1", "d", "--stat", cwd=two.root).stdout.count("\n") == 4
    assert mlops("diff", "HEAD~1", "--stat", "--", "d", cwd=two.root).stdout.count("\n") == 2


def test_three_dots_begin_where_the_two_parted(two: Data, mlops: Run) -> None:
    two.git("switch", "-q", "-c", "other", "HEAD~1")
    two.file("o.csv", "a\n1\n")
    two.commit("other")
    done = mlops("diff", "main...other", "--stat", cwd=two.root)
    assert done.stdout.splitlines()[1:] == ["o.csv                 added"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nope",), "error: `nope` is neither a revision nor data\n"),
        (("HEAD", "nope..HEAD"), "error: `nope..HEAD` is neither a revision nor data\n"),
        (("HEAD", "HEAD", "HEAD"), "error: two revisions at most, not 3\n"),
        (("--", "/etc"), "error: `/etc` is outside the repository"),
    ],
)
def test_what_is_neither_is_said(two: Data, mlops: Run, words: tuple[str, ...], message: str) -> None:
    assert mlops("diff", *words, cwd=two.root, status=None).stderr.startswith(message)


def test_names_out_of_the_data_begin_no_line(data: Data) -> None:
    from git_mlops.data.rows import Columns, Difference

    found = Difference((1, 1), (), 0, 0, 0, Columns((), ("a\n+ evil",), ()), {})
    from git_mlops.data.diff import TableChange

    change = Change("t.csv", "modified", "table", None, None, TableChange(found, (None, None)))
    assert list(diff_output.text(change, ("A", "B")))[1:] == ['+ column "a\\n+ evil"']


@pytest.mark.slow
def test_an_added_profile_makes_the_workspace_quick_to_read(two: Data, mlops: Run) -> None:
    (two.root / "t.csv").write_text(NEW + "9,9,Huy\n")
    assert "+ 1 row\n" in mlops("diff", cwd=two.root).stdout
    mlops("add", "t.csv", cwd=two.root)
    done = mlops("diff", "--exit-code", cwd=two.root, status=1)
    assert "+++ workspace: 4 rows" in done.stdout


@pytest.mark.slow
def test_data_of_another_clone_is_compared_by_its_profiles(two: Data, mlops: Run, tmp_path: Path) -> None:
    for text in (OLD, NEW):
        (two.root / "t.csv").write_text(text)
        mlops("add", "t.csv", cwd=two.root)
        two.commit()
    subprocess.run(["git", "clone", "-q", str(two.root), str(tmp_path / "clone")], check=True)
    done = mlops("diff", "HEAD~1", "HEAD", cwd=tmp_path / "clone")
    assert "only the profiles in the pointers were compared" in done.stdout
    assert "- column city\n+ column town\n" in done.stdout
