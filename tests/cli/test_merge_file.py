"""Data that both sides changed: merged by git where it can be, by `git mlops merge-file` where not."""

import gzip
import json
import os
import subprocess
from pathlib import Path

import pytest

from git_mlops.git.repo import Repo, discover
from git_mlops.hooks import install
from tests.conftest import Run
from tests.hooks.conftest import Armed

NAME = "dätä 1.csv"
BASE = 'id,name,n\n1,"Ada",01\n2,b,2.50\n3,c,3\n'
OURS = BASE.replace("2.50", "2.51")
THEIRS = BASE.replace("2,b", "2,B") + "9,new,9\n"
CLASH = THEIRS.replace("2.50", "2.99")
KEYS = 'version: 1\ndata:\n  keys:\n    "*.csv": [id]\n'


@pytest.fixture
def project(dvc_repo: Repo) -> Armed:
    """DVC, our hooks and drivers, a key; the branches `main` and `other` start at the same data."""
    (dvc_repo.root / "mlops.yaml").write_text(KEYS)
    (dvc_repo.root / ".gitattributes").write_text("*.dvc diff=mlops merge=mlops\ndvc.lock merge=mlops\n")
    install.install(dvc_repo)
    armed = Armed(dvc_repo)
    armed.data(NAME, BASE)
    armed.commit("base")
    return armed


def diverge(project: Armed, ours: str, theirs: str, name: str = NAME) -> None:
    project.git("switch", "-q", "-c", "other")
    project.data(name, theirs)
    project.commit("theirs")
    project.git("switch", "-q", "main")
    project.data(name, ours)
    project.commit("ours")


@pytest.mark.slow
def test_git_merge_merges_rows_and_the_data_follows(project: Armed) -> None:
    diverge(project, OURS, THEIRS)
    said = project.git("merge", "other")
    assert f"merged `{NAME}`: rows of theirs: 1 added, 1 changed (by `id`)\n" in said
    assert project.read(NAME) == THEIRS.replace("2.50", "2.51")
    assert project.git("status", "--porcelain") == ""


@pytest.mark.slow
def test_git_merge_keeps_windows_line_endings(project: Armed) -> None:
    def windows(text: str) -> bytes:
        return text.replace("\n", "\r\n").encode()

    for branch, text in (("main", BASE), ("other", THEIRS), ("main", OURS)):
        project.git("switch", "-q", "-C" if branch == "other" else "--no-guess", branch)
        project.data(NAME, windows(text).decode())
        (project.root / NAME).write_bytes(windows(text))
        project.commit(f"windows {branch}")
    project.git("merge", "other")
    assert (project.root / NAME).read_bytes() == windows(THEIRS.replace("2.50", "2.51"))


@pytest.mark.slow
def test_rows_that_both_appended_are_all_there_without_a_key(project: Armed) -> None:
    project.write("mlops.yaml", "version: 1\n")
    project.commit("no key")
    diverge(project, BASE + "4,ours,4\n", BASE + "4,theirs,4\n")
    project.git("merge", "other")
    assert project.read(NAME) == BASE + "4,ours,4\n4,theirs,4\n"


@pytest.mark.slow
def test_packed_text_is_merged_too(project: Armed, mlops: Run) -> None:
    def write(text: str) -> None:
        (project.root / "t.csv.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
        mlops("add", "t.csv.gz", cwd=project.root)
        project.commit("packed")

    project.write("mlops.yaml", KEYS.replace("*.csv", "*.csv.gz"))
    write(BASE)
    project.git("switch", "-q", "-c", "other")
    write(THEIRS)
    project.git("switch", "-q", "main")
    write(OURS)
    project.git("merge", "other")
    merged = gzip.decompress((project.root / "t.csv.gz").read_bytes()).decode()
    assert merged == THEIRS.replace("2.50", "2.51")


@pytest.mark.slow
def test_directories_are_merged_file_by_file(project: Armed, mlops: Run) -> None:
    def add(**files: str | None) -> None:
        for name, text in files.items():
            file = project.root / "img" / name
            file.parent.mkdir(exist_ok=True)
            file.unlink() if text is None else file.write_text(text)
        mlops("add", "img", cwd=project.root)
        project.commit("img")

    add(a="1", b="2", c="3")
    project.git("switch", "-q", "-c", "other")
    add(a=None, d="44")
    project.git("switch", "-q", "main")
    add(b="22", e="5")
    said = project.git("merge", "other")
    assert "merged `img`: files of theirs: 1 added, 1 removed\n" in said
    found = {file.name: file.read_text() for file in (project.root / "img").iterdir()}
    assert found == {"b": "22", "c": "3", "d": "44", "e": "5"}
    pointer = project.read("img.dvc")
    assert "size: 6\n" in pointer
    assert "nfiles: 4\n" in pointer


@pytest.mark.slow
def test_a_profile_is_never_left_bound_to_other_data(project: Armed, mlops: Run) -> None:
    mlops("add", NAME, cwd=project.root)
    project.commit("profile")
    assert "  mlops:" in project.read(f"{NAME}.dvc")
    diverge_added(project, mlops, OURS, THEIRS)
    project.git("merge", "other")
    lines = project.read(f"{NAME}.dvc").splitlines()
    md5 = next(line.split()[-1] for line in lines if "md5:" in line)
    assert [line for line in lines if "of:" in line] == [f"    of: {md5}"]
    assert "    rows: 4" in lines


def diverge_added(project: Armed, mlops: Run, ours: str, theirs: str) -> None:
    for branch, text in (("other", theirs), ("main", ours)):
        project.git("switch", "-q", *(["-c"] if branch == "other" else []), branch)
        project.write(NAME, text)
        mlops("add", NAME, cwd=project.root)
        project.commit(branch)


# ------------------------------------------------------------------ conflicts


@pytest.mark.slow
def test_a_conflict_is_told_and_nothing_is_lost(project: Armed) -> None:
    diverge(project, OURS, CLASH)
    ours, theirs = (project.git("rev-parse", "--short", name).strip() for name in ("main", "other"))
    said = project.git("merge", "other", status=1)
    assert f"warning: `{NAME}.dvc`: both sides changed the data, 1 conflict: see `{NAME}.conflicts`\n" in said
    assert f'  ours is {ours} "ours", which your branch `main` is at\n' in said
    assert f'  theirs is {theirs} "theirs", from `other`\n' in said
    assert project.read(f"{NAME}.dvc").count("<<<<<<< ours\n") == 1
    assert project.read(f"{NAME}.conflicts") == "id,column,base,ours,theirs,take\n2,n,2.50,2.51,2.99,\n"
    assert project.read(NAME) == OURS
    assert project.git("status", "--porcelain", "-z") == f"UU {NAME}.dvc\0"


@pytest.mark.slow
def test_without_an_option_conflicts_are_shown(project: Armed, mlops: Run) -> None:
    diverge(project, OURS, CLASH)
    project.git("merge", "other", status=1)
    shown = mlops("merge-file", NAME, cwd=project.root, status=1)
    assert shown.stdout == "ID  COLUMN  BASE  OURS  THEIRS\n 2  n       2.50  2.51    2.99\n"
    data = json.loads(mlops("merge-file", "--json", NAME, cwd=project.root, status=1).stdout)
    assert data["data"] == [{"key": ["2"], "column": "n", "base": "2.50", "ours": "2.51", "theirs": "2.99"}]


@pytest.mark.slow
@pytest.mark.parametrize(("option", "number"), [("--ours", "2.51"), ("--theirs", "2.99")])
def test_a_side_is_taken_where_both_differ_and_all_else_is_merged(
    project: Armed, mlops: Run, option: str, number: str
) -> None:
    diverge(project, OURS, CLASH)
    project.git("merge", "other", status=1)
    mlops("merge-file", option, f"{NAME}.dvc", cwd=project.root)
    assert project.read(NAME) == THEIRS.replace("2.50", number)
    assert project.git("status", "--porcelain", "-z") == f"M  {NAME}.dvc\0"
    assert not (project.root / f"{NAME}.conflicts").exists()
    assert "conflicts" not in (project.repo.common_dir / "info" / "exclude").read_text()
    project.git("commit", "--no-edit")


@pytest.mark.slow
def test_a_row_that_one_side_removed_stays_in_the_union(project: Armed, mlops: Run) -> None:
    diverge(project, OURS, BASE.replace("2,b,2.50\n", ""))
    project.git("merge", "other", status=1)
    assert project.read(f"{NAME}.conflicts").splitlines()[1] == "2,,n=2.50,n=2.51,(none),"
    mlops("merge-file", "--union", NAME, cwd=project.root)
    assert project.read(NAME) == OURS


@pytest.mark.slow
def test_conflicts_are_decided_one_by_one_in_the_editor(project: Armed, mlops: Run) -> None:
    diverge(project, OURS.replace("3,c,3", "3,x,3"), CLASH.replace("3,c,3", "3,y,3"))
    project.git("merge", "other", status=1)
    words = ("merge-file", "--edit", NAME)
    editor = {**os.environ, "GIT_EDITOR": "sed -i '2s/$/theirs/'"}
    half = mlops(*words, cwd=project.root, status=1, env=editor)
    assert half.stdout.splitlines()[1:] == [" 3  name    c     x     y"]
    mlops(*words, cwd=project.root, env={**os.environ, "GIT_EDITOR": "sed -i '3s/$/=z/'"})
    assert project.read(NAME) == CLASH.replace("3,c,3", "3,z,3")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("mine", "record 2: `mine` is nothing to take"),
        (",", "record 2: 7 cells for 6 columns"),
    ],
)
@pytest.mark.slow
def test_what_was_filled_in_wrong_is_told(project: Armed, mlops: Run, line: str, said: str) -> None:
    diverge(project, OURS, CLASH)
    project.git("merge", "other", status=1)
    editor = {**os.environ, "GIT_EDITOR": f"sed -i '2s/$/{line}/'"}
    done = mlops("merge-file", "--edit", NAME, cwd=project.root, status=2, env=editor)
    assert f"error: `{NAME}.conflicts`, {said}\n" in done.stderr
    assert "UU" in project.git("status", "--porcelain")


@pytest.mark.slow
def test_a_file_of_a_directory_that_both_changed(project: Armed, mlops: Run) -> None:
    for branch, text in (("main", "1"), ("other", "2"), ("main", "3")):
        project.git("switch", "-q", "-C" if branch == "other" else "--no-guess", branch)
        (project.root / "img").mkdir(exist_ok=True)
        project.write("img/a", text)
        project.write(f"img/{branch}{text}", text)
        mlops("add", "img", cwd=project.root)
        project.commit(f"img {text}")
    project.git("merge", "other", status=1)
    mlops("merge-file", "--theirs", "img", cwd=project.root)
    found = {file.name: file.read_text() for file in (project.root / "img").iterdir()}
    assert found == {"a": "2", "main1": "1", "main3": "3", "other2": "2"}


@pytest.mark.slow
def test_models_are_never_merged(project: Armed, mlops: Run) -> None:
    project.data("model.pkl", "base")
    project.commit("model")
    diverge(project, "one", "two", "model.pkl")
    said = project.git("merge", "other", status=1)
    assert "it was not merged: only tables and directories are merged; this is neither\n" in said
    refused = mlops("merge-file", "model.pkl", cwd=project.root, status=1)
    assert refused.stderr.startswith("error: `model.pkl.dvc` was not merged: only tables")
    mlops("merge-file", "--theirs", "model.pkl", cwd=project.root)
    assert project.read("model.pkl") == "two"


@pytest.mark.slow
def test_a_key_may_be_named_later(project: Armed, mlops: Run) -> None:
    project.write("mlops.yaml", "version: 1\n")
    project.commit("no key")
    diverge(project, OURS, THEIRS)
    said = project.git("merge", "other", status=1)
    assert "it was not merged: there is no key, and more than new rows changed\n" in said
    mlops("merge-file", "--key", "id", NAME, cwd=project.root)
    assert project.read(NAME) == THEIRS.replace("2.50", "2.51")


@pytest.mark.slow
def test_a_side_as_a_whole_says_how_many_rows_it_lacks(project: Armed, mlops: Run) -> None:
    project.write("mlops.yaml", "version: 1\n")
    project.commit("no key")
    diverge(project, OURS, THEIRS)
    project.git("merge", "other", status=1)
    done = mlops("merge-file", "--theirs", NAME, cwd=project.root)
    assert "changed; it lacks 1 row that ours has\n" in done.stderr


@pytest.mark.slow
def test_a_branch_that_only_appends_merges_again_and_again(project: Armed) -> None:
    """Rows of the main branch stand before those that came with an earlier merge."""
    project.write("mlops.yaml", "version: 1\n")
    project.commit("no key")
    diverge(project, BASE + "3,m,1\n", BASE + "2,f,1\n")
    project.git("merge", "other")
    project.git("switch", "-q", "other")
    project.data(NAME, BASE + "2,f,1\n4,f,1\n")
    project.commit("more")
    project.git("switch", "-q", "main")
    project.git("merge", "other")
    assert project.read(NAME) == BASE + "3,m,1\n2,f,1\n4,f,1\n"


@pytest.mark.slow
@pytest.mark.parametrize(("take", "there"), [("theirs", True), ("ours", False)])
def test_data_that_one_side_removed_and_the_other_changed(
    project: Armed, mlops: Run, take: str, *, there: bool
) -> None:
    diverge(project, OURS, THEIRS)
    project.git("rm", "-q", f"{NAME}.dvc")
    project.git("commit", "-qm", "removed")
    said = project.git("merge", "other", status=1)
    assert f"`{NAME}.dvc`: ours removed it, theirs changed it\n" in said
    assert f"in conflict  {NAME}" in mlops("status", cwd=project.root).stdout
    mlops("merge-file", NAME, cwd=project.root, status=1)
    mlops("merge-file", f"--{take}", NAME, cwd=project.root)
    assert (project.root / NAME).exists() == (project.root / f"{NAME}.dvc").exists() == there
    assert "U" not in project.git("status", "--porcelain")[:2]


@pytest.mark.parametrize("path", ["nothing.csv", "../outside.csv", "dvc.lock", NAME])
def test_what_is_not_in_conflict_is_refused(project: Armed, mlops: Run, path: str) -> None:
    done = mlops("merge-file", "--ours", path, cwd=project.root, status=2)
    assert done.stderr.startswith("error: ")


# ------------------------------------------------------------------ rebase, cherry-pick, clones


@pytest.mark.slow
def test_a_rebase_says_which_commit_is_which(
    project: Armed, mlops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_EDITOR", "true")
    diverge(project, OURS, CLASH)
    ours, theirs = (project.git("rev-parse", "--short", name).strip() for name in ("other", "main"))
    said = project.git("rebase", "other", status=1)
    assert f'  ours is {ours} "theirs", what you rebase onto\n' in said
    assert f'  theirs is {theirs} "ours", your own commit that is moved\n' in said
    mlops("merge-file", "--theirs", NAME, cwd=project.root)
    project.git("rebase", "--continue")
    assert project.read(NAME) == THEIRS.replace("2.50", "2.51")


@pytest.mark.slow
def test_a_rebase_without_conflicts_merges_by_itself(project: Armed) -> None:
    diverge(project, OURS, THEIRS)
    project.git("rebase", "other")
    assert project.read(NAME) == THEIRS.replace("2.50", "2.51")


@pytest.mark.slow
def test_a_cherry_pick_brings_its_rows_alone(project: Armed, mlops: Run) -> None:
    diverge(project, OURS, THEIRS)
    project.git("switch", "-q", "other")
    project.data(NAME, THEIRS + "10,more,1\n")
    project.commit("one more")
    project.git("switch", "-q", "main")
    project.git("cherry-pick", "other")
    assert project.read(NAME) == OURS + "10,more,1\n"


@pytest.mark.slow
def test_data_of_another_clone_is_downloaded_by_merge_file(
    project: Armed, mlops: Run, tmp_path: Path
) -> None:
    mlops("push", cwd=project.root)
    other = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", project.root, other], check=True)
    clone = Armed(discover(other))
    install.install(clone.repo)
    mlops("pull", cwd=other)
    clone.data(NAME, THEIRS)
    clone.commit("theirs")
    mlops("push", cwd=other)
    project.data(NAME, OURS)
    project.commit("ours")
    project.git("fetch", "-q", str(other), "main")
    said = project.git("merge", "FETCH_HEAD", status=1)
    assert "it was not merged: its data is not on this machine" in said
    assert f"`git mlops pull '{NAME}'`" in said
    assert project.read(NAME) == OURS
    mlops("merge-file", NAME, cwd=project.root)
    assert project.read(NAME) == THEIRS.replace("2.50", "2.51")


@pytest.mark.slow
def test_data_that_is_nowhere_leaves_the_conflict(project: Armed, mlops: Run) -> None:
    diverge(project, OURS, THEIRS)
    project.git("switch", "-q", "--detach")
    cache = project.root / ".dvc" / "cache" / "files" / "md5"
    pointer = project.git("show", "other:./" + f"{NAME}.dvc")
    md5 = next(
        line.split()[-1].strip('"') for line in pointer.splitlines() if "md5:" in line and "hash" not in line
    )
    (cache / md5[:2] / md5[2:]).unlink()
    project.git("merge", "other", status=1)
    done = mlops("merge-file", "--ours", NAME, cwd=project.root, status=3)
    assert done.stderr.startswith(f"error: not merged: the data ({md5}) is neither here nor on the remote\n")
    assert "UU" in project.git("status", "--porcelain")
    assert project.read(NAME) == OURS
