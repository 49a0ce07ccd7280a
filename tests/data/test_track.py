"""Files become pointers: on request, and by the commit hook."""

import os
import subprocess
from pathlib import Path

import pytest

from git_mlops.data import follow, track, workspace
from git_mlops.data.follow import Followed
from git_mlops.data.hashes import Hashes
from git_mlops.data.settings import Settings
from git_mlops.errors import FINDINGS, MlopsError
from git_mlops.git import diff
from tests.data.conftest import Data

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # pygtrie, under DVC


def add(data: Data, *words: str, here: str = ".") -> list[str]:
    return track.add(data.repo, words, here=data.root / here).pointers


def staged(data: Data) -> list[str]:
    return (
        data.git("-c", "core.quotePath=false", "diff", "--cached", "--name-status")
        .replace("\t", " ")
        .splitlines()
    )


def problem(data: Data, *words: str, here: str = ".") -> tuple[str, str | None]:
    before = (data.git("write-tree"), sorted(p.name for p in data.root.iterdir()))
    with pytest.raises(MlopsError) as caught:
        add(data, *words, here=here)
    assert (data.git("write-tree"), sorted(p.name for p in data.root.iterdir())) == before
    return str(caught.value), caught.value.hint


def test_a_file(data: Data) -> None:
    data.write("data.csv", "a,b\n")
    assert add(data, "data.csv") == ["data.csv.dvc"]
    assert staged(data) == ["A .gitignore", "A data.csv.dvc"]
    assert data.object(data.out("data.csv")).read_text() == "a,b\n"


def test_the_users_file_stays_as_it_is(data: Data) -> None:
    file = data.write("data.csv", "a,b\n")
    file.chmod(0o640)
    before = file.stat()
    add(data, "data.csv")
    after = file.stat()
    assert (after.st_mtime_ns, after.st_ino, after.st_mode) == (
        before.st_mtime_ns,
        before.st_ino,
        before.st_mode,
    )


def test_files_directories_and_patterns_at_once(data: Data) -> None:
    for name in ("a.csv", "b.csv", "raw/x", "raw/s/y", "c.txt"):
        data.write(name, name)
    assert sorted(add(data, "*.csv", "raw")) == ["a.csv.dvc", "b.csv.dvc", "raw.dvc"]


def test_paths_are_relative_to_where_the_user_stands(data: Data) -> None:
    data.write("sub/a.csv", "a")
    data.write("b.csv", "b")
    assert sorted(add(data, "a.csv", "../b.csv", here="sub")) == ["b.csv.dvc", "sub/a.csv.dvc"]


def test_unusual_names(data: Data) -> None:
    names = [
        "a b.csv",
        "-dash.csv",
        "[1].csv",
        "ünï.csv",
        "don't.csv",
        "#x.csv",
        "!y.csv",
        "*",
        "sp ace/日本.csv",
    ]
    for name in names:
        data.write(name, name)
    assert sorted(add(data, *[f"./{name}" for name in names])) == sorted(f"{name}.dvc" for name in names)
    assert data.git("ls-files", "--others", "--exclude-standard") == ""
    assert workspace.status(data.repo) == []


def test_a_name_with_brackets_beside_one_that_git_holds(data: Data) -> None:
    data.write("data1.csv", "git's")
    data.commit()
    data.write("data[1].csv", "data")
    assert add(data, "data[1].csv") == ["data[1].csv.dvc"]


def test_a_file_of_plain_git_leaves_the_index(data: Data) -> None:
    data.write("data.csv", "a")
    data.commit()
    add(data, "data.csv")
    assert staged(data) == ["A .gitignore", "D data.csv", "A data.csv.dvc"]
    assert data.read("data.csv") == "a"


def test_a_directory_of_plain_git_leaves_the_index(data: Data) -> None:
    data.write("raw/a", "a")
    data.write("raw/s/b", "b")
    data.commit()
    add(data, "raw")
    assert staged(data) == ["A .gitignore", "A raw.dvc", "D raw/a", "D raw/s/b"]


def test_a_failure_leaves_the_index_as_it_was(data: Data) -> None:
    data.write("raw/a", "a")
    data.write("raw/b.dvc", "outs:\n- md5: 0123456789abcdef0123456789abcdef\n  hash: md5\n  path: b\n")
    data.commit()
    assert "overlapping" in problem(data, "raw")[0]


def test_other_staged_changes_stay_staged(data: Data) -> None:
    data.write("code.py", "1")
    data.git("add", "code.py")
    data.write("code.py", "2")
    data.write("data.csv", "a")
    add(data, "data.csv")
    assert (staged(data), data.git("show", ":code.py")) == (
        ["A .gitignore", "A code.py", "A data.csv.dvc"], "1",
    )  # fmt: skip


def test_unstaged_edits_of_gitignore_are_not_staged(data: Data) -> None:
    data.write(".gitignore", "build/\n")
    data.commit()
    data.write(".gitignore", "build/\nmine/\n")
    data.write("data.csv", "a")
    add(data, "data.csv")
    assert (data.git("show", ":.gitignore"), data.read(".gitignore")) == (
        "build/\n/data.csv", "build/\nmine/\n/data.csv\n",
    )  # fmt: skip


def test_a_second_add_after_a_change(data: Data) -> None:
    data.write("data.csv", "a")
    add(data, "data.csv")
    data.commit()
    data.write("data.csv", "b")
    assert (add(data, "data.csv"), staged(data)) == (["data.csv.dvc"], ["M data.csv.dvc"])


def test_adding_what_did_not_change_stages_nothing(data: Data) -> None:
    data.write("data.csv", "a")
    add(data, "data.csv")
    data.commit()
    assert (add(data, "data.csv"), staged(data)) == (["data.csv.dvc"], [])


def test_what_others_wrote_into_the_pointer_stays(data: Data) -> None:
    data.write("data.csv", "a")
    add(data, "data.csv")
    pointer = data.root / "data.csv.dvc"
    pointer.write_text("# about it\n" + pointer.read_text() + "meta:\n  owner: Ada\n")
    data.write("data.csv", "b")
    add(data, "data.csv")
    text = pointer.read_text()
    assert ("# about it" in text, "owner: Ada" in text) == (True, True)


def test_a_file_inside_a_tracked_directory_renews_its_pointer(data: Data) -> None:
    data.write("raw/a", "a")
    add(data, "raw")
    before = data.out("raw").hash
    data.write("raw/b", "b")
    assert add(data, "raw/b") == ["raw.dvc"]
    assert (data.out("raw").hash != before, workspace.status(data.repo)) == (True, [])


def test_dvcs_own_autostage_stages_nothing_else(data: Data) -> None:
    (data.root / ".dvc" / "config").write_text("[core]\n    autostage = true\n")
    data.write(".gitignore", "mine/\n")
    data.write("data.csv", "a")
    add(data, "data.csv")
    assert data.git("show", ":.gitignore") == "/data.csv"


def test_outputs_of_a_pipeline_are_refused(data: Data) -> None:
    data.write("dvc.yaml", "stages:\n  train:\n    cmd: 'true'\n    outs: [model.bin]\n")
    data.write("model.bin", "m")
    assert "model.bin" in problem(data, "model.bin")[0]


def test_an_empty_directory_is_refused(data: Data) -> None:
    (data.root / "raw" / "deep").mkdir(parents=True)
    assert problem(data, "raw")[0] == "`raw` is an empty directory"


@pytest.mark.parametrize("word", ["nothing.csv", "no/thing.csv"])
def test_a_file_that_is_not_there_is_refused(data: Data, word: str) -> None:
    assert problem(data, word)[0] == f"no such file: `{word}`"


def test_a_pattern_without_a_match_is_refused(data: Data) -> None:
    assert problem(data, "*.parquet")[0] == "`*.parquet` matches no file"


def test_a_path_outside_is_refused(data: Data, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("x")
    assert "is outside the repository" in problem(data, "../x.csv")[0]


def test_the_repository_itself_is_refused(data: Data) -> None:
    assert problem(data, ".")[0] == "the whole repository cannot be data"


@pytest.mark.parametrize("word", [".git/config", ".dvc/config", ".dvc"])
def test_what_is_gits_or_dvcs_is_refused(data: Data, word: str) -> None:
    assert problem(data, word)[0] == f"`{word}` belongs to git or DVC, not to the data"


def test_a_link_out_of_the_repository_is_refused(data: Data, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("x")
    (data.root / "x.csv").symlink_to(tmp_path / "x.csv")
    assert "is a symbolic link to a place outside the repository" in problem(data, "x.csv")[0]


def test_a_path_through_a_link_out_of_the_repository_is_refused(data: Data, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x.csv").write_text("x")
    (data.root / "sub").symlink_to(tmp_path / "out")
    assert "is outside the repository" in problem(data, "sub/x.csv")[0]


def test_a_pointer_is_refused_with_what_to_add(data: Data) -> None:
    data.write("data.csv", "a")
    add(data, "data.csv")
    message, hint = problem(data, "data.csv.dvc")
    assert (message, hint) == (
        "`data.csv.dvc` is a pointer, not data",
        "add the data: `git mlops add data.csv`",
    )


def test_a_submodule_is_refused(data: Data) -> None:
    data.git("clone", "-q", ".", "sub")
    data.git("-c", "advice.addEmbeddedRepo=false", "add", "sub")
    assert problem(data, "sub")[0] == "a submodule cannot be data"


def test_a_named_pipe_is_refused(data: Data) -> None:
    os.mkfifo(data.root / "pipe")
    assert problem(data, "pipe")[0] == "`pipe` is neither a file nor a directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_refused(data: Data) -> None:
    data.write("data.csv", "a").chmod(0)
    assert "Permission denied" in problem(data, "data.csv")[0]


def test_nothing_is_read_again_after_add(data: Data) -> None:
    file = data.write("data.csv", "aa")
    os.utime(file, ns=(10**18 + 1, 10**18 + 1))
    add(data, "data.csv")
    with Hashes(data.repo) as known:
        stat = file.stat()
        with file.open("r+b") as stream:
            stream.write(b"bb")
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert (known.file("data.csv"), follow.follow(data.repo)) == (
            data.out("data.csv").hash, Followed([], [], []),
        )  # fmt: skip


def test_a_file_changed_while_it_was_added_is_not_taken_for_added(data: Data) -> None:
    file = data.write("data.csv", "aa")
    done = track.add(data.repo, ["data.csv"], here=data.root)
    file.write_text("bb")
    assert [m.out for m in workspace.modified(data.repo)] == done.outs


# by the commit hook

SETTINGS = Settings(track=("*.csv", "models/**"), allow=("small.csv",))


def auto(data: Data) -> list[str]:
    return track.auto_track(data.repo, diff.staged(data.repo), SETTINGS)


def test_staged_files_that_the_settings_name_become_pointers(data: Data) -> None:
    for name in ("a.csv", "models/m/x.bin", "small.csv", "code.py"):
        data.write(name, name)
    data.git("add", "-A")
    assert auto(data) == ["a.csv.dvc", "models/m/x.bin.dvc"]
    assert staged(data) == [
        "A .gitignore", "A a.csv.dvc", "A code.py", "A models/m/.gitignore", "A models/m/x.bin.dvc",
        "A small.csv",
    ]  # fmt: skip


def test_files_that_are_not_staged_stay_alone(data: Data) -> None:
    data.write("a.csv", "a")
    assert auto(data) == []


def test_a_deleted_file_stays_deleted(data: Data) -> None:
    data.write("a.csv", "a")
    data.commit()
    data.git("rm", "-q", "a.csv")
    assert (auto(data), staged(data)) == ([], ["D a.csv"])


def test_a_staged_link_stays_a_link(data: Data) -> None:
    (data.root / "a.csv").symlink_to("b")
    data.git("add", "-A")
    assert auto(data) == []


def test_a_file_that_differs_from_what_is_staged_is_refused(data: Data) -> None:
    data.write("a.csv", "staged")
    data.git("add", "-A")
    data.write("a.csv", "later")
    with pytest.raises(MlopsError, match="is not what is staged") as caught:
        auto(data)
    assert (caught.value.exit_code, staged(data)) == (FINDINGS, ["A a.csv"])


HOOK = """\
#!{python}
import sys
from git_mlops import ui
from git_mlops.data import track
from git_mlops.data.settings import Settings
from git_mlops.git import diff
from git_mlops.git.repo import discover
repo = discover()
settings = Settings(track=("*.csv",))
sys.exit(ui.guard(lambda: track.auto_track(repo, diff.staged(repo), settings) and 0))
"""


@pytest.fixture
def hooked(data: Data) -> Data:
    import sys

    hook = data.root / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK.format(python=sys.executable))
    hook.chmod(0o755)
    return data


def committed(data: Data) -> list[str]:
    return data.git("show", "--format=", "--name-status", "HEAD").replace("\t", " ").splitlines()


def test_commit_of_the_index(hooked: Data) -> None:
    hooked.write("a.csv", "a")
    hooked.git("add", "a.csv")
    hooked.git("commit", "-q", "-m", "a")
    assert (committed(hooked), hooked.git("status", "--porcelain")) == (["A .gitignore", "A a.csv.dvc"], "")


def test_commit_of_all_that_changed(hooked: Data) -> None:
    hooked.write("a.csv", "a")
    hooked.git("add", "a.csv")
    hooked.git("commit", "-q", "--no-verify", "-m", "plain")
    hooked.write("a.csv", "b")
    hooked.git("commit", "-q", "-a", "-m", "a")
    assert (committed(hooked), hooked.git("status", "--porcelain")) == (
        ["A .gitignore", "D a.csv", "A a.csv.dvc"], "",
    )  # fmt: skip


def test_commit_of_named_files_is_refused_with_what_to_do(hooked: Data) -> None:
    hooked.write("a.csv", "a")
    hooked.git("add", "a.csv")
    done = subprocess.run(
        ["git", "commit", "-m", "a", "--", "a.csv"],
        cwd=hooked.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "hint: `git mlops add a.csv`" in done.stderr) == (1, True)
    assert staged(hooked) == ["A a.csv"]


@pytest.mark.parametrize("target", ["/etc", "/etc/hostname", "../.."])
def test_a_link_out_of_the_repository_inside_a_directory(data: Data, target: str) -> None:
    data.write("raw/sub/x", "1")
    (data.root / "raw" / "sub" / "link").symlink_to(f"../../{target}" if target == "../.." else target)
    with pytest.raises(MlopsError, match="`raw/sub/link` is a symbolic link to a place outside"):
        track.add(data.repo, ["raw"], here=data.root)


def test_a_directory_of_links_into_a_cache_elsewhere_is_added_again(data: Data, tmp_path: Path) -> None:
    with (data.root / ".dvc" / "config").open("a") as file:
        file.write(f"[cache]\n    dir = {tmp_path / 'shared'}\n    type = symlink\n")
    data.write("raw/x", "1")
    track.add(data.repo, ["raw"], here=data.root)
    assert (data.root / "raw" / "x").is_symlink()
    data.write("raw/y", "2")
    assert track.add(data.repo, ["raw"], here=data.root).pointers == ["raw.dvc"]


@pytest.mark.parametrize("word", ["a.csv", "*.csv"])
def test_outdated_data_is_not_added_over_the_newer_pointer(data: Data, word: str) -> None:
    data.write("a.csv", "old")
    add(data, "a.csv")
    newer = data.read("a.csv.dvc").replace(data.out("a.csv").hash[:8], "0" * 8)
    data.write("a.csv.dvc", newer)
    assert problem(data, word) == (
        "`a.csv` is the data of an earlier `a.csv.dvc`: adding it would undo the newer one",
        "`git mlops pull a.csv` brings the new data; to go back: `git checkout REVISION -- a.csv.dvc`",
    )
    assert data.read("a.csv.dvc") == newer
    data.write("a.csv", "mine")
    assert problem(data, word) == (
        "`a.csv` was changed here, and its pointer by others since: adding it undoes theirs",
        (
            "`git mlops add --force a.csv` puts yours over it; "
            "to see theirs, move yours away and `git mlops pull a.csv`"
        ),
    )
    assert track.add(data.repo, ["a.csv"], here=data.root, force=True).pointers == ["a.csv.dvc"]


def test_what_dvc_itself_did_meanwhile_is_no_divergence(data: Data) -> None:
    data.write("a.csv", "old")
    add(data, "a.csv")
    data.file("a.csv", "new, by dvc add")
    assert workspace.status(data.repo) == []
    data.write("a.csv", "newer")
    assert add(data, "a.csv") == ["a.csv.dvc"]


def test_added_data_settles_a_conflict(data: Data) -> None:
    for branch, text in (("main", "base"), ("side", "theirs"), ("main", "ours")):
        if branch == "side" or text == "ours":
            data.git(*(("switch", "-q", "-c", "side") if branch == "side" else ("switch", "-q", "main")))
            data.write("a.csv", "base")
        data.write("a.csv", text)
        track.add(data.repo, ["a.csv"], here=data.root, force=True)
        data.commit(text)
    data.git("merge", "side", status=1)
    data.write("a.csv", "merged by hand")
    assert add(data, "a.csv") == ["a.csv.dvc"]
    assert data.git("ls-files", "-u") == ""
    assert data.object(data.out("a.csv")).read_text() == "merged by hand"


def test_only_what_git_has_committed_is_told_as_gits(data: Data) -> None:
    data.write("old.csv", "o")
    data.commit()
    data.write("new.csv", "n")
    data.git("add", "new.csv")
    assert track.add(data.repo, ["*.csv"], here=data.root).untracked == ["old.csv"]
