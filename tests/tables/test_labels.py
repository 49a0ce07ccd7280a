"""Label columns compared."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from git_mlops.tables import labels
from git_mlops.tables.forms import Form
from git_mlops.tables.frames import FrameError
from git_mlops.tables.labels import Confusion

CSV = Form("csv", packed=False)


def part(folder: Path, name: str, text: str) -> tuple[Path, Form]:
    (folder / name).write_text(text)
    return folder / name, CSV


def test_old_classes_stand_against_new_ones(tmp_path: Path) -> None:
    old = part(tmp_path, "a", "id,y\n1,cat\n2,dog\n3,dog\n4,\n5,cat\n")
    new = part(tmp_path, "b", "y,id\nowl,6\ncat,1\ncat,2\ndog,3\ncat,4\n")
    found = labels.confusion(old, new, ["id"], "y")
    assert found.pairs == {("(none)", "cat"): 1, ("cat", "cat"): 1, ("dog", "cat"): 1, ("dog", "dog"): 1}
    assert (found.old, found.new) == ({"(none)": 1, "cat": 2, "dog": 2}, {"cat": 3, "dog": 1, "owl": 1})
    assert found.said("y") == "`y` is another in 2 of 4 rows; kappa 0.273 ((none) → cat: 1, dog → cat: 1)"


def test_rows_that_cannot_be_told_apart_are_left_out(tmp_path: Path) -> None:
    old = part(tmp_path, "a", "id,y\n1,a\n2,b\n2,c\n,d\n")
    new = part(tmp_path, "b", "id,y\n1,a\n2,z\n,z\n")
    assert labels.confusion(old, new, ["id"], "y").pairs == {("a", "a"): 1}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=40))
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    counts = {pair: pairs.count(pair) for pair in sorted(set(pairs))}
    kappa = Confusion(counts, {}, {}).kappa
    if len({name for pair in pairs for name in pair}) == 1:
        assert kappa is None
    else:
        assert kappa == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))


def test_what_is_no_label_is_said(tmp_path: Path) -> None:
    many = part(tmp_path, "a", "id,y\n" + "".join(f"{n},{n}\n" for n in range(1001)))
    with pytest.raises(FrameError, match="more than 1000 values"):
        labels.confusion(many, many, ["id"], "y")
    with pytest.raises(FrameError, match="no column `z`"):
        labels.confusion(many, many, ["id"], "z")


def test_a_column_is_the_same_only_row_by_row(tmp_path: Path) -> None:
    one = part(tmp_path, "a", "x,y\n1,a\n2,b\n")
    other = part(tmp_path, "b", "y,x\nb,2\na,1\n")
    same = part(tmp_path, "c", "x,y\n9,a\n8,b\n")
    assert [labels.same(one, two, "y") for two in (one, other, same)] == [True, False, True]
    assert labels.same(one, same, "x") is False
    assert labels.same(one, (tmp_path / "none", CSV), "x") is False
