"""Data brought into an empty worktree without DVC: the same as DVC brings, or left to it."""

import shutil
from pathlib import Path

import pytest

from git_mlops.data import copies, follow, workspace
from git_mlops.data.follow import Followed
from git_mlops.errors import MlopsError
from tests.data.conftest import Data

# pygtrie under DVC's checkout warns of its own future
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")


def content(root: Path) -> dict[str, tuple[bytes, int]]:
    found = [file for name in ("a.csv", "d ü") for file in (root / name, *(root / name).rglob("*"))]
    return {str(f.relative_to(root)): (f.read_bytes(), f.stat().st_mode) for f in found if f.is_file()}


@pytest.fixture
def empty(data: Data) -> Data:
    """A file and a directory whose data is in the cache alone."""
    data.file("a.csv", "1,2\n" * 1000)
    data.folder("d ü", {"x": "1", "sub/y": "", "sub/z z": "3"})
    _clear(data)
    return data


def _clear(data: Data) -> None:
    (data.root / "a.csv").unlink()
    shutil.rmtree(data.root / "d ü")


def test_it_is_what_dvc_brings(empty: Data) -> None:
    assert copies.bring(empty.repo) == Followed(["a.csv", "d ü"], [], [])
    ours = content(empty.root)
    assert workspace.status(empty.repo) == []
    _clear(empty)
    assert follow.follow(empty.repo, again=["a.csv", "d ü"]).updated == ["a.csv", "d ü"]
    assert content(empty.root) == ours


def test_a_copy_is_not_the_cache_s_own_file(empty: Data) -> None:
    copies.bring(empty.repo)
    empty.write("a.csv", "changed")
    assert [one.path for one in workspace.modified(empty.repo)] == ["a.csv"]
    assert empty.object(empty.out("a.csv")).read_text() == "1,2\n" * 1000


def test_what_is_not_on_this_machine_is_said(empty: Data) -> None:
    empty.lose(empty.out("a.csv"))
    assert copies.bring(empty.repo) == Followed(["d ü"], [], ["a.csv"])


@pytest.mark.parametrize("case", ["links", "executable", "there", "conflict"])
def test_what_is_dvc_s_to_do_is_left_to_it(empty: Data, case: str) -> None:
    if case == "links":
        empty.write(".dvc/config.local", "[cache]\n    type = symlink\n")
    elif case == "executable":
        empty.write("a.csv.dvc", empty.read("a.csv.dvc") + "  isexec: true\n")
    elif case == "there":
        empty.write("a.csv", "mine")
    else:
        empty.write("b.dvc", "<<<<<<< HEAD\n")
    assert (copies.bring(empty.repo), (empty.root / "d ü").exists()) == (None, False)


def test_nothing_is_written_through_a_link_to_a_place_outside(data: Data, tmp_path: Path) -> None:
    data.file("sub/a.csv", "1")
    (data.root / "sub" / "a.csv").unlink()
    (data.root / "sub").rename(tmp_path / "elsewhere")
    (data.root / "sub").symlink_to(tmp_path / "elsewhere")
    shutil.copy(tmp_path / "elsewhere" / "a.csv.dvc", data.root / "top.dvc")
    data.write("top.dvc", data.read("top.dvc").replace('"a.csv"', '"sub/a.csv"'))
    with pytest.raises(MlopsError, match="leads out of the repository"):
        copies.bring(data.repo)
    assert not (tmp_path / "elsewhere" / "a.csv").exists()
