"""Processes that are not git: the user's own commands, run on the user's terminal."""

import contextlib
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, NoReturn

from git_mlops import env
from git_mlops.errors import CANNOT_EVALUATE, USAGE, MlopsError


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


def ours(module: str, stdin: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a module of ours that reads a file, and do not wait: what it answers is in its `stdout`."""
    # -P: no file of the repository is taken for a module
    words = (sys.executable, "-P", "-m", module)
    return subprocess.Popen(
        words, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env.for_child()
    )


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


def serve(command: Sequence[str], *, cwd: Path, extra: Mapping[str, str] | None = None) -> int:
    """Run a server, with all processes of its own, until it ends: what ends this process ends all of them.

    Returns:
        Its exit status; 0 where it was told to end (SIGTERM, or the terminal was closed).

    Raises:
        MlopsError: it cannot be started.
        KeyboardInterrupt: after all have ended, if the user interrupted.
    """
    told: list[int] = []
    started: list[subprocess.Popen[bytes]] = []

    def end(number: int, _frame: object) -> None:
        told.append(number)
        if number == signal.SIGINT and started:
            raise KeyboardInterrupt
        for child in started:
            _tell(child.pid, signal.SIGTERM)

    # before it starts: it may say that it is there, and be told to end, sooner than we go on
    before = {number: signal.signal(number, end) for number in _ending()}
    try:
        started.append(_server(command, cwd, extra))
        _catch_up(told, started[0])
        status = started[0].wait()
    except KeyboardInterrupt:
        for child in started:
            _tell(child.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=_GRACE)
        raise
    finally:
        for child in started:
            _gone(child.pid)
            child.wait()
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0 if told else status


def _ending() -> list[signal.Signals]:
    """The signals that end us; Ctrl-C not where it is ignored, as in the background."""
    heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return [signal.SIGTERM, signal.SIGHUP, *([signal.SIGINT] if heard else [])]


def _catch_up(told: Sequence[int], child: subprocess.Popen[bytes]) -> None:
    """Do what we were told while it was being started."""
    if signal.SIGINT in told:
        raise KeyboardInterrupt
    if told:
        _tell(child.pid, signal.SIGTERM)


def _server(command: Sequence[str], cwd: Path, extra: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(tuple(command), cwd=cwd, env=env.for_child(extra), process_group=0)
    except OSError as error:
        raise MlopsError(
            f"cannot start `{command[0]}`: {error.strerror}", hint="is it installed?", exit_code=USAGE
        ) from error


_GRACE = 10.0
"""Seconds for a server to end when it is told to."""


def _tell(group: int, number: int) -> bool:
    """Send a signal to a process group; whether anybody is left in it."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def _gone(group: int) -> None:
    """End what is left of a process group, and wait for it."""
    if not _tell(group, signal.SIGTERM):
        return
    until = time.monotonic() + _GRACE
    while _tell(group, 0):
        if time.monotonic() > until:
            _tell(group, signal.SIGKILL)
            return
        time.sleep(0.05)


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


class Fork:
    """A copy of this process that does one piece of work, in a process group of its own.

    Ctrl-C on the terminal does not reach it: `interrupt` says it once, to it and to all that it started.
    """

    def __init__(self, work: Callable[[], bytes], log: Path) -> None:
        """Start. What it prints, and what its children print, goes to the end of `log`."""
        self._end, end = os.pipe()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # the copy must not print it again
        self._pid = os.fork()
        if self._pid == 0:
            _forked(work, log, end)
        with contextlib.suppress(OSError):
            os.setpgid(self._pid, self._pid)
        os.close(end)

    def fileno(self) -> int:
        """Readable when there is an answer, or none will come."""
        return self._end

    def interrupt(self) -> None:
        """As Ctrl-C does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGINT)

    def answer(self) -> tuple[bytes | None, str]:
        """Wait for it: what the work returned, or None where it did not come to that; and how it ended."""
        with open(self._end, "rb") as stream:  # noqa: PTH123  # a descriptor
            content = stream.read()
        _pid, status = os.waitpid(self._pid, 0)
        code = os.waitstatus_to_exitcode(status)
        ended = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        return (content if code == 0 else None), ended


def ready(forks: Iterable[Fork]) -> list[Fork]:
    """Wait until some of them can be asked for their answer."""
    return list(select.select(list(forks), [], [])[0])


def _forked(work: Callable[[], bytes], log: Path, end: int) -> NoReturn:
    status = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        log.parent.mkdir(parents=True, exist_ok=True)
        for place, flags, numbers in (
            (os.devnull, os.O_RDONLY, (0,)),
            (str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, (1, 2)),
        ):
            opened = os.open(place, flags, 0o666)
            for number in numbers:
                os.dup2(opened, number)
            os.close(opened)
        content = work()
        with open(end, "wb") as stream:  # a descriptor
            stream.write(content)
        status = 0
    except BaseException:  # noqa: BLE001  # nothing may leave this copy by another way
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


class Captured(NamedTuple):
    """What a command printed, and its exit status."""

    status: int
    stdout: bytes
    stderr: bytes


def capture(command: Sequence[str], *, cwd: Path, timeout: float | None = None) -> Captured:
    """Run a command to its end, however long it takes where no time is set, without a terminal.

    Raises:
        MlopsError: it takes longer (3), or cannot be started.
    """
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
    except subprocess.TimeoutExpired as error:
        said = f"`{command[0]}` took more than {timeout:g} seconds"
        raise MlopsError(said, exit_code=CANNOT_EVALUATE) from error
    except OSError as error:
        said = f"cannot start `{command[0]}`: {error.strerror}"
        raise MlopsError(said, hint="is it installed, and on PATH?", exit_code=USAGE) from error
    return Captured(done.returncode, done.stdout, done.stderr)


def answer(command: Sequence[str], *, cwd: Path, timeout: float = 10) -> str | None:
    """What a short command prints; None when it fails, for questions that may have no answer."""
    try:
        done = capture(command, cwd=cwd, timeout=timeout)
    except MlopsError:
        return None
    return done.stdout.decode("utf-8", "replace") if done.status == 0 else None
