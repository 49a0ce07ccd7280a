"""Where a repository is, from anywhere in it, and clear words where there is none."""

import re
from pathlib import Path

import pytest

from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo, discover, head, resolve
from tests.conftest import Run


def test_the_repository_is_found_from_a_subdirectory(repo: Repo) -> None:
    (repo.root / "a ü" / "b").mkdir(parents=True)
    found = discover(repo.root / "a ü" / "b")
    assert found == repo._replace(prefix="a ü/b/")


def test_a_linked_worktree_shares_the_common_directory(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "wt"))
    found = discover(tmp_path / "wt")
    assert (found.root, found.common_dir, found.linked, repo.linked) == (
        tmp_path / "wt", repo.common_dir, True, False,
    )  # fmt: skip


def test_outside_a_repository_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(MlopsError, match="not a git repository") as caught:
        discover(tmp_path)
    assert caught.value.exit_code == 2


def test_a_bare_repository_is_named_as_such(tmp_path: Path, run: Run) -> None:
    run("git", "init", "-q", "--bare", tmp_path / "bare.git", cwd=tmp_path)
    with pytest.raises(MlopsError, match="has no work tree"):
        discover(tmp_path / "bare.git")


def test_before_the_first_commit_there_is_no_head(tmp_path: Path, run: Run) -> None:
    run("git", "init", "-q", tmp_path, cwd=tmp_path)
    assert head(discover(tmp_path)) is None


def test_an_unknown_revision_is_a_usage_error(repo: Repo) -> None:
    with pytest.raises(MlopsError, match="`nope` is not a commit"):
        resolve(repo, "nope")


def test_a_branch_of_a_remote_that_was_not_fetched_says_how_to_get_it(repo: Repo) -> None:
    repo.git("remote", "add", "origin", str(repo.root))
    with pytest.raises(MlopsError, match="`origin/main` is not a commit") as caught:
        resolve(repo, "origin/main")
    hint = str(caught.value.hint)
    assert hint == "`git fetch origin main:refs/remotes/origin/main` brings it, if it is a branch there"
    repo.git(*hint.split("`")[1].split()[1:])
    assert resolve(repo, "origin/main") == head(repo)


def test_an_option_is_never_taken_for_a_revision(repo: Repo) -> None:
    with pytest.raises(MlopsError, match="`--all` is not a commit"):
        resolve(repo, "--all")


def test_a_shallow_clone_knows_that_it_is_shallow(repo: Repo, tmp_path: Path) -> None:
    repo.git("commit", "-q", "--allow-empty", "-m", "second")
    repo.git("clone", "-q", "--depth", "1", repo.root.as_uri(), str(tmp_path / "shallow"))
    assert (discover(tmp_path / "shallow").shallow, repo.shallow) == (True, False)


@pytest.mark.parametrize(("revision", "name"), [("HEAD~1", "HEAD"), ("main^", "main")])
def test_a_history_that_is_too_short_is_said(repo: Repo, revision: str, name: str) -> None:
    with pytest.raises(MlopsError, match=f"`{re.escape(revision)}` is not a commit") as caught:
        resolve(repo, revision)
    assert caught.value.hint == f"`{name}` has no commit that far back: its history has 1"
