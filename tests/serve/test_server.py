"""A server as a process of its own, on a port of its own, asked as clients do: well, badly, many at once."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.serve.conftest import environment, expected, promoted, rows

LIMIT = 100_000


class Server:
    """`git mlops model serve`, started; `stop` ends it."""

    def __init__(self, root: Path, *words: str) -> None:
        program = shutil.which("git-mlops")
        assert program
        command = [program, "model", "serve", *words, "--port", "0"]
        self.process = subprocess.Popen(
            command, cwd=root, env=environment(), stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stderr
        self.said: list[str] = []
        for line in self.process.stderr:
            self.said.append(line)
            if line.startswith("serving "):
                break
        else:
            raise AssertionError("".join(self.said))
        self.port = int(line.split(" on http://127.0.0.1:")[1].split(" ")[0])
        self._reader = threading.Thread(target=self.said.extend, args=(self.process.stderr,), daemon=True)
        self._reader.start()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        status = self.process.wait(timeout=20)
        self._reader.join(timeout=5)
        assert self.process.stderr
        self.process.stderr.close()
        return status

    def ask(
        self, body: bytes | str | dict[str, Any] | None, kind: str | None = "application/json", **headers: str
    ) -> tuple[int, dict[str, str], Any]:
        """One request on a connection of its own: status, headers, body."""
        content = json.dumps(body) if isinstance(body, dict) else body
        given = {**headers, **({"content-type": kind} if kind else {})}
        return self.send("POST", "/invocations", content, given)

    def send(
        self, method: str, path: str, body: bytes | str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], Any]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            content = answer.read()
            kind = answer.headers.get("content-type", "")
            loaded = (
                json.loads(content) if kind == "application/json" and content.strip() else content.decode()
            )
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, loaded


@pytest.fixture(scope="module")
def root(template_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("served") / "my repö"
    shutil.copytree(template_model, root)
    (root / "mlops.yaml").write_text(f"version: 1\nserve:\n  body: {LIMIT}\n  redact: [inc*]\n")
    promoted(root, "v1.0.0", "prod")
    return root


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[Server]:
    started = Server(root, "churn#prod", "--poll", "0.1", "--client-timeout", "1", "--no-log")
    yield started
    assert started.stop() == 0


def split(given: dict[str, list[Any]]) -> dict[str, Any]:
    return {"columns": [*given], "data": [list(row) for row in zip(*given.values(), strict=True)]}


def records(given: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(given, row, strict=True)) for row in zip(*given.values(), strict=True)]


FORMS: dict[str, Callable[[dict[str, list[Any]]], dict[str, Any]]] = {
    "dataframe_split": lambda given: {"dataframe_split": split(given)},
    "dataframe_records": lambda given: {"dataframe_records": records(given)},
    "instances of records": lambda given: {"instances": records(given)},
    "instances": lambda given: {"instances": split(given)["data"]},
    "inputs by column": lambda given: {"inputs": given},
    "inputs": lambda given: {"inputs": split(given)["data"]},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_protocol_gets_the_same_answer(server: Server, form: str) -> None:
    status, headers, said = server.ask(FORMS[form](rows(70)))
    assert (status, said) == (200, {"predictions": expected(rows(70))})
    assert (headers["x-mlops-model"], headers["x-mlops-version"]) == ("churn", "v1.0.0")


def test_csv_is_understood(server: Server) -> None:
    body = "visits,age,income\n1,60,\n2,20.5,7\n"
    assert server.ask(body, "text/csv; charset=utf-8")[::2] == (200, {"predictions": [1, 0]})


def test_health_version_and_metrics(server: Server) -> None:
    assert [server.send("GET", path)[0] for path in ("/ping", "/health")] == [200, 200]
    said = server.send("GET", "/version")[2]
    assert (said["model"], said["version"], said["asked"]) == ("churn", "v1.0.0", "churn#prod")
    server.ask({"inputs": rows(3)})
    status, headers, text = server.send("GET", "/metrics")
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4")
    assert 'mlops_model_info{role="main",model="churn",version="v1.0.0"} 1' in text


def test_the_open_inference_protocol_is_spoken_too(server: Server) -> None:
    given = rows(60)
    kinds = {"age": "FP64", "visits": "INT64", "income": "FP64"}
    inputs = [{"name": n, "shape": [60], "datatype": kinds[n], "data": v} for n, v in given.items()]
    headers = {"content-type": "application/json"}
    status, _headers, said = server.send(
        "POST", "/v2/models/churn/infer", json.dumps({"inputs": inputs}), headers
    )
    assert (status, said["outputs"][0]["data"]) == (200, expected(given))
    bad = json.dumps({"inputs": inputs[1:]})
    status, _headers, said = server.send("POST", "/v2/models/churn/infer", bad, headers)
    assert (status, said) == (422, {"error": "the column `age` is missing"})
    assert server.send("GET", "/v2/models/churn")[2]["versions"] == ["v1.0.0"]
    asked = ("health/ready", "models/churn/ready", "models/other", "models/churn/versions/v7", "x")
    assert [server.send("GET", f"/v2/{path}")[0] for path in asked] == [200, 200, 404, 404, 404]
    assert server.send("GET", "/v2/models/churn/infer")[0] == 405


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        ("[1", "application/json", 400, "the body is no JSON (line 1, column 3)"),
        ("[" * 50_000, "application/json", 400, "the JSON nests too deeply"),
        ('{"inputs": ' + "1" * 5000 + "}", "application/json", 400, "the body is no JSON (a number)"),
        (b"\xff\xfe", "application/json", 400, "the body is no UTF-8 text"),
        ("{}", "application/json", 400, "exactly one of dataframe_split"),
        ('{"inputs": [], "instances": []}', "application/json", 400, "exactly one of dataframe_split"),
        ('{"dataframe_split": [1]}', "application/json", 400, "the lists `columns` and `data`"),
        (
            '{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}',
            "application/json",
            400,
            "row 1 of `data`",
        ),
        ('{"dataframe_records": [1]}', "application/json", 400, "must be a list of objects"),
        ('{"dataframe_records": []}', "application/json", 400, "there are no rows"),
        ('{"inputs": {"age": [1], "visits": [1, 2]}}', "application/json", 400, "not of the same length"),
        ('{"instances": [[1, 2]]}', "application/json", 422, "the model takes 3 columns"),
        (
            '{"inputs": {"age": [1], "visits": [1]}, "params": {"x": 1}}',
            "application/json",
            422,
            "parameter `x`",
        ),
        ('{"inputs": {"visits": [1]}}', "application/json", 422, "the column `age` is missing"),
        ("age,visits\n1\n", "text/csv", 400, "row 1 has 1 cells, the header 2"),
        ("age,visits\n1,x\n", "text/csv", 422, "`visits` must be of type long (row 1: `x`)"),
        ("", "text/csv", 400, "no header"),
        ("{}", "text/plain", 415, "not `text/plain`"),
        ("{}", None, 415, "the content type must be"),
        ("{}", "application/json; charset=latin-1", 415, "only UTF-8"),
    ],
)
def test_what_is_wrong_with_a_request_is_said(
    server: Server, root: Path, body: str | bytes, kind: str | None, status: int, said: str
) -> None:
    got, headers, answer = server.ask(body, kind)
    assert (got, headers["content-type"]) == (status, "application/json")
    assert said in answer["message"]
    assert answer["request_id"] == headers["x-request-id"]
    assert "Traceback" not in json.dumps(answer)
    assert str(root) not in json.dumps(answer, ensure_ascii=False)


def test_a_broken_contract_names_column_reason_and_rows(server: Server) -> None:
    bad = {"Age": [1.0, 2.0], "visits": [1, "x"], "more": [1, 1]}
    status, _headers, answer = server.ask({"inputs": bad})
    assert (status, answer["error_code"]) == (422, "INVALID_PARAMETER_VALUE")
    assert [(one["column"], one["reason"], one["rows"]) for one in answer["problems"]] == [
        ("age", "missing", []),
        ("Age", "extra", []),
        ("more", "extra", []),
        ("visits", "type", [{"row": 2, "value": "`x`"}]),
    ]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/invocations", 405),
        ("POST", "/ping", 405),
        ("GET", "/docs", 404),
        ("GET", "/../etc/passwd", 404),
    ],
)
def test_other_paths_and_methods_are_refused(server: Server, method: str, path: str, status: int) -> None:
    assert server.send(method, path)[0] == status


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(server: Server) -> None:
    large = b"x" * (LIMIT + 1)
    assert server.ask(large)[0] == 413
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        pieces = (large[:5000] for _number in range(50))
        given = {"content-type": "application/json"}
        connection.request("POST", "/invocations", pieces, given, encode_chunked=True)
        assert connection.getresponse().status == 413
    assert server.send("GET", "/ping")[0] == 200


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"", b""),
        (b"POST /invoca", b""),
        (
            (
                b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
                b"Content-Length: 100\r\n\r\nage,"
            ),
            b"408",
        ),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /ping HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000, b"400"),
    ],
)
def test_slow_and_broken_clients_are_sent_away(server: Server, sent: bytes, answer: bytes) -> None:
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=10)) as client:
        client.sendall(sent)
        got = b""
        try:
            while piece := client.recv(65536):
                got += piece
        except ConnectionResetError:
            assert got, "what was sent is more than the server reads"
    assert answer in got.partition(b"\r\n")[0]


def test_a_connection_that_was_quick_once_must_stay_so(server: Server) -> None:
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=10)) as client:
        client.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
        client.sendall(b"GET /pi")
        while client.recv(65536):
            pass  # the rest of the answer, and then the end


def test_hundreds_at_once_all_get_their_own_answers(server: Server) -> None:
    def one(number: int) -> bool:
        given = {name: values[number : number + 3] for name, values in rows(400).items()}
        status, headers, said = server.ask({"inputs": given}, **{"x-request-id": f"r-{number}"})
        return (status, said, headers["x-request-id"]) == (
            200, {"predictions": expected(given)}, f"r-{number}",
        )  # fmt: skip

    with ThreadPoolExecutor(300) as pool:
        assert all(pool.map(one, range(390)))


def test_a_promotion_under_load_drops_nothing(server: Server, root: Path) -> None:
    """Last of those on this server: after it, `prod` is another version."""
    given = rows(40)
    right = {"v1.0.0": expected(given), "v2.0.0": expected(given, turned=True)}
    seen: Counter[str] = Counter()
    wrong: list[object] = []
    over = threading.Event()

    def client() -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
            while not over.is_set():
                content = json.dumps({"dataframe_split": split(given)})
                connection.request("POST", "/invocations", content, {"content-type": "application/json"})
                answer = connection.getresponse()
                said, version = answer.read(), answer.headers.get("x-mlops-version")
                if answer.status != 200 or json.loads(said)["predictions"] != right[str(version)]:
                    wrong.append((answer.status, version, said))
                seen[str(version)] += 1

    clients = [threading.Thread(target=client) for _number in range(8)]
    for thread in clients:
        thread.start()
    try:
        promoted(root, "v2.0.0", "prod")
        until = time.monotonic() + 20
        while seen["v2.0.0"] < 50 and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        over.set()
        for thread in clients:
            thread.join()
    assert wrong == []
    assert seen["v1.0.0"] > 0
    assert seen["v2.0.0"] >= 50
    assert "churn#prod is v2.0.0 now, before: v1.0.0\n" in server.said


@pytest.mark.slow
def test_what_is_under_way_at_the_end_is_finished_and_everything_is_in_the_log(
    root: Path, tmp_path: Path
) -> None:
    server = Server(
        root, "churn@v1.0.0", "--log", str(tmp_path / "log"), "--shadow", "churn@v2.0.0", "--redact", "visits"
    )
    for _number in range(20):
        assert server.ask({"inputs": rows(5)}, **{"x-mlops-key": "k"})[0] == 200
    body = json.dumps({"inputs": rows(7)}).encode()
    head = "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=10)) as client:
        client.sendall(
            f"{head}Content-Length: {len(body)}\r\nX-Request-Id: last\r\n\r\n".encode() + body[:10]
        )
        while "mlops_in_flight 1" not in server.send("GET", "/metrics")[2]:
            time.sleep(0.01)
        server.process.send_signal(signal.SIGTERM)
        while not _refused(server.port):
            time.sleep(0.01)
        client.sendall(body[10:])
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert (answer.status, json.loads(answer.read())) == (200, {"predictions": expected(rows(7))})
    assert server.process.wait(timeout=20) == 0
    assert server.process.stderr
    server.process.stderr.close()
    kept = pl.read_parquet(tmp_path / "log" / "**" / "*.parquet").sort("role", "time", "row")
    assert kept.columns == [
        "time", "request", "row", "model", "version", "role", "ms", "in.age", "out.prediction",
    ]  # fmt: skip
    assert kept.group_by("role", "version").len().sort("role").rows() == [
        ("main", "v1.0.0", 107), ("shadow", "v2.0.0", 107),
    ]  # fmt: skip
    last = kept.filter(pl.col("request") == "last", pl.col("role") == "main")
    assert last["out.prediction"].to_list() == expected(rows(7))
    assert [*(tmp_path / "log").rglob("*.tmp")] == []


def _refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return True
    return False


@pytest.mark.slow
def test_a_port_that_is_taken_is_said(server: Server, root: Path) -> None:
    program = shutil.which("git-mlops")
    assert program
    done = subprocess.run(
        [program, "model", "serve", "churn", "--port", str(server.port)],
        cwd=root, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert f"error: cannot listen on 127.0.0.1:{server.port}: " in done.stderr
    assert os.linesep not in done.stdout
