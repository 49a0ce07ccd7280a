"""`exp run`: in place, recorded whatever its end, the code as it was at the start."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError
from git_mlops.experiments import journal, read
from git_mlops.experiments import run as running
from git_mlops.experiments.record import Record, parse_record
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Ended, Known, Plan
from git_mlops.experiments.settings import Settings
from git_mlops.git import refs
from git_mlops.git.repo import Repo, discover
from tests.experiments.conftest import commit, listed, put

WRITE = "import json; json.dump({'acc': 0.95}, open('metrics.json', 'w'))"


def run(repo: Repo, *command: str, name: str | None = None, force: bool = False) -> Ended | Known:
    return running.run(
        repo,
        Plan(command),
        Request(name, "", force),
        Settings(),
        DataSettings(),
        started=lambda _subject: None,
    )


def python(repo: Repo, code: str, *, name: str | None = None, force: bool = False) -> Ended:
    done = run(repo, sys.executable, "-c", code, name=name, force=force)
    assert isinstance(done, Ended)
    return done


def record(repo: Repo, done: Ended) -> Record:
    return parse_record(repo.git("show", f"{done.recorded.ref}:.mlops/run/record.json"))


def test_a_finished_run_has_its_metrics_and_facts(project: Repo) -> None:
    done = python(project, WRITE, name="a")
    facts = record(project, done)
    assert (done.exit_code, done.recorded.metrics, facts.status, facts.exit_status) == (
        0,
        {"acc": 0.95},
        "finished",
        0,
    )
    assert facts.command == [sys.executable, "-c", WRITE]
    assert facts.start is not None
    assert facts.end is not None
    assert facts.start < facts.end
    assert facts.wall is not None
    assert facts.wall > 0
    assert facts.peak_memory is not None
    assert facts.peak_memory > 1_000_000


def test_a_failed_run_is_recorded_as_failed(project: Repo) -> None:
    done = python(project, "import sys; sys.exit(7)", name="a")
    assert (done.exit_code, done.recorded.status, record(project, done).exit_status) == (1, "failed", 7)
    assert [(e.name, e.status) for e in listed(project)] == [("a", "failed")]


def test_metrics_of_an_earlier_run_are_not_those_of_a_failed_one(project: Repo) -> None:
    done = python(project, "raise SystemExit(1)")
    assert (done.old_metrics, listed(project)[0].metrics) == (("metrics.json",), {})
    done = python(project, WRITE + "; raise SystemExit(1)")
    assert (done.old_metrics, read.load(project, [read.last(project)], Settings())[0].metrics) == (
        (),
        {"acc": 0.95},
    )


def test_metrics_of_an_earlier_run_are_not_those_of_a_finished_one(project: Repo) -> None:
    done = python(project, "pass")
    assert (done.exit_code, done.old_metrics, done.recorded.metrics) == (0, ("metrics.json",), {})
    assert listed(project)[0].metrics == {}


def test_ignored_metrics_of_an_earlier_run_are_not_those_of_a_later_one(project: Repo) -> None:
    commit(project, {".gitignore": "dvclive\nmetrics.json\n"})
    project.git("rm", "-q", "--cached", "metrics.json")
    project.git("commit", "-q", "-m", "ignored")
    write = (
        "import os; os.makedirs('dvclive', exist_ok=True); "
        "open('dvclive/metrics.json', 'w').write('{\"a\": 1}')"
    )
    assert python(project, write, name="first").recorded.metrics == {"a": 1}
    assert python(project, "print()", name="second").recorded.metrics == {}
    assert {e.name: e.metrics for e in listed(project)} == {"first": {"a": 1}, "second": {}}


def test_a_command_that_cannot_start_is_recorded_as_failed(project: Repo) -> None:
    done = run(project, "no-such-program")
    assert isinstance(done, Ended)
    assert (done.exit_code, done.problem) == (1, "cannot start `no-such-program`: No such file or directory")


def test_a_command_ended_by_a_signal_says_which(project: Repo) -> None:
    done = python(project, "import os; os.kill(os.getpid(), 9)")
    assert (done.recorded.status, done.problem) == ("failed", f"`{sys.executable}` was ended by SIGKILL")


def test_code_edited_during_the_run_is_recorded_as_it_was_at_the_start(project: Repo) -> None:
    done = python(
        project,
        "open('train.py', 'w').write('edited'); open('params.yaml', 'w').write('lr: 9'); "
        "open('result.csv', 'w').write('1'); " + WRITE,
    )
    shown = [
        project.text("show", f"{done.recorded.ref}:{p}") for p in ("train.py", "params.yaml", "result.csv")
    ]
    assert shown == ["print(1)", "lr: 0.1\ntrain: {epochs: 3}", "1"]
    assert record(project, done).changed_while_running == ["params.yaml", "train.py"]
    assert (project.root / "train.py").read_text(encoding="utf-8") == "edited"


def test_the_same_again_is_answered_from_the_record(project: Repo) -> None:
    done = python(project, WRITE, name="a")
    known = run(project, sys.executable, "-c", WRITE)
    assert isinstance(known, Known)
    assert known.experiment.ref == done.recorded.ref
    assert isinstance(run(project, sys.executable, "-c", WRITE, force=True), Ended)


def test_a_failed_run_or_another_input_is_no_answer(project: Repo) -> None:
    python(project, "raise SystemExit(1)")
    python(project, "raise SystemExit(1)")
    python(project, WRITE)
    put(project, {"params.yaml": "lr: 0.3\n"})
    python(project, WRITE)
    assert len(listed(project)) == 4


def test_the_command_runs_where_the_user_stands_and_knows_its_run(project: Repo) -> None:
    (project.root / "sub").mkdir()
    repo = discover(project.root / "sub")
    done = python(repo, "import os; open('seen', 'w').write(os.environ['MLOPS_RUN'])")
    run_id = (project.root / "sub" / "seen").read_text(encoding="utf-8")
    facts = record(repo, done)
    assert (facts.directory, facts.extra) == ("sub/", {"run_id": run_id, "written": ["sub/seen"]})


def test_nothing_to_run_is_said(project: Repo) -> None:
    with pytest.raises(MlopsError, match="nothing to run") as caught:
        run(project)
    assert caught.value.hint is not None
    assert "git mlops exp save" in caught.value.hint


def test_a_pipeline_without_dvc_is_said_before_anything_runs(project: Repo) -> None:
    put(project, {"dvc.yaml": "stages: {a: {cmd: touch ran}}\n"})
    with pytest.raises(MlopsError, match="the pipeline needs DVC"):
        run(project)
    assert listed(project) == []


def test_a_taken_name_is_said_before_anything_runs(project: Repo) -> None:
    python(project, WRITE, name="a")
    with pytest.raises(MlopsError, match="`a` exists already"):
        python(project, "open('ran', 'w')", name="a")
    assert not (project.root / "ran").exists()


def test_a_name_taken_during_the_run_costs_nothing(project: Repo) -> None:
    take = "import subprocess; subprocess.run(['git', 'update-ref', {!r}, 'HEAD'], check=True)"
    first = python(project, WRITE, name="b")
    ref = first.recorded.ref.replace("/b", "/a")
    assert python(project, take.format(ref), name="a").recorded.name == "a-2"


def test_no_journal_is_left_after_a_run(project: Repo) -> None:
    python(project, WRITE)
    assert (list(journal.under_way(project)), refs.list_refs(project, "refs/mlops/runs/")) == ([], [])


def _started(project: Repo, code: str, *options: str) -> subprocess.Popen[str]:
    program = Path(sys.executable).parent / "git-mlops"
    child = subprocess.Popen(
        [program, "exp", "run", *options, "--", sys.executable, "-c", code],
        cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    _wait_for(project.root / "started")
    return child


def _wait_for(file: Path) -> None:
    end = time.monotonic() + 30
    while not file.exists():
        assert time.monotonic() < end, f"{file} never came"
        os.sched_yield()


SLOW = "import time; open('started', 'w').close(); time.sleep(60)"


def test_ctrl_c_is_recorded_as_interrupted(project: Repo) -> None:
    child = _started(project, SLOW, "-n", "a")
    os.killpg(child.pid, signal.SIGINT)
    child.communicate()
    assert (child.returncode, [(e.name, e.status) for e in listed(project)]) == (130, [("a", "interrupted")])


def test_a_killed_recorder_leaves_an_interrupted_run(project: Repo) -> None:
    child = _started(project, SLOW, "-n", "a")
    assert [(e.name, e.status) for e in listed(project)] == [("a", "running")]
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate()
    for _ in range(2):
        assert [(e.name, e.status, e.metrics) for e in listed(project)] == [("a", "interrupted", {})]
    assert (list(journal.under_way(project)), refs.list_refs(project, "refs/mlops/runs/")) == ([], [])
    project.git("fsck", "--no-dangling")


def test_a_recorder_killed_after_recording_leaves_one_experiment(project: Repo) -> None:
    done = python(project, WRITE, name="a")
    folder = project.private / "runs" / "0123"
    folder.mkdir(parents=True)
    dead = journal.Journal(
        "0123", done.recorded.ref, done.recorded.commit, "", 1, os.uname().nodename, "gone:1"
    )
    (folder / "journal.json").write_text(json.dumps(dead._asdict()), encoding="utf-8")
    assert [(e.name, e.status) for e in listed(project)] == [("a", "finished")]
    assert list(journal.under_way(project)) == []


def test_an_unreadable_journal_is_passed_over(project: Repo) -> None:
    put(project, {".git/mlops/runs/x/journal.json": "{", ".git/mlops/runs/y/journal.json": '{"later": 1}'})
    assert listed(project) == []
