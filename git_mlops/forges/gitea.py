"""Gitea and Forgejo: issue comments and commit statuses (API v1). They have no annotations."""

from collections.abc import Mapping

from git_mlops.forges import github
from git_mlops.forges.client import Client, named, numbered
from git_mlops.forges.values import Comment, Pull, Purpose, Status, Target

TITLE = "Gitea"
LIMIT = 65_536
"""Neither has a limit of its own; this is what reviewers can still read."""
HIDDEN = True
NEEDS: Mapping[Purpose, str] = {
    "read": "it needs the scope `read:repository` or `read:issue`",
    "comment": "it needs the scope `write:issue`; a pull request from a fork gets a token that only reads",
    "status": "it needs the scope `write:repository`",
    "open": "it needs the scope `write:repository`",
    "issue": "it needs the scopes `write:issue` and `read:repository`, and issues switched on in the settings"
    " of the repository",
}


def headers(target: Target) -> dict[str, str]:
    """The job's token goes the same way."""
    return {"Authorization": f"token {target.token.reveal()}"}


def whoami(client: Client) -> str | None:
    """A token without `read:user`, or a job's, may not ask."""
    return named(client, "/user", "login")


def pulls(client: Client, target: Target) -> list[Pull]:
    """Every open one."""
    query = {"state": "open", "sort": "recentupdate"}
    path = f"/repos/{target.repository}/pulls"
    return [github.pull_of(item) for item in numbered(client, path, query, ("limit", 50))]


def comments(client: Client, target: Target) -> list[Comment]:
    """Older versions give all of them at once, whatever page is asked for."""
    path = f"/repos/{target.repository}/issues/{target.number}/comments"
    return [github.comment(item) for item in numbered(client, path, {}, ("limit", 50))]


def status(client: Client, target: Target, status: Status) -> None:
    """The newest of a context counts."""
    body = {"state": status.state, "description": status.summary[:255], "context": status.name}
    if status.link:
        body["target_url"] = status.link
    client.send("POST", f"/repos/{target.repository}/statuses/{target.head}", purpose="status", body=body)


# as GitHub has them
pull, create, update, delete = github.pull, github.create, github.update, github.delete


def fit(markdown: str) -> str:
    """Its Markdown is GitHub's."""
    return markdown
