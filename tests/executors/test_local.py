"""Work done by copies of this process."""

import os
import subprocess
import sys
from pathlib import Path

# a program of its own: what is copied should be a process without threads, which a test runner's may have
PROGRAM = """
import os, sys
from pathlib import Path
from git_mlops.executors import EXECUTORS, Job, Where
from git_mlops.executors.local import run

def work(payload):
    print("said", payload.decode(), flush=True)
    os.system("echo child")
    if payload == b"killed":
        os.kill(os.getpid(), 9)
    if payload == b"broken":
        raise ValueError("no")
    return payload.upper() + str(os.getpid() != int(sys.argv[2])).encode()

folder = Path(sys.argv[1])
jobs = (Job(name, name.encode(), folder / name / "log") for name in sys.argv[3:])
print("before", end="")
for result in sorted(run(work, jobs, Where(2))):
    print(*result)
"""


def results(tmp_path: Path, *names: str) -> list[str]:
    code = PROGRAM.replace("sys.argv[2]", repr(str(os.getpid())))
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path, "-", *names],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_each_job_is_done_once_and_prints_into_its_own_log(tmp_path: Path) -> None:
    found = results(tmp_path, "a", "b", "c")
    assert found == ["beforea b'ATrue' None", "b b'BTrue' None", "c b'CTrue' None"]
    assert [(tmp_path / name / "log").read_text() for name in "abc"] == [
        f"said {name}\nchild\n" for name in "abc"
    ]


def test_one_that_is_killed_or_breaks_is_said_and_the_others_go_on(tmp_path: Path) -> None:
    assert results(tmp_path, "killed", "a", "broken") == [
        "beforea b'ATrue' None",
        "broken None its process ended with status 1",
        "killed None its process was ended by SIGKILL",
    ]
    assert (tmp_path / "broken" / "log").read_text().endswith("ValueError: no\n")
