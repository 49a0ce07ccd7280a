"""A recorder killed at any moment, many recorders at once: what was finished is there, nothing is broken."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from git_mlops.experiments import journal
from git_mlops.git import refs
from git_mlops.git.repo import Repo
from tests.conftest import Run
from tests.experiments.conftest import commit, listed, save

# The driver forks a recorder, kills it after a random part of the time that one takes, and tells which ended.
DRIVER = """
import json, os, random, signal, sys, time
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments import run as running, save as saving
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Plan
from git_mlops.experiments.settings import Settings
from git_mlops.git.repo import discover

repo, times, how = discover(), int(sys.argv[1]), sys.argv[2]

def record(name):
    with open("params.yaml", "w") as file:
        file.write(f"run: {name}\\n")
    if how == "save":
        saving.save(repo, Request(name), Settings(), DataSettings())
    else:
        plan = Plan((sys.executable, "-S", "-c", "open('metrics.json', 'w').write('{\\"acc\\": 1}')"))
        running.run(repo, plan, Request(name), Settings(), DataSettings(), started=lambda subject: None)

def start(name):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            record(name)
            code = 0
        finally:
            os._exit(code)
    return child

began = time.monotonic()
os.waitpid(start("first"), 0)
whole = time.monotonic() - began
chance = random.Random(0)
ended, killed = ["first"], 0
for number in range(2 * times):
    if number >= times and len(ended) > 1:
        break
    child = start(f"run-{number}")
    time.sleep(chance.uniform(0, 1.1 * whole))
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if status == 0:
        ended.append(f"run-{number}")
    elif number % 10 == 9 and len(ended) == 1:
        whole *= 2  # a machine that became busier since
    killed += os.WIFSIGNALED(status)
    assert status == 0 or os.WIFSIGNALED(status), status
print(json.dumps([ended, killed]))
"""


def locks(repo: Repo) -> list[Path]:
    return [path for path in repo.common_dir.rglob("*.lock") if path.parent.name != "locks"]


@pytest.mark.slow
@pytest.mark.parametrize(("times", "how"), [(200, "save"), (60, "run")])
def test_a_recorder_killed_at_random_moments(project: Repo, run: Run, times: int, how: str) -> None:
    done = run(sys.executable, "-c", DRIVER, str(times), how, cwd=project.root)
    ended, killed = json.loads(done.stdout)
    assert killed > times // 4, "the test kills nobody"
    assert len(ended) > 1, "the test lets nobody end"
    found = {e.name: e.status for e in listed(project)}
    assert {name: found.get(name) for name in ended} == dict.fromkeys(ended, "finished")
    assert set(found.values()) <= {"finished", "interrupted"}
    assert run("git", "fsck", "--full", "--strict", "--no-dangling", cwd=project.root).stdout == ""
    assert locks(project) == []
    assert list(journal.under_way(project)) == []
    assert refs.list_refs(project, "refs/mlops/runs/") == []
    assert save(project, "after").status == "finished"


@pytest.mark.slow
def test_eight_recorders_at_once_lose_nothing(project: Repo) -> None:
    commit(project, {"params.yaml": "lr: 1\n"})
    program = Path(sys.executable).parent / "git-mlops"
    command = ("-c", "pass")
    children = [
        subprocess.Popen(
            [program, "exp", "run", "--force", "-m", str(number), "--", sys.executable, *command],
            cwd=project.root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ},
        )
        for number in range(8)
    ]  # fmt: skip
    said = [child.communicate()[1] for child in children]
    assert [child.returncode for child in children] == [0] * 8, said
    assert sorted(e.commit.message.text for e in listed(project)) == [str(number) for number in range(8)]
