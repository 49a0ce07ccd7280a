"""The queue: requests survive, each runs once and is recorded, whatever is killed."""

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
from git_mlops.experiments import journal, queue, queue_start, read, start
from git_mlops.experiments.queue import Entry
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Plan
from git_mlops.experiments.settings import Settings
from git_mlops.git import refs
from git_mlops.git.repo import Repo, discover
from tests.conftest import Run
from tests.data.conftest import Data
from tests.experiments.conftest import commit, files, listed, put, save
from tests.experiments.test_worktree import state, worktrees

# pygtrie under DVC's checkout warns of its own future
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")

PROGRAM = Path(sys.executable).parent / "git-mlops"
WRITE = """import json, sys
print('said', sys.argv[1])
json.dump({'n': int(sys.argv[1])}, open('metrics.json', 'w'))
"""


def add(repo: Repo, *command: str, name: str | None = None, overrides: tuple[str, ...] = ()) -> Entry:
    found = start.workspace(repo, Plan(command, overrides), DataSettings())
    return queue.add(repo, found, Request(name))


def add_python(repo: Repo, code: str, *words: str, name: str | None = None) -> Entry:
    return add(repo, sys.executable, "-c", code, *words, name=name)


def results(repo: Repo) -> dict[str, tuple[str, dict[str, object]]]:
    return {e.name: (e.status, dict(e.metrics)) for e in listed(repo)}


def test_an_entry_holds_the_project_as_it_was_queued(project: Repo, mlops: Run) -> None:
    put(project, {"train.py": "queued\n", "new ü.txt": "untracked\n"})
    before = state(project)
    entry = add_python(project, "open('seen', 'w').write(open('train.py').read())", name="a")
    assert (state(project), [one.commit for one in queue.entries(project)]) == (before, [entry.commit])
    put(project, {"train.py": "later\n"})
    before = state(project)
    mlops("exp", "queue", "start", cwd=project.root)
    done = read.last(project).oid
    assert project.text("show", f"{done}:seen") == "queued"
    assert set(files(project, done)) >= {"new ü.txt", "train.py"}
    assert (queue.FILE in files(project, done), state(project)) == (False, before)
    assert (refs.list_refs(project, "refs/mlops/"), worktrees(project)) == ([], 1)


def test_parameters_are_set_in_the_entry_and_not_in_the_workspace(project: Repo, mlops: Run) -> None:
    before = state(project)
    add(project, sys.executable, "-c", "pass", name="a", overrides=("lr=0.7", "train.epochs=9"))
    assert state(project) == before
    mlops("exp", "queue", "start", cwd=project.root)
    assert dict(listed(project)[0].params) == {"lr": 0.7, "train.epochs": 9}
    shown = json.loads(mlops("exp", "show", "a", "--json", cwd=project.root).stdout)["data"]["record"]
    assert (shown["overrides"], shown["directory"]) == (["lr=0.7", "train.epochs=9"], None)


def test_a_bad_override_is_said_when_it_is_queued(project: Repo) -> None:
    for override, said in (("nope=1", "no parameter `nope`"), ("../x.yaml:a=1", "not in the repository")):
        with pytest.raises(MlopsError, match=said):
            add(project, "true", overrides=(override,))
    assert queue.entries(project) == []


def test_a_name_that_is_taken_or_queued_is_refused(project: Repo) -> None:
    save(project, "done")
    add(project, "true", name="a")
    for name in ("done", "a"):
        with pytest.raises(MlopsError, match=r"exists already|is queued already"):
            add(project, "true", name=name)


def test_it_runs_where_the_user_stood(project: Repo, mlops: Run) -> None:
    commit(project, {"sub/x": "1"})
    add_python(discover(project.root / "sub"), "open('here', 'w')", name="a")
    mlops("exp", "queue", "start", cwd=project.root / "sub")
    assert "sub/here" in files(project, read.last(project).oid)


def test_several_at_once_are_recorded_and_what_they_print_is_kept(project: Repo, mlops: Run) -> None:
    for n in range(5):
        add_python(project, WRITE, str(n), name=f"r{n}")
    done = mlops("exp", "queue", "start", "-j", "3", cwd=project.root)
    assert (results(project), done.stdout) == ({f"r{n}": ("finished", {"n": n}) for n in range(5)}, "")
    assert done.stderr.splitlines()[-1] == "5 finished"
    assert mlops("exp", "queue", "logs", "r3", cwd=project.root).stdout == "said 3\n"


def test_one_that_fails_does_not_stop_the_others(project: Repo, mlops: Run) -> None:
    add_python(project, "raise SystemExit(7)", name="bad")
    add_python(project, WRITE, "1", name="good")
    done = mlops("exp", "queue", "start", cwd=project.root, status=1)
    assert results(project) == {"bad": ("failed", {}), "good": ("finished", {"n": 1})}
    assert "failed with exit status 7" in done.stderr


def test_one_that_is_known_is_not_run_again(project: Repo, mlops: Run) -> None:
    for name in ("a", "b"):
        add_python(project, WRITE, "1", name=name)
    done = mlops("exp", "queue", "start", cwd=project.root)
    assert (list(results(project)), "b: not run: `a` is the same" in done.stderr) == (["a"], True)
    assert queue.entries(project) == []


def test_one_that_cannot_begin_stays_and_says_why(project: Repo, mlops: Run) -> None:
    entry = add(project, "true", name="a")
    other = entry._replace(plan=entry.plan._replace(command=()))
    with_pipeline = project.text(
        "commit-tree", _tree(project, entry, queue._format(other)), "-p", entry.baseline, "-m", "x"
    )
    project.git("update-ref", entry.ref, with_pipeline)
    done = mlops("exp", "queue", "start", cwd=project.root, status=1)
    assert "a: still queued: nothing to run" in done.stderr
    assert [one.name for one in queue.entries(project)] == ["a"]


def _tree(repo: Repo, entry: Entry, request: bytes) -> str:
    from git_mlops.git import objects

    with objects.scratch_index(repo) as index:
        repo.git("read-tree", entry.commit, index=index)
        objects.put(repo, index, {queue.FILE: request})
        return objects.write_tree(repo, index)


def test_what_is_removed_can_be_brought_back(project: Repo, mlops: Run) -> None:
    add(project, "true", name="a")
    add(project, "true", name="b")
    undo = mlops("exp", "queue", "rm", "a", cwd=project.root).stderr.partition("undo: `")[2].rstrip("`\n")
    assert [one.name for one in queue.entries(project)] == ["b"]
    project.git(*undo.split(" ")[1:])
    assert [one.name for one in queue.entries(project)] == ["a", "b"]
    said = mlops("exp", "queue", "rm", "a", "nope", cwd=project.root, status=2).stderr
    assert ("`nope` is not queued" in said, len(queue.entries(project))) == (True, 2)


def test_a_pipeline_and_its_data(dvc_repo: Repo, mlops: Run) -> None:
    data = Data(dvc_repo)
    data.file("a.csv", "1,2")
    data.write(
        "dvc.yaml", "stages:\n  make:\n    cmd: cp a.csv out.txt\n    deps: [a.csv]\n    outs: [out.txt]\n"
    )
    data.write(".gitignore", "/out.txt\n/a.csv\n")
    data.commit()
    for name in ("a", "b"):
        found = start.workspace(data.repo, Plan(), DataSettings())
        queue.add(data.repo, found, Request(name, force=True))
    mlops("exp", "queue", "start", "-j", "2", cwd=data.root)
    assert results(data.repo) == {"a": ("finished", {}), "b": ("finished", {})}
    assert "out.txt" in data.git("show", f"{read.last(data.repo).oid}:dvc.lock")


def test_the_listing_shows_what_waits_and_what_runs(project: Repo, tmp_path: Path) -> None:
    child = _started(project, tmp_path / "marker")
    add(project, "echo", "a b", name="later")
    assert [(one.name, one.state, one.command[:1]) for one in queue.listing(project)] == [
        ("slow", "running", (sys.executable,)),
        ("next", "queued", ("true",)),
        ("later", "queued", ("echo",)),
    ]
    os.kill(child.pid, signal.SIGINT)
    child.communicate()


def _started(project: Repo, marker: Path) -> subprocess.Popen[str]:
    """A starter whose first run hangs, with one more behind it."""
    slow = f"import time; print('on', flush=True); open({str(marker)!r}, 'w'); time.sleep(60)"
    add_python(project, slow, name="slow")
    add(project, "true", name="next")
    child = subprocess.Popen(
        [PROGRAM, "exp", "queue", "start"], cwd=project.root, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + 30
    while not marker.exists():
        assert time.monotonic() < end, "it never started"
        os.sched_yield()
    return child


def test_ctrl_c_records_what_runs_and_leaves_the_rest(project: Repo, tmp_path: Path) -> None:
    before = state(project)
    child = _started(project, tmp_path / "marker")
    os.killpg(child.pid, signal.SIGINT)
    said = child.communicate()[1]
    assert (child.returncode, results(project)) == (130, {"slow": ("interrupted", {})}), said
    assert [one.name for one in queue.entries(project)] == ["next"]
    assert (state(project), worktrees(project), list(journal.under_way(project))) == (before, 1, [])


def test_when_all_is_killed_the_run_is_interrupted_and_the_rest_waits(project: Repo, tmp_path: Path) -> None:
    child = _started(project, tmp_path / "marker")
    worker = next(journal.under_way(project)).pid
    os.kill(child.pid, signal.SIGKILL)
    os.killpg(worker, signal.SIGKILL)
    child.communicate()
    while journal.born(worker):
        os.sched_yield()
    assert results(project) == {"slow": ("interrupted", {})}
    assert [(one.name, one.state) for one in queue.listing(project)] == [("next", "queued")]
    assert worktrees(project) == 1
    project.git("fsck", "--no-dangling")


def test_a_starter_that_is_killed_leaves_its_run_to_its_end(project: Repo, tmp_path: Path) -> None:
    goal, marker = tmp_path / "go", tmp_path / "marker"
    code = (
        f"import os, time; open({str(marker)!r}, 'w')\n"
        f"while not os.path.exists({str(goal)!r}): time.sleep(0.01)\n"
        "import json; json.dump({'n': 1}, open('metrics.json', 'w'))"
    )
    add_python(project, code, name="a")
    child = subprocess.Popen([PROGRAM, "exp", "queue", "start"], cwd=project.root, stderr=subprocess.PIPE)
    while not marker.exists():
        os.sched_yield()
    worker = next(journal.under_way(project)).pid
    child.kill()
    child.communicate()
    goal.write_text("")
    while journal.born(worker):
        os.sched_yield()
    assert results(project) == {"a": ("finished", {"n": 1})}


def test_two_starters_never_run_the_same_twice(project: Repo, tmp_path: Path) -> None:
    code = f"import sys; open({str(tmp_path / 'ran')!r}, 'a').write(sys.argv[1] + '\\n')"
    for n in range(8):
        add_python(project, code, str(n), name=f"r{n}")
    children = [
        subprocess.Popen(
            [PROGRAM, "exp", "queue", "start", "-j", "2"], cwd=project.root, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    said = [child.communicate()[1].decode() for child in children]
    assert [child.returncode for child in children] == [0, 0], said
    assert sorted((tmp_path / "ran").read_text().split()) == [str(n) for n in range(8)]
    assert sorted(results(project)) == [f"r{n}" for n in range(8)]


def test_an_entry_that_two_prepare_begins_once(project: Repo) -> None:
    entry = add_python(project, WRITE, "1", name="a")
    stale = queue.entries(project)[0]
    assert (
        json.loads(queue_start.work(project, Settings(), DataSettings(), entry.id.encode()))["outcome"]
        == "finished"
    )
    assert json.loads(queue_start._once(project, stale, Settings(), DataSettings()))["outcome"] == "taken"
    assert list(results(project)) == ["a"]


def test_what_is_no_request_is_passed_over(project: Repo) -> None:
    project.git("update-ref", "refs/mlops/queue/x", "HEAD")
    assert (queue.entries(project), queue.listing(project)) == ([], [])
