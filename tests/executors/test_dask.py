"""A real Dask cluster of two worker processes on this machine."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments import queue, start
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Plan
from git_mlops.git.repo import Repo
from tests.conftest import Run
from tests.experiments.conftest import commit, listed
from tests.experiments.test_worktree import state

CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""
pytestmark = pytest.mark.skipif(
    not any(Path(folder, "distributed").is_dir() for folder in sys.path), reason="Dask is not installed"
)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """The address of its scheduler."""
    program = tmp_path / "cluster.py"
    program.write_text(CLUSTER)
    child = subprocess.Popen(
        [sys.executable, program], cwd=tmp_path, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    assert child.stdout
    yield child.stdout.readline().strip()
    child.communicate()


def add(repo: Repo, code: str, name: str) -> None:
    found = start.workspace(repo, Plan((sys.executable, "-c", code)), DataSettings())
    queue.add(repo, found, Request(name))


@pytest.mark.slow
def test_what_is_queued_runs_there_and_what_is_interrupted_waits(
    repo: Repo, cluster: str, mlops: Run, tmp_path: Path
) -> None:
    commit(repo, {"train.py": "1"})
    for n in range(4):
        code = f"import json; json.dump({{'n': {n}}}, open('metrics.json', 'w')); raise SystemExit({n} == 3)"
        add(repo, code, f"r{n}")
    before = state(repo)
    words = ("exp", "queue", "start", "--executor", "dask", "--scheduler", cluster)
    done = mlops(*words, cwd=repo.root, status=1)
    found = {e.name: (e.status, dict(e.metrics)) for e in listed(repo)}
    assert found == {f"r{n}": ("failed" if n == 3 else "finished", {"n": n}) for n in range(4)}, done.stderr
    assert (state(repo), queue.entries(repo)) == (before, [])

    marker, goal = tmp_path / "marker", tmp_path / "go"
    code = f"import os, time; open({str(marker)!r}, 'w')\n"
    add(repo, f"{code}while not os.path.exists({str(goal)!r}): time.sleep(0.01)", "slow")
    program = Path(sys.executable).parent / "git-mlops"
    child = subprocess.Popen([program, *words], cwd=repo.root, stderr=subprocess.PIPE, start_new_session=True)
    end = time.monotonic() + 60
    while not marker.exists():
        assert time.monotonic() < end, "it never started"
        os.sched_yield()
    os.killpg(child.pid, signal.SIGINT)
    said = child.communicate()[1].decode()
    goal.touch()
    assert (child.returncode, [one.name for one in queue.entries(repo)]) == (130, ["slow"]), said


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "no such host", "tcp://127.0.0.1:x"])
def test_where_no_scheduler_is_that_is_said_and_nothing_is_lost(repo: Repo, mlops: Run, address: str) -> None:
    add(repo, "pass", "a")
    words = ("exp", "queue", "start", "--executor", "dask", "--scheduler", address)
    said = mlops(*words, cwd=repo.root, status=3).stderr
    assert said.startswith(f"error: no Dask scheduler answers at `{address}`")
    assert (said.count("\n"), [one.name for one in queue.entries(repo)]) == (2, ["a"])
