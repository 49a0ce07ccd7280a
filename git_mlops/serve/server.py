"""The application on uvicorn: sockets, slow clients, signals."""

import asyncio
import contextlib
import logging
import math
import os
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.serve import columns
from git_mlops.serve.app import App, Limits
from git_mlops.serve.columns import Extra
from git_mlops.serve.log import Keeping, Log
from git_mlops.serve.slots import Slots

if TYPE_CHECKING:
    from uvicorn import Config, Server

_CONNECTIONS, _BACKLOG = 900, 2048
_IDLE = 15.0


class Where(NamedTuple):
    """What a server listens to, and how it works."""

    host: str = "127.0.0.1"
    port: int = 5001
    threads: int = 0
    """0: as many as there are processors, at most eight."""
    header_seconds: float = 10.0
    """For the head of a request to arrive."""
    grace: float = 30.0
    """At the end, for requests under way."""
    poll: float = 2.0
    """Between two looks at the stages."""
    fetch: str | None = None
    """A git remote that is asked for tags."""
    started: Callable[[int, Callable[[], None]], None] | None = None
    """Called once it listens, with the port and what ends the server, as SIGTERM does."""


def serve(
    fleet: Slots,
    where: Where,
    limits: Limits,
    *,
    extra: Extra,
    keeping: tuple[Path, Keeping] | None,
    say: Callable[[str], None],
) -> None:
    """Load the models, and serve until SIGTERM or SIGINT: requests under way get their answers.

    Args:
        keeping: where the log goes; None: there is none.

    Raises:
        MlopsError: a model cannot be loaded, or the address cannot be used.
    """
    listener = _listening(where)
    with contextlib.closing(listener):
        fleet.load()
        columns.warm()
        log = Log(*keeping) if keeping else None
        threads = where.threads or min(os.cpu_count() or 1, 8)
        app = App(fleet, log, say, limits=limits, extra=extra, threads=threads)
        try:
            asyncio.run(_until_told(app, listener, where, say))
        finally:
            fleet.stop()
            app.close(where.grace)
            if log is not None:
                log.close()


def _listening(where: Where) -> socket.socket:
    """Bound before the models are loaded: who has the port already is known at once."""
    try:
        family, kind, proto, _name, address = socket.getaddrinfo(
            where.host, where.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, proto)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        said = error.strerror or str(error)
        raise MlopsError(
            f"cannot listen on {where.host}:{where.port}: {said}",
            hint="`--port` names another one, `--port 0` any that is free",
            exit_code=CANNOT_EVALUATE,
        ) from error
    return listener


async def _until_told(app: App, listener: socket.socket, where: Where, say: Callable[[str], None]) -> None:
    from uvicorn import Config

    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = Config(
        app,
        http=_patient(where.header_seconds),
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        backlog=_BACKLOG,
        timeout_keep_alive=int(_IDLE),
        timeout_graceful_shutdown=math.ceil(where.grace),
    )

    def ready() -> None:
        app.fleet.watch(where.poll, where.fetch)
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        assert app.fleet.main.current
        if where.started:
            where.started(port, partial(_told, server))
        say(f"serving {app.fleet.main.current.source.label} on http://{shown}:{port} (Ctrl-C ends it)")

    server = _quiet(config, ready)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _told, server)
    await server.serve([listener])


def _told(server: "Server") -> None:
    """The first time gently."""
    server.force_exit = server.should_exit
    server.should_exit = True


def _quiet(config: "Config", ready: Callable[[], None]) -> "Server":
    """Uvicorn's server without its own idea of signals: it would end the process by the signal itself."""
    from uvicorn import Server

    class Quiet(Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            ready()

    return Quiet(config)


def _patient(seconds: float) -> Any:  # noqa: C901  # one class
    """Uvicorn's HTTP with a limit for the head of a request, which it has not: who connects must ask."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Patient(H11Protocol):
        _waiting: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            cycle: Any = self.cycle  # None before the first request, whatever uvicorn's types say
            if cycle is None or cycle.response_complete:
                self._wait()
            else:
                self._no_more()

        def connection_lost(self, exc: Exception | None) -> None:
            self._no_more()
            super().connection_lost(exc)

        def _wait(self) -> None:
            if self._waiting is None and not self.transport.is_closing():
                self._waiting = self.loop.call_later(seconds, self._over)

        def _no_more(self) -> None:
            if self._waiting is not None:
                self._waiting.cancel()
                self._waiting = None

        def _over(self) -> None:
            self._waiting = None
            if not self.transport.is_closing():
                self.transport.close()

    return Patient
