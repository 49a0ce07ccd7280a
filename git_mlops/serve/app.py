"""The server's answers: MLflow's scoring protocol, health, versions, metrics, as an ASGI application.

MLflow's own server answers a bad request with a traceback and the whole input, takes bodies of any size and
serves one model for ever; so this is our own, with the same protocol. No answer holds a path or a traceback.
"""

import asyncio
import contextlib
import re
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

from git_mlops import __version__
from git_mlops.errors import MlopsError
from git_mlops.jsonable import line
from git_mlops.serve import answers, inference, requests
from git_mlops.serve.columns import Extra, Problem, Takes
from git_mlops.serve.loaded import Loaded, ModelError, answer
from git_mlops.serve.log import Entry, Log
from git_mlops.serve.metrics import Metrics
from git_mlops.serve.requests import Parsed, RequestError
from git_mlops.serve.slots import Slot, Slots
from git_mlops.serve.threads import Threads

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_TOO_MUCH, _PATIENCE = 32 << 20, 3.0
"""How much of a refused body is read, and for how long: whoever still sends would not see the answer."""
_STORIES = 100
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class Limits(NamedTuple):
    """What a client may ask for."""

    body: int = 10 << 20
    """Bytes."""
    body_seconds: float = 30.0
    """For a whole body to arrive."""
    seconds: float = 60.0
    """For an answer."""
    waiting: int = 1000
    """Requests under way; more are told to come again."""


_HELP = {
    "mlops_requests_total": ("counter", "Requests by path and status."),
    "mlops_request_seconds": ("histogram", "Time to answer /invocations."),
    "mlops_rows_total": ("counter", "Rows answered, by version and role."),
    "mlops_refused_total": ("counter", "Problems of requests that break the contract."),
    "mlops_model_failures_total": ("counter", "Requests that the model failed at."),
    "mlops_in_flight": ("gauge", "Requests under way."),
    "mlops_model_info": ("gauge", "Models in service."),
    "mlops_model_swaps_total": ("gauge", "Models that took another one's place."),
    "mlops_log_dropped_total": ("gauge", "What the log could not keep."),
    "mlops_shadow_dropped_total": ("counter", "Requests that no shadow saw: too many were waiting."),
}


class App:
    """One server."""

    def __init__(
        self,
        fleet: Slots,
        log: Log | None,
        say: Callable[[str], None],
        *,
        limits: Limits,
        extra: Extra,
        threads: int,
    ) -> None:
        self.fleet, self._log, self._say = fleet, log, say
        self.limits, self._extra = limits, extra
        self.metrics = Metrics(_HELP)  # type: ignore[arg-type]  # literals
        self._threads = Threads(threads, "score")
        self._behind = Threads(1, "shadow")
        self._under_way = 0
        self._shadowed = 0
        self._told: set[str] = set()

    def close(self, seconds: float) -> None:
        """Finish what shadows have begun; a model that does not come back is left behind."""
        done = self._behind.close(seconds)
        if not (self._threads.close(1.0) and done):
            self._say("a model is still at work: it is not waited for")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get("x-request-id", "")
        request = given if _ID.fullmatch(given) else uuid.uuid4().hex
        path = scope["path"]
        shown = _V2 if path == _V2 or path.startswith(f"{_V2}/") else path if path in _ROUTES else "other"
        try:
            work = _routed(path, scope["method"])
            status, content, more = await work(self, headers, receive, request)
        except RequestError as error:
            if error.status in (404, 405, 415):
                await _drained(receive)
            status, content, more = error.status, error.body(request, short=shown == _V2), {}
        except Exception as error:  # noqa: BLE001  # a defect of ours: the client learns the number to ask for
            self._say(f"request {request}: {''.join(traceback.format_exception(error))}")
            status, content, more = 500, RequestError(500, "the server failed").body(request), {}
        self.metrics.add("mlops_requests_total", {"path": shown, "status": str(status)})
        with contextlib.suppress(TimeoutError):
            await self._reply(send, status, content, {**more, "x-request-id": request}, scope["method"])

    async def _reply(
        self, send: Send, status: int, content: bytes, more: dict[str, str], method: str
    ) -> None:
        said = {"content-type": "application/json", "content-length": str(len(content)), **more}
        if status in (408, 413):
            said["connection"] = "close"
        if status == 503:
            said["retry-after"] = "1"
        start = {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.encode(), value.encode("latin-1", "replace")) for name, value in said.items()],
        }
        async with asyncio.timeout(self.limits.body_seconds):  # who reads nothing is not waited for
            await send(start)
            await send({"type": "http.response.body", "body": b"" if method == "HEAD" else content})

    async def ping(self, _headers: Any, _receive: Receive, _request: str) -> "Reply":
        """Whether a model is loaded."""
        if self.fleet.main.current is None:
            raise RequestError(503, "no model is loaded")
        return 200, b"\n", {}

    async def version(self, _headers: Any, _receive: Receive, _request: str) -> "Reply":
        """Which models answer."""
        main, *others = self.fleet.told()
        return 200, f"{line({**main, 'others': others})}\n".encode(), {}

    async def counters(self, _headers: Any, _receive: Receive, _request: str) -> "Reply":
        """For Prometheus."""
        slots = self.fleet.slots
        self.metrics.put("mlops_in_flight", {(): self._under_way})
        self.metrics.put("mlops_model_info", {_labels(slot): 1 for slot in slots if slot.current})
        swaps: dict[tuple[tuple[str, str], ...], float] = {
            (("asked", slot.wanted.text), ("role", slot.wanted.role)): slot.swaps for slot in slots
        }
        self.metrics.put("mlops_model_swaps_total", swaps)
        self.metrics.put("mlops_log_dropped_total", {(): self._log.dropped if self._log else 0})
        return 200, self.metrics.render().encode(), {"content-type": "text/plain; version=0.0.4"}

    async def invocations(self, headers: dict[str, str], receive: Receive, request: str) -> "Reply":
        """Score rows."""
        kind = requests.media(headers.get("content-type", ""))
        return await self._asked(headers, receive, request, _mlflow(kind), None)

    async def tensors(
        self, asked: inference.Asked, headers: dict[str, str], receive: Receive, request: str
    ) -> "Reply":
        """The same, and what belongs to it, in the Open Inference Protocol."""
        if asked.what == "infer":
            requests.media(headers.get("content-type") or requests.JSON, only=requests.JSON)
            return await self._asked(headers, receive, request, _TENSORS, asked)
        if asked.what in ("server", "live"):
            said = {"name": "git-mlops", "version": __version__, "extensions": []}
            return 200, f"{line(said if asked.what == 'server' else {'live': True})}\n".encode(), {}
        loaded = self.fleet.main.current
        if loaded is None:
            raise RequestError(503, "no model is loaded")
        inference.check(asked, loaded)
        told: dict[str, object] = inference.metadata(loaded) if asked.what == "model" else {"ready": True}
        return 200, f"{line(told)}\n".encode(), {}

    async def _asked(
        self,
        headers: dict[str, str],
        receive: Receive,
        request: str,
        dialect: "_Dialect",
        asked: inference.Asked | None,
    ) -> "Reply":
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise RequestError(415, "packed bodies are not understood")
        if self._under_way >= self.limits.waiting:
            raise RequestError(503, "too many requests are under way")
        self._under_way += 1
        started = time.perf_counter()
        try:
            body = await self._body(headers, receive)
            slot = self.fleet.choose(headers.get("x-mlops-key"))
            loaded = slot.current
            if loaded is None:
                raise RequestError(503, "no model is loaded")
            if asked is not None:
                inference.check(asked, loaded)
            work = partial(self._score, slot, loaded, dialect, body, request)
            loop = asyncio.get_running_loop()
            try:
                content = await asyncio.wait_for(
                    loop.run_in_executor(self._threads, work), self.limits.seconds
                )
            except TimeoutError:
                raise RequestError(504, "the model takes too long") from None
        finally:
            self._under_way -= 1
            self.metrics.observe("mlops_request_seconds", time.perf_counter() - started)
        self._shadow(dialect, body, request)
        found = loaded.source
        return 200, content, {"x-mlops-model": found.name, "x-mlops-version": found.version or "file"}

    async def _body(self, headers: dict[str, str], receive: Receive) -> bytes:
        """All of it, within the limits."""
        most = self.limits.body
        too_large = RequestError(413, f"a body may have {most} bytes")
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > most:
            await _drained(receive)
            raise too_large
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise RequestError(400, "the client has gone")
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > most:
                        break
                    if not message.get("more_body"):
                        return b"".join(parts)
        except TimeoutError:
            raise RequestError(408, "the body takes too long") from None
        await _drained(receive)
        raise too_large

    def _score(self, slot: Slot, loaded: Loaded, dialect: "_Dialect", body: bytes, request: str) -> bytes:
        """In a thread: from bytes to bytes."""
        started, when = time.perf_counter(), time.time()
        parsed = dialect.parse(body, loaded.takes)
        try:
            fitting = requests.fitted(parsed, loaded.takes, self._extra)
        except RequestError as error:
            for problem in error.problems:
                self.metrics.add("mlops_refused_total", _refused(problem, loaded))
            raise
        odd = sorted(set(parsed.params) - loaded.model.params)
        if odd:
            raise RequestError(422, f"the model takes no parameter `{odd[0][:60]}`")
        try:
            raw = answer(loaded, fitting.rows, dict(parsed.params))
            made = answers.table(raw, fitting.many) if self._wanted(request) else None
        except ModelError as error:
            self.metrics.add("mlops_model_failures_total", _of(loaded))
            self._say(f"request {request}: {loaded.source.label}: {self._shown(error)}")
            raise RequestError(500, "the model failed at these rows") from error
        except MlopsError as error:
            if str(error) not in self._told:
                self._told.add(str(error))
                self._say(f"request {request}: {loaded.source.label} is not logged: {error}")
            made = None
        content = f"{line(dialect.render(raw, fitting.many, loaded, request))}\n".encode()
        self.metrics.add("mlops_rows_total", {"role": slot.wanted.role, **_of(loaded)}, fitting.many)
        self._keep(Entry(request, when, loaded.source.name, loaded.source.version or "file", slot.wanted.role,
                         time.perf_counter() - started, fitting.table, made))  # fmt: skip
        return content

    def _shown(self, error: ModelError) -> str:
        """The whole story once; a model that fails fails often."""
        if str(error) in self._told or len(self._told) > _STORIES:
            return str(error)
        self._told.add(str(error))
        return "".join(traceback.format_exception(error.__cause__ or error))

    def _wanted(self, request: str) -> bool:
        return self._log is not None and self._log.wants(request)

    def _keep(self, entry: Entry) -> None:
        if self._log is not None and entry.answers is not None:
            self._log.add(entry)

    def _shadow(self, dialect: "_Dialect", body: bytes, request: str) -> None:
        """Others are asked the same behind the client's back; what they answer goes to the log alone."""
        for slot in self.fleet.shadows:
            loaded = slot.current
            if loaded is None:
                continue
            if self._shadowed >= self.limits.waiting:
                self.metrics.add("mlops_shadow_dropped_total", {})
                continue
            self._shadowed += 1
            self._behind.submit(self._shadow_score, slot, loaded, dialect, body, request)

    def _shadow_score(
        self, slot: Slot, loaded: Loaded, dialect: "_Dialect", body: bytes, request: str
    ) -> None:
        try:
            self._score(slot, loaded, dialect, body, request)
        except Exception as error:  # noqa: BLE001  # nobody waits for it
            if not isinstance(error, RequestError):
                self.metrics.add("mlops_model_failures_total", _of(loaded))
                self._say(f"request {request}: the shadow {loaded.source.label}: {error}")
        finally:
            self._shadowed -= 1


class _Dialect(NamedTuple):
    """How a protocol writes what is asked, and what is answered."""

    parse: Callable[[bytes, Takes], Parsed]
    render: Callable[[Any, int, Loaded, str], object]


def _mlflow(kind: str) -> _Dialect:
    return _Dialect(
        lambda body, _takes: requests.parse(kind, body),
        lambda raw, _rows, _loaded, _request: {"predictions": answers.plain(raw)},
    )


_TENSORS = _Dialect(inference.parse, inference.rendered)

Reply = tuple[int, bytes, dict[str, str]]
_Work = Callable[[App, dict[str, str], Receive, str], Awaitable[Reply]]

_ROUTES: dict[str, tuple[str, _Work]] = {
    "/invocations": ("POST", App.invocations),
    "/ping": ("GET", App.ping),
    "/health": ("GET", App.ping),
    "/version": ("GET", App.version),
    "/metrics": ("GET", App.counters),
}


_V2 = inference.PREFIX


def _routed(path: str, method: str) -> _Work:
    if path == _V2 or path.startswith(f"{_V2}/"):
        return _routed_v2(path, method)
    if path not in _ROUTES:
        raise RequestError(404, f"there are {', '.join([*_ROUTES, '/v2/…'])}")
    takes, work = _ROUTES[path]
    if method != takes and (method, takes) != ("HEAD", "GET"):
        raise RequestError(405, f"`{path}` takes {takes}")
    return work


def _routed_v2(path: str, method: str) -> _Work:
    asked = inference.routed(path)
    if asked is None:
        raise RequestError(404, "the protocol has no such path")
    if method != ("POST" if asked.what == "infer" else "GET"):
        raise RequestError(405, f"this takes {'POST' if asked.what == 'infer' else 'GET'}")
    return lambda app, headers, receive, request: app.tensors(asked, headers, receive, request)


def _labels(slot: Slot) -> tuple[tuple[str, str], ...]:
    assert slot.current
    return (("role", slot.wanted.role), *_of(slot.current).items())


def _of(loaded: Loaded) -> dict[str, str]:
    return {"model": loaded.source.name, "version": loaded.source.version or "file"}


def _refused(problem: Problem, loaded: Loaded) -> dict[str, str]:
    """A label's values must not come from clients: there would be no end of them."""
    names = {one.name for one in loaded.takes.columns}
    known = problem.column is not None and problem.column in names
    return {"reason": problem.reason, "column": str(problem.column) if known else "other"}


async def _drained(receive: Receive) -> None:
    """Read the rest of a body, within reason."""
    left = _TOO_MUCH
    try:
        async with asyncio.timeout(_PATIENCE):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
    except TimeoutError:
        return
