"""`exp run --resume` and `--retry`: on from what a run left, or again from what it began with."""

import sys

import pytest

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError
from git_mlops.experiments import read, resume, start, temp
from git_mlops.experiments import run as running
from git_mlops.experiments.record import Record, parse_record
from git_mlops.experiments.recording import Request
from git_mlops.experiments.resume import How
from git_mlops.experiments.run import Ended, Plan
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.start import Start
from git_mlops.git.repo import Repo, head
from tests.conftest import Run
from tests.experiments.conftest import commit, files, listed, put, save
from tests.experiments.test_worktree import state

# counts how often it was called; fails the first two times
TRAIN = """import json, os
n = int(open('ckpt.txt').read()) + 1 if os.path.exists('ckpt.txt') else 1
open('ckpt.txt', 'w').write(str(n))
if n < 3: raise SystemExit(1)
json.dump({'n': n}, open('metrics.json', 'w'))
"""


@pytest.fixture
def training(repo: Repo) -> Repo:
    """A project whose training must be called three times."""
    commit(repo, {"train.py": TRAIN, "params.yaml": "lr: 0.1\n"})
    return repo


def in_temp(repo: Repo, found: Start, name: str) -> Ended:
    done = temp.run(repo, found, Request(name), Settings(), DataSettings(), missing=lambda _paths: None)
    assert isinstance(done, Ended)
    return done


def first(repo: Repo, name: str = "one") -> Ended:
    plan = Plan((sys.executable, "train.py"), ("lr=0.5",))
    return in_temp(repo, start.workspace(repo, plan, DataSettings()), name)


def again(repo: Repo, name: str, how: How, new: str) -> Ended:
    return in_temp(repo, resume.start(repo, name, how, Settings()), new)


def record(repo: Repo, name: str) -> Record:
    ref = read.pick(repo, [name])[0]
    return parse_record(repo.git("show", f"{ref.oid}:.mlops/run/record.json"))


def content(repo: Repo, done: Ended, path: str) -> str:
    return repo.text("show", f"{done.recorded.commit}:{path}")


def test_it_goes_on_from_what_was_written(training: Repo) -> None:
    one = first(training)
    put(training, {"train.py": "edited since\n"})
    before = state(training)
    two = again(training, "one", "resumes", "two")
    three = again(training, "two", "resumes", "three")
    assert [content(training, done, "ckpt.txt") for done in (one, two, three)] == ["1", "2", "3"]
    found = {e.name: e.status for e in listed(training)}
    assert found == {"one": "failed", "two": "failed", "three": "finished"}
    assert three.recorded.metrics == {"n": 3}
    facts = record(training, "three")
    assert (facts.command, facts.overrides) == ([sys.executable, "train.py"], ["lr=0.5"])
    assert (facts.extra["resumes"], three.recorded.params) == (two.recorded.commit, {"lr": 0.5})
    assert (three.recorded.baseline, state(training)) == (one.recorded.baseline, before)


def test_a_retry_begins_with_nothing_that_the_run_wrote(training: Repo) -> None:
    first(training)
    again(training, "one", "resumes", "two")
    done = again(training, "two", "retries", "new")
    # what `two` began with was gone, too: its checkpoint is not the baseline's
    assert content(training, done, "ckpt.txt") == "1"
    assert record(training, "new").extra["retries"] == read.pick(training, ["two"])[0].oid


def test_a_retry_has_the_code_that_was_not_committed(repo: Repo) -> None:
    commit(repo, {"metrics.json": '{"n": 0}\n'})
    put(repo, {"train.py": TRAIN, "notes.txt": "mine"})
    found = start.workspace(repo, Plan((sys.executable, "train.py")), DataSettings())
    in_temp(repo, found, "one")
    tree = resume.start(repo, "one", "retries", Settings()).tree
    assert (tree, files(repo, tree)) == (found.tree, ["metrics.json", "notes.txt", "train.py"])


def test_a_retry_runs_what_has_a_result(training: Repo) -> None:
    put(training, {"ckpt.txt": "2"})
    commit(training, {})
    assert first(training).recorded.status == "finished"
    assert again(training, "one", "retries", "two").recorded.status == "finished"


def test_in_place_it_brings_the_checkpoint_and_keeps_what_was_there(training: Repo, mlops: Run) -> None:
    first(training)
    put(training, {"ckpt.txt": "mine"})
    done = mlops("exp", "run", "--resume", "one", "-n", "two", cwd=training.root, status=1)
    assert (training.root / "ckpt.txt").read_text() == "2"
    assert "before-apply-" in done.stderr
    assert record(training, "two").extra["resumes"] == read.pick(training, ["one"])[0].oid


def test_in_place_it_needs_the_commit_it_started_from(training: Repo) -> None:
    first(training)
    commit(training, {"later": "1"})
    with pytest.raises(MlopsError, match="HEAD is another commit") as caught:
        resume.in_place(training, "one", Settings(), DataSettings())
    assert caught.value.hint == "`git mlops exp run --temp --resume one` resumes it beside your work"
    assert again(training, "one", "resumes", "two").recorded.baseline != head(training)


@pytest.mark.parametrize("how", ["resumes", "retries"])
def test_what_was_not_run_cannot_be_run_again(training: Repo, how: How) -> None:
    save(training, "saved")
    with pytest.raises(MlopsError, match="`saved` has no command recorded"):
        resume.start(training, "saved", how, Settings())


def test_an_experiment_of_dvc_cannot_be_run_again(training: Repo) -> None:
    tip = head(training) or ""
    training.git("update-ref", f"refs/exps/{tip[:2]}/{tip[2:]}/theirs", tip)
    with pytest.raises(MlopsError, match="`theirs` has no command recorded"):
        resume.start(training, "theirs", "resumes", Settings())


def test_what_is_finished_cannot_be_resumed(project: Repo) -> None:
    running.run(
        project,
        Plan((sys.executable, "-c", "pass")),
        Request("done"),
        Settings(),
        DataSettings(),
        started=lambda _subject: None,
    )
    with pytest.raises(MlopsError, match="`done` is finished") as caught:
        resume.start(project, "done", "resumes", Settings())
    assert caught.value.hint == "`git mlops exp run --retry done` runs it again from the beginning"


def test_what_is_running_cannot_be_resumed(project: Repo, mlops: Run) -> None:
    nested = f"{sys.executable} -m git_mlops exp run --temp --resume one 2> said; true"
    mlops("exp", "run", "-n", "one", "--", "sh", "-c", nested, cwd=project.root)
    assert (project.root / "said").read_text().startswith("error: `one` is running\n")


def test_a_queued_one_goes_on_as_well(training: Repo, mlops: Run) -> None:
    one = first(training)
    mlops("exp", "run", "--queue", "--resume", "one", "-n", "two", cwd=training.root)
    mlops("exp", "queue", "start", cwd=training.root, status=1)
    assert record(training, "two").extra["resumes"] == one.recorded.commit
    assert training.text("show", f"{read.pick(training, ['two'])[0].oid}:ckpt.txt") == "2"


CONTRADICTIONS = (
    ("--resume", "one", "--", "x"),
    ("--retry", "one", "-S", "lr=1"),
    ("--retry", "one", "--resume", "one"),
    ("--temp", "--queue", "--", "x"),
)


@pytest.mark.parametrize("words", CONTRADICTIONS)
def test_options_that_contradict_are_refused(training: Repo, mlops: Run, words: tuple[str, ...]) -> None:
    assert mlops("exp", "run", *words, cwd=training.root, status=2).stderr.startswith("error: `--")
