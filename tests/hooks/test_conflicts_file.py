"""The file of conflicts: what is written can be filled in and is read back as it was meant."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_mlops.data.merging import Result
from git_mlops.data.threeway import Choice, Conflict
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo
from git_mlops.hooks import conflicts_file

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
CONFLICTS = st.lists(
    st.builds(Conflict, st.tuples(CELL, CELL), CELL, st.none() | CELL, st.none() | CELL, st.none() | CELL),
    unique_by=lambda one: (one.key, one.column),
    max_size=4,
)


@settings(max_examples=100, deadline=None)
@given(CONFLICTS)
def test_every_value_can_stand_in_it(conflicts: list[Conflict]) -> None:
    rows = list(csv.reader(io.StringIO(conflicts_file.text(("a", "b"), conflicts), newline="")))
    assert rows[0] == ["a", "b", "column", "base", "ours", "theirs", "take"]
    assert [(tuple(row[:2]), row[2]) for row in rows[1:]] == [(one.key, one.column) for one in conflicts]


def test_what_was_filled_in_is_taken(repo: Repo) -> None:
    conflicts = [Conflict((key,), "n", "0", "1", "2") for key in "abcde"]
    name = conflicts_file.write(repo, "d/t.csv.dvc", Result(None, tuple(conflicts), ("id",)))
    file = repo.root / name
    lines = file.read_text().splitlines()
    taken = ["", "ours", " theirs ", "base", '"=x, y"', "="]
    file.write_text("\n".join(f"{line}{take}" for line, take in zip(lines, taken, strict=True)) + "\n")
    choose = conflicts_file.read(repo, "d/t.csv.dvc")
    assert [choose(one) for one in conflicts] == [
        Choice("ours"),
        Choice("theirs"),
        Choice("base"),
        Choice("value", "x, y"),
        Choice("value", ""),
    ]
    assert choose(Conflict(("f",), "n", "0", "1", "2")) is None


def test_git_does_not_see_it_and_is_left_as_it_was(repo: Repo) -> None:
    exclude = repo.common_dir / "info" / "exclude"
    before = exclude.read_bytes() if exclude.exists() else b""
    pointer = "a [b]*?/t é.csv.dvc"
    conflicts_file.write(repo, pointer, Result(None, (Conflict(("1",), "n", "0", "1", "2"),), ("id",)))
    assert (repo.root / "a [b]*?" / "t é.csv.conflicts").exists()
    assert repo.text("status", "--porcelain", "--untracked-files=all") == ""
    conflicts_file.remove(repo, pointer)
    assert exclude.read_bytes() == before
    assert not (repo.root / "a [b]*?" / "t é.csv.conflicts").exists()


@pytest.mark.parametrize("content", [b"", b"a,b\n", b"id,column,base,ours,theirs,take\n1,n,0,1,2,mine\n"])
def test_a_file_that_is_none_is_refused(repo: Repo, content: bytes) -> None:
    (repo.root / "t.csv.conflicts").write_bytes(content)
    with pytest.raises(MlopsError, match=r"t\.csv\.conflicts"):
        conflicts_file.read(repo, "t.csv.dvc")


def test_a_file_of_the_user_is_neither_overwritten_nor_removed(repo: Repo) -> None:
    (repo.root / "t.csv.conflicts").write_bytes(b"mine")
    result = Result(None, (Conflict(("1",), "n", "0", "1", "2"),), ("id",))
    with pytest.raises(MlopsError, match="is a file of yours"):
        conflicts_file.write(repo, "t.csv.dvc", result)
    conflicts_file.remove(repo, "t.csv.dvc")
    assert (repo.root / "t.csv.conflicts").read_bytes() == b"mine"
