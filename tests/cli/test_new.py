"""`git mlops new` as a user runs it."""

from pathlib import Path

import pytest

from git_mlops.scaffold.templates import TEMPLATES
from tests.conftest import Run


def test_a_project_starts_with_its_workflow_and_says_what_is_next(mlops: Run, tmp_path: Path) -> None:
    done = mlops("new", "tabular", "my project", cwd=tmp_path)
    assert (done.stdout, done.stderr.splitlines()) == (
        "",
        [
            f"started `my project`, {TEMPLATES['tabular'].summary}. Next, as its README says:",
            "  cd 'my project'",
            "  python src/make_data.py",
            "  git mlops init",
            "  git mlops add data/patients.csv",
        ],
    )
    mlops("ci", "generate", "github", "--check", cwd=tmp_path / "my project")


def test_a_name_and_answers_are_given(mlops: Run, tmp_path: Path) -> None:
    mlops("new", "tabular", "p", "--name", "Tumörs = 1", "--data", "branch=trunk", cwd=tmp_path)
    assert (tmp_path / "p" / "README.md").read_text(encoding="utf-8").startswith("# Tumörs = 1\n")
    assert (tmp_path / "p" / ".git" / "HEAD").read_text() == "ref: refs/heads/trunk\n"


def test_inside_another_repository_a_warning_says_so(mlops: Run, run: Run, tmp_path: Path) -> None:
    run("git", "init", "-q", cwd=tmp_path)
    done = mlops("new", "tabular", "p", cwd=tmp_path)
    assert done.stderr.splitlines()[0] == (
        f"warning: `p` is inside the repository {tmp_path}, and is now a repository of its own"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("tabluar", "p"), ["error: no template `tabluar`", "hint: did you mean `tabular`?"]),
        (
            ("tabular", "p", "-d", "branche=x"),
            ["error: the template `tabular` does not ask for `branche`", "hint: did you mean `branch`?"],
        ),
        (
            ("tabular", "p", "-d", "x"),
            [
                "error: Invalid value for --data: `x` is not KEY=VALUE",
                "hint: `git mlops new -h` shows the usage",
            ],
        ),
        (
            ("tabular", "full"),
            [
                "error: `full` is not empty",
                "hint: choose a new directory, or run `git mlops scaffold TEMPLATE` in a repository",
            ],
        ),
    ],
)
def test_bad_usage_is_exit_code_2(
    mlops: Run, tmp_path: Path, words: tuple[str, ...], said: list[str]
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    done = mlops("new", *words, cwd=tmp_path, status=2)
    assert done.stderr.splitlines() == said
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
