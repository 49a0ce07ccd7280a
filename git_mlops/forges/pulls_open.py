"""One open pull request for a branch of ours: found, else opened; its text kept up to date.

A request that got no answer is not repeated before it was looked whether it arrived; of two jobs that open at
once, one is refused by the forge, looks again, and finds the other's.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal, NamedTuple
from urllib.parse import quote

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.forges import azure, bitbucket, bitbucket_server, gitlab
from git_mlops.forges.answers import at, items, number, same, text
from git_mlops.forges.client import Client, Pace, RefusedError, UnclearError, numbered
from git_mlops.forges.markup import closed, cut, disarmed, phrase
from git_mlops.forges.registry import FORGES
from git_mlops.forges.values import Forge, Target

_ROUNDS = 4
_ALREADY = (400, 409, 422)
"""What forges answer where the branch has a pull request: which of them means that, a look says."""
_FIRST, _LAST = "<!-- git-mlops:retrain -->", "<!-- git-mlops:retrain end -->"
_WORDS = "*git-mlops* keeps this description up to date."
"""In place of the marks where HTML is shown as text."""


class Draft(NamedTuple):
    """What to open."""

    branch: str
    """Of the target repository itself, pushed already."""
    into: str
    """The branch that it is to enter."""
    title: str
    body: str
    """Markdown of ours."""
    whole: str = ""
    """Where the rest is, if the forge has no room for it all."""


class Opened(NamedTuple):
    """What became of it."""

    action: Literal["created", "updated", "unchanged", "kept", "dry run"]
    """`kept`: it is open, and somebody has replaced the description that we wrote."""
    number: int | None
    url: str | None = None
    requests: tuple[str, ...] = ()
    """Of a dry run: every request as text, the token hidden."""


class _Open(NamedTuple):
    """An open pull request of the branch."""

    number: int
    body: str
    url: str | None
    version: int = 0
    """Bitbucket Data Center's lock."""
    reviewers: tuple[Mapping[str, object], ...] = ()
    """Of both Bitbuckets: an update that does not name them again removes them."""


class _Way(NamedTuple):
    """How one forge does it."""

    find: Callable[[Client, Target, Draft], list[_Open]]
    create: Callable[[Client, Target, Draft], _Open]
    update: Callable[[Client, Target, Draft, _Open], None]
    limit: int | None = None
    """Characters of a description, where it is not those of a comment."""


def open_pull(target: Target, draft: Draft, *, dry_run: bool = False, pace: Pace | None = None) -> Opened:
    """Open the pull request of a branch, or bring the description of the open one up to date.

    Raises:
        MlopsError: the forge refuses or cannot be reached (exit code 3).
    """
    forge, way = FORGES[target.forge], _WAYS[target.forge]
    pace = pace or Pace()
    client = Client(forge, target, pace=pace, dry=dry_run)
    draft = draft._replace(title=phrase(draft.title, 200), body=_body(forge, way, draft))
    if dry_run:
        way.find(client, target, draft)
        way.create(client, target, draft)
        return Opened("dry run", None, requests=tuple(client.requests))
    return _settled(client, target, draft, way, pace)


def _settled(client: Client, target: Target, draft: Draft, way: _Way, pace: Pace) -> Opened:
    failure: MlopsError | None = None
    for turn in range(_ROUNDS):
        found = sorted(way.find(client, target, draft), key=lambda one: one.number)
        if found:
            if failure is not None and not isinstance(failure, RefusedError):  # what got no answer is there
                return Opened("created", found[0].number, found[0].url)
            return _kept(client, target, draft, way, found[0])
        try:
            made = way.create(client, target, draft)
        except UnclearError as error:
            failure = _unclear(error)
            pace.sleep(2.0**turn)
        except RefusedError as error:
            if error.status not in _ALREADY or failure is not None:
                raise
            failure = error
        else:
            if made.number:
                return Opened("created", made.number, made.url)
            failure = _unclear(None)
    assert failure
    raise failure


def _unclear(error: MlopsError | None) -> MlopsError:
    said = f" ({error})" if error else ""
    return MlopsError(
        f"the forge did not say whether it opened the pull request{said}",
        hint="run the command again: it looks first, and opens no second one",
        exit_code=CANNOT_EVALUATE,
    )


def _kept(client: Client, target: Target, draft: Draft, way: _Way, found: _Open) -> Opened:
    """The description brought up to date, with what people wrote around our part of it."""
    wanted = _merged(found.body, draft.body, hidden=FORGES[target.forge].HIDDEN)
    if wanted is None:
        return Opened("kept", found.number, found.url)
    if same(wanted, found.body):
        return Opened("unchanged", found.number, found.url)
    way.update(client, target, draft._replace(body=wanted), found)
    return Opened("updated", found.number, found.url)


def _merged(old: str, new: str, *, hidden: bool) -> str | None:
    """None: nothing of ours is in it any more."""
    if not hidden:
        return new if old.rstrip().endswith(_WORDS) else None
    before, first, rest = old.partition(_FIRST)
    _ours, last, after = rest.partition(_LAST)
    return f"{before}{new}{after}" if first and last else None


def _body(forge: Forge, way: _Way, draft: Draft) -> str:
    room = (way.limit or forge.LIMIT) - 400
    whole = draft.whole or "`git mlops report` prints the whole."
    body = cut(closed(forge.fit(disarmed(draft.body.strip("\n")))), room, whole)
    return f"{_FIRST}\n\n{body}\n\n{_LAST}" if forge.HIDDEN else f"{body}\n\n---\n\n{_WORDS}"


def _send(
    client: Client, method: str, path: str, body: object, query: Mapping[str, object] | None = None
) -> object:
    once = method == "POST"
    return client.send(method, path, purpose="open", body=body, query=query, once=once).data


# -- GitHub, Gitea ------------------------------------------------------------------------------------------


def _hub_find(client: Client, target: Target, draft: Draft, *, size: tuple[str, int]) -> list[_Open]:
    """A fork may have a branch of the same name: only the repository's own counts."""
    owner = target.repository.partition("/")[0]
    query = {"state": "open", "head": f"{owner}:{draft.branch}", "base": draft.into}
    found = numbered(client, f"/repos/{target.repository}/pulls", query, size)
    return [
        _hub(item)
        for item in found
        if (text(item, "head", "ref"), text(item, "base", "ref")) == (draft.branch, draft.into)
        and text(item, "head", "repo", "full_name").lower() == target.repository.lower()
    ]


def _hub_create(client: Client, target: Target, draft: Draft) -> _Open:
    body = {"title": draft.title, "head": draft.branch, "base": draft.into, "body": draft.body}
    return _hub(_send(client, "POST", f"/repos/{target.repository}/pulls", body))


def _hub_update(client: Client, target: Target, draft: Draft, found: _Open) -> None:
    body = {"title": draft.title, "body": draft.body}
    _send(client, "PATCH", f"/repos/{target.repository}/pulls/{found.number}", body)


def _hub(data: object) -> _Open:
    return _Open(number(data, "number"), text(data, "body"), text(data, "html_url") or None)


# -- GitLab -------------------------------------------------------------------------------------------------


def _lab_path(target: Target) -> str:
    return f"{gitlab.project(target)}/merge_requests"


def _lab_find(client: Client, target: Target, draft: Draft) -> list[_Open]:
    query = {"state": "opened", "source_branch": draft.branch, "target_branch": draft.into}
    found = numbered(client, _lab_path(target), query, ("per_page", 100))
    return [
        _lab(item)
        for item in found
        if (text(item, "source_branch"), text(item, "target_branch")) == (draft.branch, draft.into)
        and at(item, "source_project_id") == at(item, "target_project_id")
    ]


def _lab_create(client: Client, target: Target, draft: Draft) -> _Open:
    body = {
        "title": draft.title,
        "source_branch": draft.branch,
        "target_branch": draft.into,
        "description": draft.body,
        "remove_source_branch": True,
    }
    return _lab(_send(client, "POST", _lab_path(target), body))


def _lab_update(client: Client, target: Target, draft: Draft, found: _Open) -> None:
    body = {"title": draft.title, "description": draft.body}
    _send(client, "PUT", f"{_lab_path(target)}/{found.number}", body)


def _lab(data: object) -> _Open:
    return _Open(number(data, "iid"), text(data, "description"), text(data, "web_url") or None)


# -- Bitbucket ----------------------------------------------------------------------------------------------


def _bucket_path(target: Target) -> str:
    return f"{bitbucket.repository(target)}/pullrequests"


def _bucket_find(client: Client, target: Target, draft: Draft) -> list[_Open]:
    words = f'source.branch.name = "{draft.branch}" AND state = "OPEN"'
    found = items(
        at(
            client.get(_bucket_path(target), {"q": words, "pagelen": 50, "fields": "+values.reviewers"}).data,
            "values",
        )
    )
    return [
        _bucket(item)
        for item in found
        if text(item, "source", "branch", "name") == draft.branch
        and text(item, "destination", "branch", "name") == draft.into
        and text(item, "source", "repository", "full_name").lower() == target.repository.lower()
    ]


def _bucket_create(client: Client, target: Target, draft: Draft) -> _Open:
    body = {
        "title": draft.title,
        "description": draft.body,
        "source": {"branch": {"name": draft.branch}},
        "destination": {"branch": {"name": draft.into}},
        "close_source_branch": True,
    }
    return _bucket(_send(client, "POST", _bucket_path(target), body))


def _bucket_update(client: Client, target: Target, draft: Draft, found: _Open) -> None:
    body = {"title": draft.title, "description": draft.body, "reviewers": found.reviewers}
    _send(client, "PUT", f"{_bucket_path(target)}/{found.number}", body)


def _bucket(data: object) -> _Open:
    body = text(data, "summary", "raw") or text(data, "description")
    people = tuple({"uuid": text(one, "uuid")} for one in items(at(data, "reviewers")))
    return _Open(number(data, "id"), body, text(data, "links", "html", "href") or None, reviewers=people)


# -- Bitbucket Data Center ----------------------------------------------------------------------------------


def _center_path(target: Target) -> str:
    return f"{bitbucket_server.repository(target)}/pull-requests"


def _center_find(client: Client, target: Target, draft: Draft) -> list[_Open]:
    query = {
        "state": "OPEN",
        "direction": "OUTGOING",
        "at": f"refs/heads/{draft.branch}",
        "limit": 100,
    }
    found = items(at(client.get(_center_path(target), query).data, "values"))
    ends = (f"refs/heads/{draft.branch}", f"refs/heads/{draft.into}")
    return [
        _center(item) for item in found if (text(item, "fromRef", "id"), text(item, "toRef", "id")) == ends
    ]


def _center_create(client: Client, target: Target, draft: Draft) -> _Open:
    body = {
        "title": draft.title,
        "description": draft.body,
        "fromRef": {"id": f"refs/heads/{draft.branch}"},
        "toRef": {"id": f"refs/heads/{draft.into}"},
    }
    return _center(_send(client, "POST", _center_path(target), body))


def _center_update(client: Client, target: Target, draft: Draft, found: _Open) -> None:
    body: dict[str, object] = {"title": draft.title, "description": draft.body, "version": found.version}
    body["reviewers"] = found.reviewers
    _send(client, "PUT", f"{_center_path(target)}/{found.number}", body)


def _center(data: object) -> _Open:
    link = next((text(one, "href") for one in items(at(data, "links", "self"))), "")
    people = tuple({"user": {"name": text(one, "user", "name")}} for one in items(at(data, "reviewers")))
    return _Open(number(data, "id"), text(data, "description"), link or None, number(data, "version"), people)


# -- Azure --------------------------------------------------------------------------------------------------


def _azure_path(target: Target) -> str:
    return f"{azure.repository(target)}/pullrequests"


def _azure_find(client: Client, target: Target, draft: Draft) -> list[_Open]:
    query = {
        "searchCriteria.status": "active",
        "searchCriteria.sourceRefName": f"refs/heads/{draft.branch}",
        "searchCriteria.targetRefName": f"refs/heads/{draft.into}",
        **azure.VERSION,
    }
    found = items(at(client.get(_azure_path(target), query).data, "value"))
    ends = (f"refs/heads/{draft.branch}", f"refs/heads/{draft.into}")
    own = [
        number(item, "pullRequestId")
        for item in found
        if (text(item, "sourceRefName"), text(item, "targetRefName")) == ends and not at(item, "forkSource")
    ]
    # a list has descriptions cut short
    return [_azure(target, client.get(f"{_azure_path(target)}/{id_}", azure.VERSION).data) for id_ in own]


def _azure_create(client: Client, target: Target, draft: Draft) -> _Open:
    body = {
        "title": draft.title,
        "description": draft.body,
        "sourceRefName": f"refs/heads/{draft.branch}",
        "targetRefName": f"refs/heads/{draft.into}",
    }
    return _azure(target, _send(client, "POST", _azure_path(target), body, azure.VERSION))


def _azure_update(client: Client, target: Target, draft: Draft, found: _Open) -> None:
    body = {"title": draft.title, "description": draft.body}
    _send(client, "PATCH", f"{_azure_path(target)}/{found.number}", body, azure.VERSION)


def _azure(target: Target, data: object) -> _Open:
    project, _, name = target.repository.partition("/")
    id_ = number(data, "pullRequestId")
    page = f"{target.api}/{quote(project)}/_git/{quote(name)}/pullrequest/{id_}"
    return _Open(id_, text(data, "description"), page)


_WAYS: Mapping[str, _Way] = {
    "github": _Way(partial(_hub_find, size=("per_page", 100)), _hub_create, _hub_update),
    "gitea": _Way(partial(_hub_find, size=("limit", 50)), _hub_create, _hub_update),
    "gitlab": _Way(_lab_find, _lab_create, _lab_update),
    "bitbucket": _Way(_bucket_find, _bucket_create, _bucket_update),
    "bitbucket-server": _Way(_center_find, _center_create, _center_update),
    "azure": _Way(_azure_find, _azure_create, _azure_update, limit=4_000),
}
