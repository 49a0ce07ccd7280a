"""No pointer reaches a remote before its data, and nothing else stops a push."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.hooks.conftest import Armed
from tests.hooks.test_pre_commit import python_is_gone


@pytest.fixture
def hub(project: Armed, run: Run) -> Path:
    """A bare remote `origin` that has the first commits."""
    bare = project.root.parent / "hub.git"
    run("git", "init", "-q", "--bare", bare, cwd=project.root)
    project.git("remote", "add", "origin", str(bare))
    project.git("push", "-q", "origin", "main")
    return bare


def stored(project: Armed) -> list[str]:
    """The contents of what is in the DVC remote."""
    return sorted(p.read_text() for p in (project.root.parent / "store").rglob("*") if p.is_file())


def test_the_data_of_pushed_commits_goes_first(project: Armed, hub: Path) -> None:
    project.data("data.csv", "one\n")
    project.commit("one")
    project.data("data.csv", "two\n")
    project.commit("two")
    assert "pushed data: 2 objects" in project.git("push", "origin", "main")
    assert stored(project) == ["one\n", "two\n"]


def test_another_branch_than_the_one_checked_out(project: Armed, hub: Path) -> None:
    project.git("switch", "-q", "-c", "other")
    project.data("data.csv", "other\n")
    project.commit("other")
    project.git("switch", "-q", "main")
    project.git("push", "-q", "origin", "other", "main:renamed")
    assert stored(project) == ["other\n"]


def test_data_that_is_nowhere_stops_the_push(project: Armed, hub: Path) -> None:
    project.data("data.csv", "lost\n")
    project.commit("lost")
    shutil.rmtree(project.root / ".dvc" / "cache")
    said = project.git("push", "origin", "main", status=1)
    assert "error: `data.csv.dvc` names data that is neither here nor on the DVC remote (data.csv, " in said
    assert "`git push --no-verify` pushes without the data" in said
    project.git("push", "--no-verify", "origin", "main")


def test_without_a_dvc_remote_the_push_only_warns(project: Armed, hub: Path) -> None:
    project.write(".dvc/config", "")
    project.data("data.csv", "one\n")
    project.commit("no remote")
    said = project.git("push", "origin", "main")
    assert "warning: no DVC remote: others will not get data.csv" in said


def test_data_pushed_without_a_dvc_remote_is_uploaded_later(project: Armed, hub: Path, mlops: Run) -> None:
    settings = project.read(".dvc/config")
    project.write(".dvc/config", "")
    project.data("data.csv", "one\n")
    project.commit("no remote")
    project.git("push", "-q", "origin", "main")
    project.write(".dvc/config", settings)
    project.commit("a remote, at last")
    assert "pushed data: 1 object" in project.git("push", "origin", "main")
    assert stored(project) == ["one\n"]
    python_is_gone(project)
    project.git("push", "origin", "main:other")


@pytest.mark.slow
def test_push_of_all_commits_or_a_range(project: Armed, mlops: Run) -> None:
    for text in ("one\n", "two\n", "three\n"):
        project.data("data.csv", text)
        project.commit(text)
    mlops("push", "--range", "HEAD~2..HEAD~1", cwd=project.root)
    assert stored(project) == ["two\n"]
    assert "pushed 2 objects" in mlops("push", "--all", cwd=project.root).stderr
    assert stored(project) == ["one\n", "three\n", "two\n"]
    mlops("push", "--all", "data.csv", cwd=project.root, status=2)


def test_a_dvc_remote_that_does_not_answer_stops_the_push(project: Armed, hub: Path) -> None:
    project.data("data.csv", "one\n")
    project.commit("one")
    store = project.root.parent / "store"
    store.rmdir()
    store.write_text("a file where the directory was")
    assert "so neither were the commits" in project.git("push", "origin", "main", status=1)


def test_a_push_with_nothing_for_us_starts_no_python(project: Armed, hub: Path) -> None:
    project.data("data.csv", "one\n")
    project.commit("one")
    project.git("push", "-q", "origin", "main:first")
    project.write("a.py", "x")
    project.commit("code")
    project.git("tag", "-a", "-m", "v", "v1")
    python_is_gone(project)
    project.git("push", "origin", "main", "v1")
    project.git("push", "origin", ":first")
    project.git("push", "origin", "main")


def test_a_remote_branch_never_fetched(project: Armed, hub: Path, run: Run, tmp_path: Path) -> None:
    run("git", "clone", "-q", hub, tmp_path / "colleague", cwd=tmp_path)
    run("git", "commit", "-q", "--allow-empty", "-m", "theirs", cwd=tmp_path / "colleague")
    run("git", "push", "-q", "origin", "main:side", cwd=tmp_path / "colleague")
    project.data("data.csv", "one\n")
    project.commit("one")
    project.git("push", "-q", "--force", "origin", "main:side")
    assert stored(project) == ["one\n"]


def test_skipping_is_said(project: Armed, hub: Path) -> None:
    project.data("data.csv", "one\n")
    project.commit("one")
    assert "skipped" in project.git("push", "origin", "main", skip="pre-push")
    assert stored(project) == []
