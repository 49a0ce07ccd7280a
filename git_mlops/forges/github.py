"""GitHub and GitHub Enterprise: issue comments, commit statuses, check runs (REST API of 2022-11-28)."""

from collections.abc import Mapping, Sequence

from git_mlops.findings import Finding, Level
from git_mlops.forges.answers import number, text
from git_mlops.forges.client import Client, RefusedError, numbered
from git_mlops.forges.values import Comment, Pull, Purpose, State, Status, Target

TITLE = "GitHub"
LIMIT = 65_536
HIDDEN = True
NEEDS: Mapping[Purpose, str] = {
    "read": "it needs `pull-requests: read` and `contents: read` under `permissions:` of the workflow",
    "comment": "it needs `pull-requests: write` under `permissions:` of the workflow; a pull request from a"
    " fork gets a token that only reads: post from a second workflow on `workflow_run`",
    "status": "it needs `statuses: write` under `permissions:` of the workflow",
    "annotate": "it needs `checks: write` under `permissions:` of the workflow, and a token of an app",
    "open": "it needs `pull-requests: write` under `permissions:` of the workflow, and in the settings of"
    " the repository that Actions may create pull requests; or a token of a person or an app",
    "issue": "it needs `issues: write` under `permissions:` of the workflow, and issues switched on in the"
    " settings of the repository",
}
_VIEWER = "query { viewer { login } }"
_LEVELS: Mapping[Level, str] = {
    "error": "failure",
    "unknown": "failure",
    "warning": "warning",
    "note": "notice",
}
_CONCLUSIONS: Mapping[State, str] = {
    "success": "success",
    "failure": "failure",
    "error": "action_required",
    "pending": "neutral",
}


def headers(target: Target) -> dict[str, str]:
    """A personal token and an app's go the same way."""
    return {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {target.token.reveal()}",
        "X-GitHub-Api-Version": "2022-11-28",
    }


def whoami(client: Client) -> str | None:
    """The login. `GET /user` refuses a job's token, GraphQL's viewer does not (`github-actions[bot]`)."""
    try:
        answer = client.send(
            "POST", f"{client.api.removesuffix('/v3')}/graphql", purpose="read", body={"query": _VIEWER}
        )
    except RefusedError:
        return None
    return text(answer.data, "data", "viewer", "login") or None


def pull(client: Client, target: Target) -> Pull:
    """One request."""
    return pull_of(client.get(f"/repos/{target.repository}/pulls/{target.number}").data)


def pulls(client: Client, target: Target) -> list[Pull]:
    """The commit's own list of pull requests leaves out forks: by branch where it is known, else all."""
    query = {"state": "open", "sort": "updated", "direction": "desc"}
    if target.source:
        query["head"] = target.source
    path = f"/repos/{target.repository}/pulls"
    return [pull_of(item) for item in numbered(client, path, query, ("per_page", 100))]


def comments(client: Client, target: Target) -> list[Comment]:
    """Of the conversation; those at lines of the diff are another list."""
    path = f"/repos/{target.repository}/issues/{target.number}/comments"
    return [comment(item) for item in numbered(client, path, {}, ("per_page", 100))]


def create(client: Client, target: Target, body: str) -> Comment:
    """Sent once."""
    path = f"/repos/{target.repository}/issues/{target.number}/comments"
    return comment(client.send("POST", path, purpose="comment", body={"body": body}, once=True).data)


def update(client: Client, target: Target, comment: Comment, body: str) -> None:
    """In place: nobody is notified."""
    path = f"/repos/{target.repository}/issues/comments/{comment.id}"
    client.send("PATCH", path, purpose="comment", body={"body": body})


def delete(client: Client, target: Target, comment: Comment) -> None:
    """For good."""
    client.send("DELETE", f"/repos/{target.repository}/issues/comments/{comment.id}", purpose="comment")


def status(client: Client, target: Target, status: Status) -> None:
    """The newest of a context counts."""
    body = {"state": status.state, "description": status.summary[:140], "context": status.name}
    if status.link:
        body["target_url"] = status.link
    client.send("POST", f"/repos/{target.repository}/statuses/{target.head}", purpose="status", body=body)


def annotate(client: Client, target: Target, status: Status, findings: Sequence[Finding]) -> int:
    """A check run with annotations, fifty per request; the run of the same name and commit is replaced."""
    notes = [_note(finding) for finding in findings if finding.path]
    runs = f"/repos/{target.repository}/check-runs"
    output: dict[str, object] = {"title": status.summary[:200] or status.name, "summary": status.summary}
    first: dict[str, object] = {
        "name": status.name,
        "head_sha": target.head,
        "status": "completed",
        "conclusion": _CONCLUSIONS[status.state],
        "output": {**output, "annotations": notes[:50]},
    }
    if status.link:
        first["details_url"] = status.link
    run = number(client.send("POST", runs, purpose="annotate", body=first).data, "id")
    for start in range(50, len(notes), 50):
        more = {"output": {**output, "annotations": notes[start : start + 50]}}
        client.send("PATCH", f"{runs}/{run}", purpose="annotate", body=more)
    return len(notes)


def fit(markdown: str) -> str:
    """It is written for GitHub."""
    return markdown


def _note(finding: Finding) -> dict[str, object]:
    line = finding.line or 1
    hint = f"\nhint: {finding.hint}" if finding.hint else ""
    return {
        "path": finding.path,
        "start_line": line,
        "end_line": line,
        "annotation_level": _LEVELS[finding.level],
        "title": finding.rule[:255],
        "message": (finding.message + hint)[:10_000],
    }


def pull_of(data: object) -> Pull:
    """As Gitea gives it, too."""
    return Pull(number(data, "number"), text(data, "head", "sha"))


def comment(data: object) -> Comment:
    """As Gitea gives it, too."""
    author = text(data, "user", "login") or None
    return Comment(number(data, "id"), author, text(data, "body"), text(data, "html_url") or None)
