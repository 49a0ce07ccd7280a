"""A template merged into a repository, and its next version: git's own merges, and nobody's work is lost."""

import shutil
from pathlib import Path

import pytest
import yaml

from git_mlops import __version__, config
from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.git.repo import Repo, discover
from git_mlops.git.run import GitError
from git_mlops.scaffold import ci, origin
from git_mlops.scaffold.new import create
from git_mlops.scaffold.update import Merged, scaffold, update
from tests.conftest import Run

EARLIER = Path(__file__).parent.parent / "cases" / "templates" / "minimal-0.0.1"


def commit(repo: Repo, message: str, **files: str) -> str:
    for path, text in files.items():
        (repo.root / path).parent.mkdir(parents=True, exist_ok=True)
        (repo.root / path).write_text(text, encoding="utf-8")
    repo.git("add", "--all")
    repo.git("commit", "-q", "-m", message)
    return repo.text("rev-parse", "HEAD")


def edit(repo: Repo, path: str, old: str, new: str) -> None:
    text = (repo.root / path).read_text(encoding="utf-8")
    assert old in text
    (repo.root / path).write_text(text.replace(old, new), encoding="utf-8")


def read(repo: Repo, path: str) -> str:
    return (repo.root / path).read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path, run: Run) -> Repo:
    """A project that an earlier version of the template started, and that its owner went on with."""
    root = tmp_path / "flowers"
    shutil.copytree(EARLIER, root)
    run("git", "init", "-q", "-b", "main", root, cwd=tmp_path)
    repo = discover(root)
    tip = origin.record(repo, origin.tree(repo, root), "minimal", version="0.0.1")
    repo.git("update-ref", "HEAD", tip)
    repo.git("read-tree", tip)
    return repo


def test_an_update_brings_what_is_new_and_keeps_what_the_user_did(project: Repo) -> None:
    edit(project, "src/features.py", "One row per flower", "One row per FLOWER")
    edit(project, "params.yaml", "test_share: 0.3", "test_share: 0.4")
    before = commit(project, "mine", **{"src/own.py": "mine = 1\n"})
    template = origin.find(project)
    assert update(project, {}) == Merged("minimal")
    features = read(project, "src/features.py")
    assert ("FLOWER" in features, "petal_shape" in features) == (True, True)
    assert yaml.safe_load(read(project, "params.yaml")) == {
        "prepare": {"test_share": 0.4, "seed": 20}, "train": {"strength": 1.0, "seed": 20},
    }  # fmt: skip
    assert (read(project, "src/own.py"), (project.root / "setup.cfg").exists()) == ("mine = 1\n", False)
    assert project.text("rev-parse", "HEAD^1", "HEAD^2^").split() == [before, template]
    assert project.text("status", "--porcelain") == ""


def test_an_update_keeps_the_answers_and_generates_the_pipelines(project: Repo) -> None:
    update(project, {})
    answers = yaml.safe_load(read(project, ".copier-answers.yml"))
    assert answers["_commit"] == __version__
    assert [answers[key] for key in ("manager", "project_name", "remote")] == ["uv", "flowers", "local"]
    assert "retired_question" not in answers
    settings = config.load(project).config.ci
    assert "python -m uv pip install" in settings.install
    assert ci.drift(project, "github", settings) == []
    assert "mlops.yml" in project.text("ls-tree", "-r", "--name-only", "HEAD", ".github")


def test_a_second_update_has_nothing_new_until_an_answer_changes(project: Repo) -> None:
    update(project, {})
    tip = project.text("rev-parse", "HEAD")
    assert (update(project, {}), project.text("rev-parse", "HEAD")) == (None, tip)
    assert update(project, {"manager": "conda"}) == Merged("minimal")
    changed = project.text("diff", "--name-only", tip, "HEAD").splitlines()
    assert {"environment.yml", "Dockerfile", "mlops.yaml", ".copier-answers.yml"} < set(changed)
    assert config.load(project).config.ci.install.startswith("python -m pip install -r")


def test_what_both_changed_is_an_ordinary_conflict_that_can_be_dropped(project: Repo) -> None:
    edit(project, "README.md", "An earlier README.", "Our README.")
    before = commit(project, "mine")
    assert update(project, {}) == Merged("minimal", ("README.md",))
    text = read(project, "README.md")
    assert ("<<<<<<< HEAD\n" in text, "Our README." in text, "Which iris" in text) == (True, True, True)
    project.git("merge", "--abort")
    assert (project.text("rev-parse", "HEAD"), project.text("status", "--porcelain")) == (before, "")
    assert update(project, {}) == Merged("minimal", ("README.md",))
    project.git("add", "--all")
    project.git("commit", "-q", "--no-edit")
    assert update(project, {}) is None


def test_an_update_of_a_changed_workspace_is_refused(project: Repo) -> None:
    edit(project, "README.md", "An earlier", "A changed")
    with pytest.raises(MlopsError, match="changes that are not committed"):
        update(project, {})
    assert "A changed README." in read(project, "README.md")


def test_a_file_of_the_user_that_git_does_not_know_is_not_overwritten(project: Repo) -> None:
    (project.root / "LICENSE").write_text("mine")
    with pytest.raises(GitError, match="LICENSE"):
        update(project, {})
    assert read(project, "LICENSE") == "mine"
    (project.root / "LICENSE").unlink()
    assert update(project, {}) == Merged("minimal")


def test_a_pipeline_that_was_edited_by_hand_is_left_and_said(project: Repo) -> None:
    commit(project, "own", **{".github/workflows/mlops.yml": "mine: true\n"})
    merged = update(project, {})
    assert merged is not None
    assert (merged.conflicts, len(merged.refused)) == ((), 1)
    assert "was edited by hand" in merged.refused[0]
    assert read(project, ".github/workflows/mlops.yml") == "mine: true\n"


def test_a_template_that_was_squashed_away_is_known_here_and_can_be_named_elsewhere(
    project: Repo, tmp_path: Path, run: Run
) -> None:
    tree = project.text("rev-parse", "HEAD^{tree}")
    squashed = project.text("commit-tree", tree, "-m", "all of it")
    project.git("reset", "-q", "--hard", squashed)
    edit(project, "README.md", "# flowers", "# Our flowers")
    commit(project, "mine")
    run("git", "clone", "-q", project.root, tmp_path / "clone", cwd=tmp_path)
    clone = discover(tmp_path / "clone")
    with pytest.raises(MlopsError, match="is not in this history") as caught:
        update(clone, {})
    assert caught.value.exit_code == 3
    for repo, base in ((project, None), (clone, squashed)):
        assert update(repo, {}, base=base) == Merged("minimal")
        assert "petal_shape" in read(repo, "src/features.py")
        assert read(repo, "README.md").startswith("# Our flowers\n\nWhich iris")


def test_a_commit_that_was_amended_is_not_taken_for_the_template(project: Repo) -> None:
    (project.root / "own.txt").write_text("mine")
    project.git("add", "--all")
    project.git("commit", "-q", "--amend", "--no-edit")
    project.git("update-ref", "-d", "refs/mlops/templates/minimal")
    assert origin.find(project) is None


def test_the_same_version_needs_no_history(tmp_path: Path) -> None:
    repo = create("minimal", tmp_path / "p", {})
    repo.git("commit", "-q", "--amend", "-m", "Start")
    repo.git("update-ref", "-d", "refs/mlops/templates/minimal")
    assert update(repo, {"licence": "MIT"}) == Merged("minimal")
    assert read(repo, "LICENSE").startswith("MIT License")
    assert repo.text("diff", "--name-only", "HEAD^", "HEAD").split() == [".copier-answers.yml", "LICENSE"]


def test_a_later_template_is_left_alone(project: Repo) -> None:
    edit(project, ".copier-answers.yml", '"0.0.1"', '"99.0"')
    commit(project, "later")
    with pytest.raises(MlopsError, match=r"of git-mlops 99\.0, this is"):
        update(project, {})


def test_what_comes_from_no_template_is_not_updated(repo: Repo) -> None:
    with pytest.raises(NotFoundError, match="comes from no template"):
        update(repo, {})


def test_a_template_is_merged_into_a_repository_with_a_history(repo: Repo) -> None:
    before = commit(repo, "mine", **{"notes.txt": "mine\n"})
    assert scaffold(repo, "minimal", {"manager": "uv"}) == Merged("minimal")
    assert repo.text("rev-parse", "HEAD^1") == before
    assert repo.text("log", "-1", "--format=%s %P", "HEAD^2") == f"template: minimal {__version__} "
    assert (read(repo, "notes.txt"), repo.text("status", "--porcelain")) == ("mine\n", "")
    assert read(repo, "README.md").startswith("# my repö\n")
    assert config.load(repo).config.ci.branches == ("main",)
    assert "mlops.yml" in repo.text("ls-tree", "-r", "--name-only", "HEAD", ".github")
    with pytest.raises(MlopsError, match="has a template already"):
        scaffold(repo, "tabular", {})
    assert update(repo, {}) is None


def test_files_that_both_have_are_conflicts_with_both_in_them(repo: Repo) -> None:
    before = commit(repo, "mine", **{"README.md": "# Ours\n", "params.yaml": "ours: 1\n"})
    assert scaffold(repo, "minimal", {}) == Merged("minimal", ("README.md", "params.yaml"))
    text = read(repo, "README.md")
    assert ("# Ours\n" in text, "# my repö\n" in text, "<<<<<<<" in text) == (True, True, True)
    repo.git("merge", "--abort")
    assert (repo.text("rev-parse", "HEAD"), repo.text("ls-files").split()) == (
        before, ["README.md", "params.yaml"],
    )  # fmt: skip


def test_what_init_wrote_is_no_conflict(repo: Repo, mlops: Run) -> None:
    mlops("init", cwd=repo.root)
    commit(repo, "init")
    assert scaffold(repo, "minimal", {}) == Merged("minimal")
    assert config.load(repo).config.schemas == {"data/irises.csv": "schemas/irises.yaml"}
    assert "storage" in read(repo, ".dvc/config")


def test_a_repository_with_no_commit_or_with_changes_is_refused(repo: Repo, tmp_path: Path, run: Run) -> None:
    run("git", "init", "-q", tmp_path / "fresh", cwd=tmp_path)
    with pytest.raises(MlopsError, match="nothing is committed here yet"):
        scaffold(discover(tmp_path / "fresh"), "minimal", {})
    (repo.root / "notes.txt").write_text("mine")
    repo.git("add", "--all")
    with pytest.raises(MlopsError, match="changes that are not committed"):
        scaffold(repo, "minimal", {})


def test_a_sha256_repository_and_a_linked_worktree_will_do(tmp_path: Path, run: Run) -> None:
    run("git", "init", "-q", "-b", "main", "--object-format=sha256", tmp_path / "p", cwd=tmp_path)
    run("git", "commit", "-q", "--allow-empty", "-m", "first", cwd=tmp_path / "p")
    run("git", "worktree", "add", "-q", "-b", "side", tmp_path / "w", cwd=tmp_path / "p")
    repo = discover(tmp_path / "w")
    assert scaffold(repo, "minimal", {}) == Merged("minimal")
    assert config.load(repo).config.ci.branches == ("side",)
    assert update(repo, {"licence": "MIT"}) == Merged("minimal")
