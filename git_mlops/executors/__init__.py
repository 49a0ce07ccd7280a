"""Where queued work is done: `EXECUTORS` is the whole list, the names are those of `--executor`."""

from collections.abc import Callable, Iterator
from typing import Protocol

from git_mlops.executors import dask, local
from git_mlops.executors.jobs import Job, Result, Where


class Executor(Protocol):
    """What a module of this package offers."""

    AWAY: bool
    """Whether workers may be on other machines: a job must carry all it needs, its answer all it made."""

    def run(self, work: Callable[[bytes], bytes], jobs: Iterator[Job], where: Where) -> Iterator[Result]:
        """Do every job, several at once; results as they come.

        Jobs are taken from the iterator when there is room for one. On Ctrl-C the jobs under way are told,
        their results still come, and KeyboardInterrupt follows them.
        """
        ...


EXECUTORS: dict[str, Executor] = {"local": local, "dask": dask}
__all__ = ["EXECUTORS", "Executor", "Job", "Result", "Where"]
