"""Bitbucket Cloud: pull request comments, build statuses, Code Insights (REST API 2.0)."""

import base64
from collections.abc import Iterator, Mapping, Sequence

from git_mlops.findings import Finding, Level
from git_mlops.forges.answers import at, items, number, text
from git_mlops.forges.client import MOST_PAGES, Client, RefusedError, named, too_many
from git_mlops.forges.markup import without_html
from git_mlops.forges.values import Comment, Pull, Purpose, State, Status, Target

TITLE = "Bitbucket"
LIMIT = 32_767
HIDDEN = False
NEEDS: Mapping[Purpose, str] = {
    "read": "it needs a repository access token with the scope `pullrequest`",
    "comment": "it needs a repository access token with the scope `pullrequest:write` (or `EMAIL:API_TOKEN`)",
    "status": "it needs a repository access token with the scope `repository:write`",
    "annotate": "it needs a repository access token with the scope `repository:write`",
    "open": "it needs a repository access token with the scope `pullrequest:write`",
    "issue": "it needs a repository access token with the scope `issue:write`, and the issue tracker switched"
    " on in the settings of the repository; workspaces of admin.atlassian.com have none: tell Jira, by"
    " `webhook_variable`",
}
STATES: Mapping[State, str] = {
    "pending": "INPROGRESS",
    "success": "SUCCESSFUL",
    "failure": "FAILED",
    "error": "FAILED",
}
SEVERITIES: Mapping[Level, str] = {"error": "HIGH", "unknown": "HIGH", "warning": "MEDIUM", "note": "LOW"}
MOST_ANNOTATIONS = 1_000
"""Of one report, on both Bitbuckets."""


def headers(target: Target) -> dict[str, str]:
    """`USER:SECRET` is an app password or an API token, anything else an access token."""
    return {"Authorization": authorization(target.token.reveal())}


def authorization(token: str) -> str:
    """The header, for both Bitbuckets."""
    if ":" in token:
        return f"Basic {base64.b64encode(token.encode()).decode('ascii')}"
    return f"Bearer {token}"


def whoami(client: Client) -> str | None:
    """A token without the scope `account` may not ask."""
    return named(client, "/user", "uuid")


def pull(client: Client, target: Target) -> Pull:
    """One request."""
    return _pull(client.get(_request(target)).data)


def pulls(client: Client, target: Target) -> list[Pull]:
    """Every open one."""
    found = pages(client, f"{repository(target)}/pullrequests", {"state": "OPEN", "pagelen": 50})
    return [_pull(item) for item in found]


def comments(client: Client, target: Target) -> list[Comment]:
    """Deleted ones stay in the list."""
    found = pages(client, f"{_request(target)}/comments", {"pagelen": 100})
    return [_comment(item) for item in found if item.get("deleted") is not True]


def create(client: Client, target: Target, body: str) -> Comment:
    """Sent once."""
    content = {"content": {"raw": body}}
    path = f"{_request(target)}/comments"
    return _comment(client.send("POST", path, purpose="comment", body=content, once=True).data)


def update(client: Client, target: Target, comment: Comment, body: str) -> None:
    """In place."""
    content = {"content": {"raw": body}}
    client.send("PUT", f"{_request(target)}/comments/{comment.id}", purpose="comment", body=content)


def delete(client: Client, target: Target, comment: Comment) -> None:
    """It stays as a deleted one, without text."""
    client.send("DELETE", f"{_request(target)}/comments/{comment.id}", purpose="comment")


def status(client: Client, target: Target, status: Status) -> None:
    """A link is required; the key has at most forty characters."""
    body = {
        "key": status.name[:40],
        "name": status.name,
        "state": STATES[status.state],
        "description": status.summary[:255],
        "url": status.link or f"https://bitbucket.org/{target.repository}",
    }
    client.send("POST", f"{_commit(target)}/statuses/build", purpose="status", body=body)


def annotate(client: Client, target: Target, status: Status, findings: Sequence[Finding]) -> int:
    """A report with at most a thousand annotations, a hundred per request."""
    report = f"{_commit(target)}/reports/{key(status.name)}"
    body: dict[str, object] = {
        "title": status.name,
        "details": status.summary[:2_000],
        "report_type": "TEST",
        "reporter": "git-mlops",
        "result": "PASSED" if status.state == "success" else "FAILED",
    }
    if status.link:
        body["link"] = status.link
    # only what is put anew has no annotations of an earlier run
    _forget(client, report)
    client.send("PUT", report, purpose="annotate", body=body)
    notes = [_note(n, finding) for n, finding in enumerate(findings) if finding.path][:MOST_ANNOTATIONS]
    for start in range(0, len(notes), 100):
        client.send("POST", f"{report}/annotations", purpose="annotate", body=notes[start : start + 100])
    return len(notes)


def fit(markdown: str) -> str:
    """It shows HTML as text."""
    return without_html(markdown)


def key(name: str) -> str:
    """A name as a part of a URL."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in name)[:50]


def _forget(client: Client, report: str) -> None:
    try:
        client.send("DELETE", report, purpose="annotate")
    except RefusedError as error:
        if error.status != 404:
            raise


def _note(place: int, finding: Finding) -> dict[str, object]:
    note: dict[str, object] = {
        "external_id": f"git-mlops-{place}",
        "annotation_type": "BUG",
        "severity": SEVERITIES[finding.level],
        "summary": f"{finding.message} [{finding.rule}]"[:450],
        "path": finding.path,
    }
    if finding.line:
        note["line"] = finding.line
    if finding.hint:
        note["details"] = finding.hint[:2_000]
    return note


def pages(
    client: Client, path: str, query: Mapping[str, object], *, purpose: Purpose = "read"
) -> Iterator[Mapping[str, object]]:
    """Every item of a list."""
    answer = client.get(path, query, purpose=purpose)
    for _ in range(MOST_PAGES):
        yield from items(at(answer.data, "values"))
        following = text(answer.data, "next")
        if not following:
            return
        answer = client.get(following, purpose=purpose)
    raise too_many()


def repository(target: Target) -> str:
    """Its path."""
    return f"/repositories/{target.repository}"


def _request(target: Target) -> str:
    return f"{repository(target)}/pullrequests/{target.number}"


def _commit(target: Target) -> str:
    return f"{repository(target)}/commit/{target.head}"


def _pull(data: object) -> Pull:
    return Pull(number(data, "id"), text(data, "source", "commit", "hash"))


def _comment(data: object) -> Comment:
    link = text(data, "links", "html", "href") or None
    return Comment(number(data, "id"), text(data, "user", "uuid") or None, text(data, "content", "raw"), link)
