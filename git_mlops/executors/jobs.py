"""What is handed to an executor, and what comes back."""

from pathlib import Path
from typing import NamedTuple


class Job(NamedTuple):
    """One piece of work."""

    id: str
    payload: bytes
    log: Path
    """Gets what it prints."""


class Result(NamedTuple):
    """How it ended."""

    id: str
    answer: bytes | None
    """None: the worker was killed before it could answer."""
    problem: str | None = None
    """Why there is no answer."""


class Where(NamedTuple):
    """Who works."""

    workers: int | None = None
    """How many at once; None: one here, as many as there are on a cluster."""
    address: str | None = None
    """Of a cluster's scheduler."""
