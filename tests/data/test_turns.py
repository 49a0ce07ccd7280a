"""Commands that run at the same time, and commands that start each other."""

import fcntl
import threading

import pytest

from git_mlops.data import dvc
from git_mlops.git.repo import Repo

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # pygtrie, under DVC


def test_a_stage_may_call_git_mlops(dvc_repo: Repo) -> None:
    command = "echo 1 > x.csv && timeout 20 git-mlops add x.csv"
    (dvc_repo.root / "dvc.yaml").write_text(f"stages:\n  a:\n    cmd: {command}\n")
    assert (dvc.reproduce(dvc_repo), (dvc_repo.root / "x.csv.dvc").exists()) == (["a"], True)


def test_a_command_waits_for_the_one_before_it_and_says_so(
    dvc_repo: Repo, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dvc, "_PATIENCE", 0.1)
    (dvc_repo.private / "locks").mkdir(parents=True)
    with (dvc_repo.private / "locks" / "dvc").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        release = threading.Timer(0.5, fcntl.flock, (held, fcntl.LOCK_UN))
        release.start()
        with dvc.opened(dvc_repo) as opened:
            root = opened.root_dir
        release.join()
    said = "waiting for another git-mlops command in this repository"
    assert (root, caplog.messages) == (str(dvc_repo.root), [said])
