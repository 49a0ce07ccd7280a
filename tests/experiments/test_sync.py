"""`exp push` and `exp pull`: data first, explicit refs, nothing of the user's overwritten."""

from pathlib import Path

import pytest

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import CANNOT_EVALUATE, MlopsError, NotFoundError
from git_mlops.experiments import archive, pulling, sync
from git_mlops.experiments import run as running
from git_mlops.experiments.offering import Rejected
from git_mlops.experiments.pulling import Pulled, What
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Plan
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.sync import Pushed
from git_mlops.git import config, refs
from git_mlops.git.repo import Repo, discover, head
from tests.conftest import Run
from tests.experiments.conftest import commit, listed, put, save


@pytest.fixture
def shared(project: Repo, tmp_path: Path, run: Run) -> Repo:
    """The project with a bare remote `origin` that has its branch."""
    run("git", "init", "-q", "--bare", "-b", "main", tmp_path / "origin.git", cwd=tmp_path)
    project.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    project.git("push", "-q", "origin", "main")
    return project


@pytest.fixture
def clone(shared: Repo, tmp_path: Path, run: Run) -> Repo:
    """A colleague's clone."""
    run("git", "clone", "-q", tmp_path / "origin.git", tmp_path / "clone", cwd=tmp_path)
    return discover(tmp_path / "clone")


def push(repo: Repo, *names: str, everything: bool = False) -> Pushed:
    return sync.push(repo, What(names, everything), None, None)


def pull(repo: Repo, *names: str, everything: bool = False) -> Pulled:
    return pulling.pull(repo, What(names, everything), None, None)


def on_remote(repo: Repo) -> list[str]:
    lines = repo.text("ls-remote", "origin", "refs/*").splitlines()
    return sorted(line.rpartition("/")[2] for line in lines if "refs/heads" not in line)


def test_experiments_travel(shared: Repo, clone: Repo) -> None:
    save(shared, "a")
    save(shared, "b")
    assert (push(shared).sent, push(shared).equal) == (("a", "b"), ("a", "b"))
    done = pull(clone)
    assert (done.new, done.exit_code, [e.metrics for e in listed(clone)]) == (
        ("a", "b"), 0, [{"acc": 0.9, "loss.val": 0.2}] * 2
    )  # fmt: skip
    assert pull(clone).equal == ("a", "b")


def test_only_what_is_chosen_travels(shared: Repo) -> None:
    save(shared, "old")
    commit(shared, {"x": "1"})
    save(shared, "new")
    save(shared, "other")
    push(shared, "new")
    assert on_remote(shared) == ["new"]
    push(shared)
    assert on_remote(shared) == ["new", "other"]
    push(shared, everything=True)
    assert on_remote(shared) == ["new", "old", "other"]


@pytest.mark.parametrize("results", [2, 30])
@pytest.mark.slow
def test_only_results_travel_unasked(shared: Repo, results: int) -> None:
    names = [f"run-{number}" for number in range(results)]
    for number, name in enumerate(names):
        put(shared, {"params.yaml": f"lr: {number}\n"})
        save(shared, name)
    save(shared, "before-apply-1234567x")
    running.run(
        shared, Plan(("false",)), Request("bad"), Settings(), DataSettings(), started=lambda _subject: None
    )
    done = push(shared)
    assert (sorted(done.sent), sorted(done.unasked)) == (sorted(names), ["bad", "before-apply-1234567x"])
    assert on_remote(shared) == sorted(names)
    assert push(shared, "bad").sent == ("bad",)


def test_what_an_expression_is_true_of_travels(shared: Repo, clone: Repo) -> None:
    for number in range(3):
        put(shared, {"params.yaml": f"lr: {number}\n"})
        save(shared, f"run-{number}")
    what = What(where="params.lr >= 1")
    assert sync.push(shared, what, None, None).sent == ("run-1", "run-2")
    push(shared)
    done = pulling.pull(clone, What(where="params.lr < 2"), None, None)
    assert (done.new, sorted(e.name for e in listed(clone))) == (("run-0", "run-1"), ["run-0", "run-1"])


def test_experiments_of_what_head_was_before_an_amend_travel(shared: Repo, clone: Repo) -> None:
    save(shared, "a")
    shared.git("commit", "-q", "--amend", "--allow-empty", "-m", "said better")
    assert push(shared).sent == ("a",)
    clone.git("fetch", "-q", "origin")
    assert pull(clone, everything=True).new == ("a",)


def test_only_what_is_named_is_pulled(shared: Repo, clone: Repo) -> None:
    for name in ("a", "b"):
        save(shared, name)
    push(shared)
    assert (pull(clone, "b").new, [e.name for e in listed(clone)]) == (("b",), ["b"])
    with pytest.raises(NotFoundError, match="`origin` has no experiment `c`"):
        pull(clone, "c")


def test_a_differing_experiment_is_held_back_and_not_overwritten(shared: Repo, clone: Repo) -> None:
    save(shared, "a", "theirs")
    mine = save(clone, "a", "mine")
    push(shared)
    done = pull(clone)
    assert (done.new, [held.name for held in done.held], done.exit_code) == ((), ["a"], 1)
    assert refs.read(clone, mine.ref) == mine.commit
    assert len(refs.list_refs(clone, "refs/mlops/remotes/origin/exps/")) == 1
    rejected = push(clone)
    assert ([r.reason for r in rejected.rejected], rejected.exit_code) == (
        ["the remote has another experiment of this name"], 1
    )  # fmt: skip


def test_two_of_one_name_are_said_and_both_can_be_had(shared: Repo, clone: Repo) -> None:
    save(shared, "a")
    first = listed(shared)[0]
    commit(shared, {"x": "1"})
    tip = head(shared) or ""
    shared.git("update-ref", f"refs/exps/{tip[:2]}/{tip[2:]}/a", first.commit.oid)
    assert push(shared, everything=True).twice == ("a",)
    done = pull(clone, everything=True)
    (held,) = done.held
    clone.git(*(held.hint or "").split("`")[1].split()[1:])
    assert sorted(e.name for e in listed(clone)) == ["a", "a-2"]


def test_what_is_archived_here_is_not_brought_back_unasked(shared: Repo) -> None:
    save(shared, "a")
    save(shared, "b")
    push(shared)
    archive.archive(shared, [ref for ref in refs.list_refs(shared, "refs/exps/") if ref.name.endswith("/a")])
    done = pull(shared)
    assert (done.new, done.equal, done.archived) == ((), ("b",), ("a",))
    assert pull(shared, "a").new == ("a",)


def test_a_ref_that_is_no_commit_is_held_back(shared: Repo, clone: Repo) -> None:
    tip = head(shared) or ""
    blob = shared.text("hash-object", "-w", "--stdin", stdin=b"x")
    shared.git("push", "-q", "origin", f"{blob}:refs/exps/{tip[:2]}/{tip[2:]}/hostile")
    done = pull(clone)
    assert (done.new, done.held) == ((), (Rejected("hostile", "it is no commit, so no experiment"),))
    assert refs.list_refs(clone, "refs/exps/") == []


def test_a_name_of_a_branch_is_held_back(shared: Repo, clone: Repo) -> None:
    save(shared, "topic")
    push(shared)
    clone.git("branch", "topic")
    assert (pull(clone).new, listed(clone)) == ((), [])


def test_bookkeeping_of_dvc_on_the_remote_is_not_fetched(shared: Repo, clone: Repo) -> None:
    save(shared, "a")
    push(shared)
    shared.git("push", "-q", "origin", "HEAD:refs/exps/stash", "HEAD:refs/exps/exec/EXEC_HEAD")
    pull(clone, everything=True)
    assert [r.name.rpartition("/")[2] for r in refs.list_refs(clone, "refs/mlops/", "refs/exps/")] == ["a"]


def test_what_the_remote_lost_stays_here(shared: Repo, clone: Repo) -> None:
    done = save(shared, "a")
    push(shared)
    pull(clone, everything=True)
    shared.git("push", "-q", "origin", f":{done.ref}")
    pull(clone, everything=True)
    assert [e.name for e in listed(clone)] == ["a"]


def test_no_refspec_is_configured(shared: Repo) -> None:
    before = config.read(shared, ".*")
    save(shared, "a")
    push(shared)
    pull(shared)
    assert config.read(shared, ".*") == before


def test_pushing_nothing_is_fine(shared: Repo) -> None:
    assert (push(shared).sent, push(shared).exit_code) == ((), 0)


def test_many_go_in_one_push(shared: Repo, clone: Repo) -> None:
    done = save(shared, "a")
    place = done.ref.rpartition("/")[0]
    stdin = "".join(f"create {place}/many{n} {done.commit}\n" for n in range(300)).encode()
    shared.git("update-ref", "--stdin", stdin=stdin)
    assert (len(push(shared).sent), len(pull(clone).new)) == (301, 301)


def test_remotes_that_are_missing_are_said(project: Repo) -> None:
    with pytest.raises(MlopsError, match="no git remote"):
        push(project)
    project.git("remote", "add", "a", "/nowhere")
    with pytest.raises(MlopsError, match="no git remote `x`"):
        sync.push(project, What(), "x", None)
    save(project, "e")
    with pytest.raises(MlopsError, match="`a` cannot be used") as caught:
        push(project)
    assert caught.value.exit_code == CANNOT_EVALUATE
    project.git("remote", "add", "b", "/nowhere")
    with pytest.raises(MlopsError, match="which git remote"):
        pull(project)


def test_a_shallow_clone_pushes(shared: Repo, tmp_path: Path, run: Run) -> None:
    url = (tmp_path / "origin.git").as_uri()
    run("git", "clone", "-q", "--depth=1", url, tmp_path / "shallow", cwd=tmp_path)
    shallow = discover(tmp_path / "shallow")
    put(shallow, {"x": "y"})
    save(shallow, "a")
    assert push(shallow).sent == ("a",)
