"""A server that we start ends with us, and so does all that it has started."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

SERVER = "sleep 600 & echo $$ $!; wait"
OURS = """
import sys
from pathlib import Path
from git_mlops import processes
sys.exit(processes.serve(["sh", "-c", sys.argv[1]], cwd=Path.cwd()))
"""


@pytest.mark.parametrize(
    ("told", "status"), [(signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, -signal.SIGINT)]
)
def test_what_ends_us_ends_all_of_it(tmp_path: Path, told: signal.Signals, status: int) -> None:
    words = [sys.executable, "-c", OURS, SERVER]
    with subprocess.Popen(
        words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as ours:
        assert ours.stdout
        pids = [int(word) for word in ours.stdout.readline().split()]
        ours.send_signal(told)
        ended = ours.wait(timeout=30)
    assert (ended, [pid for pid in pids if _alive(pid)]) == (status, [])


def test_its_own_end_is_ours(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", OURS, "exit 7"], cwd=tmp_path, check=False)
    assert done.returncode == 7


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
