"""Batches scored by the workers of a Dask cluster: the model goes to each once, the batches one by one."""

import hashlib
import io
import tempfile
import zipfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.executors.dask import Session
from git_mlops.serve import answers, columns
from git_mlops.serve.columns import Takes
from git_mlops.serve.load import Model
from git_mlops.serve.load import load as load_model
from git_mlops.serve.loaded import Loaded, ModelError

_WAITING = 16
"""Batches on their way: a file may be larger than the cluster's memory."""
_loaded: dict[str, Model] = {}
"""Of a worker."""


def scored(session: Session, loaded: Loaded, pairs: Iterator[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """Each batch with its answers, in their order.

    Args:
        pairs: a batch, and the part of it that the model takes, fitting.

    Raises:
        ModelError: the model fails (1). MlopsError: the cluster does (3).
    """
    model = session.submit(bytes, _packed(loaded.source.path))
    waiting: deque[tuple[Any, object]] = deque()
    for batch, fitting in pairs:
        work = session.submit(score, model, loaded.source.path.name, loaded.takes, _text(fitting))
        waiting.append((batch, work))
        if len(waiting) >= _WAITING:
            yield _ended(session, *waiting.popleft())
    while waiting:
        yield _ended(session, *waiting.popleft())


def _ended(session: Session, batch: Any, work: object) -> tuple[Any, Any]:
    found, problem = session.answer(work)
    session.release(work)
    if found is None:
        raise MlopsError(f"a batch could not be scored {problem}", exit_code=CANNOT_EVALUATE)
    return batch, _table(found)


def score(model: bytes, name: str, takes: Takes, batch: bytes) -> bytes:
    """The answers to a batch; run by a worker."""
    key = hashlib.sha256(model).hexdigest()
    if key not in _loaded:
        folder = Path(tempfile.mkdtemp(prefix="mlops-model-"))
        with zipfile.ZipFile(io.BytesIO(model)) as packed:
            packed.extractall(folder)
        _loaded[key] = load_model(folder / name)
    table = _table(batch)
    try:
        raw = _loaded[key].predict(columns.frame(takes, table), None)
    except Exception as error:
        raise ModelError(error) from error
    return _text(answers.table(raw, table.num_rows))


def _packed(path: Path) -> bytes:
    """A model's file or directory, below its own name."""
    stream = io.BytesIO()
    files = [path] if path.is_file() else [file for file in sorted(path.rglob("*")) if file.is_file()]
    with zipfile.ZipFile(stream, "w") as packed:
        for file in files:
            packed.write(file, file.relative_to(path.parent).as_posix())
    return stream.getvalue()


def _text(table: Any) -> bytes:
    import pyarrow as pa

    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


def _table(text: bytes) -> Any:
    import pyarrow as pa

    with pa.ipc.open_stream(text) as stream:
        return stream.read_all()
