"""What each CI says of the pull request that it runs for, in variables of its own."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from git_mlops.forges import urls
from git_mlops.forges.answers import at, number, text

_MOST_BYTES = 8 * 2**20


class Facts(NamedTuple):
    """What a CI knows; None is what it does not say."""

    forge: str | None = None
    api: str | None = None
    repository: str | None = None
    number: int | None = None
    head: str | None = None
    run: str | None = None
    source: str | None = None
    fork: bool = False
    """The pull request comes from another repository: the job's token probably only reads."""


Environment = Mapping[str, str]


def facts(environment: Environment) -> tuple[str, Facts] | None:
    """The CI's name and what it says; None outside of every CI we know."""
    for name, read in CIS.items():
        found = read(environment)
        if found is not None:
            return name, found
    return None


def _actions(env: Environment, forge: str) -> Facts:
    event = _event(env.get("GITHUB_EVENT_PATH"))
    request = at(event, "pull_request")
    run = at(event, "workflow_run")
    head = text(request, "head", "sha") or text(run, "head_sha")
    pull = number(request, "number") or (
        number(event, "issue", "number") if at(event, "issue", "pull_request") else 0
    )
    named = re.fullmatch(r"refs/pull/(\d+)/(?:merge|head)", env.get("GITHUB_REF", ""))
    if not pull and named:
        pull = int(named[1])
    if not head and not pull:
        head = env.get("GITHUB_SHA", "")
    source = text(run, "head_repository", "owner", "login"), text(run, "head_branch")
    return Facts(
        forge=forge,
        api=env.get("GITHUB_API_URL"),
        repository=env.get("GITHUB_REPOSITORY"),
        number=pull or None,
        head=head or None,
        run=_joined(
            env.get("GITHUB_SERVER_URL"),
            env.get("GITHUB_REPOSITORY"),
            "actions/runs",
            env.get("GITHUB_RUN_ID"),
        ),
        source=":".join(source) if all(source) else None,
        fork=text(request, "head", "repo", "full_name") != text(request, "base", "repo", "full_name"),
    )


def _github(env: Environment) -> Facts | None:
    return _actions(env, "github") if env.get("GITHUB_ACTIONS") == "true" else None


def _gitea(env: Environment) -> Facts | None:
    """They set GitHub's variables too: they are asked first."""
    ours = "true" in (env.get("GITEA_ACTIONS"), env.get("FORGEJO_ACTIONS"))
    return _actions(env, "gitea") if ours else None


def _gitlab(env: Environment) -> Facts | None:
    """In a fork's pipeline the merge request belongs to another project than the job."""
    if not env.get("GITLAB_CI"):
        return None
    project = env.get("CI_MERGE_REQUEST_PROJECT_PATH") or env.get("CI_PROJECT_PATH")
    opened = re.match(r"(?P<project>[^!,]+)!(?P<number>\d+)", env.get("CI_OPEN_MERGE_REQUESTS", ""))
    own = _whole(env.get("CI_MERGE_REQUEST_IID"))
    if own is None and opened:
        project, own = opened["project"], int(opened["number"])
    source = env.get("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH")
    return Facts(
        forge="gitlab",
        api=env.get("CI_API_V4_URL"),
        repository=project,
        number=own,
        # of a merged result's pipeline CI_COMMIT_SHA is the merge
        head=env.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or env.get("CI_COMMIT_SHA"),
        run=env.get("CI_JOB_URL") or env.get("CI_PIPELINE_URL"),
        fork=bool(source and source != project),
    )


def _bitbucket(env: Environment) -> Facts | None:
    if not env.get("BITBUCKET_BUILD_NUMBER"):
        return None
    repository = _joined(env.get("BITBUCKET_WORKSPACE"), env.get("BITBUCKET_REPO_SLUG"))
    build = env.get("BITBUCKET_BUILD_NUMBER")
    return Facts(
        forge="bitbucket",
        api=urls.PUBLIC_API["bitbucket"],
        repository=repository or env.get("BITBUCKET_REPO_FULL_NAME"),
        number=_whole(env.get("BITBUCKET_PR_ID")),
        head=env.get("BITBUCKET_COMMIT"),
        run=_joined("https://bitbucket.org", repository, "pipelines/results", build),
    )


def _azure(env: Environment) -> Facts | None:
    """Its pipelines also build what lies on GitHub."""
    if env.get("TF_BUILD", "").lower() != "true":
        return None
    collection = (
        env.get("SYSTEM_COLLECTIONURI") or env.get("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI") or ""
    ).rstrip("/")
    project = env.get("SYSTEM_TEAMPROJECT")
    common = Facts(
        head=env.get("SYSTEM_PULLREQUEST_SOURCECOMMITID") or env.get("BUILD_SOURCEVERSION"),
        run=_joined(collection, project, f"_build/results?buildId={env.get('BUILD_BUILDID')}")
        if env.get("BUILD_BUILDID")
        else None,
        fork=env.get("SYSTEM_PULLREQUEST_ISFORK", "").lower() == "true",
    )
    provider = env.get("BUILD_REPOSITORY_PROVIDER", "TfsGit")
    if provider in ("GitHub", "GitHubEnterprise"):
        place = urls.of_remote(env.get("BUILD_REPOSITORY_URI", ""), "github")
        return common._replace(
            forge="github",
            api=place.api,
            repository=env.get("BUILD_REPOSITORY_NAME"),
            number=_whole(env.get("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER")),
        )
    if provider != "TfsGit":
        return common
    return common._replace(
        forge="azure",
        api=collection or None,
        repository=_joined(project, env.get("BUILD_REPOSITORY_ID") or env.get("BUILD_REPOSITORY_NAME")),
        number=_whole(env.get("SYSTEM_PULLREQUEST_PULLREQUESTID")),
    )


def _jenkins(env: Environment) -> Facts | None:
    """A multibranch job knows its change's page. What it built may be a merge: it does not tell the head."""
    if not env.get("JENKINS_URL"):
        return None
    place = urls.of_page(env.get("CHANGE_URL", ""))
    change = _whole(env.get("CHANGE_ID"))
    return Facts(
        *place._replace(number=change or place.number),
        run=env.get("RUN_DISPLAY_URL") or env.get("BUILD_URL"),
        fork=bool(env.get("CHANGE_FORK")),
    )


def _circleci(env: Environment) -> Facts | None:
    if env.get("CIRCLECI") != "true":
        return None
    place = urls.of_page(env.get("CIRCLE_PULL_REQUEST", ""))
    fork = bool(env.get("CIRCLE_PR_USERNAME"))
    return Facts(*place, head=env.get("CIRCLE_SHA1"), run=env.get("CIRCLE_BUILD_URL"), fork=fork)


CIS: dict[str, Callable[[Environment], Facts | None]] = {
    "Gitea Actions": _gitea,
    "GitHub Actions": _github,
    "GitLab CI": _gitlab,
    "Bitbucket Pipelines": _bitbucket,
    "Azure Pipelines": _azure,
    "CircleCI": _circleci,
    "Jenkins": _jenkins,
}


def _event(path: str | None) -> object:
    """The event's own description; nothing where it cannot be read."""
    if not path:
        return None
    try:
        with Path(path).open("rb") as file:
            return json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None


def _whole(words: str | None) -> int | None:
    return int(words) if words and words.isascii() and words.isdigit() and int(words) else None


def _joined(*parts: str | None) -> str | None:
    return "/".join(part for part in parts if part) if all(parts) else None
