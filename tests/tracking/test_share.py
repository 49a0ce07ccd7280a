"""What MLflow knows besides runs reaches other clones, also where no experiment comes with it."""

from pathlib import Path

import pytest

from git_mlops.git.repo import Repo, discover
from git_mlops.tracking import registry
from tests.conftest import Run


def described(repo: Repo, text: str, updated: int) -> None:
    """A description that was given in MLflow."""
    registry.change(repo, "churn", lambda old: {**old, "description": text, "updated": updated})


@pytest.mark.slow
def test_descriptions_come_with_a_clone_and_with_every_pull(
    repo: Repo, mlops: Run, run: Run, tmp_path: Path
) -> None:
    run("git", "init", "-q", "--bare", tmp_path / "origin.git", cwd=tmp_path)
    run("git", "remote", "add", "origin", tmp_path / "origin.git", cwd=repo.root)
    run("git", "push", "-q", "origin", "HEAD", cwd=repo.root)
    described(repo, "first", 1)
    mlops("exp", "push", cwd=repo.root)
    mlops("clone", tmp_path / "origin.git", tmp_path / "other", cwd=tmp_path)
    other = discover(tmp_path / "other")
    cloned = registry.kept(other)["churn"]["description"]
    described(repo, "second", 2)
    mlops("exp", "push", cwd=repo.root)
    mlops("exp", "pull", cwd=other.root)
    pulled = registry.kept(other)["churn"]["description"]
    described(other, "third", 3)
    mlops("exp", "push", cwd=other.root)
    mlops("exp", "pull", "--all", cwd=repo.root)
    assert [cloned, pulled, registry.kept(repo)["churn"]["description"]] == ["first", "second", "third"]
