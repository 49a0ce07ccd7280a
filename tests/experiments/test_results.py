"""The result of a commit's content, wherever and whenever it was recorded."""

from git_mlops.experiments import results
from git_mlops.experiments.results import Result
from git_mlops.experiments.settings import Settings
from git_mlops.git.repo import Repo, head
from tests.experiments.conftest import commit, save

CODE = Settings(code=("train.py",))


def of(repo: Repo, commit_: str = "HEAD") -> Result:
    return results.of(repo, repo.text("rev-parse", commit_), CODE)


def test_a_recorded_result_counts_more_than_a_file(project: Repo) -> None:
    (project.root / "metrics.json").write_text('{"auc": 0.95}\n')
    save(project, "better")
    found = of(project)
    assert (found.experiment and found.experiment.name, found.metrics) == ("better", {"auc": 0.95})
    assert of(project).parts == found.parts


def test_a_result_of_other_code_is_none_of_this_commit(project: Repo) -> None:
    save(project, "old")
    commit(project, {"train.py": "other"})
    assert of(project).experiment is None
    assert (found := of(project, "HEAD~").experiment)
    assert found.name == "old"


def test_a_result_is_found_after_history_was_rewritten(project: Repo) -> None:
    commit(project, {"train.py": "a"})
    commit(project, {"train.py": "b"})
    save(project, "b")
    project.git("reset", "-q", "--soft", "HEAD~2")
    project.git("commit", "-q", "-m", "squashed, and notes", "--allow-empty")
    commit(project, {"notes.md": "words"})
    commit(project, {"notes.md": "more words"})
    assert (found := of(project).experiment)
    assert found.name == "b"


def test_without_a_result_the_commits_own_files_speak(project: Repo) -> None:
    found = of(project)
    assert (found.experiment, found.commit) == (None, head(project))
    assert found.metrics == {"acc": 0.9, "loss.val": 0.2}


def test_results_of_the_same_content_give_its_noise(project: Repo) -> None:
    for name, auc in (("one", 0.9), ("two", 0.92), ("three", 0.89)):
        (project.root / "metrics.json").write_text(f'{{"auc": {auc}}}\n')
        save(project, name, force=True)
    assert {name: round(width, 6) for name, width in of(project).spread.items()} == {"auc": 0.03}
