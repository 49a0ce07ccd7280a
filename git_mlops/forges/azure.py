"""Azure DevOps: pull request threads and statuses (REST API 7.0). Annotations would be threads: none."""

import base64
from collections.abc import Mapping
from urllib.parse import quote

from git_mlops.forges.answers import at, items, number, text
from git_mlops.forges.client import MOST_PAGES, Client, named, too_many
from git_mlops.forges.values import Comment, Pull, Purpose, State, Status, Target

TITLE = "Azure DevOps"
LIMIT = 150_000
HIDDEN = True
_SERVICE = "the build service's permission `Contribute to pull requests` on the repository"
NEEDS: Mapping[Purpose, str] = {
    "read": "it needs `SYSTEM_ACCESSTOKEN: $(System.AccessToken)` in `env:` of the step, and to read the"
    " repository",
    "comment": f"it needs {_SERVICE}, or a token with the scope Code (Read & write)",
    "status": f"it needs {_SERVICE}, or a token with the scope Code (Status)",
    "open": f"it needs {_SERVICE}, or a token with the scope Code (Read & write)",
    "issue": "it needs a token with the scope Work items (Read & write), or the build service's permission"
    " `Edit work items in this node` on the project's area",
}
_STATES: Mapping[State, str] = {
    "pending": "pending",
    "success": "succeeded",
    "failure": "failed",
    "error": "error",
}
VERSION = {"api-version": "7.0"}
_PAGE = 100


def headers(target: Target) -> dict[str, str]:
    """A job's token and those of Entra are JSON web tokens; a personal one is a password without a name."""
    token = target.token.reveal()
    if target.token_variable == "SYSTEM_ACCESSTOKEN" or token.startswith("eyJ"):  # noqa: S105  # a name
        return {"Authorization": f"Bearer {token}"}
    return {"Authorization": f"Basic {base64.b64encode(f':{token}'.encode()).decode('ascii')}"}


def whoami(client: Client) -> str | None:
    """The identity that the collection knows us by."""
    query = {"api-version": "7.0-preview"}
    return named(client, "/_apis/connectionData", "authenticatedUser", "id", query=query)


def pull(client: Client, target: Target) -> Pull:
    """One request."""
    return _pull(client.get(_request(target), VERSION).data)


def pulls(client: Client, target: Target) -> list[Pull]:
    """Every active one."""
    found: list[Pull] = []
    for page in range(MOST_PAGES):
        query = {"searchCriteria.status": "active", "$top": _PAGE, "$skip": page * _PAGE, **VERSION}
        part = items(at(client.get(f"{repository(target)}/pullrequests", query).data, "value"))
        found += [_pull(item) for item in part]
        if len(part) < _PAGE:
            return found
    raise too_many()


def comments(client: Client, target: Target) -> list[Comment]:
    """The first comment of every thread: one answer holds them all."""
    threads = items(at(client.get(f"{_request(target)}/threads", VERSION).data, "value"))
    return [comment for thread in threads if (comment := _comment(thread)) is not None]


def create(client: Client, target: Target, body: str) -> Comment:
    """A thread that is closed: an active one can block the pull request's completion."""
    content = {
        "comments": [{"parentCommentId": 0, "content": body, "commentType": "text"}],
        "status": "closed",
    }
    path = f"{_request(target)}/threads"
    answer = client.send("POST", path, purpose="comment", query=VERSION, body=content, once=True)
    return _comment(answer.data) or Comment(number(answer.data, "id"), None, body)


def update(client: Client, target: Target, comment: Comment, body: str) -> None:
    """In place."""
    client.send("PATCH", _place(target, comment), purpose="comment", query=VERSION, body={"content": body})


def delete(client: Client, target: Target, comment: Comment) -> None:
    """The thread stays, without a comment."""
    client.send("DELETE", _place(target, comment), purpose="comment", query=VERSION)


def status(client: Client, target: Target, status: Status) -> None:
    """Of the pull request, where its policies look for it; of the commit where there is none."""
    body: dict[str, object] = {
        "state": _STATES[status.state],
        "description": status.summary[:500],
        "context": {"name": status.name, "genre": "git-mlops"},
    }
    if status.link:
        body["targetUrl"] = status.link
    place = _request(target) if target.number else f"{repository(target)}/commits/{target.head}"
    client.send("POST", f"{place}/statuses", purpose="status", query=VERSION, body=body)


def fit(markdown: str) -> str:
    """Its Markdown is GitHub's, near enough."""
    return markdown


def repository(target: Target) -> str:
    """Its path."""
    project, _, name = target.repository.partition("/")
    return f"/{quote(project, safe='')}/_apis/git/repositories/{quote(name, safe='')}"


def _request(target: Target) -> str:
    return f"{repository(target)}/pullRequests/{target.number}"


def _place(target: Target, comment: Comment) -> str:
    return f"{_request(target)}/threads/{comment.id}/comments/{comment.version or 1}"


def _pull(data: object) -> Pull:
    return Pull(number(data, "pullRequestId"), text(data, "lastMergeSourceCommit", "commitId"))


def _comment(thread: object) -> Comment | None:
    first = next(iter(items(at(thread, "comments"))), None)
    if first is None or at(thread, "isDeleted") is True or at(first, "isDeleted") is True:
        return None
    author = text(first, "author", "id") or None
    return Comment(number(thread, "id"), author, text(first, "content"), version=number(first, "id"))
