"""What is said of remotes that cannot be used."""

import pytest

from git_mlops.errors import MlopsError
from git_mlops.git import histories
from git_mlops.git.repo import Repo


def test_a_remote_that_is_not_configured_is_called_that(repo: Repo) -> None:
    with pytest.raises(MlopsError, match="there is no git remote `origin`") as caught:
        histories.fetch(repo, "origin", "refs/mlops/monitor/m")
    assert caught.value.hint == "`git remote -v` lists them; `git remote add origin URL` makes one"
    assert caught.value.exit_code == 3


def test_a_remote_that_leads_nowhere_is_said_with_what_git_said(repo: Repo) -> None:
    repo.git("remote", "add", "origin", "/nowhere/at/all")
    with pytest.raises(MlopsError, match=r"the git remote `origin` cannot be used: .*/nowhere/at/all"):
        histories.fetch(repo, "origin", "refs/mlops/monitor/m")
