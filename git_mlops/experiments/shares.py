"""Reading very many commits with every processor: each share of them in a process of its own.

The process is `share`, run by the same Python. It is told the repository, the parameter files and the ids on
its standard input, and answers with pages as the cache keeps them. A share that fails is no matter: whoever
asked for it reads it himself.
"""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

from git_mlops import processes
from git_mlops.experiments.known import Page
from git_mlops.git.repo import Repo
from git_mlops.git.run import scratch

MODULE = "git_mlops.experiments.share"
FEWEST = 10_000
"""Commits of one share: for fewer, to start a process takes longer than it saves."""
_MOST = 8
LENGTH = 8
"""Bytes that say how long a text is."""


def divided(oids: Sequence[str]) -> list[Sequence[str]]:
    """The commits in as many shares as this machine has processors for; one if they are few."""
    many = max(1, min(processors(), _MOST, len(oids) // FEWEST))
    size = -(-len(oids) // many) or 1
    return [oids[start : start + size] for start in range(0, len(oids), size)] or [oids]


def processors() -> int:
    """Those that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # Linux alone has it
        return os.cpu_count() or 1


class Share:
    """One that is being read."""

    def __init__(self, repo: Repo, oids: Sequence[str], params: Sequence[str]) -> None:
        self.oids = oids
        with scratch() as questions:
            told = json.dumps({"root": str(repo.root), "params": list(params)})
            questions.write("\n".join((told, *oids)).encode())
            questions.seek(0)
            self._process = processes.ours(MODULE, questions)

    def pages(self) -> list[Page] | None:
        """What it found; None where it failed."""
        assert self._process.stdout
        found: list[Page] = []
        with self._process, self._process.stdout as stream:
            while (texts := _read(stream)) is not None:
                found.append(Page.decoded(*texts))
        return found if self._process.returncode == 0 else None

    def close(self) -> None:
        """End it, whatever it was doing."""
        with suppress(OSError):
            self._process.kill()
        if self._process.stdout:
            self._process.stdout.close()
        self._process.wait()


def _read(stream: IO[bytes]) -> list[bytes] | None:
    """The texts of one page."""
    texts = []
    for _text in range(4):
        length = stream.read(LENGTH)
        if len(length) < LENGTH:
            return None
        texts.append(stream.read(int.from_bytes(length)))
    return texts
