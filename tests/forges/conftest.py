"""A real HTTP server on this machine that speaks one forge's API, and faults on request."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

from git_mlops import forges
from git_mlops.forges import Pace, Secret, Target
from tests.forges.apps import APPS, HEAD, TOKEN, App, Reply, Request, decoded


@dataclass
class Fault:
    """What goes wrong with the next request of this method, and of a path with these words."""

    method: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    path: str = ""
    says: str = "no `luck`\x1b[31m"
    how: str = "status"
    """`status` answers nothing else; all others do what was asked, and then: `lost`: no answer; `cut`: half
    an answer; `slow`: no byte for long; `late`: the status; `empty`: nothing in it; `html`: a page; `huge`:
    an answer without end."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 16

    def __init__(self, app: App) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.app = app
        self.faults: list[Fault] = []
        self.over = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Silence."""

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, dict(parse_qsl(parts.query)), headers, decoded(raw))
        fault = self._fault()
        if fault is not None and fault.how == "status":
            self.server.app.log.append(request)
            self._send(Reply(fault.status, {"message": fault.says}, fault.headers))
            return
        reply = self.server.app.answer(request)
        if fault is None:
            self._send(reply)
        elif fault.how == "slow":
            self.server.over.wait(5)
        elif fault.how == "cut":
            self._send(reply, half=True)
        elif fault.how == "late":
            self._send(Reply(fault.status, {"message": "time is up"}))
        elif fault.how == "empty":
            self._send(Reply(200, {}))
        elif fault.how == "html":
            self._send(reply, html=True)
        elif fault.how == "huge":
            self._endless()
        self.close_connection = True

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _fault(self) -> Fault | None:
        faults = self.server.faults
        if faults and faults[0].method == self.command and faults[0].path in self.path:
            return faults.pop(0)
        return None

    def _send(self, reply: Reply, *, half: bool = False, html: bool = False) -> None:
        content = b"" if reply.data is None else json.dumps(reply.data).encode()
        kind = "application/json"
        if html:
            content, kind = b"<html>Sign in</html>", "text/html; charset=utf-8"
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if half else content)

    def _endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        while not self.server.over.is_set():
            self.wfile.write(b" " * 2**20)


@dataclass
class Forge:
    """A forge under test."""

    app: App
    server: _Server
    target: Target
    waits: list[float]
    pace: Pace

    def fail(self, *faults: Fault) -> None:
        """The next requests of these methods go wrong, in this order."""
        self.server.faults += faults

    def post(self, body: str = "### ✅ pass", **kwargs: object) -> forges.Posted:
        """As the command does it; `target` replaces ours."""
        target = kwargs.pop("target", self.target)
        return forges.post(target, body, pace=self.pace, **kwargs)  # type: ignore[arg-type]  # a test's words


Start = Callable[[type[App]], Forge]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a forge; stops them all at the end."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    servers = []

    def start_(kind: type[App]) -> Forge:
        app = kind()
        server = _Server(app)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.003}, daemon=True).start()
        app.base = f"http://127.0.0.1:{server.server_port}"
        target = Target(
            forge=app.forge,
            api=app.base + app.root,
            repository=app.repository,
            number=7,
            head=HEAD,
            token=Secret(TOKEN),
            token_variable="FORGE_TOKEN",
            run="https://ci.example/run/1",
        )
        waits: list[float] = []
        return Forge(app, server, target, waits, Pace(waits.append, time.monotonic, 0.5))

    yield start_
    for server in servers:
        server.over.set()
        server.shutdown()
        server.server_close()


@pytest.fixture(params=APPS, ids=[kind.forge for kind in APPS])
def forge(request: pytest.FixtureRequest, start: Start) -> Forge:
    """Every forge in turn."""
    return start(request.param)
