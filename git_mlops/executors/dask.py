"""A Dask distributed cluster; the one file that imports it. Workers need git, git-mlops and what runs use."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from git_mlops import env
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.executors.jobs import Job, Result, Where
from git_mlops.git import config as git_config
from git_mlops.git.repo import Repo

if TYPE_CHECKING:
    from distributed import Client, Future

AWAY: bool = True
KEY = "mlops.dask.scheduler"
VARIABLES = ("MLOPS_DASK_SCHEDULER", "DASK_SCHEDULER_ADDRESS")
"""The second is Dask's own."""
_PORT = 8786
_CRITICAL = 50
"""`logging.CRITICAL`: to import it takes 5 ms."""
_PATIENCE = 30
"""Seconds to wait for the scheduler."""


def run(work: Callable[[bytes], bytes], jobs: Iterator[Job], where: Where) -> Iterator[Result]:
    """See `Executor.run`. A cluster cannot interrupt what has begun: on Ctrl-C its answers are dropped."""
    client = _client(where.address)
    busy: dict[Future, Job] = {}
    try:
        while True:
            room = where.workers or sum(client.nthreads().values()) or 1
            while len(busy) < room and (job := next(jobs, None)):
                busy[client.submit(work, job.payload, key=f"mlops-{job.id}", pure=False)] = job
            if not busy:
                return
            yield from _ended(client, busy)
    except KeyboardInterrupt:
        for job in busy.values():
            yield Result(job.id, None, "interrupted; what the cluster makes of it is dropped")
        raise
    finally:
        client.cancel(list(busy), force=True)
        client.close()


class Session:
    """Tasks that build on each other's answers, which stay on the workers until they are asked for.

    What a lost worker had made is made again by the others. Tasks are freed when the session ends.
    """

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._name = uuid.uuid4().hex
        self._made: list[Future[Any]] = []
        self._count = 0

    def submit(self, work: Callable[..., bytes], *arguments: object) -> object:
        """Begin; a handle among the arguments, or in a list among them, becomes its answer there."""
        key = f"mlops-{work.__name__}-{self._name}-{self._count + len(self._made)}"
        future = self._client.submit(work, *arguments, key=key, pure=False)
        self._made.append(future)
        return future

    def answer(self, handle: object) -> tuple[bytes | None, str]:
        """Wait for it: the answer, or why there is none."""
        future: Any = handle
        try:
            answer = future.result()
        except Exception as error:  # noqa: BLE001  # of the cluster or of a task: both are no answer
            return None, f"on the cluster: {_short(error)}"
        return (answer, "") if isinstance(answer, bytes) else (None, "on the cluster: no answer")

    def release(self, handle: object) -> None:
        """Forget an answer: it is not needed any more, by nobody."""
        future: Any = handle
        self._made[self._made.index(future)] = self._made[-1]
        self._made.pop()
        self._count += 1
        future.release()

    def cancel(self) -> None:
        """Drop what is under way."""
        self._client.cancel(self._made, force=True)


def _short(error: BaseException) -> str:
    """One line that says what happened, without what a task was given."""
    name = type(error).__name__
    if name == "KilledWorker":
        return "every worker that tried it was lost (out of memory?)"
    if name in ("FutureCancelledError", "CancelledError", "CommClosedError"):
        return "the scheduler was lost"
    text = " ".join(str(error).split()) or type(error).__name__
    return f"{type(error).__name__}: {text}"[:300]


def scheduler(repo: Repo, given: str | None = None) -> str | None:
    """The address of the cluster that the user means: said in the command, by a variable, in git's config."""
    for variable in VARIABLES:
        given = given or env.get(variable)
    if given:
        return given
    found = git_config.read(repo, rf"^{KEY.replace('.', '[.]')}$").get(KEY)
    return (found.value or None) if found else None


@contextmanager
def session(address: str | None) -> Iterator[Session]:
    """Tasks on a cluster; ends all of them when it is left.

    Args:
        address: of its scheduler; None: a cluster of this machine's processors, which ends with the session.

    Raises:
        MlopsError: Dask is not installed, no scheduler answers, or it has no workers (exit code 3).
    """
    with nullcontext(address) if address else _own() as at:
        client = _client(at)
        _quiet()
        try:
            _wait_for_workers(client, at)
            found = Session(client)
            try:
                yield found
            finally:
                found.cancel()
        finally:
            client.close()


def _quiet() -> None:
    """What is lost is done again, or said by us: no warnings beside."""
    import logging

    for name in [*logging.root.manager.loggerDict]:
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def _own() -> Iterator[str]:
    """The address of a cluster on this machine."""
    try:
        from distributed import LocalCluster
    except ImportError as error:
        raise _not_installed() from error
    with LocalCluster(
        n_workers=os.cpu_count() or 1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None,
        silence_logs=_CRITICAL,
    ) as cluster:  # fmt: skip
        yield str(cluster.scheduler_address)


def _wait_for_workers(client: "Client", address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError as error:
        raise MlopsError(
            f"the Dask scheduler at `{address}` has no workers",
            hint=f"start one: `dask worker {address}`",
            exit_code=CANNOT_EVALUATE,
        ) from error


def _client(address: str | None) -> "Client":
    if not address:
        raise MlopsError(
            "which cluster?", hint="`--scheduler tcp://HOST:8786`, as `dask scheduler` prints it"
        )
    try:
        from distributed import Client
    except ImportError as error:
        raise _not_installed() from error
    _reach(address)
    try:
        return Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise _silent(address, error) from error


def _not_installed() -> MlopsError:
    return MlopsError(
        "Dask is not installed", hint="`pip install 'git-mlops[dask]'`, here and on the workers"
    )


def _reach(address: str) -> None:
    """Whether anybody listens there: a client that cannot connect says so late, and with tracebacks."""
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if parts.scheme not in ("tcp", "tls"):
        return
    try:
        import socket

        socket.create_connection((parts.hostname or "", parts.port or _PORT), timeout=_PATIENCE).close()
    except (OSError, ValueError) as error:
        raise _silent(address, error) from error


def _silent(address: str, error: Exception) -> MlopsError:
    return MlopsError(
        f"no Dask scheduler answers at `{address}`: {error}",
        hint="start one: `dask scheduler`, and workers: `dask worker ADDRESS`",
        exit_code=CANNOT_EVALUATE,
    )


def _ended(client: "Client", busy: "dict[Future, Job]") -> Iterator[Result]:
    """Wait for the next ones."""
    from distributed import wait

    with client.as_current():
        done = wait(list(busy), return_when="FIRST_COMPLETED").done
    for future in done:
        job = busy.pop(future)
        yield _result(job, future)


def _result(job: Job, future: "Future[Any]") -> Result:
    error = future.exception()
    if error is not None:
        return Result(job.id, None, f"on the cluster: {error}")
    answer = future.result()
    future.release()
    return Result(job.id, answer if isinstance(answer, bytes) else None)
