"""Experiments of a commit's content: after history was rewritten, in every kind of repository."""

from pathlib import Path

import pytest

from git_mlops.experiments import belonging, journal, names, read
from git_mlops.experiments.settings import Settings
from git_mlops.git import objects
from git_mlops.git.repo import Repo, discover, head
from tests.conftest import Run
from tests.experiments.conftest import commit, put, save


def belongs(repo: Repo, tip: str = "HEAD") -> dict[str, str]:
    """Name → how it belongs."""
    oid = repo.text("rev-parse", tip)
    found, how = belonging.listing(repo, Settings(), oid)
    names = {e.name: how[e.ref] for e in found.experiments}
    picked = belonging.find(repo, Settings(), oid).refs
    assert {ref.name.rpartition("/")[2] for ref in picked} == names.keys()
    return dict(names)


@pytest.fixture
def branch(project: Repo) -> Repo:
    """A branch `topic` of two commits with an experiment at its end; main has moved on, elsewhere."""
    project.git("switch", "-q", "-c", "topic")
    commit(project, {"model.py": "a = 1\n"}, "model")
    commit(project, {"model.py": "a = 1\nb = 2\n", "new.py": "c = 3\n"}, "more model")
    save(project, "best")
    project.git("switch", "-q", "main")
    commit(project, {"README.md": "hello\n"}, "elsewhere")
    return project


def test_an_experiment_belongs_to_its_baseline(project: Repo) -> None:
    save(project, "a")
    assert belongs(project) == {"a": "commit"}


def test_after_an_amended_message(project: Repo) -> None:
    save(project, "a")
    project.git("commit", "-q", "--amend", "-m", "in better words")
    save(project, "b")
    assert belongs(project) == {"a": "tree", "b": "commit"}


def test_not_after_an_amended_content(project: Repo) -> None:
    save(project, "a")
    put(project, {"train.py": "print(2)\n"})
    project.git("commit", "-q", "-a", "--amend", "--no-edit")
    assert belongs(project) == {}


def test_not_of_the_commit_before_or_after(project: Repo) -> None:
    save(project, "a")
    commit(project, {"train.py": "print(2)\n"}, "next")
    save(project, "b")
    assert (belongs(project), belongs(project, "HEAD^")) == ({"b": "commit"}, {"a": "commit"})


def test_after_a_rebase_onto_a_moved_branch(branch: Repo) -> None:
    branch.git("switch", "-q", "topic")
    branch.git("rebase", "-q", "main")
    assert (belongs(branch), belongs(branch, "HEAD^")) == ({"best": "patch"}, {})


def test_after_a_rebase_that_moved_lines(project: Repo) -> None:
    lines = "".join(f"line {number}\n" for number in range(40))
    commit(project, {"train.py": lines}, "long")
    project.git("switch", "-q", "-c", "topic")
    commit(project, {"train.py": lines.replace("line 30\n", "line thirty\n")}, "change")
    save(project, "a")
    project.git("switch", "-q", "main")
    commit(project, {"train.py": f"first\n{lines}"}, "above")
    project.git("switch", "-q", "topic")
    project.git("rebase", "-q", "main")
    assert belongs(project) == {"a": "patch"}


def test_after_a_squash_onto_an_unmoved_branch(project: Repo) -> None:
    project.git("switch", "-q", "-c", "topic")
    commit(project, {"model.py": "a = 1\n"}, "model")
    commit(project, {"model.py": "a = 2\n"}, "model again")
    save(project, "a")
    project.git("switch", "-q", "main")
    project.git("merge", "-q", "--squash", "topic")
    project.git("commit", "-q", "-m", "model (#1)")
    project.git("branch", "-q", "-D", "topic")
    assert belongs(project) == {"a": "tree"}


def test_after_a_squash_onto_a_moved_branch(branch: Repo) -> None:
    branch.git("merge", "-q", "--squash", "topic")
    branch.git("commit", "-q", "-m", "model (#1)")
    branch.git("branch", "-q", "-D", "topic")
    assert belongs(branch) == {"best": "patch"}


def test_after_a_squash_of_a_branch_that_had_merged_main(branch: Repo) -> None:
    branch.git("switch", "-q", "topic")
    branch.git("merge", "-q", "-m", "merge main", "main")
    save(branch, "merged")
    branch.git("switch", "-q", "main")
    commit(branch, {"docs.md": "more\n"}, "moved again")
    branch.git("merge", "-q", "--squash", "topic")
    branch.git("commit", "-q", "-m", "model (#1)")
    assert belongs(branch) == {"best": "patch", "merged": "patch"}


def test_a_commit_that_touches_the_same_file_otherwise_is_another(branch: Repo) -> None:
    commit(branch, {"model.py": "a = 1\nb = 3\n", "new.py": "c = 3\n"}, "another model")
    assert belongs(branch) == {}


def test_binary_files_are_compared_by_content(project: Repo) -> None:
    project.git("switch", "-q", "-c", "topic")
    commit(project, {"weights.bin": b"\0\1\2"}, "weights")
    save(project, "a")
    project.git("switch", "-q", "main")
    commit(project, {"README.md": "x\n"}, "moved")
    commit(project, {"weights.bin": b"\0\1\3"}, "other weights")
    assert belongs(project) == {}
    project.git("reset", "-q", "--hard", "HEAD^")
    commit(project, {"weights.bin": b"\0\1\2"}, "weights")
    assert belongs(project) == {"a": "patch"}


def test_what_landed_is_found_by_its_trailers(project: Repo) -> None:
    a = save(project, "a", "one")
    put(project, {"params.yaml": "lr: 0.5\n"})
    b = save(project, "b", "two")
    put(project, {"params.yaml": "lr: 0.7\n"})
    save(project, "c", "not this one")
    said = (
        f"land it\n\n    Mlops-Run: {a.key}\n\nCo-authored-by: Ada\nMlops-Run: {b.key}\nSigned-off-by: Ada\n"
    )
    commit(project, {}, said)
    put(project, {"train.py": "print(3)\n"})
    project.git("commit", "-q", "-a", "--amend", "--no-edit")
    assert belongs(project) == {"a": "trailer", "b": "trailer"}


def test_a_key_in_the_text_of_another_experiment_is_not_its_key(project: Repo) -> None:
    a = save(project, "a")
    put(project, {"params.yaml": "lr: 0.5\n"})
    save(project, "b", f"like this one:\n\nMlops-Run: {a.key}\n\nbut quicker")
    commit(project, {"train.py": "print(3)\n"}, f"land\n\nMlops-Run: {a.key}")
    assert belongs(project) == {"a": "trailer"}


def test_in_a_shallow_clone_of_branches_and_experiments(project: Repo, run: Run, tmp_path: Path) -> None:
    save(project, "same")
    put(project, {"train.py": "print(2)\n"})
    save(project, "other-code")
    project.git("commit", "-q", "--amend", "-m", "in better words", "--", "params.yaml")
    clone = tmp_path / "clone"
    run("git", "clone", "-q", "--depth=1", f"file://{project.root}", clone, cwd=tmp_path)
    run("git", "fetch", "-q", "--depth=1", "origin", "refs/exps/*:refs/exps/*", cwd=clone)
    here = discover(clone)
    assert here.shallow
    assert belongs(here) == {"same": "content"}


def test_in_a_shallow_clone_nothing_is_guessed_from_a_cut_history(
    branch: Repo, run: Run, tmp_path: Path
) -> None:
    branch.git("merge", "-q", "--squash", "topic")
    branch.git("commit", "-q", "-m", "model (#1)")
    clone = tmp_path / "clone"
    run("git", "clone", "-q", "--depth=1", f"file://{branch.root}", clone, cwd=tmp_path)
    run("git", "fetch", "-q", "origin", "refs/exps/*:refs/exps/*", cwd=clone)
    assert belongs(discover(clone)) == {}
    run("git", "fetch", "-q", "--unshallow", cwd=clone)
    assert belongs(discover(clone)) == {"best": "patch"}


def test_in_a_linked_worktree(branch: Repo, run: Run, tmp_path: Path) -> None:
    run("git", "worktree", "add", "-q", tmp_path / "tree", "topic", cwd=branch.root)
    run("git", "rebase", "-q", "main", cwd=tmp_path / "tree")
    assert belongs(discover(tmp_path / "tree")) == {"best": "patch"}


def test_in_a_sha256_repository(run: Run, tmp_path: Path) -> None:
    run("git", "init", "-q", "--object-format=sha256", tmp_path, cwd=tmp_path)
    repo = discover(tmp_path)
    commit(repo, {"train.py": "print(1)\n"}, "first")
    repo.git("switch", "-q", "-c", "topic")
    commit(repo, {"model.py": "a = 1\n"}, "model")
    save(repo, "a")
    repo.git("commit", "-q", "--amend", "-m", "other words")
    assert belongs(repo) == {"a": "tree"}
    repo.git("switch", "-q", "main")
    commit(repo, {"README.md": "x\n"}, "moved")
    repo.git("merge", "-q", "--squash", "topic")
    repo.git("commit", "-q", "-m", "model (#1)")
    assert belongs(repo) == {"a": "patch"}


def rewritten(repo: Repo, path: str) -> None:
    """Every commit of HEAD again without one path, as `git filter-repo` does it."""
    parents: list[str] = []
    for oid in repo.text("rev-list", "--reverse", "HEAD").splitlines():
        with objects.scratch_index(repo) as index:
            repo.git("read-tree", oid, index=index)
            repo.git("rm", "-q", "--cached", "--ignore-unmatch", "--", path, index=index)
            tree = objects.write_tree(repo, index)
        parents = [objects.commit_tree(repo, tree, parents, repo.text("log", "-1", "--format=%B", oid))]
    repo.git("reset", "-q", "--hard", parents[0])


def test_after_a_path_was_filtered_out_of_history(project: Repo) -> None:
    commit(project, {"secret.txt": "1234\n"}, "oops")
    commit(project, {"model.py": "a = 1\n"}, "model")
    save(project, "a")
    rewritten(project, "secret.txt")
    assert belongs(project) == {"a": "patch"}


def test_after_a_path_that_is_no_code_was_filtered_and_the_old_history_is_gone(
    project: Repo, run: Run, tmp_path: Path
) -> None:
    commit(project, {"docs/secret.md": "1234\n", "model.py": "a = 1\n"}, "model")
    save(project, "a")
    rewritten(project, "docs/secret.md")
    assert belongs(project) == {}  # its baseline is here, and another: the commit itself was changed
    clone = tmp_path / "clone"
    run("git", "clone", "-q", "--no-local", project.root, clone, cwd=tmp_path)
    run("git", "fetch", "-q", "--depth=1", "origin", "refs/exps/*:refs/exps/*", cwd=clone)
    assert belongs(discover(clone)) == {"a": "content"}


def test_a_first_commit_has_a_patch_too(repo: Repo) -> None:
    repo.git("switch", "-q", "--orphan", "other")
    commit(repo, {"x.py": "1\n"}, "root")
    save(repo, "a")
    repo.git("commit", "-q", "--amend", "-m", "root in other words")
    assert belongs(repo) == {"a": "tree"}


def test_a_commit_that_changes_nothing_has_the_experiments_of_the_one_before(project: Repo) -> None:
    save(project, "a")
    commit(project, {}, "start CI again")
    assert belongs(project) == {"a": "tree"}


def test_the_parameters_of_other_baselines_count_for_what_differs(project: Repo) -> None:
    save(project, "a")
    project.git("commit", "-q", "--amend", "-m", "in better words")
    save(project, "b")
    found, _how = belonging.listing(project, Settings(), head(project) or "")
    assert set(found.baselines) == {e.baseline for e in found.experiments}
    assert len(found.baselines) == 2


def test_a_run_under_way_belongs_when_head_is_amended_meanwhile(project: Repo) -> None:
    baseline = head(project)
    assert baseline
    oid = save(project, "done").commit
    project.git("update-ref", "-d", f"{names.baseline_prefix(baseline)}done")
    run = journal.begin(project, "1", f"{names.baseline_prefix(baseline)}live", oid, "2026-01-31T10:00:00Z")
    project.git("commit", "-q", "--amend", "-m", "in better words")
    tip = head(project) or ""
    found, how = belonging.listing(project, Settings(), tip)
    assert [(e.name, e.status, how[e.ref]) for e in found.experiments] == [("live", "running", "tree")]
    every = read.listing(project, Settings())
    assert belonging.among(project, Settings(), tip, every) == {run.ref: "tree"}
    journal.end(project, run)


def test_the_set_of_head_is_offered_to_push(project: Repo) -> None:
    save(project, "a")
    project.git("commit", "-q", "--amend", "-m", "in better words")
    save(project, "b")
    assert sorted(belonging.refs(project, Settings())) == sorted(read.all_refs(project))


def test_before_the_first_commit_there_is_nothing(run: Run, tmp_path: Path) -> None:
    run("git", "init", "-q", tmp_path, cwd=tmp_path)
    assert belonging.refs(discover(tmp_path), Settings()) == []
