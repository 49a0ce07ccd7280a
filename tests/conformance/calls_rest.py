# ruff: noqa: E501  # tables of calls: a call is a line
"""Calls through a live server: statuses, codes, bodies, and artifacts through its proxy."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.conformance.sides import ADA, Both, Side, plain

_BOTH = "/api/2.0/mlflow/"


@contextmanager
def servers(both: Both) -> Iterator[None]:
    """One for each store."""
    with ExitStack() as stack:
        for side in both.sides:
            stack.enter_context(_server(side, both.base))
        yield


@contextmanager
def _server(side: Side, base: Path) -> Iterator[None]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    log = base / f"{side.name}.log"
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", "1",
        "--backend-store-uri", side.uri, "--artifacts-destination", _destination(side, base),
    ]  # fmt: skip
    with (
        log.open("w") as output,
        subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | ADA) as server,
    ):
        try:
            side.server = f"http://127.0.0.1:{port}"
            _await(side.server, server, log)
            yield
        finally:
            server.terminate()


def _destination(side: Side, base: Path) -> str:
    return "git-mlops-artifacts:/" if side.name == "git-mlops" else (base / "artifacts").as_uri()


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        try:
            if requests.get(f"{url}/health", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.5)
    raise SystemExit(f"error: no server at {url}\n{log.read_text()[-2000:]}")


def _post(side: Side, call: str, /, **body: Any) -> Any:
    return _answer(requests.post(f"{side.server}{_BOTH}{call}", json=body, timeout=60))


def _get(side: Side, call: str, /, **query: Any) -> Any:
    return _answer(requests.get(f"{side.server}{_BOTH}{call}", params=query, timeout=60))


def _answer(found: requests.Response) -> Any:
    return found.status_code, plain(found.json()) if "json" in found.headers.get(
        "content-type", ""
    ) else found.text[:200]


def rest(both: Both) -> None:
    """Raw requests, good and bad."""
    both.ask(
        "experiment", lambda s: _made(_post(s, "experiments/create", name="over"), "experiment_id"), "over"
    )
    both.each(
        "experiment",
        ({"name": "over"}, {"name": ""}, {}, {"name": 5}, {"name": "a", "tags": 5}),
        lambda s, b: _post(s, "experiments/create", **b),
    )
    both.each("get experiment", ({}, {"experiment_id": "123"}), lambda s, q: _get(s, "experiments/get", **q))
    both.ask(
        "run",
        lambda s: _run(_post(s, "runs/create", experiment_id=s["over"], start_time=5, run_name="one")),
        "o1",
    )
    metrics: tuple[dict[str, Any], ...] = (
        {"key": "m", "value": 1.5, "timestamp": 1, "step": 2}, {"key": "m", "value": "NaN", "timestamp": 1},
        {"key": "m", "value": "a", "timestamp": 1}, {"key": "m", "timestamp": 1}, {"value": 1, "timestamp": 1}, {"key": "m", "value": 1},
        {"key": "m", "value": 1, "timestamp": "x"}, {"key": "m", "value": "Infinity", "timestamp": 1},
    )  # fmt: skip
    both.each("metric", metrics, lambda s, b: _post(s, "runs/log-metric", run_id=s["o1"], **b))
    both.each(
        "param",
        ({"key": "p", "value": "1"}, {"key": "p", "value": "2"}, {"key": "p"}, {}),
        lambda s, b: _post(s, "runs/log-parameter", run_id=s["o1"], **b),
    )
    both.each(
        "tag",
        ({"key": "t", "value": "1"}, {"key": "t"}, {}),
        lambda s, b: _post(s, "runs/set-tag", run_id=s["o1"], **b),
    )
    both.ask(
        "batch",
        lambda s: _post(
            s,
            "runs/log-batch",
            run_id=s["o1"],
            params=[{"key": "q", "value": "1"}],
            tags=[{"key": "u", "value": "v"}],
        ),
    )
    both.ask("batch of no run", lambda s: _post(s, "runs/log-batch", run_id="nope"))
    both.ask("get", lambda s: _sorted_run(_get(s, "runs/get", run_id=s["o1"])))
    both.each("get", ("nope", ""), lambda s, r: _get(s, "runs/get", run_id=r))
    both.ask("history", lambda s: _get(s, "metrics/get-history", run_id=s["o1"], metric_key="m"))
    both.ask("update", lambda s: _post(s, "runs/update", run_id=s["o1"], status="FINISHED", end_time=9))
    both.ask("update wrongly", lambda s: _post(s, "runs/update", run_id=s["o1"], status="NOPE"))
    searches: tuple[dict[str, Any], ...] = (
        {"filter": "metrics.m > 1"},
        {"filter": "bogus"},
        {"max_results": -1},
        {"order_by": ["x"]},
        {"page_token": "x"},
    )
    both.each(
        "search", searches, lambda s, b: _names(_post(s, "runs/search", experiment_ids=[s["over"]], **b))
    )
    both.each(
        "search experiments",
        ({"max_results": 5}, {}, {"max_results": 5, "filter": "bogus"}),
        lambda s, b: _post(s, "experiments/search", **b)[0],
    )
    both.ask(
        "model",
        lambda s: _post(s, "registered-models/create", name="over rest", tags=[{"key": "a", "value": "b"}]),
    )
    both.each(
        "model",
        ({"name": "over rest"}, {}, {"name": 5}),
        lambda s, b: _post(s, "registered-models/create", **b),
    )
    both.ask("version", lambda s: _post(s, "model-versions/create", name="over rest", source="s3://x/y"))
    both.each(
        "version",
        (
            {},
            {"name": "over rest"},
            {"name": "nope", "source": "s3://x"},
            {"name": "over rest", "source": "file:///etc"},
        ),
        lambda s, b: _post(s, "model-versions/create", **b),
    )
    both.each(
        "get version",
        ("1", "9", "x"),
        lambda s, v: _get(s, "model-versions/get", name="over rest", version=v),
    )
    both.ask(
        "alias", lambda s: _post(s, "registered-models/alias", name="over rest", alias="prod", version="1")
    )
    both.ask("by alias", lambda s: _get(s, "registered-models/alias", name="over rest", alias="prod"))
    both.ask("models", lambda s: _get(s, "registered-models/search", filter="name = 'over rest'"))
    both.ask("no such call", lambda s: _post(s, "runs/bogus")[0])


def artifacts(both: Both) -> None:
    """Files through the server's proxy, by MLflow's own client."""
    import mlflow

    local = both.base / "local"
    (local / "deep" / "er").mkdir(parents=True)
    (local / "a.txt").write_text("a")
    (local / "deep" / "er" / "b ü.txt").write_text("bb")

    def client(side: Side) -> Any:
        return mlflow.MlflowClient(side.server)

    both.ask("run", lambda s: client(s).create_run(s["over"], 5, run_name="files"), "f1")
    both.ask("file", lambda s: client(s).log_artifact(s["f1"], str(local / "a.txt")))
    both.ask("directory", lambda s: client(s).log_artifacts(s["f1"], str(local), "under"))
    both.ask("text", lambda s: client(s).log_text(s["f1"], "text", "words/t.txt"))
    places = (None, "under", "under/deep/er", "a.txt", "nope")
    both.each(
        "list",
        places,
        lambda s, p: [(f.path, f.is_dir, f.file_size) for f in client(s).list_artifacts(s["f1"], p)],
    )
    both.each(
        "list outside",
        ("..", "/etc", "../.."),
        lambda s, p: _get(s, "artifacts/list", run_id=s["f1"], path=p)[0],
    )
    both.each(
        "load",
        ("a.txt", "under/deep/er/b ü.txt", "words"),
        lambda s, p: _loaded(Path(client(s).download_artifacts(s["f1"], p))),
    )
    both.ask("load none", lambda s: type(client(s).download_artifacts(s["f1"], "nope")).__name__)
    both.ask("end", lambda s: client(s).set_terminated(s["f1"]))
    both.each(
        "list after the end",
        places,
        lambda s, p: [(f.path, f.is_dir, f.file_size) for f in client(s).list_artifacts(s["f1"], p)],
    )
    both.each(
        "load after the end",
        ("a.txt", "under"),
        lambda s, p: _loaded(Path(client(s).download_artifacts(s["f1"], p))),
    )


def _loaded(found: Path) -> list[tuple[str, str]]:
    if found.is_file():
        return [(found.name, found.read_text())]
    return sorted((str(one.relative_to(found)), one.read_text()) for one in found.rglob("*") if one.is_file())


def _made(found: Any, key: str) -> Any:
    return found[1][key]


def _run(found: Any) -> Any:
    return found[1]["run"]["info"]["run_id"]


def _names(found: Any) -> Any:
    runs = found[1].get("runs")
    return found if runs is None else [run["info"]["run_name"] for run in runs]


def _sorted_run(found: Any) -> Any:
    data = found[1]["run"]["data"]
    for part in ("metrics", "params", "tags"):
        data[part] = sorted(map(str, data.get(part, ())))
    return found


ALL = (rest, artifacts)
