"""record.json: how the run went. Version 1; unknown keys are kept, so that older tools lose nothing. Pure."""

import json
from typing import Any, NamedTuple

from git_mlops.errors import MlopsError

VERSION = 1
PATH = ".mlops/run/record.json"


class RecordError(MlopsError):
    """A record.json that is none."""


class Record(NamedTuple):
    """The facts of one run. Times are ISO 8601 in UTC, durations seconds, memory bytes; None: not known."""

    version: int = VERSION
    name: str | None = None
    command: list[str] | None = None
    """Argument list; None for the pipeline of dvc.yaml and for `exp save`."""
    how: str | None = None
    """`command`, `pipeline` or `save`."""
    directory: str | None = None
    """Where the command ran, relative to the top."""
    overrides: list[str] | None = None
    """What `-S` set."""
    status: str = "finished"
    exit_status: int | None = None
    problem: str | None = None
    """What went wrong, for people."""
    start: str | None = None
    end: str | None = None
    wall: float | None = None
    cpu: float | None = None
    peak_memory: int | None = None
    host: dict[str, object] | None = None
    seeds: dict[str, object] | None = None
    """Parameters that are named as seeds."""
    data: list[Any] | None = None
    """The data objects the run depends on: path, algorithm, hash, size."""
    data_dirty: list[str] | None = None
    """Data files that were not what their pointers say."""
    left_out: list[Any] | None = None
    """Untracked files over the size limit, not part of the tree."""
    changed_while_running: list[str] | None = None
    """Code that changed during the run; the tree holds what it was at the start."""
    metrics_not_written: list[str] | None = None
    """Metrics files that are older than the run: what they say is not its result."""
    key: dict[str, str] | None = None
    """Content key and the hash of each of its parts."""
    environment: str | None = None
    """Hash of environment.lock."""
    python: str | None = None
    """The interpreter: `CPython 3.11.2`."""
    extra: dict[str, Any] = {}  # noqa: RUF012  # keys of later versions, kept; never changed


def format_record(record: Record) -> bytes:
    """JSON, keys in the order of `Record`, absent values left out, unknown keys behind them."""
    known = record._asdict()
    extra = known.pop("extra")
    values = {name: value for name, value in known.items() if value is not None}
    text = json.dumps(
        values | {k: v for k, v in extra.items() if k not in values}, indent=1, ensure_ascii=False
    )
    return (text + "\n").encode("utf-8", "backslashreplace")


def parse_record(content: bytes) -> Record:
    """The inverse. Values of an unexpected type are kept as unknown, not refused.

    Raises:
        RecordError: not a JSON object.
    """
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"`{PATH}` is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise RecordError(f"`{PATH}` is not a JSON object")
    fields: dict[str, Any] = {n: v for n, v in values.items() if n in _KINDS and isinstance(v, _KINDS[n])}
    return Record(**fields, extra={n: v for n, v in values.items() if n not in fields})


_NUMBER = (int, float)
_KINDS: dict[str, type | tuple[type, ...]] = {
    "version": int, "name": str, "command": list, "how": str, "directory": str, "overrides": list,
    "status": str, "exit_status": int, "problem": str, "start": str, "end": str, "wall": _NUMBER,
    "cpu": _NUMBER, "peak_memory": int, "host": dict, "seeds": dict, "data": list, "data_dirty": list,
    "left_out": list, "changed_while_running": list, "metrics_not_written": list, "key": dict,
    "environment": str, "python": str,
}  # fmt: skip
