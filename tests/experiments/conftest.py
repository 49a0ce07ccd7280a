"""What the tests of experiments share."""

import pytest

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments import read
from git_mlops.experiments import save as saving
from git_mlops.experiments.recording import Recorded, Request
from git_mlops.experiments.settings import Settings
from git_mlops.git.repo import Repo


def put(repo: Repo, files: dict[str, str | bytes]) -> None:
    """Write files of the workspace."""
    for path, content in files.items():
        file = repo.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())


def commit(repo: Repo, files: dict[str, str | bytes], message: str = "change") -> None:
    """Write files and commit everything."""
    put(repo, files)
    repo.git("add", "-A")
    repo.git("commit", "-q", "--allow-empty", "-m", message)


@pytest.fixture
def project(repo: Repo) -> Repo:
    """A small project without DVC: code, parameters, metrics."""
    commit(
        repo,
        {
            "train.py": "print(1)\n",
            "params.yaml": "lr: 0.1\ntrain: {epochs: 3}\n",
            "metrics.json": '{"acc": 0.9, "loss": {"val": 0.2}}\n',
        },
    )
    return repo


def save(repo: Repo, name: str | None = None, message: str = "", *, force: bool = False) -> Recorded:
    """`exp save` in this process."""
    return saving.save(repo, Request(name, message, force), Settings(), DataSettings())


def files(repo: Repo, treeish: str) -> list[str]:
    """Paths of a tree."""
    return repo.paths("ls-tree", "-r", "-z", "--name-only", "--full-tree", treeish)


def listed(repo: Repo, baseline: str | None = None) -> list[read.Experiment]:
    """All experiments, oldest first."""
    return list(read.listing(repo, Settings(), baseline).experiments)
