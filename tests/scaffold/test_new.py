"""A new project: whole or not at all, a repository of its own, with no trace of this machine."""

import os
from pathlib import Path

import pytest
import yaml

from git_mlops import __version__, config
from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.git.repo import Repo
from git_mlops.git.run import GitError
from git_mlops.scaffold.new import create, surrounding
from tests.conftest import Run

FILES = [
    ".copier-answers.yml", ".dockerignore", ".dvc/.gitignore", ".dvc/config", ".dvcignore", ".gitignore",
    "Dockerfile", "LICENSE", "MODEL_CARD.md", "README.md", "dvc.yaml", "mlops.yaml", "params.yaml",
    "pytest.ini", "requirements.lock", "requirements.txt", "schemas/patients.yaml", "src/evaluate.py",
    "src/features.py", "src/make_data.py", "src/measure.py", "src/model.py", "src/prepare.py",
    "src/project.py", "src/serve.py", "src/split.py", "src/train.py", "src/watched.py", "tests/conftest.py",
    "tests/test_data.py", "tests/test_features.py", "tests/test_model.py", "tests/test_project.py",
    "tests/test_serving.py",
]  # fmt: skip
WORKFLOWS = [f".github/workflows/{name}.yml" for name in ("mlops-monitor", "mlops-train", "mlops")]
GENERATED = [*WORKFLOWS, ".mlops/ci.sh"]


def files(top: Path) -> list[str]:
    found = (path for path in top.rglob("*") if path.is_file())
    return sorted(
        path.relative_to(top).as_posix() for path in found if ".git" not in path.relative_to(top).parts
    )


def test_a_project_is_a_repository_whose_first_commit_is_the_template(tmp_path: Path) -> None:
    repo = create("tabular", tmp_path / "p", {})
    assert (repo.root, files(repo.root)) == (tmp_path / "p", sorted([*FILES, *GENERATED]))
    assert repo.text("ls-tree", "-r", "--name-only", "HEAD").splitlines() == sorted(FILES)
    status = repo.text("status", "--short", "--branch").splitlines()
    assert status == ["## main", *(f"A  {path}" for path in GENERATED)]


def test_the_first_commit_says_what_it_is(tmp_path: Path) -> None:
    repo = create("tabular", tmp_path / "p", {})
    told = repo.text("log", "--format=%s%n%(trailers:key=Mlops-Template,valueonly)%T").split("\n")
    tree = repo.text("log", "--format=%(trailers:key=Mlops-Template-Tree,valueonly)").strip()
    assert told == [f"template: tabular {__version__}", f"tabular {__version__}", tree]


def test_somebody_whom_git_does_not_know_can_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{who}_NAME")
        monkeypatch.delenv(f"GIT_{who}_EMAIL")
    (Path(os.environ["HOME"]) / "gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    repo = create("minimal", tmp_path / "p", {})
    assert repo.text("log", "--format=%an") == "git-mlops"


def test_a_repository_with_commits_and_no_files_is_continued(repo: Repo) -> None:
    before = repo.text("rev-parse", "HEAD")
    create("minimal", repo.root, {})
    assert repo.text("rev-parse", "HEAD^") == before
    assert repo.text("diff", "--stat") == ""


def test_a_repository_whose_files_are_only_deleted_is_not_empty(repo: Repo) -> None:
    (repo.root / "notes.txt").write_text("mine")
    repo.git("add", "--all")
    repo.git("commit", "-q", "-m", "notes")
    (repo.root / "notes.txt").unlink()
    with pytest.raises(MlopsError, match="is not empty"):
        create("minimal", repo.root, {})


def test_what_is_recorded_for_an_update_holds_no_path_of_this_machine(tmp_path: Path) -> None:
    repo = create("tabular", tmp_path / "p", {"branch": "trunk"})
    answers = yaml.safe_load((repo.root / ".copier-answers.yml").read_bytes())
    assert answers == {
        "_commit": __version__, "_src_path": "git-mlops:tabular", "author": "The p authors",
        "branch": "trunk", "licence": "proprietary", "manager": "pip", "project_name": "p",
        "provider": "github", "remote": "local", "remote_url": "../p-storage", "task": "classification",
    }  # fmt: skip
    assert not any(str(tmp_path) in (repo.root / path).read_text() for path in [*FILES, *GENERATED])


@pytest.mark.parametrize(
    "name", ["\"quoted\" 'name'", "Ünï cödé 漢", "{{ 1 + 1 }} [[ x ]]", "a: b # c", "$(id) `id`"]
)
def test_any_name_is_text(tmp_path: Path, name: str) -> None:
    repo = create("tabular", tmp_path / "p", {"project_name": name})
    assert yaml.safe_load((repo.root / ".copier-answers.yml").read_bytes())["project_name"] == name
    assert (repo.root / "README.md").read_text(encoding="utf-8").splitlines()[0] == f"# {name}"


@pytest.mark.parametrize(
    ("answers", "message"),
    [({"project_name": "a\nb"}, "control characters"), ({"project_name": " "}, "it is empty")],
)
def test_a_bad_answer_is_refused_and_leaves_nothing(
    tmp_path: Path, answers: dict[str, str], message: str
) -> None:
    with pytest.raises(MlopsError, match=message):
        create("tabular", tmp_path / "p", answers)
    assert list(tmp_path.iterdir()) == []


def test_a_branch_that_git_refuses_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(GitError):
        create("tabular", tmp_path / "p", {"branch": "a..b"})
    assert list(tmp_path.iterdir()) == []


def test_the_project_is_named_after_its_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my projéct").mkdir()
    monkeypatch.chdir(tmp_path / "my projéct")
    repo = create("tabular", Path(), {})
    assert (repo.root / "README.md").read_text(encoding="utf-8").splitlines()[0] == "# my projéct"


def test_missing_parents_are_made(tmp_path: Path) -> None:
    assert create("tabular", tmp_path / "a" / "b", {}).root == tmp_path / "a" / "b"


def test_an_empty_repository_is_used_with_its_branch(tmp_path: Path, run: Run) -> None:
    run("git", "init", "-q", "-b", "trunk", "--object-format=sha256", tmp_path / "p", cwd=tmp_path)
    repo = create("tabular", tmp_path / "p", {})
    assert (repo.object_format, config.load(repo).config.ci.branches) == ("sha256", ("trunk",))


def test_the_configured_first_branch_is_used(tmp_path: Path, run: Run) -> None:
    run("git", "config", "--global", "init.defaultBranch", "trunk", cwd=tmp_path)
    repo = create("tabular", tmp_path / "p", {})
    assert repo.text("symbolic-ref", "HEAD") == "refs/heads/trunk"
    assert config.load(repo).config.ci.branches == ("trunk",)


def test_a_directory_with_files_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(MlopsError, match="is not empty") as caught:
        create("tabular", tmp_path, {})
    assert (caught.value.exit_code, files(tmp_path)) == (2, ["notes.txt"])


def test_a_file_and_a_broken_link_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for name, message in (("file", "is a file"), ("link", "is a broken link")):
        with pytest.raises(MlopsError, match=message):
            create("tabular", tmp_path / name, {})


def test_an_unknown_template_or_question_is_answered_with_the_one_that_was_meant(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no template `tabluar`") as template:
        create("tabluar", tmp_path / "p", {})
    with pytest.raises(NotFoundError, match="does not ask for `project_nam`") as question:
        create("tabular", tmp_path / "p", {"project_nam": "x"})
    hints = (template.value.hint, question.value.hint)
    assert hints == ("did you mean `tabular`?", "did you mean `project_name`?")


def test_an_interrupted_start_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("git_mlops.scaffold.new._place", interrupted)
    with pytest.raises(KeyboardInterrupt):
        create("tabular", tmp_path / "p", {})
    assert list(tmp_path.iterdir()) == []


def test_the_users_own_copier_settings_do_not_change_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.yml").write_text("defaults: {project_name: other, branch: other}\n")
    monkeypatch.setenv("COPIER_SETTINGS_PATH", str(tmp_path / "settings.yml"))
    repo = create("tabular", tmp_path / "p", {})
    answers = yaml.safe_load((repo.root / ".copier-answers.yml").read_bytes())
    assert (answers["project_name"], answers["branch"]) == ("p", "main")


def test_the_surrounding_repository_is_known(tmp_path: Path, run: Run) -> None:
    run("git", "init", "-q", tmp_path / "outer", cwd=tmp_path)
    outer = tmp_path / "outer"
    assert [surrounding(path) for path in (outer / "a" / "b", outer, tmp_path / "x")] == [outer, None, None]


@pytest.mark.slow
def test_the_projects_tests_find_what_they_are_for(tmp_path: Path, run: Run) -> None:
    top = create("tabular", tmp_path / "p", {}).root
    source = top / "src" / "features.py"
    text = source.read_text()
    source.write_text(text.replace("columns=[KEY, LABEL]", "columns=[LABEL]"))
    done = run("python", "-m", "pytest", "-q", "tests/test_features.py", cwd=top, status=1)
    assert "FAILED tests/test_features.py::test_neither_label_nor_key_is_a_feature" in done.stdout
