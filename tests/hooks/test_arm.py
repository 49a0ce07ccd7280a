"""`init`: every step looks first whether it is done, and touches nothing else."""

from pathlib import Path

import pytest

from git_mlops.errors import MlopsError
from git_mlops.git import attributes
from git_mlops.git.repo import Repo, discover
from git_mlops.hooks import arm, install
from tests.conftest import Run

MADE = {".dvc/.gitignore", ".dvc/config", ".dvcignore", ".gitattributes", "mlops.yaml"}


def staged(repo: Repo) -> set[str]:
    return set(repo.text("diff", "--cached", "--name-only").splitlines())


def test_a_repository_gets_everything_staged(repo: Repo) -> None:
    arm.arm(repo)
    assert staged(repo) == MADE
    assert (repo.root / "mlops.yaml").read_text() == "version: 1\n"
    assert install.armed(repo)


def test_a_second_run_does_nothing(repo: Repo) -> None:
    arm.arm(repo)
    assert arm.arm(repo) == []


def test_a_new_directory_becomes_a_repository(tmp_path: Path) -> None:
    repo, done = arm.init(tmp_path / "new" / "project")
    assert (repo.root, done[0]) == (tmp_path / "new" / "project", f"made a git repository in {repo.root}")
    assert staged(repo) == MADE


def test_an_existing_directory_becomes_a_repository(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("x")
    repo, _done = arm.init(tmp_path)
    assert (repo.root, staged(repo)) == (tmp_path, MADE)


def test_outside_of_a_repository_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MlopsError, match="not a git repository") as problem:
        arm.init(None)
    assert problem.value.hint == "`git mlops init .` makes one here"
    assert list(tmp_path.iterdir()) == []


def test_a_new_directory_inside_a_repository_is_refused(repo: Repo) -> None:
    with pytest.raises(MlopsError, match="would be inside the repository"):
        arm.init(repo.root / "inner")
    assert not (repo.root / "inner").exists()


def test_a_subdirectory_arms_the_top(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo.root / "sub").mkdir()
    monkeypatch.chdir(repo.root / "sub")
    arm.init(None)
    assert staged(repo) == MADE
    assert list((repo.root / "sub").iterdir()) == []


def test_dvc_that_is_there_stays(dvc_repo: Repo) -> None:
    before = (dvc_repo.root / ".dvc" / "config").read_bytes()
    arm.arm(dvc_repo)
    assert (dvc_repo.root / ".dvc" / "config").read_bytes() == before
    assert staged(dvc_repo) == {".gitattributes", "mlops.yaml"}


def test_attributes_of_others_stay_and_are_not_staged(repo: Repo) -> None:
    (repo.root / ".gitattributes").write_text("*.png binary")
    repo.git("add", ".")
    arm.arm(repo)
    assert (repo.root / ".gitattributes").read_text().startswith("*.png binary\n# git-mlops:")
    assert repo.git("show", ":.gitattributes") == b"*.png binary"


def test_a_broken_configuration_is_said_and_kept(repo: Repo) -> None:
    (repo.root / "mlops.yaml").write_text("version: 9\n")
    with pytest.raises(MlopsError, match="version"):
        arm.arm(repo)
    assert (repo.root / "mlops.yaml").read_text() == "version: 9\n"


def test_a_bare_repository_is_refused(tmp_path: Path, run: Run) -> None:
    run("git", "init", "-q", "--bare", tmp_path / "bare", cwd=tmp_path)
    with pytest.raises(MlopsError, match="no work tree"):
        arm.init(tmp_path / "bare")


def test_no_refspec_fetches_experiments_by_itself(repo: Repo) -> None:
    arm.arm(repo)
    assert "refs/exps" not in repo.text("config", "--list")


def test_a_linked_worktree_shares_the_cache(dvc_repo: Repo) -> None:
    dvc_repo.git("worktree", "add", "-q", "../other")
    other = discover(dvc_repo.root.parent / "other")
    assert "this worktree shares DVC's cache with the others" in arm.arm(other)
    assert str(dvc_repo.root / ".dvc" / "cache") in (other.root / ".dvc" / "config.local").read_text()


@pytest.mark.parametrize("before", ["", "*.png binary\n", "a\n# git-mlops: end\nb\n"])
def test_the_block_of_attributes_is_renewed_in_place(before: str) -> None:
    old = attributes.with_block(before, ["*.dvc old"])
    later = old + "*.jpg binary\n"
    new = attributes.with_block(later, ["*.dvc new"])
    assert new == later.replace("*.dvc old", "*.dvc new")
    assert attributes.with_block(new, ["*.dvc new"]) == new
