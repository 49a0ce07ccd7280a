"""Processes that are not git: the user's own commands, run on the user's terminal."""

import contextlib
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from git_mlops import env
from git_mlops.errors import USAGE, MlopsError


class Outcome(NamedTuple):
    """How a command ended."""

    status: int
    """Exit status; negative for a signal, as `subprocess` has it."""
    wall: float
    """Seconds."""
    cpu: float
    """Seconds of user and system time, of the command and all it waited for."""
    peak_memory: int
    """Bytes: the largest resident set of any one process under it so far."""


def run(command: Sequence[str], *, cwd: Path, extra: Mapping[str, str] | None = None) -> Outcome:
    """Run a command on the user's terminal and wait, also through Ctrl-C (which the child gets too).

    Raises:
        MlopsError: it cannot be started.
        KeyboardInterrupt: after the child has ended, if the user interrupted.
    """
    used = measure()
    try:
        child = subprocess.Popen(tuple(command), cwd=cwd, env=env.for_child(extra))
    except OSError as error:
        raise MlopsError(
            f"cannot start `{command[0]}`: {error.strerror}",
            hint="is it installed, and on PATH?",
            exit_code=USAGE,
        ) from error
    return used(_wait(child))


def measure() -> Callable[[int], Outcome]:
    """Begin to measure child processes, whoever starts them; the answer tells what they used until then."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()

    def used(status: int) -> Outcome:
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Outcome(status, time.monotonic() - started, cpu, after.ru_maxrss * 1024)

    return used


def _wait(child: subprocess.Popen[bytes]) -> int:
    """Wait; on Ctrl-C give the child (same process group) its time to end, then say so upwards."""
    try:
        return child.wait()
    except KeyboardInterrupt:
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
        raise


@contextmanager
def feeding(command: str, extra: Mapping[str, str] | None = None) -> Iterator[IO[bytes]]:
    """A shell command line that reads what is written, on the user's terminal; Ctrl-C is its own.

    Raises:
        MlopsError: the shell could not start it.
    """
    child = subprocess.Popen(
        ("sh", "-c", command), env=env.for_child(extra, foreign=False), stdin=subprocess.PIPE
    )
    assert child.stdin
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # after the start: the child would inherit it
    try:
        yield child.stdin
    finally:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        status = child.wait()
        signal.signal(signal.SIGINT, before)
    if status in (126, 127):
        raise MlopsError(
            f"the pager `{command}` cannot be started",
            hint="`git config core.pager less`, or `--no-pager`",
            exit_code=USAGE,
        )


def answer(command: Sequence[str], *, cwd: Path, timeout: float = 10) -> str | None:
    """What a short command prints; None when it fails, for questions that may have no answer."""
    try:
        done = subprocess.run(
            tuple(command),
            cwd=cwd,
            env=env.for_child(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=timeout,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
