"""Where the report goes, as every CI says it."""

import json
from pathlib import Path

import pytest

from git_mlops.errors import MlopsError
from git_mlops.forges import Overrides, Target, find
from git_mlops.forges.ci import CIS
from git_mlops.forges.urls import Place, of_page, of_remote

HEAD = "a" * 40
MERGE = "b" * 40


def place(target: Target) -> tuple[object, ...]:
    """What matters of a target."""
    return (target.forge, target.api, target.repository, target.number, target.head, target.token_variable)


def event(tmp_path: Path, data: object) -> str:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return str(path)


def pull_event(head: str = "ada/models") -> dict[str, object]:
    repos = {
        "head": {"sha": HEAD, "repo": {"full_name": head}},
        "base": {"repo": {"full_name": "ada/models"}},
    }
    return {"pull_request": {"number": 7, **repos}}


GITHUB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_API_URL": "https://api.github.com",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "ada/models",
    "GITHUB_RUN_ID": "99",
    "GITHUB_SHA": MERGE,
    "GITHUB_REF": "refs/pull/7/merge",
    "GITHUB_TOKEN": "t0ken",
}


def test_github_actions(tmp_path: Path) -> None:
    target = find({**GITHUB, "GITHUB_EVENT_PATH": event(tmp_path, pull_event())})
    assert place(target) == ("github", "https://api.github.com", "ada/models", 7, HEAD, "GITHUB_TOKEN")
    assert (target.run, target.token.reveal()) == ("https://github.com/ada/models/actions/runs/99", "t0ken")


def test_github_actions_of_a_workflow_run_knows_no_number_but_the_branch(tmp_path: Path) -> None:
    run = {"head_sha": HEAD, "head_branch": "try", "head_repository": {"owner": {"login": "grace"}}}
    variables = {**GITHUB, "GITHUB_REF": "refs/heads/main"}
    target = find({**variables, "GITHUB_EVENT_PATH": event(tmp_path, {"workflow_run": run})})
    assert (target.number, target.head, target.source) == (None, HEAD, "grace:try")


@pytest.mark.parametrize("content", ["", "[]", '"x"', "{", '{"pull_request": 3}', "[" * 50_000])
def test_an_event_that_cannot_be_read_leaves_the_variables(tmp_path: Path, content: str) -> None:
    path = tmp_path / "event.json"
    path.write_text(content, encoding="utf-8")
    target = find({**GITHUB, "GITHUB_EVENT_PATH": str(path)})
    assert (target.number, target.head) == (7, None)


def test_github_actions_of_a_push() -> None:
    target = find({**GITHUB, "GITHUB_REF": "refs/heads/main"})
    assert (target.number, target.head) == (None, MERGE)


def test_a_fork_without_a_token_is_told_what_to_do(tmp_path: Path) -> None:
    variables = {
        **GITHUB,
        "GITHUB_TOKEN": "",
        "GITHUB_EVENT_PATH": event(tmp_path, pull_event("grace/models")),
    }
    with pytest.raises(MlopsError, match="no token for GitHub: `GITHUB_TOKEN` is not set") as caught:
        find(variables)
    assert "fork" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["GITEA_ACTIONS", "FORGEJO_ACTIONS"])
def test_gitea_actions_are_not_taken_for_github(tmp_path: Path, name: str) -> None:
    variables = {**GITHUB, name: "true", "GITHUB_API_URL": "https://git.example/api/v1"}
    target = find({**variables, "GITHUB_EVENT_PATH": event(tmp_path, pull_event())})
    assert place(target) == ("gitea", "https://git.example/api/v1", "ada/models", 7, HEAD, "GITHUB_TOKEN")


GITLAB = {
    "GITLAB_CI": "true",
    "CI_API_V4_URL": "https://git.example/api/v4",
    "CI_PROJECT_PATH": "grace/models",
    "CI_COMMIT_SHA": MERGE,
    "CI_JOB_URL": "https://git.example/job/1",
    "GITLAB_TOKEN": "t",
}


def test_gitlab_of_a_merge_request_from_a_fork() -> None:
    own = {
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_PROJECT_PATH": "ada/group/models",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD,
    }
    expected = ("gitlab", "https://git.example/api/v4", "ada/group/models", 7, HEAD, "GITLAB_TOKEN")
    assert place(find({**GITLAB, **own})) == expected


def test_gitlab_of_a_branch_with_an_open_merge_request() -> None:
    target = find({**GITLAB, "CI_OPEN_MERGE_REQUESTS": "ada/models!12,ada/other!13"})
    assert (target.repository, target.number, target.head) == ("ada/models", 12, MERGE)


def test_bitbucket_pipelines() -> None:
    variables = {
        "BITBUCKET_BUILD_NUMBER": "5",
        "BITBUCKET_WORKSPACE": "ada",
        "BITBUCKET_REPO_SLUG": "models",
        "BITBUCKET_PR_ID": "7",
        "BITBUCKET_COMMIT": HEAD[:12],
        "BITBUCKET_TOKEN": "t",
    }
    expected = ("bitbucket", "https://api.bitbucket.org/2.0", "ada/models", 7, HEAD[:12], "BITBUCKET_TOKEN")
    assert place(find(variables)) == expected


AZURE = {
    "TF_BUILD": "True",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/ada/",
    "SYSTEM_TEAMPROJECT": "Team Project",
    "BUILD_REPOSITORY_ID": "1f2e",
    "BUILD_REPOSITORY_PROVIDER": "TfsGit",
    "BUILD_BUILDID": "3",
    "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
    "SYSTEM_PULLREQUEST_SOURCECOMMITID": HEAD,
    "SYSTEM_ACCESSTOKEN": "t",
}


def test_azure_pipelines() -> None:
    expected = ("azure", "https://dev.azure.com/ada", "Team Project/1f2e", 7, HEAD, "SYSTEM_ACCESSTOKEN")
    assert place(find(AZURE)) == expected


def test_azure_pipelines_of_a_repository_on_github() -> None:
    variables = {
        **AZURE,
        "BUILD_REPOSITORY_PROVIDER": "GitHub",
        "BUILD_REPOSITORY_NAME": "ada/models",
        "BUILD_REPOSITORY_URI": "https://github.com/ada/models.git",
        "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER": "8",
        "GITHUB_TOKEN": "t",
    }
    assert place(find(variables)) == (
        "github",
        "https://api.github.com",
        "ada/models",
        8,
        HEAD,
        "GITHUB_TOKEN",
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/ada/models/pull/7", Place("github", "https://api.github.com", "ada/models", 7)),
        (
            "https://ghe.example/ada/models/pull/7",
            Place("github", "https://ghe.example/api/v3", "ada/models", 7),
        ),
        (
            "https://git.example/a/b/c/-/merge_requests/7",
            Place("gitlab", "https://git.example/api/v4", "a/b/c", 7),
        ),
        (
            "https://bitbucket.org/ada/models/pull-requests/7",
            Place("bitbucket", "https://api.bitbucket.org/2.0", "ada/models", 7),
        ),
        (
            "https://host.example/bitbucket/projects/PRJ/repos/models/pull-requests/7/overview",
            Place("bitbucket-server", "https://host.example/bitbucket", "PRJ/models", 7),
        ),
        (
            "https://host.example/users/ada/repos/models/pull-requests/7",
            Place("bitbucket-server", "https://host.example", "~ada/models", 7),
        ),
        (
            "https://git.example:3000/sub/ada/models/pulls/7",
            Place("gitea", "https://git.example:3000/sub/api/v1", "ada/models", 7),
        ),
        (
            "https://dev.azure.com/org/Team%20Project/_git/models/pullrequest/7",
            Place("azure", "https://dev.azure.com/org", "Team Project/models", 7),
        ),
        ("https://user:pw@github.com/a/b/pull/1", Place("github", "https://api.github.com", "a/b", 1)),
        ("https://evil.example/x", Place()),
        ("javascript:alert(1)", Place()),
        ("", Place()),
    ],
)
def test_a_pull_requests_page_tells_its_forge(url: str, expected: Place) -> None:
    assert of_page(url) == expected


def test_jenkins() -> None:
    variables = {
        "JENKINS_URL": "https://ci.example/",
        "BUILD_URL": "https://ci.example/job/1/",
        "CHANGE_ID": "7",
        "CHANGE_URL": "https://host.example/projects/PRJ/repos/models/pull-requests/7/overview",
        "BITBUCKET_TOKEN": "t",
    }
    expected = ("bitbucket-server", "https://host.example", "PRJ/models", 7, None, "BITBUCKET_TOKEN")
    assert place(find(variables)) == expected
    assert find(variables, overrides=Overrides(head=HEAD)).head == HEAD


def test_circleci() -> None:
    variables = {"CIRCLECI": "true", "CIRCLE_SHA1": HEAD, "GH_TOKEN": "t"}
    variables["CIRCLE_PULL_REQUEST"] = "https://github.com/ada/models/pull/7"
    assert place(find(variables)) == ("github", "https://api.github.com", "ada/models", 7, HEAD, "GH_TOKEN")


@pytest.mark.parametrize(
    ("url", "forge", "expected"),
    [
        ("git@github.com:ada/models.git", None, Place("github", "https://api.github.com", "ada/models")),
        ("https://t@gitlab.com/a/b/c.git", None, Place("gitlab", "https://gitlab.com/api/v4", "a/b/c")),
        (
            "ssh://git@altssh.gitlab.com:443/a/b.git",
            None,
            Place("gitlab", "https://gitlab.com/api/v4", "a/b"),
        ),
        ("git@codeberg.org:a/b.git", None, Place("gitea", "https://codeberg.org/api/v1", "a/b")),
        (
            "https://org@dev.azure.com/org/proj/_git/repo",
            None,
            Place("azure", "https://dev.azure.com/org", "proj/repo"),
        ),
        (
            "git@ssh.dev.azure.com:v3/org/proj/repo",
            None,
            Place("azure", "https://dev.azure.com/org", "proj/repo"),
        ),
        ("git@git.example:a/b.git", None, Place()),
        ("git@git.example:a/b.git", "gitea", Place("gitea", "https://git.example/api/v1", "a/b")),
        (
            "https://git.example:8443/scm/PRJ/models.git",
            "bitbucket-server",
            Place("bitbucket-server", "https://git.example:8443", "PRJ/models"),
        ),
        (
            "ssh://git@git.example:7999/PRJ/models.git",
            "bitbucket-server",
            Place("bitbucket-server", "https://git.example", "PRJ/models"),
        ),
        ("git@github.com:ada/models.git", "gitlab", Place()),
        ("/srv/git/models.git", "gitea", Place()),
        ("file:///srv/git/models.git", "gitea", Place()),
    ],
)
def test_a_remote_tells_its_forge(url: str, forge: str | None, expected: Place) -> None:
    assert of_remote(url, forge) == expected


def test_on_a_laptop_the_remote_and_a_number_are_enough() -> None:
    target = find({"GH_TOKEN": "t"}, ["/srv/x", "git@github.com:ada/models.git"], Overrides(number=7))
    assert place(target) == ("github", "https://api.github.com", "ada/models", 7, None, "GH_TOKEN")


def test_flags_win() -> None:
    flags = Overrides("gitea", "grace/other", 9, "https://git.example/api/v1/", HEAD, "MINE")
    target = find({**GITHUB, "MINE": "t"}, ["git@github.com:ada/models.git"], flags)
    assert place(target) == ("gitea", "https://git.example/api/v1", "grace/other", 9, HEAD, "MINE")


def test_our_own_variable_comes_first() -> None:
    assert find({**GITHUB, "MLOPS_FORGE_TOKEN": "mine"}).token_variable == "MLOPS_FORGE_TOKEN"


@pytest.mark.parametrize(
    ("variables", "remotes", "flags", "message"),
    [
        ({}, [], Overrides(), "neither a CI nor a git remote says which pull request"),
        ({"JENKINS_URL": "https://ci"}, [], Overrides(), "Jenkins does not say which pull request"),
        ({}, [], Overrides(forge="gogs"), "no forge `gogs`"),
        ({"GH_TOKEN": "t"}, [], Overrides(forge="github"), "which repository of GitHub"),
        ({"GITEA_TOKEN": "t"}, [], Overrides("gitea", "a/b"), "where is the API of Gitea"),
        ({}, [], Overrides("github", "a/b", 1), "no token for GitHub: `GITHUB_TOKEN` is not set"),
        ({"X": "t"}, [], Overrides("github", "a/b", 1, token_variable="Y"), "`Y` is not set"),
        ({"GH_TOKEN": "a b"}, [], Overrides("github", "a/b", 1), "`GH_TOKEN` does not hold a token"),
        ({"GH_TOKEN": "a\nX: y"}, [], Overrides("github", "a/b", 1), "`GH_TOKEN` does not hold a token"),
        ({"GH_TOKEN": "t"}, [], Overrides("github", "a", 1), "`a` is no repository"),
        ({"GH_TOKEN": "t"}, [], Overrides("github", "a/..", 1), "is no repository"),
        ({"GH_TOKEN": "t"}, [], Overrides("github", "a/b?x=1", 1), "is no repository"),
        ({"GH_TOKEN": "t"}, [], Overrides("github", "a/b/c", 1), "is no repository"),
        ({"GH_TOKEN": "t"}, [], Overrides("github", "a/b", 1, head="HEAD"), "`HEAD` is no commit id"),
        ({"GH_TOKEN": "t"}, [], Overrides("github", "a/b", 1, "ftp://x/y"), "is no API's URL"),
        ({"GH_TOKEN": "t"}, [], Overrides("github", "a/b", 1, "file:///etc/passwd"), "is no API's URL"),
        (
            {"GH_TOKEN": "t"},
            [],
            Overrides("github", "a/b", 1, "https://u:p@x"),
            "`https://\\*\\*\\*@x` holds a name",
        ),
        ({**GITLAB, "CI_API_V4_URL": "http://git.example/api/v4"}, [], Overrides(), "has no TLS"),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    variables: dict[str, str], remotes: list[str], flags: Overrides, message: str
) -> None:
    with pytest.raises(MlopsError, match=message) as caught:
        find(variables, remotes, flags)
    assert caught.value.exit_code == 2


def test_without_tls_only_where_somebody_says_so() -> None:
    plain = "http://git.example/api/v4"
    assert find({**GITLAB, "CI_API_V4_URL": plain}, overrides=Overrides(api=plain)).api == plain
    assert find({**GITLAB, "CI_API_V4_URL": "http://127.0.0.1:1/x"}).api == "http://127.0.0.1:1/x"


def test_a_dry_run_needs_no_token() -> None:
    assert not find({}, [], Overrides("github", "a/b", 1), token_needed=False).token


def test_nothing_known_is_no_ci() -> None:
    assert [name for name, read in CIS.items() if read({"CI": "true", "CHANGE_ID": "7"}) is not None] == []
