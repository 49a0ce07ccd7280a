"""The data on disk against its pointers."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from git_mlops.data import workspace
from git_mlops.data.hashes import Hashes
from git_mlops.data.workspace import Status
from tests.data.conftest import Data
from tests.hooks.conftest import store


def states(data: Data) -> list[tuple[str, str]]:
    return [(row.path, row.state) for row in workspace.status(data.repo)]


def test_nothing_differs(data: Data) -> None:
    data.file("a.csv", "a")
    data.folder("raw", {"x": "1", "s/y": "2"})
    assert (workspace.status(data.repo), workspace.modified(data.repo)) == ([], [])


def test_a_changed_file(data: Data) -> None:
    out = data.file("a.csv", "a")
    data.write("a.csv", "b")
    assert workspace.status(data.repo) == [Status("a.csv", "a.csv.dvc", "modified")]
    assert [(m.path, m.out) for m in workspace.modified(data.repo)] == [("a.csv", out)]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_data_of_an_earlier_pointer_is_outdated_and_not_changed(data: Data, kind: str) -> None:
    """A colleague's pointer came by `git pull`; its bytes have not."""
    old = data.file("a", "old") if kind == "file" else data.folder("a", {"x": "old"})
    with Hashes(data.repo) as hashes:
        hashes.followed["a"] = old.hash
    data.write("a.dvc", data.read("a.dvc").replace(old.hash[:8], "0" * 8))
    assert (states(data), workspace.modified(data.repo)) == ([("a", "outdated")], [])
    data.write("a" if kind == "file" else "a/x", "mine")
    assert states(data) == [("a", "diverged")]


def test_a_deleted_file_is_not_modified(data: Data) -> None:
    out = data.file("a.csv", "a")
    with Hashes(data.repo) as hashes:
        hashes.followed["a.csv"] = out.hash  # it was here
    (data.root / "a.csv").unlink()
    assert (states(data), workspace.modified(data.repo)) == ([("a.csv", "deleted")], [])


def test_a_file_that_was_never_here(data: Data) -> None:
    out = data.file("a.csv", "a")
    (data.root / "a.csv").unlink()
    data.lose(out)
    assert states(data) == [("a.csv", "not here")]


@pytest.mark.parametrize("change", ["added", "changed", "removed", "a file"])
def test_a_changed_directory(data: Data, change: str) -> None:
    data.folder("raw", {"x": "1", "s/y": "2"})
    if change == "added":
        data.write("raw/z", "3")
    elif change == "changed":
        data.write("raw/s/y", "3")
    elif change == "removed":
        (data.root / "raw/x").unlink()
    else:
        shutil.rmtree(data.root / "raw")
        data.write("raw", "x")
    assert states(data) == [("raw", "modified")]


def test_an_empty_directory_in_it_does_not_count(data: Data) -> None:
    data.folder("raw", {"x": "1"})
    (data.root / "raw" / "empty").mkdir()
    assert states(data) == []


def test_what_dvcignore_leaves_out_does_not_count(data: Data) -> None:
    data.write(".dvcignore", "*.tmp\n")
    data.git("add", ".dvcignore")
    data.folder("raw", {"x": "1"})
    data.write("raw/x.tmp", "1")
    assert states(data) == []
    data.write("raw/x", "2")
    assert states(data) == [("raw", "modified")]


def test_outputs_that_git_holds_are_gits(data: Data) -> None:
    data.file("metrics.json", "{}", "cache: false")
    data.write("metrics.json", "[]")
    assert states(data) == []


def legacy(data: Data, name: str, text: str) -> str:
    """A pointer of DVC 2, whose hash ignores carriage returns."""
    md5 = hashlib.md5(text.replace("\r\n", "\n").encode()).hexdigest()
    data.write(f"{name}.dvc", f"outs:\n- md5: '{md5}'\n  size: {len(text)}\n  path: {name}\n")
    data.write(name, text)
    return md5


@pytest.mark.parametrize("text", ["a\r\nb\r\n", "a\nb\n"])
def test_a_text_that_dvc_2_added(data: Data, text: str) -> None:
    legacy(data, "old.csv", text)
    assert states(data) == [("old.csv", "not in the cache")]
    data.write("old.csv", text + "c")
    assert states(data) == [("old.csv", "modified")]


def test_a_directory_of_texts_that_dvc_2_added(data: Data) -> None:
    listing = json.dumps([{"md5": hashlib.md5(b"a\nb\n").hexdigest(), "relpath": "x.csv"}]).encode()
    md5 = store(data.repo, listing)
    new = data.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    old = data.root / ".dvc/cache" / md5[:2] / f"{md5[2:]}.dir"
    old.parent.mkdir(parents=True)
    new.rename(old)
    data.write("raw.dvc", f"outs:\n- md5: {md5}.dir\n  path: raw\n")
    data.write("raw/x.csv", "a\r\nb\r\n")
    assert states(data) == [("raw", "not in the cache")]
    data.write("raw/y.csv", "more")
    assert states(data) == [("raw", "modified")]


def test_a_broken_pointer_hides_no_other(data: Data) -> None:
    data.write("broken.dvc", "<<<<<<< x\n")
    data.file("a.csv", "a")
    data.write("a.csv", "b")
    assert states(data) == [("a.csv", "modified")]


def test_a_pointer_behind_a_symbolic_link_is_not_read(data: Data, tmp_path: Path) -> None:
    outside = tmp_path / "x.dvc"
    outside.write_text("outs:\n- md5: 0123456789abcdef0123456789abcdef\n  path: x\n")
    (data.root / "x.dvc").symlink_to(outside)
    assert states(data) == []


def test_a_new_file_that_dvcignore_does_not_name_is_seen(data: Data) -> None:
    data.write(".dvcignore", "*.tmp\n")
    data.write("raw/.dvcignore", "skipped\n")
    data.git("add", "-f", ".dvcignore", "raw/.dvcignore")
    data.git("rm", "-q", "--cached", "raw/.dvcignore")
    data.folder("raw", {"x": "1", ".dvcignore": "skipped\n"})
    data.write("raw/skipped", "1")
    assert states(data) == []
    data.write("raw/y", "2")
    assert states(data) == [("raw", "modified")]


def test_the_files_that_changed_in_a_directory(data: Data) -> None:
    data.folder("raw", {"a": "1", "b": "2", "sub/c": "3"})
    data.write("raw/b", "two")
    data.write("raw/sub/d", "4")
    (data.root / "raw" / "a").unlink()
    files = {"added": ["sub/d"], "modified": ["b"], "deleted": ["a"]}
    assert workspace.status(data.repo) == [Status("raw", "raw.dvc", "modified", files)]


def test_data_whose_only_copy_is_in_the_workspace(data: Data) -> None:
    data.lose(data.file("a.csv", "a"))
    assert states(data) == [("a.csv", "not in the cache")]
