"""The gateway: every git process is started here. Bytes in, bytes out, argument lists only."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from os import PathLike

from git_mlops import env
from git_mlops.errors import CANNOT_EVALUATE, USAGE, MlopsError

TYPE_CHECKING = False  # `typing` itself costs 12 ms, and this file is on the path of every commit
if TYPE_CHECKING:
    from subprocess import Popen
    from typing import IO


_OF_THE_SYSTEM = (
    "No space left on device",
    "Disk quota exceeded",
    "Permission denied",
    "Read-only file system",
    "unable to write",
)


class GitError(MlopsError):
    """git answered with a status that the caller did not expect."""

    def __init__(self, args: tuple[str, ...], status: int, stderr: str) -> None:
        said = stderr.strip().removeprefix("fatal: ").removeprefix("error: ") or f"exit status {status}"
        code = CANNOT_EVALUATE if any(word in stderr for word in _OF_THE_SYSTEM) else USAGE
        super().__init__(f"`git {_shown(args)}`: {said}", exit_code=code)
        self.status = status
        self.stderr = stderr


def git(
    *args: str,
    cwd: str | PathLike[str],
    stdin: bytes | None = None,
    ok: Collection[int] = (0,),
    foreign: bool = False,
    extra: Mapping[str, str] | None = None,
) -> bytes:
    """Run git and return its standard output.

    Args:
        args: the command line after `git`.
        cwd: where to run; a directory of the repository.
        stdin: bytes for its standard input; without it, standard input is closed.
        ok: statuses that are answers, not errors.
        foreign: the repository is not the one this process (perhaps a hook) was started in.
        extra: further environment variables, e.g. `GIT_INDEX_FILE`.

    Raises:
        GitError: any other status. MlopsError: git is not installed.
    """
    if _WAITING and stdin is None and not foreign and extra is None:
        waiting = _WAITING.pop(_key(args, cwd), None)
        if waiting is not None:
            return _answer(args, waiting, ok)
    try:
        done = subprocess.run(
            ("git", *args),
            cwd=cwd,
            env=env.for_git(foreign=foreign) | dict(extra or {}),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as missing:
        raise MlopsError(
            "`git` is not on PATH" if missing.filename == "git" else f"no such directory: {cwd}",
            exit_code=CANNOT_EVALUATE,
        ) from missing
    if done.returncode not in ok:
        raise GitError(args, done.returncode, done.stderr.decode("utf-8", "replace"))
    return done.stdout


def answer(*args: str, cwd: str | PathLike[str], seconds: float) -> bytes:
    """The standard output of a git that asks over the network, if it comes in time.

    Raises:
        GitError: it failed, or it took longer.
    """
    process = _popen(args, cwd, stderr=subprocess.PIPE)
    with process:
        try:
            output, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()  # an ssh that it started may hold the other end for minutes
            raise GitError(args, -1, f"no answer within {seconds:g} s") from None
    if process.returncode:
        raise GitError(args, process.returncode, said.decode("utf-8", "replace"))
    return output


def _popen(
    args: tuple[str, ...],
    cwd: str | PathLike[str],
    *,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    stdout: IO[bytes] | int = subprocess.PIPE,
    stderr: int = subprocess.DEVNULL,
    bufsize: int = -1,
) -> Popen[bytes]:
    return subprocess.Popen(
        ("git", *args),
        cwd=cwd,
        env=env.for_git(),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        bufsize=bufsize,
    )


def ahead(*args: str, cwd: str | PathLike[str]) -> None:
    """Start a git whose answer will be asked for: `git(*args, cwd=cwd)` then has it sooner, once.

    For what is asked with no input and changes nothing. Whoever calls this calls `forget` in the end.
    """
    key = _key(args, cwd)
    if key in _WAITING:
        return
    found = scratch()
    with suppress(OSError):  # whoever asks for it will see why
        _WAITING[key] = found, _popen(args, cwd, stdout=found, stderr=subprocess.PIPE)


def _key(args: tuple[str, ...], cwd: str | PathLike[str]) -> tuple[str, ...]:
    return os.path.abspath(cwd), *args  # noqa: PTH100  # pathlib takes 6 ms, and this is for every commit


def forget() -> None:
    """Drop what was started ahead: something has changed since, or nobody will ask."""
    while _WAITING:
        _asked, (found, process) = _WAITING.popitem()
        process.communicate()
        found.close()


_WAITING: dict[tuple[str, ...], tuple[IO[bytes], Popen[bytes]]] = {}


def _answer(args: tuple[str, ...], waiting: tuple[IO[bytes], Popen[bytes]], ok: Collection[int]) -> bytes:
    found, process = waiting
    _none, said = process.communicate()
    with found:
        found.seek(0)
        answer = found.read()
    if process.returncode not in ok:
        raise GitError(args, process.returncode, said.decode("utf-8", "replace"))
    return answer


def scratch() -> IO[bytes]:
    """A file without a name: in memory where the system has such files."""
    try:
        return os.fdopen(os.memfd_create("git-mlops"), "w+b")
    except (AttributeError, OSError):
        import tempfile

        return tempfile.TemporaryFile()


def heard(*args: str, cwd: str | PathLike[str]) -> tuple[int, str]:
    """The status of a git that answers on standard error, as `verify-tag` does, and what it said there."""
    done = subprocess.run(
        ("git", *args), cwd=cwd, env=env.for_git(), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return done.returncode, done.stderr.decode("utf-8", "replace")


@contextmanager
def conversation(*args: str, cwd: str | PathLike[str]) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Start a git that answers until its questions end: its standard input and output."""
    with _popen(args, cwd, stdin=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        yield process.stdin, process.stdout  # leaving the block closes both and waits


def started(*args: str, cwd: str | PathLike[str], stdin: IO[bytes] | None) -> Popen[bytes]:
    """Start a git that reads a file, and do not wait for it: what it answers is in its `stdout`.

    Args:
        stdin: None: it reads what is written to its `stdin`.
    """
    process = _popen(args, cwd, stdin=subprocess.PIPE if stdin is None else stdin, bufsize=_AHEAD)
    assert process.stdout
    with suppress(AttributeError, OSError):  # Linux alone; elsewhere it waits sooner
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, _AHEAD)
    return process


def aside(
    *args: str,
    cwd: str | PathLike[str],
    stdin: bytes = b"",
    extra: Mapping[str, str] | None = None,
    kept: IO[bytes] | None = None,
) -> tuple[Popen[bytes], IO[bytes]]:
    """Start a git that works while this process does something else, and the file of what it complains of.

    Args:
        stdin: bytes for its standard input.
        extra: further environment variables.
        kept: a file that it keeps open for as long as it lives: a lock.
    """
    said = scratch()
    with scratch() as words:
        words.write(stdin)
        words.seek(0)
        process = subprocess.Popen(
            ("git", *args),
            cwd=cwd,
            env=env.for_git() | dict(extra or {}),
            stdin=words,
            stdout=subprocess.DEVNULL,
            stderr=said,
            pass_fds=(kept.fileno(),) if kept else (),
        )
    return process, said


def ended(process: Popen[bytes], seconds: float) -> None:
    """Wait for a git that may have got Ctrl-C, too; then end it. Told twice at once, it leaves its locks."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()


_AHEAD = 1 << 20
"""Bytes that it may be ahead of who reads."""


def _shown(args: tuple[str, ...]) -> str:
    """The subcommand and its first words: enough to find it, never pages of arguments."""
    words = " ".join(args[:6])
    return words if len(args) <= 6 else f"{words} …"
