"""Comments by the generated pipelines: their own steps against a server that speaks the forge's API."""

import json
import os
from pathlib import Path

import pytest
import yaml

from git_mlops.git.repo import Repo, discover
from git_mlops.scaffold.ci import generate
from git_mlops.scaffold.settings import Settings
from tests.conftest import Run
from tests.forges import conftest as forges
from tests.forges.apps import TOKEN, GitHub, GitLab
from tests.forges.conftest import Start

start = forges.start
SETTINGS = Settings(comment=True, install="true", providers=("github", "gitlab"))


@pytest.fixture
def job(repo: Repo, run: Run, tmp_path: Path) -> Repo:
    """A runner's clone of a pull request that was checked."""
    (repo.root / "mlops.yaml").write_text("version: 1\nci: {comment: true}\n")
    for name in SETTINGS.providers:
        generate(repo, name, SETTINGS)
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "start")
    repo.git("switch", "-q", "-c", "feature")
    (repo.root / "notes.md").write_text("words\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "notes")
    place = tmp_path / "job"
    run("git", "clone", "-q", repo.common_dir.as_uri(), place, cwd=tmp_path)
    return discover(place)


def gitlab(job: Repo, api: str) -> dict[str, str]:
    return {
        **os.environ,
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_COMMIT_SHA": job.text("rev-parse", "origin/feature"),
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_PROJECT_PATH": GitLab.repository,
        "CI_API_V4_URL": api,
    }


def test_a_step_posts_the_report(job: Repo, run: Run, start: Start) -> None:
    forge = start(GitLab)
    own = gitlab(job, forge.target.api)
    forge.app.pulls = [(7, own["CI_COMMIT_SHA"])]
    done = run("sh", ".mlops/ci.sh", "range", "post", cwd=job.root, env={**own, "GITLAB_TOKEN": TOKEN})
    (note,) = forge.app.notes.values()
    assert "notes.md" in note.body or "pass: " in note.body
    assert TOKEN not in done.stdout + done.stderr


def test_without_a_token_it_is_told_and_no_failure(job: Repo, run: Run, start: Start) -> None:
    forge = start(GitLab)
    # what Azure leaves in place of a secret that is not there
    own = {**gitlab(job, forge.target.api), "MLOPS_FORGE_TOKEN": "$(MLOPS_FORGE_TOKEN)"}
    done = run("sh", ".mlops/ci.sh", "range", "post", cwd=job.root, env=own)
    assert done.stdout.splitlines()[-1] == "no token here: the report is kept as a file, not posted"
    assert not forge.app.log


def test_a_push_posts_nothing(job: Repo, run: Run) -> None:
    own = {**os.environ, "CI": "true", "GITLAB_CI": "true", "GITLAB_TOKEN": TOKEN}
    own |= {"CI_COMMIT_SHA": job.text("rev-parse", "origin/feature"), "CI_COMMIT_BEFORE_SHA": "HEAD"}
    done = run("sh", ".mlops/ci.sh", "range", "post", cwd=job.root, env=own)
    assert done.stdout.splitlines()[-1] == "no pull request: nothing to post"


def test_what_a_forks_job_left_is_posted_by_another_as_anybodys_text(
    job: Repo, run: Run, start: Start, tmp_path: Path
) -> None:
    """GitHub: the first job has no rights, the second one nothing of the pull request but the file."""
    forge = start(GitHub)
    head = job.text("rev-parse", "origin/feature")
    forge.app.pulls = [(7, head)]
    own = {**os.environ, "CI": "true", "GITHUB_ACTIONS": "true"}
    first = {**own, "BASE": job.text("rev-parse", "origin/main"), "HEAD": head}
    run("sh", ".mlops/ci.sh", "range", "check", cwd=job.root, env=first)
    left = tmp_path / "temp" / "mlops-report" / "bundle.json"
    left.parent.mkdir(parents=True)
    text = (job.root / ".mlops" / "ci" / "report" / "bundle.json").read_text()
    left.write_text(text.replace("pass: ", "pass <img src=x> @team [x](http://e.example) "))
    event = {"workflow_run": {"head_sha": head, "head_branch": "feature",
                              "head_repository": {"owner": {"login": "mallory"}}}}  # fmt: skip
    (tmp_path / "event.json").write_text(json.dumps(event))
    second = {
        **own,
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_API_URL": forge.target.api,
        "GITHUB_REPOSITORY": GitHub.repository,
        "RUNNER_TEMP": str(tmp_path / "temp"),
    }
    workflow = yaml.safe_load((job.root / ".github" / "workflows" / "mlops-comment.yml").read_text())
    step = workflow["jobs"]["comment"]["steps"][-1]
    run("bash", "-eo", "pipefail", "-c", step["run"], cwd=tmp_path, env=second)
    (note,) = forge.app.notes.values()
    assert "what it says is not verified" in note.body
    assert not any(bad in note.body for bad in ("<img", "](http", " @team"))
