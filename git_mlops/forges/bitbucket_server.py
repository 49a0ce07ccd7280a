"""Bitbucket Server and Data Center, 7.4 and later: comments, build statuses, Code Insights (REST 1.0)."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote, unquote

from git_mlops.findings import Finding
from git_mlops.forges.answers import at, items, number, text
from git_mlops.forges.bitbucket import MOST_ANNOTATIONS, SEVERITIES, STATES, authorization, key
from git_mlops.forges.client import MOST_PAGES, Client, too_many
from git_mlops.forges.markup import without_html
from git_mlops.forges.values import Comment, Pull, Purpose, Status, Target

TITLE = "Bitbucket Data Center"
LIMIT = 32_767
HIDDEN = False
NEEDS: Mapping[Purpose, str] = {
    "read": "it needs an HTTP access token with repository read",
    "comment": "it needs an HTTP access token with repository read, which may comment",
    "status": "it needs an HTTP access token with repository read",
    "annotate": "it needs an HTTP access token with repository read",
    "open": "it needs an HTTP access token with repository read, which may open pull requests",
    "issue": "it has no issues",
}


def headers(target: Target) -> dict[str, str]:
    """`USER:PASSWORD`, or an HTTP access token. Without the second it suspects a browser's forgery."""
    return {"Authorization": authorization(target.token.reveal()), "X-Atlassian-Token": "no-check"}


def whoami(client: Client) -> str | None:
    """It says so in a header of every answer; no request asks for it."""
    answer = client.get("/rest/api/1.0/application-properties")
    return unquote(answer.headers.get("x-ausername", "")) or None


def pull(client: Client, target: Target) -> Pull:
    """One request."""
    return _pull(client.get(_request(target)).data)


def pulls(client: Client, target: Target) -> list[Pull]:
    """Every open one."""
    return [_pull(item) for item in _pages(client, f"{repository(target)}/pull-requests", {"state": "OPEN"})]


def comments(client: Client, target: Target) -> list[Comment]:
    """They are found among the activities."""
    found = _pages(client, f"{_request(target)}/activities", {})
    added = [item for item in found if text(item, "action") == "COMMENTED" and not at(item, "commentAnchor")]
    return [_comment(target, at(item, "comment")) for item in added if text(item, "commentAction") == "ADDED"]


def create(client: Client, target: Target, body: str) -> Comment:
    """Sent once."""
    path = f"{_request(target)}/comments"
    answer = client.send("POST", path, purpose="comment", body={"text": body}, once=True)
    return _comment(target, answer.data)


def update(client: Client, target: Target, comment: Comment, body: str) -> None:
    """409 where somebody was quicker."""
    content = {"text": body, "version": comment.version}
    client.send("PUT", f"{_request(target)}/comments/{comment.id}", purpose="comment", body=content)


def delete(client: Client, target: Target, comment: Comment) -> None:
    """409 where somebody was quicker, or answered it: then it stays."""
    path = f"{_request(target)}/comments/{comment.id}"
    client.send("DELETE", path, purpose="comment", query={"version": comment.version})


def status(client: Client, target: Target, status: Status) -> None:
    """A link is required."""
    body = {
        "key": status.name[:255],
        "name": status.name[:255],
        "state": STATES[status.state],
        "description": status.summary[:255],
        "url": status.link or f"{target.api}{_place(target)}",
    }
    path = f"/rest/api/1.0{_place(target)}/commits/{target.head}/builds"
    client.send("POST", path, purpose="status", body=body)


def annotate(client: Client, target: Target, status: Status, findings: Sequence[Finding]) -> int:
    """A report with at most a thousand annotations; those of an earlier run go first."""
    report = f"/rest/insights/1.0{_place(target)}/commits/{target.head}/reports/{key(status.name)}"
    body: dict[str, object] = {
        "title": status.name[:450],
        "details": status.summary[:2_000],
        "reporter": "git-mlops",
        "result": "PASS" if status.state == "success" else "FAIL",
    }
    if status.link:
        body["link"] = status.link
    client.send("PUT", report, purpose="annotate", body=body)
    client.send("DELETE", f"{report}/annotations", purpose="annotate")
    notes = [_note(finding) for finding in findings if finding.path][:MOST_ANNOTATIONS]
    if notes:
        path = f"{report}/annotations"
        client.send("POST", path, purpose="annotate", body={"annotations": notes})
    return len(notes)


def fit(markdown: str) -> str:
    """It shows HTML as text."""
    return without_html(markdown)


def _note(finding: Finding) -> dict[str, object]:
    hint = f" hint: {finding.hint}" if finding.hint else ""
    return {
        "path": finding.path,
        "line": finding.line or 0,
        "severity": SEVERITIES[finding.level],
        "type": "BUG",
        "message": f"{finding.message} [{finding.rule}]{hint}"[:2_000],
    }


def _pages(client: Client, path: str, query: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    start = 0
    for _ in range(MOST_PAGES):
        answer = client.get(path, {**query, "limit": 100, "start": start})
        yield from items(at(answer.data, "values"))
        following = number(answer.data, "nextPageStart")
        if at(answer.data, "isLastPage") is not False or following <= start:
            return
        start = following
    raise too_many()


def _place(target: Target) -> str:
    project, _, name = target.repository.partition("/")
    return f"/projects/{quote(project, safe='~')}/repos/{quote(name, safe='')}"


def repository(target: Target) -> str:
    """Its path."""
    return f"/rest/api/1.0{_place(target)}"


def _request(target: Target) -> str:
    return f"{repository(target)}/pull-requests/{target.number}"


def _pull(data: object) -> Pull:
    return Pull(number(data, "id"), text(data, "fromRef", "latestCommit"))


def _comment(target: Target, data: object) -> Comment:
    place = f"{target.api}{_place(target)}/pull-requests/{target.number}/overview"
    return Comment(
        id=number(data, "id"),
        author=text(data, "author", "name") or None,
        body=text(data, "text"),
        url=f"{place}?commentId={number(data, 'id')}",
        version=number(data, "version"),
    )
