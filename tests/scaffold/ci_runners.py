"""Every provider's runner, as far as a pipeline of ours can see it: variables, checkout, steps in order."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import yaml

from git_mlops.git.repo import Repo
from git_mlops.scaffold.ci_providers import PROVIDERS
from git_mlops.scaffold.settings import Name

Variables = dict[str, str]


class Event(NamedTuple):
    """What happened on the forge."""

    head: str
    base: str | None = None
    """Of a pull request: the tip of `main`, which it is to enter. Of a push: what was there before."""
    push: bool = False


class Step(NamedTuple):
    """A command, with what it alone is given."""

    name: str
    command: str
    given: Variables = {}  # noqa: RUF012  # never changed


def of_actions(text: str, job: str = "check") -> list[Step]:
    found = yaml.safe_load(text)["jobs"][job]["steps"]
    return [Step(one["name"], one["run"], one.get("env", {})) for one in found if "run" in one]


def of_gitlab(text: str, job: str = "mlops-check") -> list[Step]:
    return [Step(one.rpartition(" ")[2], one) for one in yaml.safe_load(text)[job]["script"]]


def of_azure(text: str) -> list[Step]:
    found = yaml.safe_load(text)["jobs"][0]["steps"]
    return [Step(one["displayName"], one["script"], one.get("env", {})) for one in found if "script" in one]


def of_bitbucket(text: str) -> list[Step]:
    found = yaml.safe_load(text)["pipelines"]["pull-requests"]["**"][0]["step"]["script"]
    return [Step(one.rpartition(" ")[2], one) for one in found]


def of_circleci(text: str) -> list[Step]:
    found = yaml.safe_load(text)["jobs"]["check"]["steps"]
    runs = [one["run"] for one in found if isinstance(one, dict) and "run" in one]
    return [Step(one["name"], one["command"], one.get("environment", {})) for one in runs]


def of_jenkins(text: str) -> list[Step]:
    """Those of a pull request that is of no fork."""
    stages = [one.partition("'") for one in re.split(r"stage\('", text)]
    own = [(name, re.findall(r"sh '([^']*)'", body)) for name, _, body in stages if "of a fork" not in name]
    return [Step(name, command) for name, commands in own for command in commands]


def of_script(text: str) -> list[Step]:
    return [Step("all", "sh .mlops/ci.sh")]


STEPS: dict[Name, Callable[[str], list[Step]]] = {
    "github": of_actions,
    "gitlab": of_gitlab,
    "jenkins": of_jenkins,
    "azure": of_azure,
    "bitbucket": of_bitbucket,
    "circleci": of_circleci,
    "gitea": of_actions,
    "sh": of_script,
}


def variables(name: Name, event: Event) -> Variables:
    """What the runner sets, for a pull request into `main` or a push."""
    return _VARIABLES[name](event) | ({} if name in ("azure", "jenkins", "sh") else {"CI": "true"})


def _actions(event: Event) -> Variables:
    return {"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://forge.invalid"}


def _gitlab(event: Event) -> Variables:
    own = {"GITLAB_CI": "true", "CI_COMMIT_SHA": event.head, "CI_PROJECT_URL": "https://forge.invalid/a/b"}
    if event.push:
        return own | {"CI_COMMIT_BEFORE_SHA": event.base or "0" * 40}
    return own | {
        "CI_COMMIT_BEFORE_SHA": "0" * 40,
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_PROJECT_URL": "https://forge.invalid/a/b",
    }


def _azure(event: Event) -> Variables:
    own = {"TF_BUILD": "True", "BUILD_SOURCEVERSION": event.head}
    if event.push:
        return own
    return own | {
        "SYSTEM_PULLREQUEST_SOURCECOMMITID": event.head,
        "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main",
        "BUILD_SOURCEVERSION": "0" * 40,
    }


def _bitbucket(event: Event) -> Variables:
    own = {"BITBUCKET_BUILD_NUMBER": "3", "BITBUCKET_COMMIT": event.head}
    if event.push:
        return own
    return own | {
        "BITBUCKET_PR_DESTINATION_COMMIT": (event.base or "")[:12],
        "BITBUCKET_PR_DESTINATION_BRANCH": "main",
    }


def _circleci(event: Event) -> Variables:
    branch = "main" if event.push else "feature"
    return {"CIRCLECI": "true", "CIRCLE_SHA1": event.head, "CIRCLE_BRANCH": branch}


def _jenkins(event: Event) -> Variables:
    if event.push:
        return {"JENKINS_URL": "https://ci.invalid"} | (
            {"GIT_PREVIOUS_COMMIT": event.base} if event.base else {}
        )
    return {"JENKINS_URL": "https://ci.invalid", "CHANGE_ID": "7", "CHANGE_TARGET": "main"}


_VARIABLES: dict[Name, Callable[[Event], Variables]] = {
    "github": _actions,
    "gitlab": _gitlab,
    "jenkins": _jenkins,
    "azure": _azure,
    "bitbucket": _bitbucket,
    "circleci": _circleci,
    "gitea": lambda event: _actions(event) | {"GITEA_ACTIONS": "true"},
    "sh": lambda _event: {},
}


def replaced(name: Name, event: Event, given: Variables) -> Variables:
    """What the provider puts in place of its expressions; nobody has secrets here."""
    values = {
        "${{ github.event.pull_request.base.sha || github.event.before }}": event.base or "0" * 40,
        "${{ github.event.pull_request.head.sha || github.sha }}": event.head,
        "${{ github.event.pull_request.number }}": "7",
        "${{ github.token }}": "secret-token",
        "<< pipeline.git.base_revision >>": (event.base or "") if event.push else "",
    }
    return {key: "" if "secrets." in text else values.get(text, text) for key, text in given.items()}


def checked_out(place: Repo, name: Name, event: Event) -> None:
    """Leave the clone as the provider's checkout does: some merge the target first, and never push that."""
    commit = event.head
    if not event.push and event.base and name in ("azure", "bitbucket", "jenkins"):
        parents = (event.base, event.head) if name == "azure" else (event.head, event.base)
        commit = place.text(
            "-c", "user.name=nobody", "-c", "user.email=n@n.invalid",
            "commit-tree", f"{event.head}^{{tree}}", "-p", parents[0], "-p", parents[1], "-m", "merge",
        )  # fmt: skip
    place.git("-c", "advice.detachedHead=false", "checkout", "-q", commit)


def steps(place: Path, name: Name) -> list[Step]:
    """The provider's steps of a pull request, with what all of them are given."""
    text = (place / PROVIDERS[name].path).read_text(encoding="utf-8")
    common = yaml.safe_load(text).get("env", {}) if name in ("github", "gitea") else {}
    return [one._replace(given={**common, **one.given}) for one in STEPS[name](text)]
