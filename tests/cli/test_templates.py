"""`git mlops templates`, `scaffold` and `update` as a user runs them."""

import json

import pytest

from git_mlops import __version__
from git_mlops.git.repo import Repo
from git_mlops.scaffold.templates import TEMPLATES
from tests.conftest import Run


def test_templates_are_listed_a_line_each(mlops: Run, repo: Repo) -> None:
    lines = mlops("templates", cwd=repo.root.parent).stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(TEMPLATES)


def test_templates_are_listed_for_programs(mlops: Run, repo: Repo) -> None:
    said = json.loads(mlops("templates", "--json", cwd=repo.root).stdout)
    assert (said["mlops"], said["kind"]) == (1, "templates")
    assert [one["name"] for one in said["data"]] == list(TEMPLATES)
    assert said["data"][0]["questions"][2]["key"] == "provider"


def test_the_questions_of_a_template_are_listed(mlops: Run, repo: Repo) -> None:
    lines = mlops("templates", "tabular", cwd=repo.root).stdout.splitlines()
    assert "classification, regression" in next(line for line in lines if line.startswith("task"))


@pytest.mark.slow
def test_scaffold_and_update_say_what_they_did_and_what_is_next(mlops: Run, repo: Repo) -> None:
    done = mlops("scaffold", "minimal", "-d", "manager=uv", cwd=repo.root)
    assert (done.stdout, done.stderr.splitlines()) == (
        "",
        [
            "merged the template minimal. Next, as its README says:",
            "  python src/make_data.py",
            "  git mlops init",
            "  git mlops add data/irises.csv",
        ],
    )
    again = mlops("update", cwd=repo.root)
    assert again.stderr.splitlines() == [f"the template of git-mlops {__version__} has nothing new"]
    other = mlops("update", "-d", "licence=MIT", cwd=repo.root / "src")
    assert other.stderr.splitlines() == [
        f"merged the template minimal {__version__}: `git show -m HEAD` shows it"
    ]


def test_conflicts_are_listed_with_the_way_on_and_back(mlops: Run, repo: Repo) -> None:
    (repo.root / "README.md").write_text("# Ours\n")
    repo.git("add", "--all")
    repo.git("commit", "-q", "-m", "mine")
    done = mlops("scaffold", "minimal", cwd=repo.root, status=1)
    assert done.stderr.splitlines() == [
        "error: 1 file in conflict: `README.md`",
        "hint: mend them, `git add` them and `git commit`; `git merge --abort` drops the merge",
    ]
    refused = mlops("update", cwd=repo.root, status=2)
    assert (
        refused.stderr.splitlines()[0]
        == "error: this repository comes from no template: HEAD has no `.copier-answers.yml`"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("templates", "tabluar"), ["error: no template `tabluar`", "hint: did you mean `tabular`?"]),
        (("scaffold", "tabluar"), ["error: no template `tabluar`", "hint: did you mean `tabular`?"]),
        (
            ("scaffold", "minimal", "-d", "licences=MIT"),
            [
                "error: the template `minimal` does not ask for `licences`",
                "hint: did you mean `licence`?",
            ],
        ),
    ],
)
def test_bad_usage_is_exit_code_2(mlops: Run, repo: Repo, words: tuple[str, ...], said: list[str]) -> None:
    assert mlops(*words, cwd=repo.root, status=2).stderr.splitlines() == said
