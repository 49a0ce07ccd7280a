"""Processes of this machine: each job is done by a copy of this process, which has everything loaded."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from git_mlops import processes
from git_mlops.executors.jobs import Job, Result, Where
from git_mlops.processes import Fork

AWAY: bool = False


def run(work: Callable[[bytes], bytes], jobs: Iterator[Job], where: Where) -> Iterator[Result]:
    """See `Executor.run`."""
    busy: dict[Fork, Job] = {}
    try:
        while True:
            while len(busy) < (where.workers or 1) and (job := next(jobs, None)):
                busy[Fork(partial(work, job.payload), job.log)] = job
            if not busy:
                return
            yield from _ended(busy)
    except KeyboardInterrupt:
        _interrupt(busy)
        while busy:
            yield from _ended(busy)
        raise
    finally:  # nobody asks for more results
        _interrupt(busy)
        for fork in busy:
            fork.answer()


def _interrupt(busy: Iterable[Fork]) -> None:
    for fork in busy:
        fork.interrupt()


def _ended(busy: dict[Fork, Job]) -> Iterator[Result]:
    """Wait for the next ones."""
    for fork in processes.ready(busy):
        yield _result(busy.pop(fork), fork)


def _result(job: Job, fork: Fork) -> Result:
    answer, ended = fork.answer()
    return Result(job.id, answer, None if answer else f"its process {ended}")
