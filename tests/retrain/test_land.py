"""The branch of a retraining, and what it may replace; what metrics stand on. Plain git."""

from pathlib import Path

import pytest

from git_mlops.errors import MlopsError
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.tree import Trees
from git_mlops.git import refs
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo
from git_mlops.retrain import land, measured
from git_mlops.retrain.land import Landed, Said, Tip
from git_mlops.retrain.measured import Ground
from tests.conftest import Run
from tests.experiments.conftest import commit

BRANCH = "retrain/m-drift"
NAME = f"refs/heads/{BRANCH}"


@pytest.fixture
def shared(repo: Repo, run: Run, tmp_path: Path) -> Repo:
    """With a remote, and a retrained branch that is on the remote alone, as a CI's fresh clone sees it."""
    run("git", "init", "-q", "--bare", tmp_path / "origin.git", cwd=tmp_path)
    repo.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    repo.git("push", "-q", "origin", "main", f"{made(repo, 'one')}:{NAME}")
    return repo


def made(repo: Repo, text: str, why: str = "drift") -> str:
    said = Said(text, "", "0" * 64, why).message()
    return repo.text("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-F", "-", stdin=said.encode())


def test_a_branch_that_is_on_the_remote_alone_is_replaced_there(shared: Repo) -> None:
    base = shared.text("rev-parse", "HEAD")
    before = land.tip(shared, BRANCH, base, "origin")
    assert (before.here, before.there) == (None, shared.text("ls-remote", "origin", NAME).split()[0])
    new = made(shared, "two")
    land.push(shared, Landed(BRANCH, new, True, ()), before, "origin")
    assert shared.text("ls-remote", "origin", NAME).split()[0] == new


def test_the_same_result_again_is_the_same_commit(shared: Repo) -> None:
    base = shared.text("rev-parse", "HEAD")
    before = land.tip(shared, BRANCH, base, "origin")
    again = land.land(shared, base, base, Said("two", "", "0" * 64, "drift"), before, Settings())
    assert (again.commit, again.new) == (before.there, False)
    assert refs.read(shared, NAME) == before.there


def test_what_somebody_pushed_meanwhile_is_not_overwritten(shared: Repo) -> None:
    base = shared.text("rev-parse", "HEAD")
    before = land.tip(shared, BRANCH, base, "origin")
    theirs = made(shared, "theirs")
    shared.git("push", "-q", "--force", "origin", f"{theirs}:{NAME}")
    with pytest.raises(MlopsError, match="somebody pushed to `retrain/m-drift` meanwhile") as found:
        land.push(shared, Landed(BRANCH, made(shared, "ours"), True, ()), before, "origin")
    assert found.value.exit_code == 1
    assert shared.text("ls-remote", "origin", NAME).split()[0] == theirs


def test_a_commit_by_hand_on_the_remotes_branch_stops_it(shared: Repo) -> None:
    words = ("commit-tree", "HEAD^{tree}", "-p", shared.text("ls-remote", "origin", NAME).split()[0])
    shared.git("push", "-q", "origin", f"{shared.text(*words, '-m', 'by hand')}:{NAME}")
    with pytest.raises(MlopsError, match="has a commit that no retraining made"):
        land.tip(shared, BRANCH, shared.text("rev-parse", "HEAD"), "origin")


def test_a_remote_that_cannot_be_reached_is_said(repo: Repo) -> None:
    repo.git("remote", "add", "origin", "/nowhere/at/all")
    with pytest.raises(MlopsError, match="`origin` cannot be used") as found:
        land.tip(repo, BRANCH, repo.text("rev-parse", "HEAD"), "origin")
    assert found.value.exit_code == 3
    with pytest.raises(MlopsError, match="was not pushed to `origin`"):
        land.push(repo, Landed(BRANCH, made(repo, "x"), True, ()), Tip(BRANCH, None, None), "origin")


# -- what metrics were measured on --------------------------------------------------------------------------

PIPELINE = """\
stages:
  train: {cmd: x, deps: [data/train.csv], outs: [m.joblib]}
  evaluate:
    foreach: [a, b]
    do: {wdir: .., cmd: x, deps: [lib/e.py, p/m.joblib, data/test.csv], metrics: [p/metrics.json]}
"""
LOCK = """\
schema: '2.0'
stages:
  train:
    cmd: x
    deps: [{path: data/train.csv, md5: t1}]
  evaluate@a:
    cmd: x
    deps: [{path: lib/e.py, md5: e1}, {path: p/m.joblib, md5: m1}, {path: data/test.csv, md5: '%s'}]
"""


def ground(repo: Repo, *held_back: str) -> Ground:
    with reader(repo) as git:
        return measured.ground(Trees(git), repo.text("rev-parse", "HEAD^{tree}"), held_back, "p/m.joblib")


def test_metrics_stand_on_what_their_stage_reads_besides_the_model(repo: Repo) -> None:
    commit(repo, {"p/dvc.yaml": PIPELINE, "p/dvc.lock": LOCK % "h1"})
    assert ground(repo) == Ground({"data/test.csv": "h1"}, {"lib/e.py": "e1"})


def test_settings_may_name_the_held_back_data(repo: Repo) -> None:
    pointer = "outs:\n- md5: '1234567890abcdef1234567890abcdef'\n  size: 5\n  hash: md5\n  path: held\n"
    commit(repo, {"data/held.dvc": pointer, "data/plain.csv": "x\n", "p/dvc.yaml": PIPELINE})
    assert ground(repo, "data/held", "data/plain.csv", "gone.csv").data == {
        "data/held": "1234567890abcdef1234567890abcdef",
        "data/plain.csv": repo.text("rev-parse", "HEAD:data/plain.csv"),
    }
    assert ground(repo).data == {
        "data/held": "1234567890abcdef1234567890abcdef"
    }  # no stage has run: all data


def test_a_broken_pipeline_file_says_nothing(repo: Repo) -> None:
    commit(repo, {"p/dvc.yaml": "stages: [", "p/dvc.lock": "- {"})
    assert ground(repo) == Ground({})
