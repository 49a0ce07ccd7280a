"""Alerts: once within a window, not in quiet hours, to a real server of each sort."""

import datetime as dt
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from git_mlops.errors import MlopsError
from git_mlops.findings import Finding
from git_mlops.monitor import alerts
from git_mlops.monitor.history import Recorded
from git_mlops.monitor.observed import Observation, Subject
from git_mlops.monitor.settings import Alerts, Email

NOON = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
AGE = Finding("drift", "error", "`age` moved: <!channel> & more", data={"column": "age"})
CITY = Finding("drift", "error", "`city` is mixed otherwise", data={"column": "city"})
ONE = Observation(
    Subject("m", "v1.0.0", reference="old", current="new"), "2026-05-01T12:00:00+00:00", (AGE, CITY)
)


def _sent(hours: int) -> list[Recorded]:
    when = (NOON - dt.timedelta(hours=hours)).isoformat()
    return [Recorded("c", {"version": 1, "alerts": {alerts.key(AGE): when}})]


def test_the_same_finding_is_told_once_within_the_window_and_again_after_it() -> None:
    within = alerts.decide([AGE, CITY], _sent(5), Alerts(again="1d"), NOON)
    after = alerts.decide([AGE, CITY], _sent(25), Alerts(again="1d"), NOON)
    assert (within.fresh, after.fresh) == ((CITY,), (AGE, CITY))
    worse = AGE._replace(message="`age` moved further")
    assert alerts.decide([worse], _sent(5), Alerts(), NOON).fresh == ()
    assert alerts.stamped(within, "now") == {alerts.key(CITY): "now", **within.sent}


def test_warnings_and_notes_wake_nobody() -> None:
    assert alerts.decide([AGE._replace(level="warning")], [], Alerts(), NOON).fresh == ()


@pytest.mark.parametrize(
    ("span", "silent"),
    [
        ("22:00-06:00", False),
        ("11:00-13:00", True),
        ("12:00-12:00", False),
        ("20:00-12:01", True),
        (None, False),
    ],
)
def test_quiet_hours_may_pass_midnight(span: str | None, silent: bool) -> None:
    assert alerts.quiet(span, NOON) is silent


@contextmanager
def _listening(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _hook(answers: int, bodies: list[dict[str, str]]) -> HTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answers)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            pass

    return HTTPServer(("127.0.0.1", 0), Handler)


def test_a_webhook_gets_text_in_which_nothing_is_a_mention() -> None:
    bodies: list[dict[str, str]] = []
    server = _hook(200, bodies)
    with _listening(server):
        url = f"http://127.0.0.1:{server.server_port}/secret"
        (message,) = alerts.messages(ONE, [AGE], Alerts(webhook_variable="HOOK"), {"HOOK": url}.get)
        message.send()
    assert bodies == [{"text": message.text}]
    assert "&lt;!channel&gt; &amp; more" in message.text
    assert "secret" not in f"{message.to}{message.text}"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_does_not_take_it_is_an_error_without_the_secret(status: int) -> None:
    server = _hook(status, [])
    with _listening(server):
        url = f"http://127.0.0.1:{server.server_port}/secret"
        (message,) = alerts.messages(ONE, [AGE], Alerts(webhook_variable="HOOK"), {"HOOK": url}.get)
        with pytest.raises(MlopsError, match=f"it answers {status}") as caught:
            message.send()
    assert (caught.value.exit_code, "secret" in str(caught.value)) == (3, False)


def test_mail_is_sent_to_everybody_who_is_named() -> None:
    lines: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        """As much of SMTP as one message needs."""

        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            body = False
            for raw in self.rfile:
                line = raw.decode().rstrip("\r\n")
                lines.append(line)
                if body:
                    if line == ".":
                        body = False
                        self.wfile.write(b"250 taken\r\n")
                    continue
                body = line.upper() == "DATA"
                self.wfile.write(
                    b"354 go on\r\n"
                    if body
                    else b"221 bye\r\n"
                    if line.upper() == "QUIT"
                    else b"250 well\r\n"
                )

    server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
    with _listening(server):
        port = server.server_address[1]
        mail = Email("127.0.0.1", ("a@example.com", "b@example.com"), "m@example.com", port, tls=False)
        (message,) = alerts.messages(ONE, [AGE], Alerts(email=mail), {"X": "x"}.get)
        message.send()
    assert [line for line in lines if line.startswith(("mail", "rcpt"))] == [
        "mail FROM:<m@example.com>", "rcpt TO:<a@example.com>", "rcpt TO:<b@example.com>"
    ]  # fmt: skip
    assert "Subject: m v1.0.0: new against old" in lines


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Alerts(), "nobody to alert"),
        (Alerts(webhook_variable="HOOK"), "`HOOK` is not set"),
        (Alerts(webhook_variable="PLAIN"), "no https address"),
        (
            Alerts(email=Email("h", ("a@example.com",), "m@example.com", password_variable="PASS")),
            "`PASS` is not set",
        ),
    ],
)
def test_what_is_configured_wrongly_is_said_before_anything_is_sent(settings: Alerts, said: str) -> None:
    with pytest.raises(MlopsError, match=said):
        alerts.messages(ONE, [AGE], settings, {"PLAIN": "http://example.com/x"}.get)


def test_no_value_of_a_private_column_is_sent() -> None:
    private = ONE._replace(private=frozenset(["age"]))
    url = {"HOOK": "https://example.com/x"}.get
    (message,) = alerts.messages(private, [AGE], Alerts(webhook_variable="HOOK"), url)
    assert message.text.endswith("• error (drift): `age`: drift")
