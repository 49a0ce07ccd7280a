"""`git mlops clone`: armed, with experiments and data; a step that fails leaves the clone."""

from pathlib import Path

import pytest

from git_mlops.git.repo import discover
from git_mlops.hooks import install
from tests.conftest import Run
from tests.hooks import conftest
from tests.hooks.conftest import Armed

project = conftest.project


@pytest.fixture
def hub(project: Armed, run: Run) -> Path:
    """A bare remote with data, pushed, and one experiment."""
    bare = project.root.parent / "hub.git"
    run("git", "init", "-q", "--bare", "-b", "main", bare, cwd=project.root)
    project.data("data.csv", "one\n")
    project.commit("one")
    head = project.repo.text("rev-parse", "HEAD")
    oid = project.repo.text("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "exp: otter")
    project.git("push", "-q", str(bare), "main", f"{oid}:refs/exps/{head[:2]}/{head[2:]}/quiet-otter")
    return bare


def test_clone_brings_everything(hub: Path, mlops: Run, tmp_path: Path) -> None:
    said = mlops("clone", hub, "copy", cwd=tmp_path).stderr
    repo = discover(tmp_path / "copy")
    assert said.splitlines()[-2:] == [
        "armed; experiments: 1; data: 1", "the data of experiments comes with `git mlops exp pull --all`"
    ]  # fmt: skip
    assert (repo.root / "data.csv").read_text() == "one\n"
    assert repo.text("for-each-ref", "--format=%(refname)", "refs/exps").endswith("/quiet-otter")
    assert (install.armed(repo), repo.text("status", "--porcelain")) == (True, "")
    assert "refs/exps" not in repo.text("config", "--list")


@pytest.mark.slow
def test_the_directory_is_named_as_git_would(hub: Path, mlops: Run, tmp_path: Path) -> None:
    mlops("clone", "hub.git", cwd=tmp_path)
    assert (tmp_path / "hub" / "data.csv").exists()


@pytest.mark.slow
def test_a_shallow_clone_of_a_branch(hub: Path, project: Armed, mlops: Run, tmp_path: Path) -> None:
    project.git("push", "-q", str(hub), "main:side")
    mlops("clone", "--branch", "side", "--depth", "1", hub.as_uri(), "copy", cwd=tmp_path)
    repo = discover(tmp_path / "copy")
    assert (repo.shallow, repo.text("branch", "--show-current")) == (True, "side")
    assert (repo.root / "data.csv").read_text() == "one\n"


def test_data_that_the_remote_lacks_leaves_the_clone_and_says_how_to_go_on(
    hub: Path, mlops: Run, tmp_path: Path
) -> None:
    for file in (tmp_path / "store").rglob("*"):
        if file.is_file():
            file.unlink()
    said = mlops("clone", hub, "copy", cwd=tmp_path, status=3).stderr
    assert "warning: could not pull data: the remote `store` does not have it: data.csv\n" in said
    assert f"hint: `cd {tmp_path}/copy`, then `git mlops pull`\n" in said
    assert install.armed(discover(tmp_path / "copy"))


@pytest.mark.slow
def test_what_was_withdrawn_is_told_and_no_data(
    hub: Path, project: Armed, mlops: Run, tmp_path: Path
) -> None:
    mlops("purge", "data.csv", "-m", "no consent", "-y", cwd=project.root)
    project.git("push", "-q", "--no-verify", str(hub), "refs/mlops/purges")
    said = mlops("clone", hub, "copy", cwd=tmp_path).stderr
    assert "warning: `data.csv`: purged on " in said
    assert "armed; experiments: 1; data: 0\n" in said


def test_without_a_dvc_remote_there_is_a_warning(project: Armed, mlops: Run, tmp_path: Path) -> None:
    project.write(".dvc/config", "")
    project.data("data.csv", "one\n")
    project.commit("no remote")
    said = mlops("clone", project.root, "copy", cwd=tmp_path).stderr
    assert "warning: no DVC remote is configured: there is no data to get\n" in said


def test_a_plain_repository_is_cloned_too(template_repo: Path, mlops: Run, tmp_path: Path) -> None:
    said = mlops("clone", template_repo, "copy", cwd=tmp_path).stderr
    assert said.splitlines()[-1] == "armed; experiments: 0; data: 0"


def test_what_cannot_be_cloned_is_said(mlops: Run, tmp_path: Path) -> None:
    said = mlops("clone", "nowhere", cwd=tmp_path, status=3).stderr
    assert said == "error: cannot clone nowhere: repository 'nowhere' does not exist\n"


def test_a_directory_with_files_is_left_alone(hub: Path, mlops: Run, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "mine").touch()
    assert "copy exists and is not empty" in mlops("clone", hub, "copy", cwd=tmp_path, status=2).stderr


def test_transports_that_run_commands_are_refused(mlops: Run, tmp_path: Path) -> None:
    said = mlops("clone", "ext::sh -c 'touch pwned'", "copy", cwd=tmp_path, status=2).stderr
    assert said.startswith("error: refused to clone")
    assert not (tmp_path / "pwned").exists()


def test_hooks_in_the_content_are_not_run(project: Armed, mlops: Run, tmp_path: Path) -> None:
    hook = project.write(".githooks/post-checkout", f"#!/bin/sh\ntouch '{tmp_path}/pwned'\n")
    hook.chmod(0o755)
    project.commit("hooks", skip="1")
    mlops("clone", project.root, "copy", cwd=tmp_path)
    assert not (tmp_path / "pwned").exists()
