"""A recorded environment made anew: a virtual environment with exactly the packages of environment.lock."""

import hashlib
import platform
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from git_mlops import processes
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo

_DONE = "mlops-complete"


def environment(repo: Repo, lock: bytes, python: str | None) -> Path:
    """The virtual environment of a lock; made once and kept with the private state of the repository.

    Args:
        python: the interpreter that was recorded, `CPython 3.11.2`.

    Raises:
        MlopsError: no such Python here, or a package cannot be installed (exit code 3).
    """
    folder = repo.private / "environments" / hashlib.sha256(lock + (python or "").encode()).hexdigest()[:16]
    if (folder / _DONE).exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _run((_interpreter(python), "-m", "venv", str(folder)), repo, "make a virtual environment")
    requirements = folder / "requirements.txt"
    replace_file(requirements, lock)
    install = (
        str(folder / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "-r",
        str(requirements),
    )
    _run(install, repo, "install the recorded packages")
    replace_file(folder / _DONE, b"")
    return folder


def translated(command: Sequence[str], folder: Path) -> tuple[str, ...]:
    """The command with the environment's own Python, where it names one by its path."""
    if command and "/" in command[0] and re.fullmatch(r"python[0-9.]*", Path(command[0]).name):
        return (str(folder / "bin" / "python"), *command[1:])
    return tuple(command)


def _interpreter(python: str | None) -> str:
    """A Python of the recorded minor version."""
    match = re.search(r"(\d+)\.(\d+)", python or "")
    if match is None or platform.python_version_tuple()[:2] == match.groups():
        return sys.executable
    found = shutil.which(f"python{match[1]}.{match[2]}")
    if found is None:
        message = f"the run had {python}, and there is no python{match[1]}.{match[2]} here"
        raise MlopsError(message, hint="install it, or verify without `--env`", exit_code=CANNOT_EVALUATE)
    return found


def _run(command: Sequence[str], repo: Repo, what: str) -> None:
    outcome = processes.run(command, cwd=repo.root)
    if outcome.status:
        raise MlopsError(f"could not {what}", hint="what it printed is above", exit_code=CANNOT_EVALUATE)
