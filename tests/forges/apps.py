"""The forges, as their documentation describes them: a small server each, in memory."""

import base64
import json
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from tests.forges.trackers import ME, Reply, Request, Tracker

__all__ = [
    "APPS", "HEAD", "ME", "TOKEN", "App", "Azure", "Bitbucket", "BitbucketServer", "GitHub", "GitLab",
    "Gitea", "Note", "Opened", "Reply", "Request", "always", "decoded",
]  # fmt: skip

TOKEN = "s3cret-t0ken"
HEAD = "a" * 40


class Note(NamedTuple):
    id: int
    author: str
    body: str


class Opened(NamedTuple):
    """A pull request that somebody opened through the API."""

    number: int
    source: str
    into: str
    title: str
    body: str
    fork: bool = False
    """Of another repository's branch."""
    reviewers: tuple[str, ...] = ()


def always(reply: Reply) -> Callable[..., Reply]:
    return lambda *_, **__: reply


class App:
    """What all forges have in common: comments, one pull request, statuses, a log, limits."""

    forge = ""
    repository = "ada/models"
    root = ""
    size = 100
    limit = 65_536

    def __init__(self) -> None:
        self.notes: dict[int, Note] = {}
        self.versions: dict[int, int] = {}
        self.pulls: list[tuple[int, str]] = [(7, HEAD)]
        self.opened: list[Opened] = []
        self.statuses: list[Mapping[str, Any]] = []
        self.annotations: list[Any] = []
        self.log: list[Request] = []
        self.anonymous = False  # the token may not ask who it is
        self.lists_behind = 0  # so many lists do not yet show the newest
        self.before: Callable[[Request], None] = lambda _: None
        self.lock = threading.Lock()
        self._next = 100
        self.base = ""
        self.tracker = Tracker(self)
        every = [*self.table(), *self.tracker.table()]
        self.routes = [(method, re.compile(pattern), handle) for method, pattern, handle in every]

    def opening(self, source: str, into: str, title: str, body: str) -> Opened | None:
        """None: the branch has an open one."""
        if any((one.source, one.into, one.fork) == (source, into, False) for one in self.opened):
            return None
        made = Opened(20 + len(self.opened), source, into, title, body)
        self.opened.append(made)
        return made

    def rewritten(self, number: int, title: str, body: str, reviewers: list[str] | None = None) -> Opened:
        (place,) = [n for n, one in enumerate(self.opened) if one.number == number]
        self.opened[place] = self.opened[place]._replace(title=title, body=body)
        if reviewers is not None:
            self.opened[place] = self.opened[place]._replace(reviewers=tuple(reviewers))
        return self.opened[place]

    def table(self) -> list[tuple[str, str, Callable[..., Reply]]]:
        raise NotImplementedError

    def authorised(self, headers: Mapping[str, str]) -> bool:
        raise NotImplementedError

    def answer(self, request: Request) -> Reply:
        self.before(request)
        with self.lock:
            self.log.append(request)
            if not self.authorised(request.headers):
                return Reply(401, {"message": "Bad credentials"})
            for method, pattern, handle in self.routes:
                match = pattern.fullmatch(request.path)
                if match and method == request.method:
                    return handle(request, **{k: unquote(v) for k, v in match.groupdict().items()})
        return Reply(404, {"message": "Not Found"})

    def seed(self, author: str, body: str) -> int:
        self._next += 1
        self.notes[self._next] = Note(self._next, author, body)
        self.versions[self._next] = 0
        return self._next

    def written(self, author: str = ME) -> list[str]:
        return [note.body for note in self.notes.values() if note.author == author]

    def sent(self, *methods: str) -> list[str]:
        return [f"{r.method} {r.path}" for r in self.log if r.method in methods]

    def listed(self) -> list[Note]:
        notes = list(self.notes.values())
        if self.lists_behind:
            self.lists_behind -= 1
            return notes[:-1]
        return notes

    def change(self, id_: int, body: str) -> Reply:
        if id_ not in self.notes:
            return Reply(404, {"message": "Not Found"})
        self.notes[id_] = self.notes[id_]._replace(body=body)
        self.versions[id_] += 1
        return Reply(200, {"id": id_})

    def drop(self, id_: int) -> Reply:
        if self.notes.pop(id_, None) is None:
            return Reply(404, {"message": "Not Found"})
        return Reply(204)

    def edit(self, request: Request, note: str, **_: str) -> Reply:
        return self.change(int(note), request.body["body"])

    def remove(self, request: Request, note: str, **_: str) -> Reply:
        return self.drop(int(note))

    def numbered(self, request: Request, size_name: str, found: list[Any]) -> Reply:
        """Pages as GitHub numbers them, never more than `size` items, with a Link header."""
        size = min(int(request.query.get(size_name, 30)), self.size)
        page = int(request.query.get("page", 1))
        part = found[(page - 1) * size : page * size]
        links = []
        if page * size < len(found):
            links.append(f'<{self.base}{request.path}?page={page + 1}>; rel="next"')
        if page > 1:
            links.append(f'<{self.base}{request.path}?page=1>; rel="first"')
        return Reply(200, part, {"Link": ", ".join(links)} if links else {})


class GitHub(App):
    forge = "github"

    def table(self) -> list[tuple[str, str, Callable[..., Reply]]]:
        repo = r"/repos/ada/models"
        return [
            ("POST", r"/graphql", self.viewer),
            ("GET", repo + r"/pulls", self.list_pulls),
            ("GET", repo + r"/pulls/(?P<n>\d+)", self.one_pull),
            ("POST", repo + r"/pulls", self.open_pull),
            ("PATCH", repo + r"/pulls/(?P<n>\d+)", self.edit_pull),
            ("GET", repo + r"/issues/7/comments", self.list_notes),
            ("POST", repo + r"/issues/7/comments", self.create),
            ("PATCH", repo + r"/issues/comments/(?P<note>\d+)", self.edit),
            ("DELETE", repo + r"/issues/comments/(?P<note>\d+)", self.remove),
            ("POST", repo + r"/statuses/(?P<sha>\w+)", self.set_status),
            ("POST", repo + r"/check-runs", self.check_run),
            ("PATCH", repo + r"/check-runs/(?P<n>\d+)", self.more_annotations),
        ]

    def authorised(self, headers: Mapping[str, str]) -> bool:
        return headers.get("authorization") == f"Bearer {TOKEN}"

    def viewer(self, request: Request) -> Reply:
        if self.anonymous:
            return Reply(403, {"message": "Resource not accessible by integration"})
        return Reply(200, {"data": {"viewer": {"login": ME}}})

    def list_pulls(self, request: Request) -> Reply:
        found = [self.shown_pull(n, head) for n, head in self.pulls]
        found += [self.shown_opened(one) for one in self.opened]
        return self.numbered(request, "per_page", found)

    def shown_opened(self, one: Opened) -> dict[str, Any]:
        head = {"ref": one.source, "sha": "c" * 40}
        head["repo"] = {"full_name": "eve/models" if one.fork else self.repository}  # type: ignore[assignment]
        shown = {"id": one.number * 1000, "number": one.number, "head": head, "base": {"ref": one.into}}
        return {
            **shown,
            "title": one.title,
            "body": one.body,
            "html_url": f"https://forge.example/{one.number}",
        }

    def open_pull(self, request: Request) -> Reply:
        said = request.body
        one = self.opening(said["head"], said["base"], said["title"], said["body"])
        status = 409 if self.forge == "gitea" else 422
        return Reply(201, self.shown_opened(one)) if one else Reply(status, {"message": "already exists"})

    def edit_pull(self, request: Request, n: str) -> Reply:
        return Reply(
            200, self.shown_opened(self.rewritten(int(n), request.body["title"], request.body["body"]))
        )

    def shown_pull(self, n: int, head: str) -> dict[str, Any]:
        return {"id": n * 1000, "number": n, "head": {"sha": head}}

    def one_pull(self, request: Request, n: str) -> Reply:
        found = [self.shown_pull(m, head) for m, head in self.pulls if m == int(n)]
        return Reply(200, found[0]) if found else Reply(404, {"message": "Not Found"})

    def shown(self, note: Note) -> dict[str, Any]:
        return {
            "id": note.id,
            "user": {"login": note.author},
            "body": note.body,
            "html_url": f"https://forge.example/c/{note.id}",
        }

    def list_notes(self, request: Request) -> Reply:
        return self.numbered(request, "per_page", [self.shown(note) for note in self.listed()])

    def create(self, request: Request) -> Reply:
        if len(request.body["body"]) > self.limit:
            return Reply(422, {"message": "body is too long"})
        return Reply(201, self.shown(self.notes[self.seed(ME, request.body["body"])]))

    def set_status(self, request: Request, sha: str) -> Reply:
        self.statuses.append({**request.body, "sha": sha})
        return Reply(201, {"id": 1})

    def check_run(self, request: Request) -> Reply:
        self.annotations.append(request.body["output"]["annotations"])
        return Reply(201, {"id": 55})

    def more_annotations(self, request: Request, n: str) -> Reply:
        assert n == "55"
        self.annotations.append(request.body["output"]["annotations"])
        return Reply(200, {"id": 55})


class Gitea(GitHub):
    forge = "gitea"
    root = "/api/v1"
    paged = True

    def table(self) -> list[tuple[str, str, Callable[..., Reply]]]:
        rest = [(m, self.root + p, h) for m, p, h in super().table() if "check-runs" not in p]
        return [*rest, ("GET", self.root + "/user", self.user)]

    def authorised(self, headers: Mapping[str, str]) -> bool:
        return headers.get("authorization") == f"token {TOKEN}"

    def user(self, request: Request) -> Reply:
        if self.anonymous:
            return Reply(403, {"message": "token does not have at least one of required scope(s)"})
        return Reply(200, {"login": ME})

    def numbered(self, request: Request, size_name: str, found: list[Any]) -> Reply:
        if not self.paged and request.path.endswith("/comments"):
            return Reply(200, found)
        return super().numbered(request, "limit", found)


class GitLab(App):
    forge = "gitlab"
    repository = "ada/group/models"
    root = "/api/v4"
    limit = 1_000_000

    def table(self) -> list[tuple[str, str, Callable[..., Reply]]]:
        project = self.root + r"/projects/ada%2Fgroup%2Fmodels"
        one = project + r"/merge_requests/(?P<n>\d+)"
        return [
            ("GET", self.root + r"/user", self.user),
            ("GET", project + r"/merge_requests", self.list_pulls),
            ("GET", one, self.one_pull),
            ("POST", project + r"/merge_requests", self.open_pull),
            ("PUT", one, self.edit_pull),
            ("GET", one + r"/notes", self.list_notes),
            ("POST", one + r"/notes", self.create),
            ("PUT", one + r"/notes/(?P<note>\d+)", self.edit),
            ("DELETE", one + r"/notes/(?P<note>\d+)", self.remove),
            ("POST", project + r"/statuses/(?P<sha>\w+)", self.set_status),
        ]

    def authorised(self, headers: Mapping[str, str]) -> bool:
        return headers.get("private-token") == TOKEN

    def user(self, request: Request) -> Reply:
        return (
            Reply(403, {"message": "insufficient_scope"}) if self.anonymous else Reply(200, {"username": ME})
        )

    def list_pulls(self, request: Request) -> Reply:
        found: list[dict[str, Any]] = [{"id": n * 1000, "iid": n, "sha": head} for n, head in self.pulls]
        found += [self.shown_opened(one) for one in self.opened]
        return self.numbered(request, "per_page", found)

    def shown_opened(self, one: Opened) -> dict[str, Any]:
        shown = {"id": one.number * 1000, "iid": one.number, "sha": "c" * 40, "target_project_id": 1}
        shown |= {"source_project_id": 2 if one.fork else 1, "web_url": f"https://forge.example/{one.number}"}
        names = {"source_branch": one.source, "target_branch": one.into}
        return {**shown, **names, "title": one.title, "description": one.body}

    def open_pull(self, request: Request) -> Reply:
        said = request.body
        one = self.opening(said["source_branch"], said["target_branch"], said["title"], said["description"])
        message = "Another open merge request already exists for this source branch: !20"
        return Reply(201, self.shown_opened(one)) if one else Reply(409, {"message": [message]})

    def edit_pull(self, request: Request, n: str) -> Reply:
        said = request.body
        return Reply(200, self.shown_opened(self.rewritten(int(n), said["title"], said["description"])))

    def one_pull(self, request: Request, n: str) -> Reply:
        found = [{"iid": m, "sha": head} for m, head in self.pulls if m == int(n)]
        return Reply(200, found[0]) if found else Reply(404, {"message": "404 Not found"})

    def shown(self, note: Note) -> dict[str, Any]:
        return {"id": note.id, "author": {"username": note.author}, "body": note.body, "system": False}

    def list_notes(self, request: Request, n: str) -> Reply:
        return self.numbered(request, "per_page", [self.shown(note) for note in self.listed()])

    def create(self, request: Request, n: str) -> Reply:
        if re.search(r"^/\w", request.body["body"], re.MULTILINE):
            raise AssertionError("a quick action ran")
        return Reply(201, self.shown(self.notes[self.seed(ME, request.body["body"])]))

    def set_status(self, request: Request, sha: str) -> Reply:
        if any(s["sha"] == sha and s["state"] == request.body["state"] for s in self.statuses):
            return Reply(400, {"message": "Cannot transition status via :run from :running"})
        self.statuses.append({**request.body, "sha": sha})
        return Reply(201, {"id": 1})


class Bitbucket(App):
    forge = "bitbucket"
    root = "/2.0"
    limit = 32_767

    def __init__(self) -> None:
        super().__init__()
        self.deleted: list[int] = []

    def table(self) -> list[tuple[str, str, Callable[..., Reply]]]:
        repo = self.root + r"/repositories/ada/models"
        one = repo + r"/pullrequests/(?P<n>\d+)"
        report = repo + r"/commit/(?P<sha>\w+)/reports/(?P<key>[\w-]+)"
        return [
            ("GET", self.root + r"/user", self.user),
            ("GET", repo + r"/pullrequests", self.list_pulls),
            ("GET", one, self.one_pull),
            ("POST", repo + r"/pullrequests", self.open_pull),
            ("PUT", one, self.edit_pull),
            ("GET", one + r"/comments", self.list_notes),
            ("POST", one + r"/comments", self.create),
            ("PUT", one + r"/comments/(?P<note>\d+)", self.edit),
            ("DELETE", one + r"/comments/(?P<note>\d+)", self.remove),
            ("POST", repo + r"/commit/(?P<sha>\w+)/statuses/build", self.set_status),
            ("DELETE", report, always(Reply(404, {"type": "error"}))),
            ("PUT", report, always(Reply(200, {"uuid": "{1}"}))),
            ("POST", report + r"/annotations", self.annotate),
        ]

    def authorised(self, headers: Mapping[str, str]) -> bool:
        return headers.get("authorization") == f"Bearer {TOKEN}"

    def user(self, request: Request) -> Reply:
        if self.anonymous:
            error = {
                "type": "error",
                "error": {"message": "Your credentials lack one or more required scopes."},
            }
            return Reply(403, error)
        return Reply(200, {"uuid": ME, "nickname": "bot"})

    def pages(self, request: Request, found: list[Any]) -> Reply:
        size = min(int(request.query.get("pagelen", 10)), self.size)
        page = int(request.query.get("page", 1))
        data: dict[str, Any] = {"page": page, "values": found[(page - 1) * size : page * size]}
        if page * size < len(found):
            data["next"] = f"{self.base}{request.path}?pagelen={size}&page={page + 1}"
        return Reply(200, data)

    def list_pulls(self, request: Request) -> Reply:
        found: list[dict[str, Any]] = [
            {"id": n, "source": {"commit": {"hash": head[:12]}}} for n, head in self.pulls
        ]
        return self.pages(request, found + [self.shown_opened(one) for one in self.opened])

    def shown_opened(self, one: Opened) -> dict[str, Any]:
        place = {"full_name": "eve/models" if one.fork else self.repository}
        source = {"branch": {"name": one.source}, "repository": place, "commit": {"hash": "c" * 12}}
        shown = {"id": one.number, "source": source, "destination": {"branch": {"name": one.into}}}
        link = {"html": {"href": f"https://forge.example/{one.number}"}}
        people = [{"uuid": name} for name in one.reviewers]
        return {**shown, "title": one.title, "summary": {"raw": one.body}, "links": link, "reviewers": people}

    def open_pull(self, request: Request) -> Reply:
        said = request.body
        ends = (said["source"]["branch"]["name"], said["destination"]["branch"]["name"])
        one = self.opening(*ends, said["title"], said["description"])
        message = {"error": {"message": "There is already an open pull request"}}
        return Reply(201, self.shown_opened(one)) if one else Reply(400, message)

    def edit_pull(self, request: Request, n: str) -> Reply:
        said = request.body
        people = [one["uuid"] for one in said.get("reviewers", ())]
        return Reply(
            200, self.shown_opened(self.rewritten(int(n), said["title"], said["description"], people))
        )

    def one_pull(self, request: Request, n: str) -> Reply:
        found = [{"id": m, "source": {"commit": {"hash": h[:12]}}} for m, h in self.pulls if m == int(n)]
        return Reply(200, found[0]) if found else Reply(404, {"type": "error", "error": {"message": "gone"}})

    def shown(self, note: Note) -> dict[str, Any]:
        return {
            "id": note.id,
            "user": {"uuid": note.author},
            "content": {"raw": note.body},
            "deleted": False,
            "links": {"html": {"href": f"https://forge.example/c/{note.id}"}},
        }

    def list_notes(self, request: Request, n: str) -> Reply:
        gone = [{**self.shown(Note(id_, ME, "")), "deleted": True} for id_ in self.deleted]
        return self.pages(request, gone + [self.shown(note) for note in self.listed()])

    def create(self, request: Request, n: str) -> Reply:
        raw = request.body["content"]["raw"]
        if len(raw) > self.limit:
            return Reply(400, {"error": {"message": "too long"}})
        return Reply(201, self.shown(self.notes[self.seed(ME, raw)]))

    def edit(self, request: Request, note: str, **_: str) -> Reply:
        return self.change(int(note), request.body["content"]["raw"])

    def remove(self, request: Request, note: str, **_: str) -> Reply:
        reply = self.drop(int(note))
        if reply.status == 204:
            self.deleted.append(int(note))
        return reply

    def set_status(self, request: Request, sha: str) -> Reply:
        if not request.body.get("url") or len(request.body["key"]) > 40:
            return Reply(400, {"error": {"message": "Bad request"}})
        self.statuses.append({**request.body, "sha": sha})
        return Reply(201, {})

    def annotate(self, request: Request, sha: str, key: str) -> Reply:
        if len(request.body) > 100:
            return Reply(400, {"error": {"message": "too many"}})
        self.annotations.append(request.body)
        return Reply(200, [])


class BitbucketServer(App):
    forge = "bitbucket-server"
    repository = "PRJ/models"
    limit = 32_767

    def table(self) -> list[tuple[str, str, Callable[..., Reply]]]:
        place = r"/projects/PRJ/repos/models"
        repo = "/rest/api/1.0" + place
        one = repo + r"/pull-requests/(?P<n>\d+)"
        report = "/rest/insights/1.0" + place + r"/commits/(?P<sha>\w+)/reports/(?P<key>[\w-]+)"
        return [
            ("GET", r"/rest/api/1.0/application-properties", always(Reply(200, {"version": "8.19.0"}))),
            ("GET", repo + r"/pull-requests", self.list_pulls),
            ("GET", one, self.one_pull),
            ("POST", repo + r"/pull-requests", self.open_pull),
            ("PUT", one, self.edit_pull),
            ("GET", one + r"/activities", self.activities),
            ("POST", one + r"/comments", self.create),
            ("PUT", one + r"/comments/(?P<note>\d+)", self.edit),
            ("DELETE", one + r"/comments/(?P<note>\d+)", self.remove),
            ("POST", repo + r"/commits/(?P<sha>\w+)/builds", self.set_status),
            ("PUT", report, always(Reply(200, {"key": "report"}))),
            ("DELETE", report + r"/annotations", always(Reply(204))),
            ("POST", report + r"/annotations", self.annotate),
        ]

    def authorised(self, headers: Mapping[str, str]) -> bool:
        return headers.get("authorization") == f"Bearer {TOKEN}"

    def answer(self, request: Request) -> Reply:
        reply = super().answer(request)
        if self.anonymous or reply.status == 401:
            return reply
        return reply._replace(headers={**reply.headers, "X-AUSERNAME": quote(ME)})

    def pages(self, request: Request, found: list[Any]) -> Reply:
        size = min(int(request.query.get("limit", 25)), self.size)
        start = int(request.query.get("start", 0))
        last = start + size >= len(found)
        data = {"values": found[start : start + size], "isLastPage": last, "start": start}
        return Reply(200, {**data, "nextPageStart": None if last else start + size})

    def list_pulls(self, request: Request) -> Reply:
        found: list[dict[str, Any]] = [{"id": n, "fromRef": {"latestCommit": head}} for n, head in self.pulls]
        own = [
            self.shown_opened(one) for one in self.opened if not one.fork
        ]  # `OUTGOING`: of this one's branches
        return self.pages(request, found + own)

    def shown_opened(self, one: Opened) -> dict[str, Any]:
        ends = {"fromRef": {"id": f"refs/heads/{one.source}"}, "toRef": {"id": f"refs/heads/{one.into}"}}
        people = [{"user": {"name": name}} for name in one.reviewers]
        link = {"self": [{"href": f"https://forge.example/{one.number}"}]}
        shown = {"id": one.number, "version": self.versions.get(one.number, 0), "title": one.title}
        return {**shown, **ends, "description": one.body, "links": link, "reviewers": people}

    def open_pull(self, request: Request) -> Reply:
        said = request.body
        ends = (said["fromRef"]["id"], said["toRef"]["id"])
        source, into = (end.removeprefix("refs/heads/") for end in ends)
        one = self.opening(source, into, said["title"], said["description"])
        message = {"errors": [{"message": "Only one pull request may be open for a given source"}]}
        return Reply(201, self.shown_opened(one)) if one else Reply(409, message)

    def edit_pull(self, request: Request, n: str) -> Reply:
        said = request.body
        if said["version"] != self.versions.get(int(n), 0):
            return Reply(409, {"errors": [{"message": "out of date"}]})
        self.versions[int(n)] = said["version"] + 1
        people = [one["user"]["name"] for one in said.get("reviewers", ())]
        return Reply(
            200, self.shown_opened(self.rewritten(int(n), said["title"], said["description"], people))
        )

    def one_pull(self, request: Request, n: str) -> Reply:
        found = [{"id": m, "fromRef": {"latestCommit": head}} for m, head in self.pulls if m == int(n)]
        missing = {"errors": [{"message": "Pull request 9 does not exist"}]}
        return Reply(200, found[0]) if found else Reply(404, missing)

    def shown(self, note: Note) -> dict[str, Any]:
        author = {"name": note.author}
        return {"id": note.id, "version": self.versions[note.id], "text": note.body, "author": author}

    def activities(self, request: Request, n: str) -> Reply:
        opened = {"id": 1, "action": "OPENED"}
        added = {"action": "COMMENTED", "commentAction": "ADDED"}
        notes = [{**added, "id": 2, "comment": self.shown(note)} for note in reversed(self.listed())]
        return self.pages(request, [*notes, opened])

    def create(self, request: Request, n: str) -> Reply:
        if len(request.body["text"]) > self.limit:
            message = "Please enter a non-empty value less than 32768 characters"
            return Reply(400, {"errors": [{"context": "text", "message": message}]})
        return Reply(201, self.shown(self.notes[self.seed(ME, request.body["text"])]))

    def stale(self, id_: int, version: object) -> Reply | None:
        if id_ not in self.notes:
            return Reply(404, {"errors": [{"message": "no such comment"}]})
        if self.versions[id_] != int(str(version)):
            return Reply(409, {"errors": [{"message": "out of date"}]})
        return None

    def edit(self, request: Request, note: str, **_: str) -> Reply:
        return self.stale(int(note), request.body["version"]) or self.change(int(note), request.body["text"])

    def remove(self, request: Request, note: str, **_: str) -> Reply:
        return self.stale(int(note), request.query["version"]) or self.drop(int(note))

    def set_status(self, request: Request, sha: str) -> Reply:
        if not request.body.get("url"):
            return Reply(400, {"errors": [{"message": "url is required"}]})
        self.statuses.append({**request.body, "sha": sha})
        return Reply(204)

    def annotate(self, request: Request, sha: str, key: str) -> Reply:
        self.annotations.append(request.body["annotations"])
        return Reply(204)


class Azure(App):
    forge = "azure"
    repository = "Team Project/models"
    root = "/org"
    limit = 150_000

    def table(self) -> list[tuple[str, str, Callable[..., Reply]]]:
        repo = self.root + r"/Team%20Project/_apis/git/repositories/models"
        one = repo + r"/pullRequests/(?P<n>\d+)"
        first = one + r"/threads/(?P<note>\d+)/comments/1"
        return [
            ("GET", self.root + r"/_apis/connectionData", self.who),
            ("GET", repo + r"/pullrequests", self.list_pulls),
            ("GET", one, self.one_pull),
            ("POST", repo + r"/pullrequests", self.open_pull),
            ("GET", repo + r"/pullrequests/(?P<n>\d+)", self.whole_pull),
            ("PATCH", repo + r"/pullrequests/(?P<n>\d+)", self.edit_pull),
            ("GET", one + r"/threads", self.threads),
            ("POST", one + r"/threads", self.create),
            ("PATCH", first, self.edit),
            ("DELETE", first, self.remove),
            ("POST", one + r"/statuses", self.set_status),
        ]

    def authorised(self, headers: Mapping[str, str]) -> bool:
        basic = base64.b64encode(f":{TOKEN}".encode()).decode()
        return headers.get("authorization") == f"Basic {basic}"

    def answer(self, request: Request) -> Reply:
        if "api-version" not in request.query:
            return Reply(400, {"message": "No api-version was supplied"})
        return super().answer(request)

    def who(self, request: Request) -> Reply:
        return (
            Reply(403, {"message": "no"}) if self.anonymous else Reply(200, {"authenticatedUser": {"id": ME}})
        )

    def shown_opened(self, one: Opened) -> dict[str, Any]:
        ends = {"sourceRefName": f"refs/heads/{one.source}", "targetRefName": f"refs/heads/{one.into}"}
        fork = {"forkSource": {"repository": {"id": "x"}}} if one.fork else {}
        return {"pullRequestId": one.number, **ends, **fork, "title": one.title, "description": one.body}

    def open_pull(self, request: Request) -> Reply:
        said = request.body
        if len(said["description"]) > 4000:
            return Reply(400, {"message": "The description is too long"})
        ends = (said["sourceRefName"], said["targetRefName"])
        source, into = (end.removeprefix("refs/heads/") for end in ends)
        one = self.opening(source, into, said["title"], said["description"])
        message = "TF401179: An active pull request for the source and target branch already exists."
        return Reply(201, self.shown_opened(one)) if one else Reply(409, {"message": message})

    def edit_pull(self, request: Request, n: str) -> Reply:
        said = request.body
        return Reply(200, self.shown_opened(self.rewritten(int(n), said["title"], said["description"])))

    def whole_pull(self, request: Request, n: str) -> Reply:
        found = [self.shown_opened(one) for one in self.opened if one.number == int(n)]
        return Reply(200, found[0]) if found else Reply(404, {"message": "TF401180"})

    def shown_pull(self, n: int, head: str) -> dict[str, Any]:
        return {"pullRequestId": n, "lastMergeSourceCommit": {"commitId": head}}

    def list_pulls(self, request: Request) -> Reply:
        if "searchCriteria.sourceRefName" in request.query:
            cut = [one._replace(body=one.body[:400]) for one in self.opened]
            return Reply(200, {"value": [self.shown_opened(one) for one in cut]})
        skip, top = int(request.query["$skip"]), int(request.query["$top"])
        part = self.pulls[skip : skip + top]
        return Reply(200, {"value": [self.shown_pull(n, head) for n, head in part]})

    def one_pull(self, request: Request, n: str) -> Reply:
        found = [self.shown_pull(m, head) for m, head in self.pulls if m == int(n)]
        missing = {"message": "TF401180: The requested pull request was not found."}
        return Reply(200, found[0]) if found else Reply(404, missing)

    def shown(self, note: Note) -> dict[str, Any]:
        comment = {"id": 1, "author": {"id": note.author}, "content": note.body, "commentType": "text"}
        return {"id": note.id, "comments": [comment], "status": "closed"}

    def threads(self, request: Request, n: str) -> Reply:
        system = {"id": 1, "comments": [{"id": 1, "author": {"id": "x"}, "content": "joined"}]}
        return Reply(200, {"value": [system, *(self.shown(note) for note in self.listed())]})

    def create(self, request: Request, n: str) -> Reply:
        content = request.body["comments"][0]["content"]
        if len(content) > self.limit:
            return Reply(400, {"message": "A discussion comment cannot be longer than 150000 characters."})
        return Reply(200, self.shown(self.notes[self.seed(ME, content)]))

    def edit(self, request: Request, note: str, **_: str) -> Reply:
        return self.change(int(note), request.body["content"])

    def set_status(self, request: Request, n: str) -> Reply:
        self.statuses.append({**request.body, "sha": self.pulls[0][1]})
        return Reply(200, {"id": 1})


APPS: list[type[App]] = [GitHub, GitLab, Bitbucket, BitbucketServer, Gitea, Azure]


def decoded(raw: bytes) -> Any:
    return json.loads(raw) if raw else None
