"""The report on its way to every forge, as a user and as two CI jobs send it."""

from pathlib import Path

import pytest

from tests.checks.conftest import Project
from tests.conftest import Run
from tests.forges.apps import TOKEN, Bitbucket, GitHub
from tests.forges.conftest import Forge


@pytest.fixture
def change(project: Project) -> Project:
    """A branch whose only change is a document."""
    project.settings("checks: {data-pushed: off}\n")
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "start")
    project.git("switch", "-q", "-c", "topic")
    project.write("notes.md", b"words\n")
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "notes")
    return project


def flags(forge: Forge, head: str) -> list[str]:
    forge.app.pulls = [(7, head)]
    where = ("--forge", forge.target.forge, "--api", forge.target.api, "--repo", forge.target.repository)
    return [*where, "--head", head, "--token-variable", "FORGE_TOKEN"]


def bodies(forge: Forge) -> list[str]:
    return [note.body for note in forge.app.notes.values()]


def test_one_comment_that_is_brought_up_to_date(
    change: Project, forge: Forge, mlops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    head = change.repo.text("rev-parse", "HEAD")
    words = ("report", "main...HEAD", "--post", "--status", "--pr", "7", *flags(forge, head))
    first = mlops(*words, cwd=change.root)
    assert first.stderr.splitlines()[-1].startswith(f"{forge.target.forge} #7: created")
    again = mlops(*words, cwd=change.root)
    assert "#7: u" in again.stderr  # updated or unchanged
    (body,) = bodies(forge)
    assert "pass: main...HEAD" in body
    assert forge.app.statuses
    assert TOKEN not in first.stdout + first.stderr + again.stdout + again.stderr


@pytest.mark.parametrize("forge", [GitHub, Bitbucket], indirect=True, ids=["github", "bitbucket"])
def test_a_job_without_rights_leaves_it_and_another_posts_it_as_anybodys_text(
    change: Project, forge: Forge, mlops: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file, head = tmp_path / "bundle.json", change.repo.text("rev-parse", "HEAD")
    mlops("report", "main...HEAD", "--bundle", str(file), cwd=change.root)
    file.write_text(
        file.read_text().replace("pass: main...HEAD", "pass <img src=x> @team [x](http://e.example)")
    )
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    words = ("report", "--post", "--from-bundle", str(file), *flags(forge, head))
    mlops(*words, cwd=tmp_path)
    (body,) = bodies(forge)
    assert "what it says is not verified" in body
    assert not any(bad in body for bad in ("<img", "](http", " @team"))
    refused = mlops(*words, "--status", cwd=tmp_path, status=2)
    assert "a report from a file cannot set a commit's status" in refused.stderr
    assert not forge.app.statuses


@pytest.mark.parametrize("forge", [GitHub], indirect=True, ids=["github"])
def test_a_dry_run_sends_nothing_and_shows_no_token(
    change: Project, forge: Forge, mlops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    head = change.repo.text("rev-parse", "HEAD")
    words = ("report", "main...HEAD", "--post", "--dry-run", "--pr", "7", *flags(forge, head))
    shown = mlops(*words, cwd=change.root).stdout
    assert "POST " in shown
    assert TOKEN not in shown
    unknown = mlops(*(word for word in words if word not in {"--pr", "7"}), cwd=change.root).stderr
    assert "0 stands for the number of the pull request" in unknown
    assert not forge.app.log


def test_nobody_says_where_is_an_error(change: Project, mlops: Run) -> None:
    said = mlops("report", "main...HEAD", "--post", cwd=change.root, status=2).stderr
    assert "error: neither a CI nor a git remote says which pull request this is for" in said
    assert "hint: " in said
    assert (
        "without a range" in mlops("report", "a...b", "--from-bundle", "x", cwd=change.root, status=2).stderr
    )
