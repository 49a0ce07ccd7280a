"""What a change does to the audit's score, in its report."""

import json

import pytest

from tests.checks.conftest import Project
from tests.conftest import Run


@pytest.fixture
def change(project: Project) -> Project:
    """A branch that takes the lock file away, and brings a test."""
    project.settings("checks: {data-pushed: off}\n")
    project.write("requirements.lock", b"polars==1.0\n")
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "start")
    project.git("switch", "-q", "-c", "topic")
    project.git("rm", "-q", "requirements.lock")
    project.git("commit", "-q", "-m", "no lock")
    return project


def test_it_is_shown_when_it_is_asked_for(change: Project, mlops: Run) -> None:
    words = ("report", "main...HEAD", "--format", "markdown")
    assert "Maturity" not in mlops(*words, cwd=change.root).stdout
    said = mlops(*words, "--audit", cwd=change.root).stdout
    assert "### Maturity" in said
    assert "ML Test Score 0, as before: 1 worse" in said
    assert "| monitor-1 | 0.5 | " in said


def test_mlops_yaml_can_ask_for_it_and_programs_get_it_too(change: Project, mlops: Run) -> None:
    change.settings("checks: {data-pushed: off}\nreport: {audit: true}\n")
    change.git("commit", "-qam", "ask")
    words = ("report", "main...HEAD", "--json")
    found = json.loads(mlops(*words, cwd=change.root).stdout)["data"]["audit"]
    assert (found["before"], found["after"], found["worse"]) == (0.0, 0.0, True)
    assert [(one["id"], one["before"], one["after"]) for one in found["changes"]] == [("monitor-1", 0.5, 0.0)]
    assert json.loads(mlops(*words, "--no-audit", cwd=change.root).stdout)["data"]["audit"] is None
