"""A new project: whole or not at all, a repository of its own, with no trace of this machine."""

import json
from pathlib import Path

import pytest
import yaml

from git_mlops import __version__, config, resources
from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.git.run import GitError
from git_mlops.scaffold import copier
from git_mlops.scaffold.new import TEMPLATES, create, surrounding
from tests.conftest import Run

FILES = [
    ".copier-answers.yml", ".gitignore", "README.md", "dvc.yaml", "mlops.yaml", "params.yaml", "pytest.ini",
    "requirements.txt", "schemas/patients.yaml", "src/evaluate.py", "src/features.py", "src/make_data.py",
    "src/model.py", "src/prepare.py", "src/train.py", "tests/conftest.py", "tests/test_data.py",
    "tests/test_features.py", "tests/test_model.py",
]  # fmt: skip


def files(top: Path) -> list[str]:
    found = (path for path in top.rglob("*") if path.is_file())
    return sorted(
        path.relative_to(top).as_posix() for path in found if ".git" not in path.relative_to(top).parts
    )


def test_every_template_folder_is_listed() -> None:
    folders = [path.name for path in resources.path("templates", "project").iterdir() if path.is_dir()]
    assert sorted(folders) == sorted(TEMPLATES)


def test_a_project_is_a_repository_with_all_files_and_no_commit(tmp_path: Path) -> None:
    repo = create("tabular", tmp_path / "p", {})
    assert (repo.root, files(repo.root)) == (tmp_path / "p", FILES)
    assert repo.text("status", "--short", "--branch").splitlines()[0] == "## No commits yet on main"


def test_nothing_is_left_unrendered(tmp_path: Path) -> None:
    repo = create("tabular", tmp_path / "p", {})
    left = [
        path for path in FILES if any(m in (repo.root / path).read_text() for m in ("{{", "{%", "[[", "[%"))
    ]
    assert left == []


def test_every_yaml_file_is_valid_and_the_settings_are_accepted(tmp_path: Path) -> None:
    repo = create("tabular", tmp_path / "p", {})
    for path in FILES:
        if path.endswith((".yaml", ".yml")):
            assert yaml.safe_load((repo.root / path).read_bytes())
    assert config.load(repo).config.schemas == {"data/patients.csv": "schemas/patients.yaml"}


def test_what_is_recorded_for_an_update_holds_no_path_of_this_machine(tmp_path: Path) -> None:
    repo = create("tabular", tmp_path / "p", {"branch": "trunk"})
    answers = yaml.safe_load((repo.root / ".copier-answers.yml").read_bytes())
    assert answers == {
        "_commit": __version__, "_src_path": "git-mlops:tabular", "branch": "trunk", "project_name": "p",
    }  # fmt: skip
    assert not any(str(tmp_path) in (repo.root / path).read_text() for path in FILES)


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


def test_the_questions_are_those_of_the_template() -> None:
    assert list(copier.questions(resources.path("templates", "project", "tabular"))) == [
        "project_name",
        "branch",
    ]


@pytest.mark.slow
def test_the_pipeline_gives_the_same_metrics_twice_and_the_projects_own_tests_pass(
    tmp_path: Path, run: Run
) -> None:
    top = create("tabular", tmp_path / "a project", {}).root
    run("python", "src/make_data.py", cwd=top)
    run("dvc", "init", "-q", cwd=top)
    made = []
    for _ in range(2):
        run("dvc", "repro", "-q", "--force", cwd=top)
        made.append(((top / "metrics.json").read_bytes(), (top / "dvc.lock").read_bytes()))
    assert made[0] == made[1]
    assert json.loads(made[0][0])["roc_auc"] >= 0.95
    assert "passed" in run("python", "-W", "error", "-m", "pytest", "-q", cwd=top).stdout
    assert run("git", "status", "--short", "data", "models", cwd=top).stdout == ""


def test_the_projects_tests_find_what_they_are_for(tmp_path: Path, run: Run) -> None:
    top = create("tabular", tmp_path / "p", {}).root
    source = top / "src" / "features.py"
    text = source.read_text()
    source.write_text(text.replace("columns=[KEY, LABEL]", "columns=[LABEL]"))
    done = run("python", "-m", "pytest", "-q", "tests/test_features.py", cwd=top, status=1)
    assert "FAILED tests/test_features.py::test_neither_label_nor_key_is_a_feature" in done.stdout
