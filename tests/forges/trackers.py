"""The issue trackers of the forges, as their documentation describes them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tests.forges.apps import App

ME = "report-bot"
_STATES = {"New": "Proposed", "Active": "InProgress", "Solved": "Completed"}


class Reply(NamedTuple):
    status: int
    data: object = None
    headers: Mapping[str, str] = {}


class Request(NamedTuple):
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass
class Ticket:
    """An issue."""

    number: int
    title: str
    body: str
    labels: list[str] = field(default_factory=list)
    author: str = ME
    open: bool = True
    comments: list[str] = field(default_factory=list)
    kind: str = ""


Route = tuple[str, str, Callable[..., Reply]]


class Tracker:
    """Of one forge; `app.forge` says which."""

    def __init__(self, app: "App") -> None:
        self.app = app
        self.tickets: dict[int, Ticket] = {}
        self.off = False  # switched off in the settings
        self.may_label = True
        self.labels: list[str] = ["bug"]
        self.kinds = ["Bug", "Issue", "Task"]

    def table(self) -> list[Route]:
        """None for Bitbucket Data Center."""
        make = {"github": self.hub, "gitea": self.hub, "gitlab": self.lab, "bitbucket": self.bucket}
        found = make.get(self.app.forge, self.azure if self.app.forge == "azure" else list)()
        return [(method, path, self.guarded(handle)) for method, path, handle in found]

    def guarded(self, handle: Callable[..., Reply]) -> Callable[..., Reply]:
        no = {
            "github": Reply(410, {"message": "Issues has been disabled in this repository."}),
            "gitlab": Reply(403, {"message": "403 Forbidden"}),
            "bitbucket": Reply(
                404, {"type": "error", "error": {"message": "Repository has no issue tracker."}}
            ),
        }.get(self.app.forge, Reply(404, {"message": "Not Found"}))
        return lambda request, **words: no if self.off else handle(request, **words)

    def written(self, *, open_: bool = True) -> list[Ticket]:
        return [one for one in self.tickets.values() if one.author == ME and one.open is open_]

    def made(self, title: str, body: str, labels: list[str], author: str = ME) -> Ticket:
        number = 1 + len(self.tickets)
        one = Ticket(number, title, body, labels if self.may_label else [], author)
        self.tickets[number] = one
        return one

    def listed(self, label: str | None, author: str | None) -> list[Ticket]:
        found = [*self.tickets.values()]
        if self.app.lists_behind:
            self.app.lists_behind -= 1
            found = found[:-1]
        found = [one for one in found if author is None or one.author == author]
        return [one for one in found if label is None or label in one.labels]

    def said(self, request: Request, n: str, words: str) -> Reply:
        self.tickets[int(n)].comments.append(words)
        return Reply(201, {"id": 1})

    # -- GitHub, Gitea --------------------------------------------------------------------------------------

    def hub(self) -> list[Route]:
        repo = self.app.root + r"/repos/ada/models"
        one = repo + r"/issues/(?P<n>[1-689]\d*)"
        return [
            ("GET", repo + r"/issues", self.hub_list),
            ("POST", repo + r"/issues", self.hub_create),
            ("PATCH", one, self.hub_edit),
            ("POST", one + r"/comments", lambda r, n: self.said(r, n, r.body["body"])),
            ("POST", one + r"/labels", self.hub_label),
            ("GET", repo + r"/labels", self.tea_labels),
            ("POST", repo + r"/labels", self.tea_label),
        ]

    def hub_shown(self, one: Ticket) -> dict[str, Any]:
        return {
            "id": one.number * 10,
            "number": one.number,
            "title": one.title,
            "body": one.body,
            "state": "open" if one.open else "closed",
            "user": {"login": one.author},
            "labels": [{"name": name} for name in one.labels],
            "html_url": f"https://forge.example/i/{one.number}",
        }

    def hub_list(self, request: Request) -> Reply:
        assert request.query["state"] == "all"
        tea = self.app.forge == "gitea"
        assert ("type" in request.query) == tea
        label = request.query.get("labels")
        if tea and label not in self.labels:  # nothing is filtered then
            label = None
        author = request.query.get("created_by" if tea else "creator")
        found = [self.hub_shown(one) for one in self.listed(label, author)]
        pull = {**self.hub_shown(Ticket(7, "a pull request", "")), "pull_request": {"url": "x"}}
        return self.app.numbered(request, "per_page", found if tea else [pull, *found])

    def hub_names(self, labels: list[Any]) -> list[str]:
        if self.app.forge == "gitea":  # by number
            return [self.labels[one - 1] for one in labels]
        return [str(one) for one in labels]

    def hub_create(self, request: Request) -> Reply:
        said = request.body
        assert len(said["title"]) <= 255
        return Reply(
            201, self.hub_shown(self.made(said["title"], said["body"], self.hub_names(said["labels"])))
        )

    def hub_edit(self, request: Request, n: str) -> Reply:
        one = self.tickets.get(int(n))
        if one is None:
            return Reply(404, {"message": "Not Found"})
        one.body = request.body["body"]
        one.open = request.body.get("state", "open" if one.open else "closed") == "open"
        return Reply(200, self.hub_shown(one))

    def hub_label(self, request: Request, n: str) -> Reply:
        self.tickets[int(n)].labels += self.hub_names(request.body["labels"])
        return Reply(200, [])

    def tea_labels(self, request: Request) -> Reply:
        return self.app.numbered(
            request, "limit", [{"id": n, "name": name} for n, name in enumerate(self.labels, 1)]
        )

    def tea_label(self, request: Request) -> Reply:
        if not self.may_label:
            return Reply(403, {"message": "user should have permission to write issues"})
        assert re.fullmatch("#[0-9a-f]{6}", request.body["color"])
        self.labels.append(request.body["name"])
        return Reply(201, {"id": len(self.labels), "name": request.body["name"]})

    # -- GitLab ---------------------------------------------------------------------------------------------

    def lab(self) -> list[Route]:
        place = self.app.root + r"/projects/ada%2Fgroup%2Fmodels/issues"
        one = place + r"/(?P<n>\d+)"
        return [
            ("GET", place, self.lab_list),
            ("POST", place, self.lab_create),
            ("PUT", one, self.lab_edit),
            ("POST", one + r"/notes", lambda r, n: self.said(r, n, r.body["body"])),
        ]

    def lab_shown(self, one: Ticket) -> dict[str, Any]:
        return {
            "id": one.number * 10,
            "iid": one.number,
            "title": one.title,
            "description": one.body,
            "state": "opened" if one.open else "closed",
            "author": {"username": one.author},
            "labels": one.labels,
            "web_url": f"https://forge.example/i/{one.number}",
        }

    def lab_list(self, request: Request) -> Reply:
        found = self.listed(request.query.get("labels"), request.query.get("author_username"))
        return self.app.numbered(request, "per_page", [self.lab_shown(one) for one in found])

    def lab_create(self, request: Request) -> Reply:
        said = request.body
        if re.search(r"^/\w", said["description"], re.MULTILINE):
            raise AssertionError("a quick action ran")
        return Reply(
            201, self.lab_shown(self.made(said["title"], said["description"], said["labels"].split(",")))
        )

    def lab_edit(self, request: Request, n: str) -> Reply:
        one, said = self.tickets.get(int(n)), request.body
        if one is None:
            return Reply(404, {"message": "404 Not found"})
        one.body = said["description"]
        if "state_event" in said:
            one.open = {"reopen": True, "close": False}[said["state_event"]]
        if said["add_labels"] not in one.labels:
            one.labels.append(said["add_labels"])
        return Reply(200, self.lab_shown(one))

    # -- Bitbucket ------------------------------------------------------------------------------------------

    def bucket(self) -> list[Route]:
        place = self.app.root + r"/repositories/ada/models/issues"
        one = place + r"/(?P<n>\d+)"
        return [
            ("GET", place, self.bucket_list),
            ("POST", place, self.bucket_create),
            ("PUT", one, self.bucket_edit),
            ("POST", one + r"/comments", lambda r, n: self.said(r, n, r.body["content"]["raw"])),
        ]

    def bucket_shown(self, one: Ticket) -> dict[str, Any]:
        return {
            "id": one.number,
            "title": one.title,
            "content": {"raw": one.body},
            "state": "new" if one.open else "resolved",
            "reporter": {"uuid": one.author},
            "links": {"html": {"href": f"https://forge.example/i/{one.number}"}},
        }

    def bucket_list(self, request: Request) -> Reply:
        asked = re.fullmatch(r'(title ~|reporter\.uuid =) "([^"]+)"', request.query.get("q", 'title ~ ""'))
        assert asked or "page" in request.query
        found = self.listed(None, asked[2] if asked and asked[1] != "title ~" else None)
        return self.app.pages(request, [self.bucket_shown(one) for one in found])  # type: ignore[attr-defined,no-any-return]  # Bitbucket's

    def bucket_create(self, request: Request) -> Reply:
        return Reply(
            201, self.bucket_shown(self.made(request.body["title"], request.body["content"]["raw"], []))
        )

    def bucket_edit(self, request: Request, n: str) -> Reply:
        one = self.tickets.get(int(n))
        if one is None:
            return Reply(404, {"type": "error", "error": {"message": "No issue"}})
        one.body = request.body["content"]["raw"]
        one.open = request.body.get("state", "new" if one.open else "resolved") in ("new", "open")
        return Reply(200, self.bucket_shown(one))

    # -- Azure ----------------------------------------------------------------------------------------------

    def azure(self) -> list[Route]:
        wit = self.app.root + r"/Team%20Project/_apis/wit"
        return [
            ("POST", wit + r"/wiql", self.wiql),
            ("GET", wit + r"/workitemtypes", self.azure_kinds),
            ("GET", wit + r"/workitems", self.azure_batch),
            ("POST", wit + r"/workitems/%24(?P<kind>\w+)", self.azure_create),
            ("PATCH", wit + r"/workitems/(?P<n>\d+)", self.azure_edit),
        ]

    def azure_shown(self, one: Ticket) -> dict[str, Any]:
        state = next(name for name, kind in _STATES.items() if (kind != "Completed") == one.open)
        fields = {
            "System.Title": one.title,
            "System.Description": one.body,
            "System.State": state,
            "System.Tags": "; ".join(one.labels),
            "System.CreatedBy": {"id": one.author},
            "System.WorkItemType": one.kind,
        }
        return {"id": one.number, "rev": 1, "fields": fields}

    def wiql(self, request: Request) -> Reply:
        asked = re.search(
            r"AND \[System\.(Tags|CreatedBy)\] (?:CONTAINS '(.+)'|= @Me)$", request.body["query"]
        )
        assert asked
        found = self.listed(asked[2], ME if asked[1] == "CreatedBy" else None)
        return Reply(200, {"queryType": "flat", "workItems": [{"id": one.number} for one in reversed(found)]})

    def azure_kinds(self, request: Request) -> Reply:
        states = [{"name": name, "category": kind} for name, kind in _STATES.items()]
        return Reply(200, {"value": [{"name": name, "states": states} for name in self.kinds]})

    def azure_batch(self, request: Request) -> Reply:
        ids = [int(word) for word in request.query["ids"].split(",")]
        assert len(ids) <= 200
        return Reply(200, {"value": [self.azure_shown(self.tickets[id_]) for id_ in ids]})

    def azure_fields(self, request: Request) -> dict[str, str]:
        """A field of HTML is cleaned; without the patch's own media type nothing is taken."""
        assert request.headers["content-type"] == "application/json-patch+json"
        said = {one["path"].removeprefix("/fields/System."): one["value"] for one in request.body}
        return {name: re.sub(r"<!--.*?-->", "", value) for name, value in said.items()}

    def azure_create(self, request: Request, kind: str) -> Reply:
        said = self.azure_fields(request)
        if kind not in self.kinds:
            return Reply(404, {"message": f"VS402323: Work item type {kind} does not exist in project"})
        one = self.made(said["Title"], said["Description"], said["Tags"].split("; "))
        one.kind = kind
        return Reply(200, self.azure_shown(one))

    def azure_edit(self, request: Request, n: str) -> Reply:
        one, said = self.tickets.get(int(n)), self.azure_fields(request)
        if one is None:
            return Reply(404, {"message": f"TF401232: Work item {n} does not exist"})
        one.body = said.get("Description", one.body)
        one.comments += [said["History"]] if "History" in said else []
        one.labels = said["Tags"].split("; ") if "Tags" in said else one.labels
        one.open = _STATES[said["State"]] != "Completed" if "State" in said else one.open
        return Reply(200, self.azure_shown(one))
