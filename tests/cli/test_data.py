"""`git mlops add | status | push | pull` as a user runs them."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from git_mlops.git.repo import Repo
from tests.conftest import Run


@pytest.fixture
def root(dvc_repo: Repo) -> Path:
    return dvc_repo.root


def test_add_says_what_is_staged(root: Path, mlops: Run) -> None:
    (root / "data.csv").write_text("a")
    done = mlops("add", "data.csv", cwd=root)
    assert (done.stdout, done.stderr) == ("", "staged data.csv.dvc\n")


def test_add_from_a_subdirectory_with_a_pattern(root: Path, mlops: Run) -> None:
    (root / "sub dir").mkdir()
    for name in ("é.csv", "b.csv"):
        (root / "sub dir" / name).write_text(name)
    done = mlops("add", "*.csv", cwd=root / "sub dir")
    assert done.stderr == "staged sub dir/b.csv.dvc\nstaged sub dir/é.csv.dvc\n"


def test_add_of_a_name_with_a_dash(root: Path, mlops: Run) -> None:
    (root / "-x.csv").write_text("a")
    assert mlops("add", "--", "-x.csv", cwd=root).stderr == "staged -x.csv.dvc\n"


def test_add_of_nothing(root: Path, mlops: Run) -> None:
    done = mlops("add", "no.csv", cwd=root, status=2)
    assert done.stderr == "error: no such file: `no.csv`\n"


def test_add_without_dvc(repo: Repo, mlops: Run) -> None:
    (repo.root / "data.csv").write_text("a")
    done = mlops("add", "data.csv", cwd=repo.root, status=2)
    assert done.stderr == "error: DVC is not set up in this repository\nhint: `git mlops init`\n"


@pytest.mark.parametrize("words", [["add", "x"], ["status"], ["push"], ["pull"]])
def test_outside_a_repository(tmp_path: Path, mlops: Run, words: list[str]) -> None:
    assert "error: not a git repository" in mlops(*words, cwd=tmp_path, status=2).stderr


@pytest.mark.parametrize("words", [["add", "x"], ["status"], ["push"], ["pull"]])
def test_a_corrupt_configuration(root: Path, mlops: Run, words: list[str]) -> None:
    (root / "mlops.yaml").write_text("version: [")
    (root / "x").write_text("x")
    done = mlops(*words, cwd=root, status=2)
    assert ("error: mlops.yaml" in done.stderr, "Traceback" in done.stderr) == (True, False)


@pytest.mark.parametrize("words", [["add", "x"], ["push"], ["pull"]])
def test_a_corrupt_configuration_of_dvc(root: Path, mlops: Run, words: list[str]) -> None:
    (root / "x").write_text("x")
    (root / "x.dvc").write_text("outs:\n- md5: 0123456789abcdef0123456789abcdef\n  hash: md5\n  path: x\n")
    (root / ".dvc" / "config").write_text("[core\nremote")
    done = mlops(*words, cwd=root, status=2)
    assert ("error: " in done.stderr, "Traceback" in done.stderr) == (True, False)


def test_status_when_all_agrees(root: Path, mlops: Run) -> None:
    done = mlops("status", cwd=root)
    assert (done.stdout, done.stderr) == ("", "data and pointers agree\n")


def changed(root: Path, mlops: Run, run: Run) -> None:
    """One file changed after it was added, committed and pushed by nobody."""
    (root / "data.csv").write_text("a")
    mlops("add", "data.csv", cwd=root)
    run("git", "commit", "-q", "-m", "data", cwd=root)
    (root / "data.csv").write_text("b")


def test_status_of_changed_data(root: Path, mlops: Run, run: Run) -> None:
    changed(root, mlops, run)
    day = run("git", "log", "-1", "--format=%as", cwd=root).stdout.strip()
    assert mlops("status", cwd=root).stdout == (
        f"STATE     DATA      POINTER       LAST COMMITTED BY\nmodified  data.csv  data.csv.dvc  Ada, {day}\n"
    )


def test_status_for_programs(root: Path, mlops: Run, run: Run) -> None:
    changed(root, mlops, run)
    done = mlops("status", "--remote", "--json", cwd=root, status=1)
    assert [(row["state"], row["path"]) for row in json.loads(done.stdout)["data"]] == [
        ("modified", "data.csv"),
        ("not on the remote", "data.csv"),
    ]


def test_status_says_who_has_the_data_of_each(root: Path, mlops: Run, run: Run) -> None:
    for name in ("a.csv", "ü b.csv"):
        (root / name).write_text(name)
    mlops("add", "a.csv", "ü b.csv", cwd=root)
    run("git", "commit", "-q", "-m", "a", "--author=Ada <a@example.com>", "a.csv.dvc", ".gitignore", cwd=root)
    run("git", "commit", "-q", "-m", "b", "--author=Bob <b@example.com>", cwd=root)
    (root / "a.csv").unlink()
    (root / "ü b.csv").unlink()
    rows = json.loads(mlops("status", "--json", cwd=root).stdout)["data"]
    assert [(row["path"], row["who"].split(",")[0]) for row in rows] == [("a.csv", "Ada"), ("ü b.csv", "Bob")]


def test_status_before_the_first_commit(tmp_path: Path, run: Run, mlops: Run) -> None:
    run("git", "init", "-q", tmp_path / "new", cwd=tmp_path)
    md5 = "0123456789abcdef0123456789abcdef"
    (tmp_path / "new" / "x.dvc").write_text(f"outs:\n- md5: {md5}\n  hash: md5\n  path: x\n")
    assert "not here" in mlops("status", cwd=tmp_path / "new").stdout


def test_push_and_pull(root: Path, mlops: Run, run: Run) -> None:
    (root / "raw").mkdir()
    for name in ("a", "b"):
        (root / "raw" / name).write_text(name)
    mlops("add", "raw", cwd=root)
    said = [mlops("push", cwd=root).stderr, mlops("push", cwd=root).stderr]
    shutil.rmtree(root / ".dvc" / "cache")
    shutil.rmtree(root / "raw")
    said += [mlops("pull", "raw", cwd=root).stderr, mlops("pull", cwd=root).stderr]
    assert said == [
        "pushed 3 objects\n",
        "everything is on the remote\n",
        "data follows: raw\npulled 3 objects\n",
        "everything is here\n",
    ]
    assert (root / "raw" / "b").read_text() == "b"


def test_pull_of_what_is_nowhere(root: Path, mlops: Run) -> None:
    md5 = "0123456789abcdef0123456789abcdef"
    (root / "x.dvc").write_text(f"outs:\n- md5: {md5}\n  hash: md5\n  path: x\n")
    done = mlops("pull", cwd=root, status=3)
    assert f"error: `x`: its data ({md5}) is not on the remote" in done.stderr
    assert f"error: `x`: its data ({md5}) is neither here nor" in mlops("push", cwd=root, status=1).stderr


def test_a_path_that_no_pointer_names(root: Path, mlops: Run) -> None:
    done = mlops("push", "x.csv", cwd=root, status=2)
    assert "error: no pointer names `x.csv`\nhint: " in done.stderr


def test_without_a_remote(root: Path, mlops: Run) -> None:
    (root / ".dvc" / "config").write_text("")
    (root / "x").write_text("x")
    mlops("add", "x", cwd=root)
    done = mlops("push", cwd=root, status=2)
    assert done.stderr == "error: no DVC remote is configured\nhint: `dvc remote add -d NAME URL`\n"


def test_a_sha256_repository(tmp_path: Path, run: Run, mlops: Run) -> None:
    root = tmp_path / "new"
    run("git", "init", "-q", "--object-format=sha256", root, cwd=tmp_path)
    mlops("init", cwd=root)
    run("git", "commit", "-q", "-m", "first", cwd=root)
    run("dvc", "remote", "add", "-q", "-d", "store", tmp_path / "store", cwd=root)
    (root / "x.csv").write_text("a\n1\n")
    mlops("add", "x.csv", cwd=root)
    run("git", "commit", "-q", "-a", "-m", "data", cwd=root)
    mlops("push", cwd=root)
    shutil.rmtree(root / ".dvc" / "cache")
    (root / "x.csv").unlink()
    mlops("pull", cwd=root)
    assert (root / "x.csv").read_text() == "a\n1\n"


def test_three_adds_at_once(root: Path) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        (root / name).write_text(name)
    commands = [["git-mlops", "add", "a.csv"], ["git-mlops", "add", "b.csv"], ["dvc", "add", "-q", "c.csv"]]
    children = [
        subprocess.Popen(c, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for c in commands
    ]
    ended = [(child.communicate()[0], child.returncode) for child in children]
    assert [status for _said, status in ended] == [0, 0, 0], ended
    assert sorted(p.name for p in root.glob("*.csv.dvc")) == ["a.csv.dvc", "b.csv.dvc", "c.csv.dvc"]
    ignored = (root / ".gitignore").read_text().split()
    assert sorted(ignored) == ["/a.csv", "/b.csv", "/c.csv"]


def interrupted(
    command: list[str], root: Path, begun: Callable[[], bool]
) -> subprocess.CompletedProcess[str]:
    """Start, and send Ctrl-C as soon as its work has begun."""
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    ) as child:
        until = time.monotonic() + 60
        while not begun() and child.poll() is None and time.monotonic() < until:
            os.sched_yield()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate()
    return subprocess.CompletedProcess(command, child.returncode, out, err)


def files_below(folder: Path) -> bool:
    return any(path.is_file() for path in folder.rglob("*"))


def many(root: Path) -> None:
    (root / "raw").mkdir()
    for number in range(600):
        (root / "raw" / str(number)).write_text(str(number))


def test_ctrl_c_in_add_leaves_all_as_it_was(root: Path, mlops: Run, run: Run) -> None:
    many(root)
    before = run("git", "status", "--porcelain", cwd=root).stdout
    done = interrupted(["git-mlops", "add", "raw"], root, lambda: files_below(root / ".dvc" / "cache"))
    assert (done.returncode, "Traceback" in done.stderr) == (130, False)
    assert run("git", "status", "--porcelain", cwd=root).stdout == before
    assert mlops("add", "raw", cwd=root).stderr == "staged raw.dvc\n"


def test_ctrl_c_in_push_and_pull_can_be_repeated(root: Path, mlops: Run, tmp_path: Path) -> None:
    many(root)
    mlops("add", "raw", cwd=root)
    done = interrupted(["git-mlops", "push"], root, lambda: files_below(tmp_path / "store"))
    assert (done.returncode, "Traceback" in done.stderr) == (130, False)
    mlops("push", cwd=root)
    assert mlops("status", "--remote", cwd=root).stderr == "data and pointers agree\n"
    shutil.rmtree(root / ".dvc" / "cache")
    shutil.rmtree(root / "raw")
    done = interrupted(["git-mlops", "pull"], root, lambda: files_below(root / ".dvc" / "cache"))
    assert (done.returncode, "Traceback" in done.stderr) == (130, False)
    mlops("pull", cwd=root)
    assert mlops("status", cwd=root).stderr == "data and pointers agree\n"
