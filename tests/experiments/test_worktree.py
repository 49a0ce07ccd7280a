"""Worktrees for runs: what they hold, and that nothing of the user's changes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments import snapshot, worktree
from git_mlops.git.repo import Repo, discover, head
from tests.data.conftest import Data
from tests.experiments.conftest import commit, put

# pygtrie under DVC's checkout warns of its own future
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")


def state(repo: Repo) -> tuple[object, ...]:
    files = {
        str(path.relative_to(repo.root)): path.read_bytes()
        for path in sorted(repo.root.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }
    return files, (repo.git_dir / "index").read_bytes(), repo.text("status", "--porcelain"), head(repo)


def worktrees(repo: Repo) -> int:
    return repo.text("worktree", "list").count("\n") + 1


def take(repo: Repo) -> str:
    return snapshot.take(repo, DataSettings()).tree


def test_it_holds_the_users_files_as_they_are_and_leaves_nothing(project: Repo) -> None:
    put(project, {"train.py": "dirty\n", "new ü.txt": "untracked\n"})
    tip = head(project) or ""
    before = state(project)
    with worktree.of(project, take(project), head=tip) as place:
        assert ((place.root / "train.py").read_text(), (place.root / "new ü.txt").read_text()) == (
            "dirty\n",
            "untracked\n",
        )
        assert (head(place), place.linked, take(place)) == (tip, True, take(project))
        (place.root / "train.py").write_text("other\n")
        (place.root / "locked").mkdir()
        (place.root / "locked" / "x").write_text("")
        (place.root / "locked").chmod(0o500)
    assert (state(project), worktrees(project), list((project.private / "worktrees").iterdir())) == (
        before,
        1,
        [],
    )


def test_no_hook_of_the_users_runs(project: Repo) -> None:
    for name in ("post-checkout", "post-index-change", "reference-transaction"):
        hook = project.common_dir / "hooks" / name
        hook.write_text(f"#!/bin/sh\necho {name} >> '{project.common_dir}/ran'\n")
        hook.chmod(0o755)
    with worktree.of(project, "HEAD", head="HEAD"):
        pass
    assert not (project.common_dir / "ran").exists()


def test_it_has_the_data_of_its_tree_from_the_one_cache(dvc_repo: Repo) -> None:
    data = Data(dvc_repo)
    data.file("a.csv", "old")
    old = data.commit()
    data.file("a.csv", "new")
    data.write(".dvc/config.local", "['remote \"store\"']\n    verify = true\n")
    with worktree.of(data.repo, old, head="HEAD") as place:
        done = worktree.bring(place)
        assert (done.updated, (place.root / "a.csv").read_text(), data.read("a.csv")) == (
            ["a.csv"],
            "old",
            "new",
        )
        assert "verify = true" in (place.root / ".dvc" / "config.local").read_text()


def test_a_killed_process_leaves_one_that_the_next_takes_away(project: Repo) -> None:
    code = (
        "import time\nfrom git_mlops.experiments import worktree\nfrom git_mlops.git.repo import discover\n"
        "with worktree.of(discover(), 'HEAD', head='HEAD'):\n"
        "    print('there', flush=True)\n    time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], cwd=project.root, stdout=subprocess.PIPE)
    assert child.stdout
    assert child.stdout.readline() == b"there\n"
    worktree.sweep(project)
    assert worktrees(project) == 2
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    worktree.sweep(project)
    assert (worktrees(project), list((project.private / "worktrees").iterdir())) == (1, [])


@pytest.mark.parametrize("where", ["subdirectory", "linked worktree"])
def test_it_works_from_anywhere(project: Repo, tmp_path: Path, where: str) -> None:
    commit(project, {"sub/x": "1"})
    if where == "linked worktree":
        project.git("worktree", "add", "-q", str(tmp_path / "other"))
        here = discover(tmp_path / "other")
    else:
        here = discover(project.root / "sub")
    with worktree.of(here, "HEAD", head="HEAD") as place:
        assert (place.root / "sub" / "x").read_text() == "1"
    assert worktrees(project) == (2 if where == "linked worktree" else 1)
