"""Two sides compared: experiments, revisions, the workspace."""

import pytest

from git_mlops.data import track
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import NotFoundError
from git_mlops.experiments import diff, environment, read
from git_mlops.experiments import run as running
from git_mlops.experiments.diff import CodeChange, DataChange, Difference, PackageChange, ValueChange
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Plan
from git_mlops.experiments.settings import Metric, Settings
from git_mlops.git.repo import Repo
from tests.experiments.conftest import commit, listed, put, save

DECLARED = Settings(metrics={"loss.val": Metric("min"), "acc": Metric("max", 0.02)})


def compare(repo: Repo, a: str, b: str | None = None) -> Difference:
    return diff.difference(repo, a, b, DECLARED, DataSettings())


def test_metrics_parameters_code_and_data_are_compared(project: Repo) -> None:
    save(project, "before")
    put(project, {
        "metrics.json": '{"acc": 0.91, "loss": {"val": 0.1}, "new": 1}',
        "params.yaml": "lr: 0.2\ntrain: {epochs: 3}\n",
        "train.py": "print(2)\n",
        "lib/new.py": "",
        "d.csv.dvc": f"outs:\n- md5: {'ab' * 16}\n  size: 5\n  hash: md5\n  path: d.csv\n",
    })  # fmt: skip
    save(project, "after")
    found = compare(project, "before", "after")
    assert [(m.name, m.old, m.new, m.better) for m in found.metrics] == [
        ("acc", 0.9, 0.91, None), ("loss.val", 0.2, 0.1, True), ("new", None, 1, None)
    ]  # fmt: skip
    assert found.params == (ValueChange("lr", 0.1, 0.2, 0.1, None),)
    assert found.code == (CodeChange("A", "lib/new.py"), CodeChange("M", "train.py"))
    assert found.data == (DataChange("d.csv", None, "ab" * 16, None, 5),)


def test_the_other_side_is_the_workspace(project: Repo) -> None:
    save(project, "a")
    put(project, {"metrics.json": '{"loss": {"val": 0.5}}', "train.py": "print(3)\n"})
    found = compare(project, "a")
    assert (found.b, found.code) == ("workspace", (CodeChange("M", "train.py"),))
    assert [(m.name, m.new, m.better) for m in found.metrics] == [
        ("acc", None, None),
        ("loss.val", 0.5, False),
    ]


def test_a_revision_may_be_given(project: Repo) -> None:
    commit(project, {"params.yaml": "lr: 0.7\n"})
    found = compare(project, "HEAD~1", "main")
    assert [(p.name, p.old, p.new) for p in found.params] == [("lr", 0.1, 0.7), ("train.epochs", 3, None)]


def test_a_branch_wins_over_the_beginning_of_a_name(project: Repo) -> None:
    save(project, "mainly-good")
    assert compare(project, "main", "mainly").a == "main"
    assert compare(project, "main", "mainly").b == "mainly-good"


def test_what_is_nothing_is_said(project: Repo) -> None:
    with pytest.raises(NotFoundError, match="`nope` is neither an experiment nor a revision"):
        compare(project, "nope")


def test_environments_of_two_experiments_are_compared(project: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    locks = [
        b"numpy==1.0\npandas==2.0\nmine @ git+https://example.com/x@abc\n",
        b"numpy==1.1\npandas==2.0\nnew==1\n",
    ]
    for name, lock in zip(("a", "b"), locks, strict=True):
        monkeypatch.setattr(environment, "lock", lambda _folders, lock=lock: lock)
        save(project, name)
    assert compare(project, "a", "b").environment == (
        PackageChange("mine", "git+https://example.com/x@abc", None),
        PackageChange("new", None, "1"),
        PackageChange("numpy", "1.0", "1.1"),
    )
    assert compare(project, "b").environment == ()
    assert compare(project, "HEAD", "a").environment == ()


def test_equal_sides_do_not_differ(project: Repo) -> None:
    found = compare(project, "HEAD")
    assert (found.params, found.code, found.data) == ((), (), ())


def test_metrics_that_are_older_than_a_run_are_not_its_own(project: Repo) -> None:
    save(project, "before")
    done = running.run(
        project, Plan(("false",)), Request("bad"), Settings(), DataSettings(), started=lambda _subject: None
    )
    assert isinstance(done, running.Ended)
    assert [(m.name, m.old, m.new) for m in compare(project, "before", "bad").metrics] == [
        ("acc", 0.9, None), ("loss.val", 0.2, None)
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # pygtrie under DVC
def test_data_that_was_not_added_differs_from_all(dvc_repo: Repo) -> None:
    put(dvc_repo, {"d.csv": "a\n1\n"})
    track.add(dvc_repo, [str(dvc_repo.root / "d.csv")])
    commit(dvc_repo, {"metrics.json": "{}"})
    save(dvc_repo, "clean")
    put(dvc_repo, {"d.csv": "a\n2\n"})
    save(dvc_repo, "other")
    (change,) = compare(dvc_repo, "clean", "other").data
    assert (change.path, change.new) == ("d.csv", "changed, not added")
    assert [(e.name, e.unadded) for e in listed(dvc_repo)] == [("clean", False), ("other", True)]


def test_the_record_of_another_experiment_is_not_that_of_dvcs(project: Repo) -> None:
    mine = save(project, "mine")
    tree = project.text("rev-parse", f"{mine.commit}^{{tree}}")
    theirs = project.text("commit-tree", tree, "-p", "HEAD", "-m", "commit by dvc")
    project.git("update-ref", mine.ref.replace("/mine", "/theirs"), theirs)
    found = {e.name: read.record(project, e) is not None for e in listed(project)}
    assert found == {"mine": True, "theirs": False}
    assert compare(project, "mine", "theirs").environment == ()
