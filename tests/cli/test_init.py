"""`git mlops init`, and the warning where it was forgotten."""

from pathlib import Path

import pytest

from git_mlops.git.repo import Repo
from tests.conftest import Run

WARNING = (
    "warning: this clone is not armed: git runs no checks, and data does not follow\nhint: `git mlops init`\n"
)


def test_init_says_what_it_did_and_then_that_all_is_in_place(repo: Repo, mlops: Run) -> None:
    assert mlops("init", cwd=repo.root).stderr.splitlines()[-1] == f"{repo.root} is armed"
    assert mlops("init", cwd=repo.root).stderr == f"{repo.root} is armed: everything was in place\n"


def test_a_new_project_can_be_committed(tmp_path: Path, mlops: Run, run: Run) -> None:
    mlops("init", "my project", cwd=tmp_path)
    run("git", "commit", "-q", "-m", "first", cwd=tmp_path / "my project")
    assert run("git", "status", "--porcelain", cwd=tmp_path / "my project").stdout == ""


@pytest.fixture
def unarmed(repo: Repo) -> Repo:
    """A clone that carries mlops.yaml, and nothing else of ours."""
    (repo.root / "mlops.yaml").write_text("version: 1\n")
    return repo


def test_an_unarmed_clone_is_told_with_the_command_that_mends_it(unarmed: Repo, mlops: Run) -> None:
    assert mlops("check", cwd=unarmed.root).stderr == WARNING
    mlops("init", cwd=unarmed.root)
    assert mlops("check", cwd=unarmed.root).stderr == ""


def test_in_ci_nobody_needs_to_be_told(unarmed: Repo, mlops: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert mlops("check", cwd=unarmed.root).stderr == ""


def test_without_mlops_yaml_nobody_is_told(repo: Repo, mlops: Run) -> None:
    assert mlops("check", cwd=repo.root).stderr == ""
