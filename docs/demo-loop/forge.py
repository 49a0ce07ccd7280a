"""A forge for the tour of the loop: GitHub's API for pull requests and issues, in memory, on this machine.

python docs/demo-loop/forge.py serve FILE      says its port; FILE has, at any time, what was opened and asked
python docs/demo-loop/forge.py show FILE       what people would read
python docs/demo-loop/forge.py ill HOW PORT    the next request that writes goes wrong: `500`: it is not done;
                                               `lost`, `cut`: it is done, and the answer lost, or cut in half
"""

import json
import re
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import RLock
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

TOKEN = "a-token-of-this-tour"  # noqa: S105  # of nothing
ITEM = re.compile(r"/repos/(?P<repo>[^/]+/[^/]+)/(?P<kind>pulls|issues)(?:/(?P<number>\d+))?")


class Forge:
    """What was opened, and how ill it is."""

    def __init__(self, file: Path) -> None:
        self.file, self.lock = file, RLock()
        self.items: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.faults: list[str] = []
        self._keep()

    def _keep(self) -> None:
        shown = {
            "pulls": [one for one in self.items if "head" in one],
            "issues": [one for one in self.items if "head" not in one],
            "requests": self.requests,
        }
        self.file.write_text(json.dumps(shown, indent=2) + "\n", encoding="utf-8")

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """Status and JSON."""
        with self.lock:
            self.requests.append(f"{method} {path}")
            match = ITEM.fullmatch(path)
            way: Callable[..., tuple[int, Any]] | None = {
                "GET": self._list, "POST": self._open, "PATCH": self._edit
            }.get(method)  # fmt: skip
            if path == "/graphql":
                done = 200, {"data": {"viewer": {"login": "loop-bot"}}}
            elif match is None or way is None:
                done = 404, {"message": "Not Found"}
            else:
                done = way(match["repo"], match["kind"], match["number"], query, body)
            self._keep()
        return done

    def _list(
        self, repo: str, kind: str, number: str | None, query: dict[str, list[str]], _body: Any
    ) -> tuple[int, Any]:
        """An issue or pull request; or the open ones, as GitHub does: pull requests are issues, too."""
        if number:
            found = [one for one in self.items if one["number"] == int(number)]
            return (200, found[0]) if found else (404, {"message": "Not Found"})
        found = [one for one in self.items if kind == "issues" or "head" in one]
        state = query.get("state", ["open"])[0]
        found = [one for one in found if state in ("all", one["state"])]
        head, base = query.get("head", [""])[0].partition(":")[2], query.get("base", [""])[0]
        if kind == "pulls":
            found = [one for one in found if not head or one["head"]["ref"] == head]
            found = [one for one in found if not base or one["base"]["ref"] == base]
        return 200, (found if query.get("page", ["1"]) == ["1"] else [])

    def _open(
        self, repo: str, kind: str, number: str | None, _query: dict[str, list[str]], body: Any
    ) -> tuple[int, Any]:
        if number:
            return 404, {"message": "Not Found"}
        if kind == "pulls" and any(
            (one.get("head", {}).get("ref"), one["state"]) == (body["head"], "open") for one in self.items
        ):
            return 422, {"message": "A pull request already exists"}
        number_ = len(self.items) + 1
        made = {
            "id": 1000 + number_, "number": number_, "state": "open", "title": body["title"],
            "body": body.get("body") or "", "html_url": f"https://forge.example/{repo}/{kind[:-1]}/{number_}",
            "user": {"login": "loop-bot"}, "labels": [{"name": name} for name in body.get("labels", [])],
        }  # fmt: skip
        if kind == "pulls":
            made["head"] = {"ref": body["head"], "repo": {"full_name": repo}}
            made["base"] = {"ref": body["base"]}
        self.items.append(made)
        return 201, made

    def _edit(
        self, _repo: str, _kind: str, number: str | None, _query: dict[str, list[str]], body: Any
    ) -> tuple[int, Any]:
        found = [one for one in self.items if number and one["number"] == int(number)]
        if not found:
            return 404, {"message": "Not Found"}
        found[0].update({key: body[key] for key in ("title", "body", "state") if key in body})
        return 200, found[0]


class Handler(BaseHTTPRequestHandler):
    """HTTP."""

    protocol_version = "HTTP/1.1"
    forge: Forge

    def log_message(self, *_: object) -> None:
        """It keeps its own log."""

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        if parts.path == "/fail":
            self.forge.faults += query.get("how", ["500"])
            self._send(204, None)
            return
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(401, {"message": "Bad credentials"})
            return
        writes = self.command in ("POST", "PATCH", "PUT") and parts.path != "/graphql"
        fault = self.forge.faults.pop(0) if writes and self.forge.faults else ""
        if fault == "500":
            self.forge.requests.append(f"{self.command} {parts.path} (500)")
            self._send(500, {"message": "Server Error"})
            return
        status, data = self.forge.answer(self.command, parts.path, query, json.loads(raw) if raw else None)
        if fault != "lost":
            self._send(status, data, cut=fault == "cut")
        self.close_connection = self.close_connection or bool(fault)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815  # names of http.server

    def _send(self, status: int, data: Any, *, cut: bool = False) -> None:
        content = b"" if data is None else json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)


def serve(file: str) -> None:
    """Until it is ended."""
    Handler.forge = Forge(Path(file))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


def show(file: str) -> None:
    """Every pull request and issue."""
    found = json.loads(Path(file).read_text(encoding="utf-8"))
    for one in (*found["issues"], *found["pulls"]):
        print(f"#{one['number']} {one['title']} ({one['state']})\n\n{one['body']}")


def ill(how: str, port: str) -> None:
    """From now on, once."""
    with urlopen(f"http://127.0.0.1:{int(port)}/fail?how={how}", data=b"") as answer:
        print(answer.status)


if __name__ == "__main__":
    {"serve": serve, "show": show, "ill": ill}[sys.argv[1]](*sys.argv[2:])
