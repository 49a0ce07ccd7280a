"""What the tests of the registry share: tags made with git alone, as GTO or a colleague would."""

from collections.abc import Callable

import pytest

from git_mlops.git.repo import Repo, head
from git_mlops.git.run import git

Tagger = Callable[..., str]


@pytest.fixture
def tagged(repo: Repo) -> Tagger:
    """Make annotated tags, each ten seconds after the one before; `at` is a commit, `later` other seconds."""
    clock = [1_700_000_000]

    def tag(*names: str, at: str | None = None, later: int = 10) -> str:
        for name in names:
            clock[0] += later
            date = {"GIT_COMMITTER_DATE": f"{clock[0]} +0000"}
            git("tag", "-a", "-m", "by hand", name, at or "HEAD", cwd=repo.root, extra=date)
        return at or head(repo) or ""

    return tag


@pytest.fixture
def commits(repo: Repo) -> list[str]:
    """Three commits."""
    found = []
    for number in range(3):
        repo.git("commit", "-q", "--allow-empty", "-m", f"commit {number}")
        found.append(head(repo) or "")
    return found
