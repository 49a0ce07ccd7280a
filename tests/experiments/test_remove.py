"""`exp rm`: gone from the listing, kept as a backup, brought back by the command it prints."""

import pytest

from git_mlops.errors import NotFoundError
from git_mlops.experiments import remove
from git_mlops.git import refs
from git_mlops.git.repo import Repo
from tests.conftest import Run
from tests.experiments.conftest import listed, save


def test_a_removed_experiment_comes_back(project: Repo, run: Run) -> None:
    done = save(project, "a")
    save(project, "b")
    gone = remove.remove(project, ["a"])[0]
    assert [e.name for e in listed(project)] == ["b"]
    assert refs.read(project, gone.backup) == done.commit
    run(*gone.undo.split(" "), cwd=project.root)
    assert sorted(e.name for e in listed(project)) == ["a", "b"]


def test_all_or_none(project: Repo) -> None:
    save(project, "a")
    with pytest.raises(NotFoundError):
        remove.remove(project, ["a", "nope"])
    assert [e.name for e in listed(project)] == ["a"]


def test_the_same_may_be_removed_again(project: Repo) -> None:
    for _ in range(2):
        save(project, "a")
        remove.remove(project, ["a"])
    assert len(refs.list_refs(project, "refs/mlops/backup/")) == 2
