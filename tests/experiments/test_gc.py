"""`exp gc` and `exp archive`: what is chosen goes, what somebody needs stays, and all comes back."""

import json
import os
from pathlib import Path

import pytest

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.experiments import archive, gc
from git_mlops.experiments import run as running
from git_mlops.experiments.gc import Kept, Policy
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Plan
from git_mlops.experiments.settings import Settings
from git_mlops.git import refs
from git_mlops.git.refs import Move, Ref
from git_mlops.git.repo import Repo
from tests.conftest import Run
from tests.experiments.conftest import commit, listed, put, save


@pytest.fixture
def tried(project: Repo) -> Repo:
    """`good` and `bad` results, a `broken` run, and what an apply saved."""
    for name, acc in (("good", 0.9), ("bad", 0.1)):
        put(project, {"metrics.json": f'{{"acc": {acc}}}\n', "params.yaml": f"of: {name}\n"})
        save(project, name)
    put(project, {"metrics.json": '{"acc": 0}\n', "params.yaml": "of: nobody\n"})
    running.run(
        project,
        Plan(("false",)),
        Request("broken"),
        Settings(),
        DataSettings(),
        started=lambda _subject: None,
    )
    save(project, "before-apply-1234567x")
    return project


def go(repo: Repo, **policy: object) -> list[str]:
    return sorted(one.name for one in gc.plan(repo, Settings(), Policy(**policy)).go)  # type: ignore[arg-type]  # as given


def names(repo: Repo) -> list[str]:
    return sorted(e.name for e in listed(repo))


def test_what_is_said_is_chosen(tried: Repo) -> None:
    assert go(tried, failed=True) == ["broken"]
    assert go(tried, snapshots=True) == ["before-apply-1234567x"]
    assert go(tried, failed=True, snapshots=True) == ["before-apply-1234567x", "broken"]
    assert go(tried, where="metrics.acc < 0.5") == ["bad", "before-apply-1234567x"]
    assert go(tried, where="metrics.acc < 0.5", snapshots=True) == ["before-apply-1234567x"]


def test_age_is_the_commits(tried: Repo) -> None:
    assert go(tried, older_than="1 hour ago") == []
    os.environ["GIT_COMMITTER_DATE"] = "2026-01-01T00:00:00 +0000"
    try:
        save(tried, "old")
    finally:
        del os.environ["GIT_COMMITTER_DATE"]
    assert go(tried, older_than="2026-02-01") == ["old"]


def test_a_policy_that_says_nothing_or_no_date_is_an_error(tried: Repo) -> None:
    with pytest.raises(MlopsError, match="which experiments may go"):
        go(tried)
    with pytest.raises(MlopsError, match="`next tuesday-ish` is no date in the past"):
        go(tried, older_than="next tuesday-ish")


def test_what_goes_can_come_back(tried: Repo) -> None:
    before = refs.list_refs(tried, "refs/exps/")
    gone = gc.collect(tried, gc.plan(tried, Settings(), Policy(where="metrics.acc < 0.5")).go)
    assert names(tried) == ["broken", "good"]
    for one in gone:
        tried.git(*one.undo.split()[1:])
    assert refs.list_refs(tried, "refs/exps/") == before


def test_what_a_commit_has_landed_stays(tried: Repo) -> None:
    key = next(e.commit.message.key for e in listed(tried) if e.name == "bad")
    commit(tried, {"metrics.json": '{"acc": 0.1}\n'}, f"landed\n\nMlops-Run: {key}")
    found = gc.plan(tried, Settings(), Policy(where="metrics.acc < 0.5"))
    assert ([e.name for e in found.go], found.kept) == (
        ["before-apply-1234567x"],
        (Kept("bad", "a commit has landed it"),),
    )


def test_backups_go_for_good_when_they_are_old(tried: Repo) -> None:
    gc.collect(tried, gc.plan(tried, Settings(), Policy(failed=True)).go)
    assert gc.backups(tried, "2 weeks ago") == []
    old = refs.list_refs(tried, "refs/mlops/backup/")[0]
    tried.git("update-ref", "refs/mlops/backup/exps/20200101T000000.000000/x", old.oid)
    found = gc.backups(tried, "2 weeks ago")
    assert [ref.name for ref in found] == ["refs/mlops/backup/exps/20200101T000000.000000/x"]
    gc.forget(tried, found)
    assert refs.list_refs(tried, "refs/mlops/backup/") == [old]


def test_an_archive_keeps_all_under_one_ref_and_gives_it_back(tried: Repo, tmp_path: Path, run: Run) -> None:
    before = refs.list_refs(tried, "refs/exps/")
    first = archive.archive(tried, before[:2])
    second = archive.archive(tried, before[2:])
    assert (listed(tried), len(refs.list_refs(tried, archive.PREFIX))) == ([], 1)
    assert archive.listing(tried) == sorted([*first, *second], key=lambda one: one.ref)
    tried.git("reflog", "expire", "--expire=now", "--all")
    tried.git("gc", "-q", "--prune=now")

    run("git", "init", "-q", "--bare", "-b", "main", tmp_path / "origin.git", cwd=tmp_path)
    tried.git("push", "-q", str(tmp_path / "origin.git"), "main", "refs/mlops/archive/*:refs/mlops/archive/*")
    tried.git("update-ref", "-d", refs.list_refs(tried, archive.PREFIX)[0].name)
    tried.git("fetch", "-q", str(tmp_path / "origin.git"), "refs/mlops/archive/*:refs/mlops/archive/*")
    archive.restore(tried, [one.name for one in (*first, *second)])
    assert refs.list_refs(tried, "refs/exps/") == before
    archive.restore(tried, ["good"])
    with pytest.raises(NotFoundError, match="no archived experiment `none`"):
        archive.restore(tried, ["none"])


def test_many_are_folded_in_several_commits(project: Repo) -> None:
    oid = save(project, "one").commit
    made = [Ref(f"refs/exps/{n % 256:02x}/{n:038x}/run-{n}", oid) for n in range(1200)]
    refs.move(project, [Move(ref.name, oid, None) for ref in made], "test")
    archive.archive(project, made)
    (tip,) = refs.list_refs(project, archive.PREFIX)
    assert sorted(one.ref for one in archive.listing(project)) == sorted(ref.name for ref in made)
    assert project.text("log", "--format=%s", tip.name).count("archive: ") == 3


def test_a_strangers_archive_names_nothing_outside(project: Repo) -> None:
    oid = save(project, "one").commit
    place = f"refs/exps/aa/{'b' * 38}"
    text = f"{oid} refs/heads/main\n{oid} refs/exps/../x\nzz {place}/n\n{oid} {place}/ok\n"
    blob = project.text("hash-object", "-w", "--stdin", stdin=text.encode())
    tree = project.text("mktree", stdin=f"100644 blob {blob}\texperiments\n".encode())
    tip = project.text("commit-tree", "-m", "x", tree)
    project.git("update-ref", "refs/mlops/archive/2026-01", tip)
    assert [one.name for one in archive.listing(project)] == ["ok"]


def test_another_experiment_of_the_name_is_not_replaced(tried: Repo) -> None:
    chosen = [ref for ref in refs.list_refs(tried, "refs/exps/") if ref.name.endswith("/good")]
    archive.archive(tried, chosen)
    save(tried, "good", "another")
    with pytest.raises(MlopsError, match="another experiment `good` is here"):
        archive.restore(tried, ["good"])


def test_as_a_user_runs_them(tried: Repo, mlops: Run) -> None:
    assert "1 experiment would go; `--yes` does it" in mlops("exp", "gc", "--failed", cwd=tried.root).stderr
    assert len(names(tried)) == 4
    done = mlops("exp", "gc", "--failed", "--json", "--yes", cwd=tried.root)
    assert [ref.rpartition("/")[2] for ref in json.loads(done.stdout)["data"]["go"]] == ["broken"]
    assert names(tried) == ["bad", "before-apply-1234567x", "good"]
    mlops("exp", "archive", "--where", "name == 'bad'", "--yes", cwd=tried.root)
    assert "bad" in mlops("exp", "archive", "--list", cwd=tried.root).stdout
    assert mlops("exp", "restore", "bad", cwd=tried.root).stderr == "restored bad\n"
    assert mlops("exp", "gc", cwd=tried.root, status=2).stderr.startswith("error: which experiments may go?")
