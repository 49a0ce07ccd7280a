"""A forge for the tour of the loop: GitHub's API for pull requests and issues, in memory, on this machine.

python docs/demo-loop/forge.py serve FILE      says its port; FILE has, at any time, what was opened and asked
python docs/demo-loop/forge.py show FILE       what people would read
python docs/demo-loop/forge.py ill HOW PORT    the next request that writes goes wrong: `500`: it is not done;
                                               `lost`, `cut`: it is done, and the answer lost, or cut in half
"""

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from urllib.request import urlopen

TOKEN = "a-token-of-this-tour"  # noqa: S105  # of nothing
ME = "loop-bot"
ITEM = re.compile(r"/repos/([^/]+/[^/]+)/(pulls|issues)(?:/(\d+))?(/comments|/labels)?")
Answer = tuple[int, Any]


class Forge:
    """What was opened, and what goes wrong next."""

    def __init__(self, file: Path) -> None:
        self.file, self.lock = file, Lock()
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

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
        """Status and JSON."""
        with self.lock:
            done = self._answer(method, path, query, body)
            self.requests.append(f"{method} {path} {done[0]}")
            self._keep()
        return done

    def _answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
        if path == "/graphql":
            return 200, {"data": {"viewer": {"login": ME}}}
        match = ITEM.fullmatch(path)
        if match is None:
            return 404, {"message": "Not Found"}
        repository, kind, number, part = match.groups()
        one = next((one for one in self.items if str(one["number"]) == number), None)
        if method == "GET" and not number:
            return 200, self._list(kind, query)
        if method == "POST" and not number:
            return self._open(repository, kind, body)
        if one is None or (method, part) not in _KNOWN:
            return 404, {"message": "Not Found"}
        if part == "/comments":
            one["comments"].append(body["body"])
        elif part == "/labels":
            one["labels"] += [{"name": name} for name in body["labels"]]
        elif method == "PATCH":
            one |= {key: body[key] for key in ("title", "body", "state") if key in body}
        return 200, one

    def _list(self, kind: str, query: dict[str, str]) -> list[dict[str, Any]]:
        """On one page. Pull requests are issues, too; `head` is `OWNER:BRANCH`."""
        wanted = {
            "state": query.get("state", "open"),
            "head": query.get("head", "").partition(":")[2],
            "base": query.get("base", ""),
            "labels": query.get("labels", ""),
            "creator": query.get("creator", ""),
        }

        def fits(one: dict[str, Any]) -> bool:
            has = {
                "state": ("all", one["state"]),
                "head": ("", one.get("head", {}).get("ref")),
                "base": ("", one.get("base", {}).get("ref")),
                "labels": ("", *(label["name"] for label in one["labels"])),
                "creator": ("", one["user"]["login"]),
            }
            return (kind == "issues" or "head" in one) and all(wanted[key] in has[key] for key in wanted)

        return [one for one in self.items if fits(one)] if query.get("page", "1") == "1" else []

    def _open(self, repository: str, kind: str, body: Any) -> Answer:
        branch = body.get("head")
        taken = [one["head"]["ref"] for one in self.items if "head" in one and one["state"] == "open"]
        if kind == "pulls" and branch in taken:
            return 422, {"message": "A pull request already exists"}
        number = len(self.items) + 1
        made = {
            "id": 1000 + number,
            "number": number,
            "state": "open",
            "title": body["title"],
            "body": body.get("body") or "",
            "html_url": f"https://forge.example/{repository}/{kind}/{number}",
            "user": {"login": ME},
            "labels": [{"name": name} for name in body.get("labels", [])],
            "comments": [],
        }
        if kind == "pulls":
            made["head"] = {"ref": branch, "repo": {"full_name": repository}}
            made["base"] = {"ref": body["base"]}
            made["pull_request"] = {}
        self.items.append(made)
        return 201, made


_KNOWN = {("GET", None), ("PATCH", None), ("POST", "/comments"), ("POST", "/labels")}


class Handler(BaseHTTPRequestHandler):
    """HTTP."""

    protocol_version = "HTTP/1.1"
    forge: Forge

    def log_message(self, *_: object) -> None:
        """It keeps its own log."""

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        if parts.path == "/fail":
            self.forge.faults.append(query["how"])
            self._send(204, None)
            return
        if parts.path == "/merged":
            path = f"/repos/merged/here/pulls/{query['number']}"
            self._send(self.forge.answer("PATCH", path, {}, {"state": "merged"})[0], None)
            return
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(401, {"message": "Bad credentials"})
            return
        writes = self.command in ("POST", "PATCH", "PUT") and parts.path != "/graphql"
        fault = self.forge.faults.pop(0) if writes and self.forge.faults else ""
        if fault == "500":
            self.forge.requests.append(f"{self.command} {parts.path} 500")
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


def list_(file: str) -> None:
    """Every issue and pull request in a line."""
    found = json.loads(Path(file).read_text(encoding="utf-8"))
    for one in sorted((*found["issues"], *found["pulls"]), key=lambda one: int(one["number"])):
        print(f"#{one['number']} {one['state']}: {one['title']}")


def show(file: str) -> None:
    """Every pull request."""
    for one in json.loads(Path(file).read_text(encoding="utf-8"))["pulls"]:
        print(f"#{one['number']} {one['title']}\n\n{one['body']}")


def merged(number: str, port: str) -> None:
    """It is not open any more."""
    _told(port, f"merged?number={number}")


def ill(how: str, port: str) -> None:
    """From now on, once."""
    _told(port, f"fail?how={how}")


def _told(port: str, what: str) -> None:
    with urlopen(f"http://127.0.0.1:{int(port)}/{what}", data=b"") as answer:
        print(answer.status)


if __name__ == "__main__":
    {"serve": serve, "list": list_, "show": show, "merged": merged, "ill": ill}[sys.argv[1]](*sys.argv[2:])
