"""What changed in the data: rows by key and without one, columns, directories, what is not here."""

import collections
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_mlops.cli import diff_output
from git_mlops.data import pointers, profile, profiling, rows, track
from git_mlops.data.diff import Change, Request, difference, plain
from git_mlops.data.pointers import Out
from git_mlops.data.rows import Columns, Difference, Examples
from git_mlops.data.settings import Settings
from git_mlops.tables.forms import Form, form_of
from git_mlops.tables.frames import FrameError
from tests.data.conftest import Data

CSV = Form("csv", packed=False)


def compared(folder: Path, a: str, b: str, *key: str, examples: int = 0) -> Difference:
    for name, text in (("a.csv", a), ("b.csv", b)):
        (folder / name).write_bytes(text.encode())
    return rows.compare((folder / "a.csv", CSV), (folder / "b.csv", CSV), key, examples=examples)


OLD = "id,age,city\n1,20,Ghent\n2,,Ghent\n3,41,Namur\n"
NEW = "id,age,city\n3,42,Namur\n1,20,Ghent\n4,7,Gent\n"


def test_rows_are_compared_by_their_key(tmp_path: Path) -> None:
    assert compared(tmp_path, OLD, NEW, "id", examples=5) == Difference(
        rows=(3, 3),
        key=("id",),
        added=1,
        removed=1,
        changed=1,
        columns=Columns(("id", "age", "city"), (), ()),
        cells={"age": 1},
        examples=Examples(
            ({"id": "4", "age": "7", "city": "Gent"},),
            ({"id": "2", "age": None, "city": "Ghent"},),
            (({"id": "3", "age": "41", "city": "Namur"}, {"id": "3", "age": "42", "city": "Namur"}),),
        ),
    )


def test_without_a_key_whole_rows_are_compared(tmp_path: Path) -> None:
    found = compared(tmp_path, OLD, NEW)
    assert (found.key, found.added, found.removed, found.changed) == ((), 2, 2, 0)


def test_equal_rows_are_counted(tmp_path: Path) -> None:
    found = compared(tmp_path, "a\nx\nx\nx\ny\n", "a\nx\ny\ny\n")
    assert (found.added, found.removed) == (1, 2)


def test_the_order_of_rows_and_columns_is_no_change(tmp_path: Path) -> None:
    found = compared(tmp_path, "a,b\n1,2\n3,4\n", "b,a\n4,3\n2,1\n")
    assert (found.added, found.removed, found.columns.both) == (0, 0, ("a", "b"))


def test_a_key_that_repeats_is_none(tmp_path: Path) -> None:
    found = compared(tmp_path, "id,x\n1,1\n1,2\n", "id,x\n1,1\n1,3\n", "id")
    assert (found.key, found.repeated_key, found.added, found.removed) == ((), True, 1, 1)


def test_one_key_for_all_rows_does_not_take_for_ever(tmp_path: Path) -> None:
    a, b = ("id,x\n" + "".join(f"1,{n + shift}\n" for n in range(50_000)) for shift in (0, 1))
    found = compared(tmp_path, a, b, "id")
    assert (found.repeated_key, found.added, found.removed) == (True, 1, 1)


def test_a_null_key_is_a_key(tmp_path: Path) -> None:
    found = compared(tmp_path, "id,x\n,1\n2,2\n", "id,x\nNA,3\n2,2\n", "id")
    assert (found.changed, found.cells) == (1, {"x": 1})


def test_a_renamed_column_is_found_by_its_content(tmp_path: Path) -> None:
    old = "id,city,zip\n" + "".join(f"{n},c{n},{n}\n" for n in range(40))
    new = "id,town,code\n" + "".join(f"{n},{'moved' if n == 7 else f'c{n}'},x{n}\n" for n in range(1, 41))
    found = compared(tmp_path, old, new, "id")
    assert found.columns == Columns(("id",), ("code",), ("zip",), (("city", "town"),))
    assert (found.added, found.removed, found.changed, found.cells) == (1, 1, 1, {"town": 1})


def test_a_renamed_column_is_found_without_a_key(tmp_path: Path) -> None:
    found = compared(tmp_path, "a,b\n1,2\n3,4\n", "c,a\n4,3\n2,1\n")
    assert (found.columns.renamed, found.added, found.removed) == ((("b", "c"),), 0, 0)


def test_an_empty_column_is_not_the_renamed_one(tmp_path: Path) -> None:
    found = compared(tmp_path, "id,a\n1,\n2,\n", "id,b\n1,\n2,\n", "id")
    assert (found.columns.added, found.columns.removed) == (("b",), ("a",))


def test_numbers_are_compared_across_types(tmp_path: Path) -> None:
    import polars as pl

    form = form_of("a.parquet")
    assert form
    a = pl.DataFrame(
        {"id": [1, 2, 3], "x": [1, 2, 3], "l": [[1], [2], None]}, schema_overrides={"x": pl.Int32}
    )
    b = pl.DataFrame({"id": [1, 2, 3], "x": [1.0, 2.5, 3.0], "l": [[1], [3], None]})
    a.write_parquet(tmp_path / "a.parquet")
    b.write_parquet(tmp_path / "b.parquet")
    found = rows.compare((tmp_path / "a.parquet", form), (tmp_path / "b.parquet", form), ("id",))
    assert (found.changed, found.cells) == (1, {"x": 1, "l": 1})


def test_large_tables_go_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a = "id,x,y\n" + "".join(f"{n},{n},{n}\n" for n in range(500))
    b = "id,x,y\n" + "".join(f"{n},{n + (n % 50 == 0)},{n}\n" for n in range(3, 510))
    whole = compared(tmp_path, a, b, "id", examples=4)
    monkeypatch.setattr(rows, "PART", 100)
    monkeypatch.setattr(rows, "_CELLS", 10)
    assert compared(tmp_path, a, b, "id", examples=4) == whole


def test_two_thousand_columns(tmp_path: Path) -> None:
    header = ",".join(["id", *(f"c{n}" for n in range(2000))])
    a = f"{header}\n1,{','.join('5' * 2000)}\n2,{','.join('6' * 2000)}\n"
    b = f"{header}\n1,{','.join('5' * 2000)}\n2,{','.join('7' * 2000)}\n"
    found = compared(tmp_path, a, b, "id")
    assert (found.changed, len(found.cells)) == (1, 2000)


@pytest.mark.parametrize("content", ["a,b\n1,2,3\n", "a\n\udcff\n"])
def test_what_is_no_table_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.csv").write_bytes(content.encode("utf-8", "surrogateescape"))
    (tmp_path / "b.csv").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(FrameError):
        rows.compare((tmp_path / "a.csv", CSV), (tmp_path / "b.csv", CSV))


# -- properties -----------------------------------------------------------------------------------------

_CELL = st.sampled_from(["", "1", "2", "x", "é"])
_BY_KEY = st.dictionaries(st.integers(0, 6), st.tuples(_CELL, _CELL), max_size=6)
_ROWS = st.lists(st.tuples(_CELL, _CELL), max_size=6)


def _csv(header: str, lines: Sequence[Sequence[object]]) -> str:
    return "\n".join([header, *(",".join(map(str, line)) for line in lines)]) + "\n"


def _mirrored(found: Difference) -> Difference:
    examples = found.examples
    return found._replace(
        rows=(found.rows[1], found.rows[0]),
        added=found.removed,
        removed=found.added,
        examples=Examples(examples.removed, examples.added, tuple((b, a) for a, b in examples.changed)),
    )


@given(_BY_KEY, _BY_KEY)
@settings(max_examples=60, deadline=None)
def test_by_key_it_is_what_a_dictionary_says(
    a: dict[int, tuple[str, str]], b: dict[int, tuple[str, str]]
) -> None:
    texts = [_csv("id,x,y", [(k, *cells) for k, cells in side.items()]) for side in (a, b)]
    with tempfile.TemporaryDirectory() as folder:
        found = compared(Path(folder), *texts, "id", examples=20)
        back = compared(Path(folder), *reversed(texts), "id", examples=20)
    changed = [k for k in a.keys() & b.keys() if a[k] != b[k]]
    assert (found.added, found.removed, found.changed) == (
        len(b.keys() - a.keys()),
        len(a.keys() - b.keys()),
        len(changed),
    )
    counts = {name: sum(a[k][n] != b[k][n] for k in changed) for n, name in enumerate("xy")}
    assert found.cells == {name: count for name, count in counts.items() if count}
    assert back == _mirrored(found)


@given(_ROWS, _ROWS)
@settings(max_examples=40, deadline=None)
def test_without_a_key_it_is_what_a_counter_says(a: list[tuple[str, str]], b: list[tuple[str, str]]) -> None:
    texts = [_csv("x,y", side) for side in (a, b)]
    with tempfile.TemporaryDirectory() as folder:
        found = compared(Path(folder), *texts, examples=20)
        back = compared(Path(folder), *reversed(texts), examples=20)
    counts = [collections.Counter(side) for side in (a, b)]
    assert (found.added, found.removed) == (
        (counts[1] - counts[0]).total(),
        (counts[0] - counts[1]).total(),
    )
    assert back == _mirrored(found)


# -- commits and the workspace --------------------------------------------------------------------------


def changes(data: Data, a: str | None = None, b: str | None = None, *paths: str) -> dict[str, Change]:
    return {change.path: change for change in difference(data.repo, Request(a, b, paths), Settings())}


@pytest.fixture
def two(data: Data) -> Data:
    """Two commits of a table, a directory and a file; the second is checked out."""
    data.file("t.csv", OLD)
    data.folder("d", {"a": "a", "b": "b", "c/d": "d"})
    data.file("x.bin", "x")
    data.file("same.csv", "a\n1\n")
    data.commit("one")
    data.file("t.csv", NEW)
    (data.root / "d" / "a").unlink()
    data.folder("d", {"b": "bb", "c/d": "d", "e": "e"})
    data.git("rm", "-q", "-f", "x.bin.dvc")
    (data.root / "x.bin").unlink()
    data.file("new.csv", "a\n1\n")
    data.commit("two")
    return data


def test_two_commits(two: Data) -> None:
    found = changes(two, "HEAD~1", "HEAD")
    assert {path: (one.status, one.kind) for path, one in found.items()} == {
        "d": ("modified", "directory"),
        "new.csv": ("added", "table"),
        "t.csv": ("modified", "table"),
        "x.bin": ("removed", "file"),
    }
    assert found["d"].files == (("e",), ("a",), ("b",))
    table = found["t.csv"].table
    assert table
    assert table.rows
    assert (table.rows.key, table.rows.changed) == (
        ("id",),
        1,
    )  # found by measuring: no pointer has a profile
    assert table.drift["age"][0]["nulls"] == 1


def test_the_other_way_round_is_the_mirror(two: Data) -> None:
    there, back = (changes(two, *ends) for ends in (("HEAD~1", "HEAD"), ("HEAD", "HEAD~1")))
    assert there.keys() == back.keys()
    assert {p: c.status for p, c in back.items()} == {
        "d": "modified", "new.csv": "removed", "t.csv": "modified", "x.bin": "added",
    }  # fmt: skip
    one, other = there["t.csv"].table, back["t.csv"].table
    assert one
    assert other
    assert {name: (b, a) for name, (a, b) in one.drift.items()} == other.drift
    assert (one.rows and _mirrored(one.rows)) == other.rows


def test_the_workspace_is_compared_as_it_is(two: Data) -> None:
    assert changes(two) == {}
    two.write("t.csv", NEW + "9,9,Huy\n")
    two.write("d/e", "changed")
    found = changes(two)
    assert list(found) == ["d", "t.csv"]
    assert found["d"].files == ((), (), ("e",))
    assert found["t.csv"].new
    assert found["t.csv"].table
    assert found["t.csv"].table.rows
    assert found["t.csv"].table.rows.added == 1


def test_paths_choose(two: Data) -> None:
    assert list(changes(two, "HEAD~1", "HEAD", "d", "t.csv.dvc")) == ["d", "t.csv"]


def test_before_the_first_commit_everything_is_added(data: Data) -> None:
    data.git("update-ref", "-d", "HEAD")
    data.file("t.csv", OLD)
    assert {path: one.status for path, one in changes(data).items()} == {"t.csv": "added"}


def test_data_that_is_not_here_is_compared_by_its_profile(data: Data) -> None:
    outs = []
    for text in (OLD, NEW):
        outs.append(data.file("t.csv", text))
        described = profiling.measure("t.csv", data.root / "t.csv", CSV, Settings()).profile
        data.write("t.csv.dvc", profile.put(data.read("t.csv.dvc"), described, outs[-1].hash))
        data.commit()
    data.lose(outs[0])
    found = changes(data, "HEAD~1", "HEAD")["t.csv"]
    note = "the old data is not on this machine: only the profiles in the pointers were compared"
    assert found.notes == (note,)
    assert found.table
    assert (found.table.rows, list(found.table.drift)) == (None, ["id", "age", "city"])
    assert plain(found)["table"]["rows"] == [3, 3]  # type: ignore[index]


def test_data_that_is_not_here_and_has_no_profile(two: Data) -> None:
    (change,) = (c for c in changes(two, "HEAD~1", "HEAD").values() if c.path == "t.csv")
    assert change.new
    assert change.new.hash
    two.lose(two.out("t.csv"))
    note = "the new data is not on this machine, and there are no two profiles to compare; "
    hint = "`git mlops pull` brings the newer data"
    assert changes(two, "HEAD~1", "HEAD")["t.csv"].notes == (note + hint,)


def test_an_old_profile_is_compared_with_the_workspace(data: Data) -> None:
    old = data.file("t.csv", OLD)
    described = profiling.measure("t.csv", data.root / "t.csv", CSV, Settings()).profile
    data.write("t.csv.dvc", profile.put(data.read("t.csv.dvc"), described, old.hash))
    data.commit()
    data.lose(old)
    data.write("t.csv", NEW)
    found = changes(data)["t.csv"]
    assert found.notes == ("the old data is not on this machine: only profiles were compared",)
    assert plain(found)["table"]["rows"] == [3, 3]  # type: ignore[index]


def test_older_data_that_is_nowhere_is_not_brought_by_a_pull(two: Data) -> None:
    old = data_of(two, "HEAD~1")
    two.lose(old)
    (note,) = changes(two, "HEAD~1", "HEAD")["t.csv"].notes
    assert note.endswith("; `dvc fetch --all-commits` brings that of earlier commits")


def data_of(two: Data, commit: str) -> Out:
    (out,) = pointers.parse("t.csv.dvc", two.git("show", f"{commit}:t.csv.dvc").encode()).outs
    return out


def test_a_directory_whose_listing_is_not_here(two: Data) -> None:
    two.lose(two.out("d"))
    found = changes(two, "HEAD~1", "HEAD")["d"]
    assert (found.files, len(found.notes)) == (None, 1)


def test_a_table_that_cannot_be_read_is_a_note(data: Data) -> None:
    data.file("t.parquet", "no")
    data.commit()
    data.file("t.parquet", "neither")
    found = changes(data)["t.parquet"]
    assert (found.table, len(found.notes)) == (None, 1)


def test_windows_line_endings_are_no_change_of_rows(data: Data) -> None:
    data.file("é t.csv", OLD)
    data.commit()
    data.file("é t.csv", OLD.replace("\n", "\r\n"))
    assert changes(data)["é t.csv"].notes == (
        "the rows are the same; their order or how they are written changed",
    )


def test_a_declared_key_counts(data: Data) -> None:
    data.file("t.csv", "a,b,x\n1,1,1\n1,2,2\n")
    data.commit()
    data.file("t.csv", "a,b,x\n1,1,1\n1,2,3\n")
    (found,) = difference(data.repo, Request(None, None), Settings(keys={"*.csv": ("a", "b")}))
    assert found.table
    assert found.table.rows
    assert (found.table.rows.key, found.table.rows.cells) == (("a", "b"), {"x": 1})


def test_flipped_labels_are_told_class_by_class(data: Data) -> None:
    data.file("t.csv", "id,y\n1,cat\n2,dog\n3,dog\n")
    data.commit()
    data.file("t.csv", "id,y\n1,cat\n2,cat\n3,dog\n")
    wanted = Settings(keys={"*.csv": ("id",)}, labels={"t.csv": "y"})
    (found,) = difference(data.repo, Request(None, None), wanted)
    assert found.table
    assert found.table.labels
    assert found.table.labels.found.pairs == {("cat", "cat"): 1, ("dog", "cat"): 1, ("dog", "dog"): 1}
    assert "  labels: `y` is another in 1 of 3 rows; kappa 0.400 (dog → cat: 1)" in diff_output.text(
        found, ("a", "b")
    )


@pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # pygtrie, under DVC
def test_what_json_cannot_say_is_text(data: Data) -> None:
    import polars as pl

    for x in (float("inf"), float("nan")):
        frame = pl.DataFrame({"id": [1], "x": [x], "b": [b"\xff"], "l": [[x]]})
        frame.write_parquet(data.root / "new.parquet")
        (data.root / "new.parquet").replace(data.root / "t.parquet")
        if x > 0:
            track.add(data.repo, ["t.parquet"], here=data.root)
            data.commit()
    (found,) = difference(data.repo, Request(None, None, (), 1), Settings())
    value = json.loads(json.dumps(plain(found), allow_nan=False))
    (changed,) = value["table"]["examples"]["changed"]
    assert changed == {
        "old": {"id": 1, "x": "inf", "b": "b'\\xff'", "l": ["inf"]},
        "new": {"id": 1, "x": "nan", "b": "b'\\xff'", "l": ["nan"]},
    }
