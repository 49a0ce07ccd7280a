"""`exp apply`: the experiment's files in the workspace, and nothing lost by it."""

from pathlib import Path

import pytest

from git_mlops.data.hashes import Hashes
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError
from git_mlops.experiments import apply as applying
from git_mlops.experiments.apply import Applied
from git_mlops.experiments.settings import Settings
from git_mlops.git import objects
from git_mlops.git.objects import Entry
from git_mlops.git.repo import Repo, discover, head
from tests.data.conftest import Data
from tests.experiments.conftest import commit, listed, put, save
from tests.experiments.test_worktree import state
from tests.hooks.conftest import store

# pygtrie under DVC's checkout warns of its own future
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")


def apply(repo: Repo, name: str) -> Applied:
    return applying.apply(repo, name, Settings(), DataSettings())


def content(repo: Repo, path: str) -> str:
    return (repo.root / path).read_text(encoding="utf-8")


@pytest.fixture
def recorded(project: Repo) -> Repo:
    """An experiment `e` with a change, a deletion, new files, a mode, a link; then back to HEAD."""
    commit(project, {"gone/deep.txt": "x", "kept.txt": "k"})
    put(project, {"train.py": "print('e')\n", "new/file ü.txt": "n", "run.sh": "#!/bin/sh\n"})
    (project.root / "run.sh").chmod(0o755)
    (project.root / "link").symlink_to("train.py")
    (project.root / "gone" / "deep.txt").unlink()
    save(project, "e")
    project.git("checkout", "-q", "--", ".")
    project.git("clean", "-qfd")
    return project


def test_files_modes_links_and_deletions_arrive_unstaged(recorded: Repo) -> None:
    done = apply(recorded, "e")
    assert done[:4] == ("e", ("link", "new/file ü.txt", "run.sh", "train.py"), ("gone/deep.txt",), None)
    assert (done.missing_data, done.kept_data, done.older) == ((), (), ())
    assert recorded.text("status", "--porcelain", "-uall").splitlines() == [
        " D gone/deep.txt", " M train.py", "?? link", '?? "new/file \\303\\274.txt"', "?? run.sh"
    ]  # fmt: skip
    assert ((recorded.root / "link").readlink(), (recorded.root / "run.sh").stat().st_mode & 0o111 != 0) == (
        Path("train.py"),
        True,
    )
    assert not (recorded.root / "gone").exists()
    assert not (recorded.root / ".mlops").exists()


def test_the_index_stays_as_it_is(recorded: Repo) -> None:
    put(recorded, {"staged.txt": "s"})
    recorded.git("add", "staged.txt")
    before = recorded.git("ls-files", "-s")
    apply(recorded, "e")
    assert recorded.git("ls-files", "-s") == before


def test_uncommitted_work_in_the_way_becomes_an_experiment_first(recorded: Repo) -> None:
    put(recorded, {"train.py": "my work\n", "notes.txt": "mine"})
    done = apply(recorded, "e")
    assert done.saved is not None
    assert done.saved.startswith("before-apply-")
    assert (content(recorded, "train.py"), content(recorded, "notes.txt")) == ("print('e')\n", "mine")
    apply(recorded, done.saved)
    assert content(recorded, "train.py") == "my work\n"


def test_work_that_an_experiment_holds_is_not_recorded_twice(recorded: Repo) -> None:
    put(recorded, {"train.py": "my work\n"})
    save(recorded, "mine")
    assert apply(recorded, "e").saved is None
    assert sorted(e.name for e in listed(recorded)) == ["e", "mine"]


def test_work_that_is_not_in_the_way_stays(recorded: Repo) -> None:
    put(recorded, {"kept.txt": "changed", "other.txt": "new"})
    assert apply(recorded, "e").saved is not None  # kept.txt is a file of the experiment too
    assert (content(recorded, "kept.txt"), content(recorded, "other.txt")) == ("k", "new")


def test_an_ignored_file_in_the_way_is_not_overwritten(recorded: Repo) -> None:
    put(recorded, {".git/info/exclude": "run.sh\n", "run.sh": "secret"})
    with pytest.raises(MlopsError, match=r"`run\.sh` would be overwritten"):
        apply(recorded, "e")
    assert (content(recorded, "run.sh"), content(recorded, "train.py")) == ("secret", "print(1)\n")


def test_an_ignored_file_with_the_same_bytes_is_not_in_the_way(recorded: Repo) -> None:
    put(recorded, {".git/info/exclude": "run.sh\n", "run.sh": "#!/bin/sh\n"})
    assert "run.sh" in apply(recorded, "e").written


def test_ignored_data_that_the_cache_holds_is_not_in_the_way(recorded: Repo) -> None:
    store(recorded, b"1,2")
    put(recorded, {".git/info/exclude": "run.sh\n", "run.sh": "1,2"})
    apply(recorded, "e")
    assert content(recorded, "run.sh") == "#!/bin/sh\n"


def test_what_changed_since_the_baseline_goes_back_and_is_told_but_not_the_settings(recorded: Repo) -> None:
    settings = {"mlops.yaml": "version: 1\n", ".gitignore": "/data.csv\n", "sub/.gitattributes": "*.x y\n"}
    commit(recorded, {"kept.txt": "newer", "later.txt": "l", **settings})
    done = apply(recorded, "e")
    assert (done.older, content(recorded, "kept.txt"), content(recorded, "later.txt")) == (
        ("kept.txt",),
        "k",
        "l",
    )
    assert {path: content(recorded, path) for path in settings} == settings


def test_settings_that_the_experiment_changed_come_with_it(recorded: Repo) -> None:
    put(recorded, {"mlops.yaml": "version: 1\n# e2\n"})
    save(recorded, "e2")
    commit(recorded, {"mlops.yaml": "version: 1\n"})
    apply(recorded, "e2")
    assert content(recorded, "mlops.yaml") == "version: 1\n# e2\n"


@pytest.mark.parametrize("kind", ["blob", "tree", "tag"])
def test_a_ref_that_is_no_commit_changes_nothing(recorded: Repo, kind: str) -> None:
    tip = head(recorded) or ""
    recorded.git("tag", "-a", "-m", "x", "annotated")
    name = {"blob": "HEAD:train.py", "tree": "HEAD^{tree}", "tag": "annotated"}[kind]
    ref = f"refs/exps/{tip[:2]}/{tip[2:]}/hostile"
    recorded.git("update-ref", ref, recorded.text("rev-parse", name))
    before = state(recorded)
    with pytest.raises(MlopsError, match="`hostile` is no experiment: its ref names no commit"):
        apply(recorded, "hostile")
    assert state(recorded) == before


def test_data_that_is_gone_or_another_runs_comes_with_it(dvc_repo: Repo) -> None:
    data = Data(dvc_repo)
    data.file("a.csv", "recorded")
    data.file("b.csv", "recorded")
    commit(dvc_repo, {})
    save(dvc_repo, "e")
    with Hashes(dvc_repo) as hashes:
        hashes.followed |= {"a.csv": data.out("a.csv").hash, "b.csv": data.out("b.csv").hash}
    (data.root / "a.csv").unlink()
    store(dvc_repo, b"another run's")
    data.write("b.csv", "another run's")
    done = apply(dvc_repo, "e")
    assert (done.kept_data, data.read("a.csv"), data.read("b.csv")) == ((), "recorded", "recorded")


def test_a_folder_with_ignored_files_where_a_file_goes_is_not_removed(recorded: Repo) -> None:
    put(recorded, {".git/info/exclude": "*.secret\n", "run.sh/a.secret": "s"})
    with pytest.raises(MlopsError, match=r"a\.secret"):
        apply(recorded, "e")
    assert content(recorded, "run.sh/a.secret") == "s"


def test_applying_twice_changes_nothing_more(recorded: Repo) -> None:
    apply(recorded, "e")
    assert apply(recorded, "e")[:6] == ("e", (), (), None, (), ())


def test_nothing_is_written_through_a_symbolic_link(recorded: Repo, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (recorded.root / "new").symlink_to(outside)
    (recorded.root / "gone" / "deep.txt").unlink()
    (recorded.root / "gone").rmdir()
    (recorded.root / "gone").symlink_to(outside)
    (outside / "deep.txt").write_text("theirs", encoding="utf-8")
    apply(recorded, "e")
    assert sorted(p.name for p in outside.iterdir()) == ["deep.txt"]
    assert (recorded.root / "new").is_dir()
    assert not (recorded.root / "new").is_symlink()


@pytest.mark.parametrize("name", ["..", ".git"])
def test_a_tree_that_names_a_place_outside_is_refused(project: Repo, name: str) -> None:
    baseline = head(project)
    assert baseline
    blob = objects.write_blobs(project, [b"evil"])[0]
    inner, inner_id = objects.tree_text(project, [Entry("100644", blob, "evil")])
    outer, outer_id = objects.tree_text(project, [Entry("40000", inner_id, name)])
    objects.write_trees(project, [inner, outer])
    oid = objects.commit_tree(project, outer_id, [baseline], "evil")
    project.git("update-ref", f"refs/exps/{baseline[:2]}/{baseline[2:]}/evil-one", oid)
    with pytest.raises(MlopsError):
        apply(project, "evil-one")
    assert not (project.root.parent / "evil").exists()
    assert not (project.git_dir / "evil").exists()


def test_it_works_in_a_linked_worktree(recorded: Repo, tmp_path: Path) -> None:
    recorded.git("worktree", "add", "-q", str(tmp_path / "linked"))
    linked = discover(tmp_path / "linked")
    apply(linked, "e")
    assert (content(linked, "train.py"), content(recorded, "train.py")) == ("print('e')\n", "print(1)\n")
