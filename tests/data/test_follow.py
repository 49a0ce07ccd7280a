"""The data follows its pointers, and nothing that exists only once is lost."""

import shutil
from pathlib import Path

import pytest

from git_mlops.data import cache, follow
from git_mlops.data.follow import Followed
from git_mlops.data.hashes import Hashes
from git_mlops.errors import MlopsError
from git_mlops.git.repo import discover
from tests.data.conftest import Data
from tests.hooks.conftest import store

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # pygtrie, under DVC


def two_versions(data: Data) -> None:
    """`data.csv` with content `new`, and `old` in the commit before."""
    data.file("data.csv", "old")
    data.commit()
    data.file("data.csv", "new")
    data.commit()
    assert follow.follow(data.repo) == Followed([], [], [])


def test_a_file_becomes_what_the_pointer_says(data: Data) -> None:
    two_versions(data)
    data.git("checkout", "-q", "HEAD~", "--", "data.csv.dvc")
    assert follow.follow(data.repo) == Followed(["data.csv"], [], [])
    assert data.read("data.csv") == "old"


def test_a_directory_becomes_what_the_pointer_says(data: Data) -> None:
    data.folder("raw", {"a": "1", "s/b": "2"})
    data.commit()
    shutil.rmtree(data.root / "raw")
    data.folder("raw", {"a": "1", "c": "3"})
    data.commit()
    follow.follow(data.repo)
    data.git("checkout", "-q", "HEAD~", "--", "raw.dvc")
    assert follow.follow(data.repo) == Followed(["raw"], [], [])
    found = sorted(p.relative_to(data.root).as_posix() for p in (data.root / "raw").rglob("*") if p.is_file())
    assert found == ["raw/a", "raw/s/b"]


def test_data_of_a_fresh_clone_is_brought(data: Data) -> None:
    data.file("data.csv", "old")
    (data.root / "data.csv").unlink()
    assert follow.follow(data.repo) == Followed(["data.csv"], [], [])


def test_data_changed_here_is_kept(data: Data) -> None:
    two_versions(data)
    data.write("data.csv", "mine")
    data.git("checkout", "-q", "HEAD~", "--", "data.csv.dvc")
    assert follow.follow(data.repo) == Followed([], ["data.csv"], [])
    assert data.read("data.csv") == "mine"


def test_a_directory_with_a_new_file_in_it_is_kept(data: Data) -> None:
    data.folder("raw", {"a": "1"})
    data.commit()
    data.folder("raw", {"a": "2"})
    data.commit()
    follow.follow(data.repo)
    data.write("raw/mine", "nowhere else")
    data.git("checkout", "-q", "HEAD~", "--", "raw.dvc")
    assert follow.follow(data.repo) == Followed([], ["raw"], [])
    assert data.read("raw/mine") == "nowhere else"


def test_a_missing_object_leaves_the_file(data: Data) -> None:
    data.lose(data.file("data.csv", "old"))
    data.commit()
    data.file("data.csv", "new")
    data.commit()
    follow.follow(data.repo)
    data.git("checkout", "-q", "HEAD~", "--", "data.csv.dvc")
    assert follow.follow(data.repo) == Followed([], [], ["data.csv"])
    assert data.read("data.csv") == "new"


def test_a_missing_member_leaves_the_directory(data: Data) -> None:
    out = data.folder("raw", {"a": "1", "b": "2"})
    data.lose(cache.members(data.repo, out)["b"])
    shutil.rmtree(data.root / "raw")
    assert follow.follow(data.repo) == Followed([], [], ["raw"])
    assert not (data.root / "raw").exists()


def test_what_one_lacks_does_not_stop_the_other(data: Data) -> None:
    data.lose(data.file("a.csv", "a"))
    data.file("b.csv", "b")
    for name in ("a.csv", "b.csv"):
        (data.root / name).unlink()
    assert follow.follow(data.repo) == Followed(["b.csv"], [], ["a.csv"])


def test_data_goes_with_its_pointer(data: Data) -> None:
    data.file("data.csv", "old")
    data.folder("raw", {"a": "1"})
    follow.follow(data.repo)
    (data.root / "data.csv.dvc").unlink()
    (data.root / "raw.dvc").unlink()
    assert follow.follow(data.repo) == Followed(["data.csv", "raw"], [], [])
    assert not (data.root / "data.csv").exists()
    assert not (data.root / "raw").exists()


def test_changed_data_stays_when_its_pointer_goes(data: Data) -> None:
    data.file("data.csv", "old")
    follow.follow(data.repo)
    data.write("data.csv", "mine")
    (data.root / "data.csv.dvc").unlink()
    assert follow.follow(data.repo) == Followed([], ["data.csv"], [])
    assert data.read("data.csv") == "mine"


def test_a_file_that_git_holds_now_stays(data: Data) -> None:
    data.file("data.csv", "old")
    follow.follow(data.repo)
    (data.root / "data.csv.dvc").unlink()
    data.git("add", "-f", "data.csv")
    assert follow.follow(data.repo) == Followed([], [], [])
    assert data.read("data.csv") == "old"


def test_a_file_that_became_part_of_a_tracked_directory_stays(data: Data) -> None:
    data.file("raw/a", "1")
    follow.follow(data.repo)
    (data.root / "raw/a.dvc").unlink()
    (data.root / "raw/.gitignore").unlink()
    data.folder("raw", {"a": "1"})
    assert follow.follow(data.repo) == Followed([], [], [])
    assert data.read("raw/a") == "1"


def test_what_somebody_deleted_stays_deleted_until_asked_for(data: Data) -> None:
    data.file("data.csv", "old")
    follow.follow(data.repo)
    (data.root / "data.csv").unlink()
    assert follow.follow(data.repo) == Followed([], [], [])
    assert follow.follow(data.repo, again={"data.csv"}) == Followed(["data.csv"], [], [])
    assert data.read("data.csv") == "old"


@pytest.mark.parametrize("link", ["copy", "hardlink", "symlink"])
def test_the_data_is_linked_as_dvc_is_told(data: Data, link: str) -> None:
    with (data.root / ".dvc" / "config").open("a") as file:
        file.write(f"[cache]\n    type = {link}\n")
    out = data.file("data.csv", "old")
    file_ = data.root / "data.csv"
    file_.unlink()
    follow.follow(data.repo)
    kind = "symlink" if file_.is_symlink() else "hardlink" if file_.samefile(data.object(out)) else "copy"
    assert kind == link


@pytest.mark.parametrize("link", ["hardlink", "symlink"])
def test_linked_data_is_replaced_without_touching_the_cache(data: Data, link: str) -> None:
    with (data.root / ".dvc" / "config").open("a") as file:
        file.write(f"[cache]\n    type = {link}\n")
    old = data.file("data.csv", "old")
    (data.root / "data.csv").unlink()
    follow.follow(data.repo)
    (data.root / "data.csv").unlink()
    new = data.file("data.csv", "new")
    (data.root / "data.csv").unlink()
    (data.root / "data.csv").symlink_to(data.object(old))
    follow.follow(data.repo)
    assert data.read("data.csv") == "new"
    assert (data.object(old).read_text(), data.object(new).read_text()) == ("old", "new")


def test_nothing_is_written_through_a_link_that_leads_out(data: Data, tmp_path: Path) -> None:
    data.file("sub/data.csv", "old")
    shutil.rmtree(data.root / "sub")
    (tmp_path / "out").mkdir()
    (data.root / "sub").symlink_to(tmp_path / "out")
    data.write("x.dvc", f"outs:\n- md5: {store(data.repo, b'x')}\n  hash: md5\n  path: sub/x\n")
    with pytest.raises(MlopsError, match="leads out of the repository through a symbolic link"):
        follow.follow(data.repo)
    assert list((tmp_path / "out").iterdir()) == []


def test_nothing_is_written_through_a_link_inside_a_directory_of_data(data: Data, tmp_path: Path) -> None:
    data.folder("raw", {"sub/x": "1"})
    shutil.rmtree(data.root / "raw" / "sub")
    (tmp_path / "out").mkdir()
    (data.root / "raw" / "sub").symlink_to(tmp_path / "out")
    with pytest.raises(MlopsError, match="leads out of the repository through a symbolic link"):
        follow.follow(data.repo)
    assert list((tmp_path / "out").iterdir()) == []


def test_nothing_is_written_through_a_directory_that_is_a_link(data: Data, tmp_path: Path) -> None:
    data.folder("raw", {"x": "1"})
    shutil.rmtree(data.root / "raw")
    (tmp_path / "out").mkdir()
    (data.root / "raw").symlink_to(tmp_path / "out")
    with pytest.raises(MlopsError, match="symbolic link"):
        follow.follow(data.repo)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_takes_the_place_of_a_link_not_of_its_target(data: Data, tmp_path: Path) -> None:
    data.file("data.csv", "old")
    (data.root / "data.csv").unlink()
    (data.root / "data.csv").symlink_to(tmp_path / "not-there")
    follow.follow(data.repo)
    assert not (tmp_path / "not-there").exists()


def test_a_link_to_a_file_elsewhere_is_not_followed(data: Data, tmp_path: Path) -> None:
    data.file("data.csv", "old")
    (data.root / "data.csv").unlink()
    outside = tmp_path / "outside"
    outside.write_text("theirs")
    (data.root / "data.csv").symlink_to(outside)
    assert follow.follow(data.repo) == Followed([], ["data.csv"], [])
    assert outside.read_text() == "theirs"


def test_a_listing_with_a_path_outside_writes_nothing(data: Data) -> None:
    md5 = store(data.repo, b"x")
    data.listed("raw", [{"md5": md5, "relpath": "../escaped"}])
    with pytest.raises(MlopsError, match="is corrupt"):
        follow.follow(data.repo)
    assert not (data.root / "escaped").exists()


def test_a_linked_worktree_takes_the_data_from_the_shared_cache(data: Data) -> None:
    data.file("data.csv", "old")
    data.commit()
    data.git("worktree", "add", "-q", "../other")
    other = discover(data.root.parent / "other")
    assert follow.follow(other) == Followed(["data.csv"], [], [])
    assert (other.root / "data.csv").read_text() == "old"
    assert not (other.root / ".dvc" / "cache").exists()


def test_outputs_of_a_pipeline_follow_too(data: Data) -> None:
    md5 = store(data.repo, b"model")
    data.write("dvc.yaml", "stages:\n  train:\n    cmd: 'true'\n    outs: [model.bin]\n")
    data.write(
        "dvc.lock",
        "schema: '2.0'\nstages:\n  train:\n    cmd: 'true'\n    outs:\n"
        f"    - path: model.bin\n      hash: md5\n      md5: {md5}\n      size: 5\n",
    )
    assert follow.follow(data.repo) == Followed(["model.bin"], [], [])
    assert data.read("model.bin") == "model"


def test_following_twice_asks_nothing_of_dvc(data: Data) -> None:
    two_versions(data)
    with Hashes(data.repo) as known:
        assert known.followed == {"data.csv": data.out("data.csv").hash}


def test_data_stays_while_its_pointer_cannot_be_read(data: Data) -> None:
    data.file("a.csv", "a")
    follow.follow(data.repo)
    data.write("a.csv.dvc", "<<<<<<< ours\n")
    assert (follow.follow(data.repo), data.read("a.csv")) == (Followed([], [], []), "a")


def test_data_stays_when_its_pointer_says_that_git_is_to_hold_it(data: Data) -> None:
    data.file("a.csv", "a")
    follow.follow(data.repo)
    data.file("a.csv", "a", "cache: false")
    assert (follow.follow(data.repo), data.read("a.csv")) == (Followed([], [], []), "a")


def test_dvc_reads_the_pointers_of_what_is_brought_alone(data: Data) -> None:
    """It would read all of them, which takes long where tables are wide, and stop at this one."""
    data.file("data.csv", "old")
    data.write(
        "other.dvc", (data.root / "data.csv.dvc").read_text().replace("data.csv", "o") + "unknown: 1\n"
    )
    data.write("o", "old")
    (data.root / "data.csv").unlink()
    assert follow.follow(data.repo) == Followed(["data.csv"], [], [])


def test_of_a_pointer_with_two_outputs_only_the_wanted_one_is_brought(data: Data) -> None:
    a, b = store(data.repo, b"a"), store(data.repo, b"b")
    outs = "".join(
        f"- md5: {md5}\n  size: 1\n  hash: md5\n  path: {name}\n" for md5, name in ((a, "a"), (b, "b"))
    )
    data.write("outs.dvc", f"outs:\n{outs}")
    data.write("b", "mine")
    assert follow.follow(data.repo) == Followed(["a"], ["b"], [])
    assert (data.read("a"), data.read("b")) == ("a", "mine")


@pytest.mark.parametrize("name", ["x:y.csv", "x@1.csv", "ü b.csv", "{a}.csv", "a,[b].csv"])
def test_names_that_mean_something_to_dvc_are_names(data: Data, name: str) -> None:
    data.file(name, "old")
    (data.root / name).unlink()
    assert follow.follow(data.repo) == Followed([name], [], [])
    assert data.read(name) == "old"


def test_pointers_and_outputs_of_a_pipeline_are_brought_together(data: Data) -> None:
    """DVC itself, asked for both at once, brings one of them and says nothing."""
    md5 = store(data.repo, b"model")
    data.file("data/a.csv", "a\n")
    data.file("data/b.csv", "b\n")
    data.write("dvc.yaml", "stages:\n  train:\n    cmd: 'true'\n    outs: [z.bin]\n")
    data.write(
        "dvc.lock",
        "schema: '2.0'\nstages:\n  train:\n    cmd: 'true'\n    outs:\n"
        f"    - path: z.bin\n      hash: md5\n      md5: {md5}\n      size: 5\n",
    )
    for name in ("data/a.csv", "data/b.csv"):
        (data.root / name).unlink(missing_ok=True)
    wanted = ("data/a.csv", "data/b.csv", "z.bin")
    assert follow.follow(data.repo, again=wanted) == Followed([*wanted], [], [])
    assert [data.read(name) for name in wanted] == ["a\n", "b\n", "model"]
