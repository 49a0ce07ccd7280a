"""GitLab: notes of a merge request, commit statuses (REST API v4). Annotations are a file there."""

from collections.abc import Mapping
from urllib.parse import quote

from git_mlops.forges.answers import number, text
from git_mlops.forges.client import Client, RefusedError, named, numbered
from git_mlops.forges.markup import without_commands
from git_mlops.forges.values import Comment, Pull, Purpose, State, Status, Target

TITLE = "GitLab"
LIMIT = 1_000_000
HIDDEN = True
_ACCESS = (
    "a project access token with the scope `api` and the role {}, as a masked variable; the job's own"
    " `CI_JOB_TOKEN` cannot write comments"
)
NEEDS: Mapping[Purpose, str] = {
    "read": f"it needs {_ACCESS.format('Reporter')}",
    "comment": f"it needs {_ACCESS.format('Reporter')}",
    "status": f"it needs {_ACCESS.format('Developer')}",
    "open": f"it needs {_ACCESS.format('Developer')}",
    "issue": f"it needs {_ACCESS.format('Reporter')}; and issues switched on in the settings of the project",
}
_STATES: Mapping[State, str] = {
    "pending": "pending",
    "success": "success",
    "failure": "failed",
    "error": "failed",
}


def headers(target: Target) -> dict[str, str]:
    """Personal, project and group access tokens."""
    return {"PRIVATE-TOKEN": target.token.reveal()}


def whoami(client: Client) -> str | None:
    """A project access token is a user of its own."""
    return named(client, "/user", "username")


def pull(client: Client, target: Target) -> Pull:
    """One request."""
    return _pull(client.get(_request(target)).data)


def pulls(client: Client, target: Target) -> list[Pull]:
    """From forks too: their commits' own list of merge requests is not complete."""
    query = {"state": "opened", "order_by": "updated_at"}
    path = f"{project(target)}/merge_requests"
    return [_pull(item) for item in numbered(client, path, query, ("per_page", 100))]


def comments(client: Client, target: Target) -> list[Comment]:
    """Notes, without those that GitLab writes itself."""
    found = numbered(client, f"{_request(target)}/notes", {"sort": "asc"}, ("per_page", 100))
    return [_comment(item) for item in found if item.get("system") is not True]


def create(client: Client, target: Target, body: str) -> Comment:
    """Sent once."""
    path = f"{_request(target)}/notes"
    return _comment(client.send("POST", path, purpose="comment", body={"body": body}, once=True).data)


def update(client: Client, target: Target, comment: Comment, body: str) -> None:
    """In place."""
    client.send("PUT", f"{_request(target)}/notes/{comment.id}", purpose="comment", body={"body": body})


def delete(client: Client, target: Target, comment: Comment) -> None:
    """For good."""
    client.send("DELETE", f"{_request(target)}/notes/{comment.id}", purpose="comment")


def status(client: Client, target: Target, status: Status) -> None:
    """A status that is there already is an error to GitLab, not to us."""
    body = {"state": _STATES[status.state], "name": status.name, "description": status.summary[:255]}
    if status.link:
        body["target_url"] = status.link
    try:
        client.send("POST", f"{project(target)}/statuses/{target.head}", purpose="status", body=body)
    except RefusedError as error:
        if error.status != 400 or "Cannot transition status" not in str(error):
            raise


def fit(markdown: str) -> str:
    """No line may be taken for a quick action (`/merge`, `/approve`)."""
    return without_commands(markdown)


def project(target: Target) -> str:
    """Its path."""
    return f"/projects/{quote(target.repository, safe='')}"


def _request(target: Target) -> str:
    return f"{project(target)}/merge_requests/{target.number}"


def _pull(data: object) -> Pull:
    return Pull(number(data, "iid"), text(data, "sha"))


def _comment(data: object) -> Comment:
    return Comment(number(data, "id"), text(data, "author", "username") or None, text(data, "body"))
