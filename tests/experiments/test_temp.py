"""`exp run --temp`: recorded as a run in place, with the user's workspace left byte for byte as it is."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.decode import Size
from git_mlops.errors import MlopsError
from git_mlops.experiments import journal, read, resume, start, temp
from git_mlops.experiments import run as running
from git_mlops.experiments.record import parse_record
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Ended, Plan
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.start import Start
from git_mlops.git import refs
from git_mlops.git.repo import Repo, discover
from tests.conftest import Run
from tests.data.conftest import Data
from tests.experiments.conftest import commit, files, listed, put
from tests.experiments.test_worktree import state, worktrees

# pygtrie under DVC's checkout warns of its own future
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")

WRITE = "import json; json.dump({'acc': 0.95}, open('metrics.json', 'w'))"
MODEL = "; open('model.txt', 'w').write('w')"
SMALL = DataSettings(size_limit=Size(1000))


def in_temp(
    repo: Repo, code: str, name: str = "a", data: DataSettings | None = None
) -> tuple[Ended, Start, list[str]]:
    missing: list[str] = []
    settings = data or DataSettings()
    found = start.workspace(repo, Plan((sys.executable, "-c", code)), settings)
    done = temp.run(repo, found, Request(name), Settings(), settings, missing=missing.extend)
    assert isinstance(done, Ended)
    return done, found, missing


def record(repo: Repo, name: str = "a") -> dict[str, object]:
    ref = read.pick(repo, [name])[0]
    return parse_record(repo.git("show", f"{ref.oid}:.mlops/run/record.json"))._asdict()


def test_it_is_recorded_as_a_run_in_place_would_be(project: Repo) -> None:
    put(project, {"train.py": "dirty\n", "notes ü.txt": "untracked\n"})
    before = state(project)
    done, _start, _missing = in_temp(project, WRITE + MODEL)
    assert (state(project), worktrees(project), list(journal.under_way(project))) == (before, 1, [])
    assert done.recorded.metrics == {"acc": 0.95}
    assert "model.txt" in files(project, done.recorded.commit)
    plan = Plan((sys.executable, "-c", WRITE + MODEL))
    same = running.run(
        project, plan, Request("b", force=True), Settings(), DataSettings(), started=lambda _subject: None
    )
    assert isinstance(same, Ended)
    assert (same.recorded.key, same.recorded.baseline) == (done.recorded.key, done.recorded.baseline)
    assert files(project, same.recorded.commit) == files(project, done.recorded.commit)


def test_it_runs_where_the_user_stands(project: Repo) -> None:
    commit(project, {"sub/x": "1"})
    done, _start, _missing = in_temp(discover(project.root / "sub"), "open('here', 'w')")
    assert "sub/here" in files(project, done.recorded.commit)
    assert record(project)["directory"] == "sub/"


def test_overrides_change_its_own_parameters_alone(project: Repo) -> None:
    before = state(project)
    plan = Plan((sys.executable, "-c", "pass"), ("lr=0.7", "train.epochs=9"))
    found = start.workspace(project, plan, DataSettings())
    done = temp.run(project, found, Request("a"), Settings(), DataSettings(), missing=lambda _paths: None)
    assert isinstance(done, Ended)
    assert (done.recorded.params, state(project)) == ({"lr": 0.7, "train.epochs": 9}, before)


def test_data_that_was_changed_and_not_added_is_said_and_not_used(dvc_repo: Repo) -> None:
    data = Data(dvc_repo)
    data.file("a.csv", "added")
    data.commit()
    data.write("a.csv", "changed")
    done, found, _missing = in_temp(data.repo, "open('seen', 'w').write(open('a.csv').read())")
    assert (data.git("show", f"{done.recorded.commit}:seen"), [one.path for one in found.dirty]) == (
        "added",
        ["a.csv"],
    )
    assert (data.read("a.csv"), record(data.repo)["data_dirty"]) == ("changed", None)


def test_data_that_is_not_on_this_machine_is_said(dvc_repo: Repo) -> None:
    data = Data(dvc_repo)
    data.lose(data.file("a.csv", "added"))
    data.commit()
    assert in_temp(data.repo, "pass")[2] == ["a.csv"]


def test_what_is_too_large_for_git_goes_to_the_cache(dvc_repo: Repo) -> None:
    data = Data(dvc_repo)
    data.file("model.bin", "old")
    data.commit()
    code = "open('new.bin', 'w').write('n' * 2000); open('model.bin', 'w').write('m' * 2000)"
    done, _start, _missing = in_temp(data.repo, code, data=SMALL)
    assert {"new.bin.dvc", "model.bin.dvc"} <= set(files(data.repo, done.recorded.commit))
    data.git("checkout", "-q", "--detach", done.recorded.commit)
    data.git("clean", "-fdq")
    subprocess.run(["dvc", "checkout", "-q", "--force"], cwd=data.root, check=True)
    assert (data.read("new.bin"), data.read("model.bin")) == ("n" * 2000, "m" * 2000)


def test_without_dvc_what_is_too_large_is_said_to_be_lost(project: Repo) -> None:
    done, _start, _missing = in_temp(project, "open('new.bin', 'w').write('n' * 2000)", data=SMALL)
    assert done.recorded.notes == (
        "`new.bin` is gone with the worktree: it is too large for git, and DVC is not set up",
    )


def test_a_pipeline_runs_there_and_its_outputs_are_in_the_cache(dvc_repo: Repo) -> None:
    data = Data(dvc_repo)
    data.write("dvc.yaml", "stages:\n  make:\n    cmd: echo made > out.txt\n    outs: [out.txt]\n")
    data.write(".gitignore", "/out.txt\n")
    data.commit()
    before = state(data.repo)
    found = start.workspace(data.repo, Plan(), DataSettings())
    done = temp.run(data.repo, found, Request("a"), Settings(), DataSettings(), missing=lambda _paths: None)
    assert isinstance(done, Ended)
    assert (done.exit_code, "dvc.lock" in files(data.repo, done.recorded.commit)) == (0, True)
    md5 = hashlib.md5(b"made\n").hexdigest()
    assert (data.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).read_text() == "made\n"
    assert not (data.root / "out.txt").exists()
    assert state(data.repo)[2:] == before[2:]


@pytest.mark.slow
def test_eight_at_once_lose_nothing(project: Repo, mlops: Run) -> None:
    put(project, {"train.py": "dirty\n"})
    before = state(project)
    code = "import json, sys; json.dump({'n': int(sys.argv[1])}, open('metrics.json', 'w'))"
    program = Path(sys.executable).parent / "git-mlops"
    children = [
        subprocess.Popen(
            [program, "exp", "run", "--temp", "-n", f"r{n}", "--", sys.executable, "-c", code, str(n)],
            cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for n in range(8)
    ]  # fmt: skip
    said = [child.communicate()[1].decode() for child in children]
    assert [child.returncode for child in children] == [0] * 8, said
    assert {e.name: e.metrics for e in listed(project)} == {f"r{n}": {"n": n} for n in range(8)}
    assert (state(project), worktrees(project)) == (before, 1)
    project.git("fsck", "--no-dangling")


def _started(project: Repo, marker: Path, code: str | None = None) -> subprocess.Popen[bytes]:
    code = code or f"import time; open('made', 'w').write('part'); open({str(marker)!r}, 'w'); time.sleep(60)"
    program = Path(sys.executable).parent / "git-mlops"
    child = subprocess.Popen(
        [program, "exp", "run", "--temp", "-n", "a", "--", sys.executable, "-c", code],
        cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + 30
    while not marker.exists():
        assert time.monotonic() < end, "it never started"
        os.sched_yield()
    return child


def test_ctrl_c_is_recorded_and_the_worktree_goes(project: Repo, tmp_path: Path) -> None:
    before = state(project)
    child = _started(project, tmp_path / "marker")
    os.killpg(child.pid, signal.SIGINT)
    child.communicate()
    assert (child.returncode, [(e.name, e.status) for e in listed(project)]) == (130, [("a", "interrupted")])
    assert "made" in files(project, read.last(project).oid)
    assert (state(project), worktrees(project)) == (before, 1)


def test_a_killed_one_is_interrupted_and_its_worktree_goes_with_the_next_command(
    project: Repo, tmp_path: Path
) -> None:
    before = state(project)
    child = _started(project, tmp_path / "marker")
    assert ([(e.name, e.status) for e in listed(project)], worktrees(project)) == ([("a", "running")], 2)
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate()
    assert [(e.name, e.status) for e in listed(project)] == [("a", "interrupted")]
    assert (state(project), worktrees(project)) == (before, 1)
    assert refs.list_refs(project, "refs/mlops/") == []


def test_what_a_killed_one_had_written_is_in_the_experiment(dvc_repo: Repo, tmp_path: Path) -> None:
    data = Data(dvc_repo)
    data.write("train.py", "as it was\n")
    data.file("model.bin", "old")
    data.commit()
    marker = tmp_path / "marker"
    code = (
        "import time; open('train.py', 'w').write('edited'); open('ckpt.txt', 'w').write('3')\n"
        f"open('model.bin', 'w').write('new'); open({str(marker)!r}, 'w'); time.sleep(60)"
    )
    child = _started(data.repo, marker, code)
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate()
    assert [(e.name, e.status) for e in listed(data.repo)] == [("a", "interrupted")]
    shown = [data.git("show", f"{read.last(data.repo).oid}:{path}") for path in ("train.py", "ckpt.txt")]
    assert (shown, worktrees(data.repo)) == (["as it was", "3"], 1)
    assert hashlib.md5(b"new").hexdigest() in data.git("show", f"{read.last(data.repo).oid}:model.bin.dvc")
    extra = record(data.repo)["extra"]
    assert isinstance(extra, dict)
    assert extra["written"] == ["ckpt.txt", "model.bin.dvc"]
    again = resume.start(data.repo, "a", "resumes", Settings())
    assert data.git("show", f"{again.tree}:ckpt.txt") == "3"


def test_a_program_that_git_ignores_is_named_before_anything_runs(project: Repo) -> None:
    commit(project, {".gitignore": ".venv/\n"})
    put(project, {".venv/bin/python": "#!/bin/sh\n"})
    with pytest.raises(MlopsError, match=r"`\.venv/bin/python` is ignored by git") as caught:
        start.workspace(project, Plan((".venv/bin/python", "train.py")), DataSettings())
    assert caught.value.hint == f"name it by its full path: `{project.root}/.venv/bin/python`"


def test_it_runs_in_a_directory_that_git_does_not_know(project: Repo) -> None:
    (project.root / "sub dïr").mkdir()
    here = discover(project.root / "sub dïr")
    found = start.workspace(here, Plan((sys.executable, "-c", "open('made', 'w')")), SMALL)
    done = temp.run(here, found, Request("a"), Settings(), SMALL, missing=lambda _paths: None)
    assert isinstance(done, Ended)
    assert (done.recorded.status, "sub dïr/made" in files(project, done.recorded.commit)) == (
        "finished",
        True,
    )


def test_a_recorded_directory_outside_of_the_project_is_refused(project: Repo) -> None:
    plan = Plan(("true",), directory="../..")
    done = running.run(project, plan, Request("a"), Settings(), DataSettings(), started=lambda _subject: None)
    assert isinstance(done, Ended)
    assert (done.recorded.status, done.problem) == ("failed", "`../..` is outside of the project")
