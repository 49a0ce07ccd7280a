"""What a worker of a cluster does with a table or a partition of one. Nothing of the repository is run here.

A task carries all it needs: the schema's YAML, how tables are written, where the bytes may be had and which
hash they must have. No exception leaves a task, because clusters log what a task was given: that may hold the
secrets of the remote's storage.
"""

import base64
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Condition
from typing import NamedTuple

from git_mlops import __version__
from git_mlops.data import remote_url
from git_mlops.data.remote_url import Place
from git_mlops.decode import decode
from git_mlops.errors import MlopsError
from git_mlops.findings import Finding
from git_mlops.schema import partitioned
from git_mlops.schema.cluster import Workers
from git_mlops.schema.load import Schema, load
from git_mlops.schema.validate import RULE, validate
from git_mlops.tables import forms
from git_mlops.tables.settings import Forms


class Payload(bytes):
    """What a task is given, which nobody shall see in a log."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<a table>"

    __str__ = __repr__


class Work(NamedTuple):
    """A file to look at."""

    path: str
    """In the repository, which tells the form."""
    schema_path: str
    schema: bytes
    places: Sequence[Place]


def payload(work: Work, written: Forms) -> Payload:
    """As bytes.

    Args:
        work: what is to be done.
        written: `forms:` of mlops.yaml.
    """
    said = {
        "git-mlops": __version__,
        "path": work.path,
        "schema_path": work.schema_path,
        "schema": base64.b64encode(work.schema).decode("ascii"),
        "places": list(work.places),
        "forms": {name: dialect._asdict() for name, dialect in written.items()},
    }
    return Payload(json.dumps(said).encode())


def examine(task: bytes) -> bytes:
    """See `partitioned.examine`."""
    return _tried(task, partitioned.examine, partitioned.failed)


def located(task: bytes, spec: bytes) -> bytes:
    """See `partitioned.located`."""
    return _tried(task, lambda file, path, schema: partitioned.located(file, path, schema, spec), _problem)


def whole(task: bytes) -> bytes:
    """Findings of a file that is a table by itself."""

    def work(file: Path, path: str, schema: Schema) -> bytes:
        return json.dumps([finding.to_json() for finding in validate(file, path, schema)]).encode()

    return _tried(task, work, _problem)


WORKERS = Workers(examine, located)


def found(answer: bytes, path: str) -> list[Finding]:
    """What `whole` says."""
    said = json.loads(answer)
    if isinstance(said, Mapping):
        return [Finding(RULE, "unknown", f"not evaluated: {said['problem']}", path)]
    return [Finding(**one) for one in said]


def _problem(said: str) -> bytes:
    return json.dumps({"problem": said}).encode()


def _tried(task: bytes, work: Callable[[Path, str, Schema], bytes], failed: Callable[[str], bytes]) -> bytes:
    try:
        said = json.loads(task)
        if said["git-mlops"] != __version__:
            return failed(f"the worker has git-mlops {__version__}, not {said['git-mlops']}")
        schema = load(base64.b64decode(said["schema"]), said["schema_path"])
        with _written(decode(Forms, said["forms"])), tempfile.TemporaryDirectory(prefix="mlops-part-") as own:
            return work(remote_url.brought(said["places"], Path(own)), said["path"], schema)
    except MlopsError as error:
        return failed(f"on the worker: {error}")
    except Exception as error:  # noqa: BLE001  # whatever it is, its task must not be logged
        kind = "" if isinstance(error, OSError) else f"{type(error).__name__}: "
        return failed(f"on the worker: {kind}{remote_url.said(error)}")


_turn = Condition()
_users: list[Forms] = []


@contextmanager
def _written(wanted: Forms) -> Iterator[None]:
    """How tables are written holds for a process: tasks of other projects wait, in other threads of it."""
    with _turn:
        _turn.wait_for(lambda: all(one == wanted for one in _users))
        _users.append(wanted)
        forms.declare(wanted)
    try:
        yield
    finally:
        with _turn:
            _users.pop()
            if not _users:
                forms.declare({})
            _turn.notify_all()
