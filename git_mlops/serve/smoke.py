"""Does a version answer as it should, and how quickly? Asked over loopback, for pipelines that deploy."""

import base64
import http.client
import json
import math
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from git_mlops.errors import MlopsError
from git_mlops.findings import Finding
from git_mlops.serve import answers, columns, predict, rows, server
from git_mlops.serve.app import Limits
from git_mlops.serve.columns import Extra
from git_mlops.serve.loaded import Loaded
from git_mlops.serve.slots import Slots

RULE = "model-smoke"
_EXAMPLES = ("serving_input_example.json", "input_example.json")
_WARM, _PATIENCE = 20, 60.0
_JSON = {"content-type": "application/json"}


class Request(NamedTuple):
    """What to try."""

    rows: Path | None = None
    """A table to ask about; None: the model's own input example."""
    most: int = 100
    """Rows of it."""
    requests: int = 0
    """For the latency; 0: it is not measured."""
    clients: int = 1
    at_most: Mapping[str, float] = {}  # the default of a frozen tuple, never changed
    """`p50`, `p95`, `p99` → milliseconds."""


class Latency(NamedTuple):
    """Of requests of one row, in milliseconds."""

    requests: int
    clients: int
    p50: float
    p95: float
    p99: float
    max: float
    per_second: float


class Smoked(NamedTuple):
    """What came of it."""

    checked: tuple[str, ...]
    findings: tuple[Finding, ...]
    latency: Latency | None


def smoke(fleet: Slots, request: Request, *, extra: Extra, say: Callable[[str], None]) -> Smoked:
    """Serve the model on a port of its own, ask, and end.

    Raises:
        MlopsError: the model cannot be loaded, or there are no rows to ask about.
    """
    done: list[Smoked | BaseException] = []

    def ask(port: int, stop: Callable[[], None]) -> None:
        try:
            loaded = fleet.main.current
            assert loaded
            done.append(_Trial(port, loaded, extra).run(request))
        except BaseException as error:  # noqa: BLE001  # raised again below, in the thread that waits
            done.append(error)
        finally:
            stop()

    def started(port: int, stop: Callable[[], None]) -> None:
        threading.Thread(target=ask, args=(port, stop), daemon=True).start()

    where = server.Where(port=0, poll=3600.0, started=started)
    server.serve(fleet, where, Limits(body=1 << 30), extra=extra, keeping=None, say=say)
    if not done:
        raise KeyboardInterrupt
    if isinstance(done[0], BaseException):
        raise done[0]
    return done[0]


class _Trial:
    """One server being asked."""

    def __init__(self, port: int, loaded: Loaded, extra: Extra) -> None:
        self._port, self._loaded, self._extra = port, loaded, extra
        self._checked: list[str] = []
        self._findings: list[Finding] = []

    def run(self, request: Request) -> Smoked:
        table = _asked(self._loaded, request)
        self._check("/ping answers", self._get("/ping")[0] == 200, "it answers with another status than 200")
        status, said = self._get("/version")
        version = json.loads(said).get("version") if status == 200 else None
        wanted = self._loaded.source.version
        self._check(f"/version says {wanted or 'no version'}", version == wanted, f"it says {version}")
        self._same(table)
        self._refuses(table)
        latency = self._latency(table, request) if request.requests else None
        return Smoked(tuple(self._checked), tuple(self._findings), latency)

    def _check(self, what: str, holds: bool, otherwise: str) -> None:  # noqa: FBT001  # the check itself
        if holds:
            self._checked.append(what)
        else:
            self._findings.append(Finding(RULE, "error", f"{what}: {otherwise}"))

    def _get(self, path: str) -> tuple[int, bytes]:
        with closing(self._connection()) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)

    def _same(self, table: Any) -> None:
        """The server says what a batch says."""
        status, said = _post(self._connection(), _body(table))
        what = f"{table.num_rows} rows get the answers of a batch"
        if status != 200:
            self._check(what, holds=False, otherwise=f"status {status}: {_message(said)}")
            return
        served = json.loads(said)["predictions"]
        batch = self._batch(table)
        self._check(
            what, _equal(served, batch), f"the server says {_short(served)}, the batch {_short(batch)}"
        )

    def _batch(self, table: Any) -> object:
        """By way of files, as `model predict` does it."""
        import pyarrow as pa
        from pyarrow import parquet

        with tempfile.TemporaryDirectory(prefix="mlops-smoke-") as folder:
            source, target = Path(folder, "in.parquet"), Path(folder, "out.parquet")
            parquet.write_table(pa.table(table), source)
            predict.predict(self._loaded, predict.Request(source, target, extra=self._extra))
            found = parquet.read_table(target)
        if found.column_names == ["prediction"]:
            return answers.plain(found.column(0).to_pylist())
        if found.column_names == [f"prediction_{n}" for n in range(found.num_columns)]:
            return answers.plain([list(row.values()) for row in found.to_pylist()])
        return answers.plain(found.to_pylist())

    def _refuses(self, table: Any) -> None:
        """A request that breaks the contract gets a 422, where there is a contract."""
        required = [column.name for column in self._loaded.takes.columns if column.required]
        if not required:
            return
        status, _said = _post(self._connection(), _body(table.drop_columns([required[0]])))
        self._check(f"rows without `{required[0]}` are refused", status == 422, f"status {status}, not 422")

    def _latency(self, table: Any, request: Request) -> Latency:
        bodies = [_body(table.slice(n % table.num_rows, 1)) for n in range(min(table.num_rows, 100))]
        times: list[float] = []
        bad: list[int] = []

        def client(count: int) -> None:
            with closing(self._connection()) as connection:
                for number in range(count):
                    begun = time.perf_counter()
                    status, _said = _post(connection, bodies[number % len(bodies)], keep=True)
                    times.append(time.perf_counter() - begun)
                    if status != 200:
                        bad.append(status)

        client(_WARM)
        times.clear()
        begun = time.perf_counter()
        share = math.ceil(request.requests / request.clients)
        threads = [threading.Thread(target=client, args=(share,)) for _number in range(request.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = _measured(times, request.clients, time.perf_counter() - begun)
        self._check("every request is answered", not bad, f"{len(bad)} with status {bad[:1]}")
        for name, most in request.at_most.items():
            value = getattr(found, name)
            self._check(f"{name} is at most {most:g} ms", value <= most, f"it is {value:.2f} ms")
        return found


def _measured(times: Sequence[float], clients: int, seconds: float) -> Latency:
    ordered = sorted(times)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] * 1000

    return Latency(len(times), clients, at(0.5), at(0.95), at(0.99), ordered[-1] * 1000, len(times) / seconds)


def _asked(loaded: Loaded, request: Request) -> Any:
    """Rows to ask about, as the file or the example has them."""
    import pyarrow as pa

    if request.rows is not None:
        form = rows.form_of(request.rows)
        first = next(rows.batches(request.rows, form, request.most), None)
        if first is None or not first.num_rows:
            raise MlopsError(f"`{request.rows}` has no rows")
        return columns.table(loaded.takes, first, "ignore", texts=rows.is_text(form))
    for name in _EXAMPLES:
        file = loaded.source.path / name
        value = json.loads(file.read_bytes()) if file.is_file() else None
        value = value.get("dataframe_split", value) if isinstance(value, dict) else None
        if isinstance(value, dict) and "columns" in value and "data" in value:
            names, data = value["columns"], value["data"][: request.most]
            return pa.table({str(name): [row[n] for row in data] for n, name in enumerate(names)})
    raise MlopsError(
        f"{loaded.source.label} has no input example to ask about",
        hint="`--in FILE` names rows: .parquet, .csv",
    )


def _body(table: Any) -> bytes:
    data = [[_plain(value) for value in row.values()] for row in table.to_pylist()]
    return json.dumps(
        {"dataframe_split": {"columns": table.column_names, "data": data}}, default=str
    ).encode()


def _plain(value: object) -> object:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _post(connection: http.client.HTTPConnection, body: bytes, *, keep: bool = False) -> tuple[int, bytes]:
    try:
        connection.request("POST", "/invocations", body, _JSON)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        if not keep:
            connection.close()


def _message(said: bytes) -> str:
    try:
        return str(json.loads(said)["message"])
    except (ValueError, KeyError, TypeError):
        return "no message"


def _equal(a: object, b: object) -> bool:
    return bool(json.loads(json.dumps(a)) == json.loads(json.dumps(b)))


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
