"""Runs under way: a journal per run, so that a killed recorder leaves a run that says "interrupted".

Before the command starts, the experiment's commit is made as if the run had been interrupted at once, and
held by `refs/mlops/runs/<id>`. The journal names that commit and the recording process. When the process is
gone, whoever comes next moves the commit to where experiments are: one transaction, safe to do twice.
"""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from git_mlops.git import objects, refs
from git_mlops.git.refs import Move, RefMovedError
from git_mlops.git.repo import Repo

LOG = "log"
"""What a run in the background printed, in its journal's folder; it stays when the run is recorded."""

WORKTREES = "worktrees"
"""Below the private folder: a worktree and a lock for each run that has one of its own."""


class Journal(NamedTuple):
    """A run that has started and not been recorded as ended."""

    id: str
    ref: str
    """Where the experiment will be."""
    commit: str
    """The experiment as it is if nothing more comes."""
    start: str
    pid: int
    host: str
    born: str
    """Start time of the process as the kernel counts it: process ids are used again."""
    root: str = ""
    """The worktree that it runs in."""


def holder(run_id: str) -> str:
    """The ref that keeps a run's commit from being collected."""
    return f"refs/mlops/runs/{run_id}"


def begin(repo: Repo, run_id: str, ref: str, commit: str, start: str, also: Sequence[Move] = ()) -> Journal:
    """Write the journal of this process's run, and hold its commit; `also` in the same transaction.

    Raises:
        RefMovedError: one of `also` could not be moved; there is no journal then.
    """
    import platform

    pid = os.getpid()
    journal = Journal(run_id, ref, commit, start, pid, platform.node(), born(pid), str(repo.root))
    folder = repo.private / "runs" / journal.id
    folder.mkdir(parents=True, exist_ok=True)
    objects.replace_file(folder / "journal.json", (json.dumps(journal._asdict()) + "\n").encode())
    try:
        held = Move(holder(journal.id), journal.commit, None)
        refs.move(repo, [held, *also], f"mlops exp run: {journal.id} started")
    except RefMovedError:
        end(repo, journal)
        raise
    return journal


def end(repo: Repo, journal: Journal) -> None:
    """Remove the journal, not the log; the ref is moved together with the experiment's."""
    import shutil

    folder = repo.private / "runs" / journal.id
    (folder / "journal.json").unlink(missing_ok=True)
    if not (folder / LOG).exists():
        shutil.rmtree(folder, ignore_errors=True)
        return
    for one in folder.iterdir():
        if one.is_dir():
            shutil.rmtree(one, ignore_errors=True)


def quiet(repo: Repo) -> bool:
    """Whether no run at all has a folder here: then nothing is under way, and nothing was left over."""
    try:
        with os.scandir(repo.private / "runs") as found:
            return next(found, None) is None
    except OSError:
        return True


def under_way(repo: Repo) -> Iterator[Journal]:
    """Every journal that can be read, in the order of their ids."""
    folder = repo.private / "runs"
    for file in sorted(folder.glob("*/journal.json")) if folder.is_dir() else ():
        try:
            yield Journal(**json.loads(file.read_bytes()))
        except (OSError, ValueError, TypeError):
            continue  # being written or removed just now, or of a later version


def alive(journal: Journal) -> bool:
    """Whether its process runs. Of another machine on the same file system nobody can tell: yes."""
    import platform

    if journal.host != platform.node():
        return True
    return journal.born == born(journal.pid) != ""


def left_over(repo: Repo) -> bool:
    """Whether a recorder that is gone has left anything: see `recovery`."""
    folder = repo.private / WORKTREES
    logs = (repo.private / "runs").glob("*/mlflow/run.json")
    return any(not alive(run) for run in under_way(repo)) or any(folder.glob("*.lock")) or any(logs)


def born(pid: int) -> str:
    """`<boot>:<ticks>`; empty when there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        after = fields.rpartition(")")[2].split()
        return "" if after[0] == "Z" else f"{boot}:{after[19]}"
    except OSError:
        return _without_proc(pid)


def _without_proc(pid: int) -> str:
    if Path("/proc/self/stat").exists():
        return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return "alive"
    return "alive"
