"""How each forge lists, opens and changes issues; Bitbucket Data Center has none."""

import html
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal, NamedTuple
from urllib.parse import quote

from git_mlops.forges import azure, bitbucket, gitlab
from git_mlops.forges.answers import at, items, number, text
from git_mlops.forges.client import Client, RefusedError, numbered
from git_mlops.forges.values import Purpose, Target

PREFIX = "git-mlops"
"""Every title begins with it: Bitbucket has no labels, and finds issues by their titles."""
_PURPOSE: Purpose = "issue"
Turn = Literal["open", "close"] | None
"""What an issue is to become; None leaves it as it is."""


class Issue(NamedTuple):
    """An issue, as its forge gives it."""

    number: int
    author: str | None
    """As `Forge.whoami` says it."""
    body: str
    open: bool
    labels: tuple[str, ...] = ()
    url: str | None = None
    kind: str = ""
    """Azure: the type of the work item."""


class Place(NamedTuple):
    """Where the issues are."""

    client: Client
    target: Target
    label: str
    kind: str | None = None
    """Of an Azure work item."""


class Way(NamedTuple):
    """How one forge does it."""

    find: Callable[[Place, str | None], list[Issue]]
    """Open and closed ones: of an author, else with the label."""
    create: Callable[[Place, str, str], Issue]
    """With a title and a body; sent once."""
    change: Callable[[Place, Issue, str, Turn], None]
    """The body. The title stays: people may have found a better one."""
    comment: Callable[[Place, Issue, str], None]
    """Sent once."""
    read: Callable[[str], str] = str
    """What a body that was written is when it is read."""
    hidden: bool = True
    """Whether HTML comments stay in a body and are not shown."""


def labelled(issue: Issue, label: str) -> bool:
    """Whether it has the label: most forges do not tell `Watch` from `watch`."""
    return label.lower() in (one.lower() for one in issue.labels)


def _send(place: Place, method: str, path: str, body: object, *, once: bool = False) -> object:
    return place.client.send(method, path, purpose=_PURPOSE, body=body, once=once).data


# -- GitHub, Gitea ------------------------------------------------------------------------------------------


def _hub_path(place: Place) -> str:
    return f"/repos/{place.target.repository}/issues"


def _hub_find(
    place: Place, author: str | None, *, by: str, size: tuple[str, int], only: Mapping[str, object]
) -> list[Issue]:
    """Pull requests are issues, too; a label that Gitea does not know filters nothing."""
    query = {"state": "all", **only, **({by: author} if author else {"labels": place.label})}
    found = numbered(place.client, _hub_path(place), query, size, purpose=_PURPOSE)
    return [_hub(item) for item in found if not at(item, "pull_request")]


def _hub_create(place: Place, title: str, body: str) -> Issue:
    """A label that is not there is made; of who may not do that it is left out without a word."""
    sent = {"title": title, "body": body, "labels": [place.label]}
    return _hub(_send(place, "POST", _hub_path(place), sent, once=True))


def _hub_change(
    place: Place, issue: Issue, body: str, turn: Turn, *, named: Callable[[Place], object]
) -> None:
    sent = {"body": body}
    if turn is not None:
        sent["state"] = "open" if turn == "open" else "closed"
    path = f"{_hub_path(place)}/{issue.number}"
    _send(place, "PATCH", path, sent)
    if not labelled(issue, place.label) and (name := named(place)):
        _send(place, "POST", f"{path}/labels", {"labels": [name]})


def _hub_comment(place: Place, issue: Issue, words: str) -> None:
    _send(place, "POST", f"{_hub_path(place)}/{issue.number}/comments", {"body": words}, once=True)


def _hub(data: object) -> Issue:
    return Issue(
        number(data, "number"),
        text(data, "user", "login") or None,
        text(data, "body"),
        text(data, "state") == "open",
        tuple(text(one, "name") for one in items(at(data, "labels"))),
        text(data, "html_url") or None,
    )


def _tea_create(place: Place, title: str, body: str) -> Issue:
    label = _tea_label(place)
    sent = {"title": title, "body": body, "labels": [label] if label else []}
    return _hub(_send(place, "POST", _hub_path(place), sent, once=True))


def _tea_label(place: Place) -> int:
    """Labels go by number there. 0 where it is not there, and we may not make it."""
    path = f"/repos/{place.target.repository}/labels"
    for one in numbered(place.client, path, {}, ("limit", 50), purpose=_PURPOSE):
        if text(one, "name") == place.label:
            return number(one, "id")
    try:
        return number(_send(place, "POST", path, {"name": place.label, "color": "#b60205"}), "id")
    except RefusedError:
        return 0


# -- GitLab -------------------------------------------------------------------------------------------------


def _lab_path(place: Place) -> str:
    return f"{gitlab.project(place.target)}/issues"


def _lab_find(place: Place, author: str | None) -> list[Issue]:
    """Without `state` all of them."""
    query = {"scope": "all", **({"author_username": author} if author else {"labels": place.label})}
    found = numbered(place.client, _lab_path(place), query, ("per_page", 100), purpose=_PURPOSE)
    return [_lab(item) for item in found]


def _lab_create(place: Place, title: str, body: str) -> Issue:
    sent = {"title": title, "description": body, "labels": place.label}
    return _lab(_send(place, "POST", _lab_path(place), sent, once=True))


def _lab_change(place: Place, issue: Issue, body: str, turn: Turn) -> None:
    sent = {"description": body, "add_labels": place.label}
    if turn is not None:
        sent["state_event"] = "reopen" if turn == "open" else "close"
    _send(place, "PUT", f"{_lab_path(place)}/{issue.number}", sent)


def _lab_comment(place: Place, issue: Issue, words: str) -> None:
    _send(place, "POST", f"{_lab_path(place)}/{issue.number}/notes", {"body": words}, once=True)


def _lab(data: object) -> Issue:
    labels = at(data, "labels")
    return Issue(
        number(data, "iid"),
        text(data, "author", "username") or None,
        text(data, "description"),
        text(data, "state") == "opened",
        tuple(one for one in labels if isinstance(one, str)) if isinstance(labels, list) else (),
        text(data, "web_url") or None,
    )


# -- Bitbucket Cloud ----------------------------------------------------------------------------------------


_OPEN = ("new", "open", "on hold", "submitted")


def _bucket_path(place: Place) -> str:
    return f"{bitbucket.repository(place.target)}/issues"


def _bucket_find(place: Place, author: str | None) -> list[Issue]:
    words = f'reporter.uuid = "{author}"' if author else f'title ~ "{PREFIX}"'
    query = {"q": words, "sort": "id", "pagelen": 50}
    found = bitbucket.pages(place.client, _bucket_path(place), query, purpose=_PURPOSE)
    return [_bucket(place, item) for item in found]


def _bucket_create(place: Place, title: str, body: str) -> Issue:
    sent = {"title": title, "content": {"raw": body}, "kind": "bug", "priority": "major"}
    return _bucket(place, _send(place, "POST", _bucket_path(place), sent, once=True))


def _bucket_change(place: Place, issue: Issue, body: str, turn: Turn) -> None:
    sent: dict[str, object] = {"content": {"raw": body}}
    if turn is not None:
        sent["state"] = "open" if turn == "open" else "resolved"
    _send(place, "PUT", f"{_bucket_path(place)}/{issue.number}", sent)


def _bucket_comment(place: Place, issue: Issue, words: str) -> None:
    path = f"{_bucket_path(place)}/{issue.number}/comments"
    _send(place, "POST", path, {"content": {"raw": words}}, once=True)


def _bucket(place: Place, data: object) -> Issue:
    """Its titles stand for the label."""
    ours = text(data, "title").startswith(PREFIX)
    return Issue(
        number(data, "id"),
        text(data, "reporter", "uuid") or None,
        text(data, "content", "raw"),
        text(data, "state") in _OPEN,
        (place.label,) if ours else (),
        text(data, "links", "html", "href") or None,
    )


# -- Azure DevOps -------------------------------------------------------------------------------------------


_PATCH = "application/json-patch+json"
_KINDS = ("Issue", "Task")
"""Of work items: the processes Basic, Agile and CMMI have the first, all have the second."""
_BATCH = 200
_FIELDS = ("Description", "State", "Tags", "CreatedBy", "WorkItemType")
_DONE = ("Completed", "Resolved", "Removed")


def _wit(place: Place) -> str:
    return f"/{quote(place.target.repository.partition('/')[0], safe='')}/_apis/wit"


def _azure_find(place: Place, author: str | None) -> list[Issue]:
    """A query gives numbers, a second request what is in them. A token's own are asked for as such."""
    label = place.label.replace("'", "''")
    which = "[System.CreatedBy] = @Me" if author else f"[System.Tags] CONTAINS '{label}'"
    words = f"SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project AND {which}"  # noqa: S608  # quoted above
    send = place.client.send
    path = f"{_wit(place)}/wiql"
    answer = send("POST", path, purpose=_PURPOSE, query=azure.VERSION, body={"query": words})
    ids = sorted(number(item, "id") for item in items(at(answer.data, "workItems")))
    kinds = _kinds(place) if ids else {}
    fields = ",".join(f"System.{name}" for name in _FIELDS)
    found: list[Issue] = []
    for start in range(0, len(ids), _BATCH):
        part = ",".join(map(str, ids[start : start + _BATCH]))
        query = {"ids": part, "fields": fields, "errorPolicy": "omit", **azure.VERSION}
        data = place.client.get(f"{_wit(place)}/workitems", query, purpose=_PURPOSE).data
        found += [_azure(place, item, kinds) for item in items(at(data, "value"))]
    return found


def _kinds(place: Place) -> dict[str, dict[str, str]]:
    """Type of work item → state → its category; a process may have its own."""
    data = place.client.get(f"{_wit(place)}/workitemtypes", azure.VERSION, purpose=_PURPOSE).data
    return {
        text(one, "name"): {
            text(state, "name"): text(state, "category") for state in items(at(one, "states"))
        }
        for one in items(at(data, "value"))
    }


def _azure_create(place: Place, title: str, body: str) -> Issue:
    kind = place.kind
    if kind is None:
        there = _kinds(place)
        kind = next((one for one in _KINDS if one in there), _KINDS[-1])
    fields = {"Title": title, "Description": to_html(body), "Tags": place.label}
    data = _azure_send(place, "POST", f"{_wit(place)}/workitems/${kind}", fields)
    return _azure(place, data, {})


def _azure_change(place: Place, issue: Issue, body: str, turn: Turn) -> None:
    fields = {"Description": to_html(body)}
    if turn is not None:
        states = _kinds(place).get(issue.kind, {})
        wanted = ("Proposed", "InProgress") if turn == "open" else ("Completed", "Resolved")
        state = next((name for one in wanted for name, category in states.items() if category == one), None)
        if state:
            fields["State"] = state
    if not labelled(issue, place.label):
        fields["Tags"] = "; ".join((*issue.labels, place.label))
    _azure_send(place, "PATCH", f"{_wit(place)}/workitems/{issue.number}", fields)


def _azure_comment(place: Place, issue: Issue, words: str) -> None:
    """The history of a work item is its discussion."""
    path = f"{_wit(place)}/workitems/{issue.number}"
    _azure_send(place, "PATCH", path, {"History": to_html(words)}, once=True)


def _azure_send(
    place: Place, method: str, path: str, fields: Mapping[str, str], *, once: bool = False
) -> object:
    patch = [{"op": "add", "path": f"/fields/System.{name}", "value": v} for name, v in fields.items()]
    send, once = place.client.send, once or method == "POST"
    return send(method, path, purpose=_PURPOSE, query=azure.VERSION, body=patch, once=once, kind=_PATCH).data


def _azure(place: Place, data: object, kinds: Mapping[str, Mapping[str, str]]) -> Issue:
    fields, project = at(data, "fields"), place.target.repository.partition("/")[0]
    kind, state = text(fields, "System.WorkItemType"), text(fields, "System.State")
    tags = [tag.strip() for tag in text(fields, "System.Tags").split(";")]
    return Issue(
        number(data, "id"),
        text(fields, "System.CreatedBy", "id") or None,
        from_html(text(fields, "System.Description")),
        kinds.get(kind, {}).get(state) not in _DONE,
        tuple(tag for tag in tags if tag),
        f"{place.target.api}/{quote(project)}/_workitems/edit/{number(data, 'id')}",
        kind,
    )


_CODE = re.compile(r"`([^`\n]+)`")
_WRITE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\[([^\[\]\n]+)\]\((https?://[^\s()\"<>]+)\)"), r'<a href="\2">\1</a>'),
    (re.compile(r"\*\*([^*\n]+)\*\*"), r"<b>\1</b>"),
    (re.compile(r"\*([^*\n]+)\*"), r"<i>\1</i>"),
)
_READ: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\s*\n\s*"), " "),
    (re.compile(r"<li\b[^>]*>\s*"), "- "),
    (re.compile(r"</li>\s*|<br ?/?>\s*"), "\n"),
    (re.compile(r"</(?:p|div|ul|ol)>\s*"), "\n\n"),
    (re.compile(r"</?(?:b|strong)\b[^>]*>"), "**"),
    (re.compile(r"</?(?:i|em)\b[^>]*>"), "*"),
    (re.compile(r"</?code\b[^>]*>"), "`"),
    (re.compile(r"<[^>]*>"), ""),
    (re.compile(r"\n{3,}"), "\n\n"),
)


def to_html(markdown: str) -> str:
    """As much of our Markdown as issues have: paragraphs, lists, code, emphasis, links."""
    made, listed = [], False
    for line in markdown.strip().split("\n"):
        item = line.startswith("- ")
        if item != listed:
            made.append("<ul>" if item else "</ul>")
            listed = item
        made.append(f"<li>{_inline(line[2:])}</li>" if item else _paragraph(line))
    return "".join([*made, "</ul>"] if listed else made)


def _paragraph(line: str) -> str:
    return "<hr>" if line == "---" else f"<p>{_inline(line)}</p>" if line.strip() else ""


def _inline(line: str) -> str:
    """What is no code holds its special characters as entities already, but for a lone `<`."""
    return "".join(
        f"<code>{html.escape(part, quote=False)}</code>" if place % 2 else _emphasised(part)
        for place, part in enumerate(_CODE.split(line))
    )


def _emphasised(words: str) -> str:
    words = words.replace("<", "&lt;").replace(">", "&gt;")
    for pattern, made in _WRITE:
        words = pattern.sub(made, words)
    return words


def from_html(words: str) -> str:
    """What `to_html` wrote, near enough to find our mark in it; a forge may have written it anew."""
    for pattern, made in _READ:
        words = pattern.sub(made, words)
    lines = html.unescape(words).replace("\xa0", " ").split("\n")
    return "\n".join(line.strip() for line in lines).strip()


def _again(markdown: str) -> str:
    return from_html(to_html(markdown))


_find_hub = partial(_hub_find, by="creator", size=("per_page", 100), only={})
_find_tea = partial(_hub_find, by="created_by", size=("limit", 50), only={"type": "issues"})
WAYS: Mapping[str, Way] = {
    "github": Way(
        _find_hub, _hub_create, partial(_hub_change, named=lambda place: place.label), _hub_comment
    ),
    "gitea": Way(_find_tea, _tea_create, partial(_hub_change, named=_tea_label), _hub_comment),
    "gitlab": Way(_lab_find, _lab_create, _lab_change, _lab_comment),
    "bitbucket": Way(_bucket_find, _bucket_create, _bucket_change, _bucket_comment, hidden=False),
    "azure": Way(_azure_find, _azure_create, _azure_change, _azure_comment, _again, hidden=False),
}
