"""A queued run on another machine: nothing but bytes goes there and comes back."""

import json
import sys
from pathlib import Path

import pytest

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError
from git_mlops.experiments import away, queue, read, start
from git_mlops.experiments.queue import Entry, Report
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Plan
from git_mlops.git import refs
from git_mlops.git.repo import Repo, discover
from tests.conftest import Run
from tests.data.conftest import Data
from tests.experiments.conftest import commit, files, listed, put, save
from tests.experiments.test_worktree import state

WRITE = "import json; print('said'); json.dump({'acc': 0.9}, open('metrics.json', 'w'))"


@pytest.fixture
def data(dvc_repo: Repo) -> Data:
    return Data(dvc_repo)


def add(repo: Repo, code: str, name: str = "a") -> Entry:
    found = start.workspace(repo, Plan((sys.executable, "-c", code)), DataSettings())
    queue.add(repo, found, Request(name))
    return next(entry for entry in queue.entries(repo) if entry.name == name)


def there_and_back(repo: Repo, entry: Entry) -> Report:
    answer = away.work(away.Sender(repo, DataSettings()).pack(entry))
    return away.receive(repo, entry, answer)


def test_it_is_recorded_as_a_run_here_would_be(project: Repo) -> None:
    commit(project, {"later": "not the first commit"})
    put(project, {"train.py": "dirty\n", "new ü.txt": "untracked\n"})
    entry = add(project, WRITE)
    before = state(project)
    report = there_and_back(project, entry)
    assert (report.outcome, report.metrics, report.name) == ("finished", {"acc": 0.9}, "a")
    done = listed(project)[0]
    assert (done.name, done.baseline, dict(done.metrics)) == ("a", entry.baseline, {"acc": 0.9})
    assert set(files(project, done.commit.oid)) >= {"new ü.txt", "later", "train.py"}
    assert queue.FILE not in files(project, done.commit.oid)
    assert (state(project), refs.list_refs(project, "refs/mlops/")) == (before, [])
    assert queue.log(project, "a").read_text() == "said\n"
    project.git("fsck", "--no-dangling")


def test_a_failed_one_is_recorded_as_failed(project: Repo) -> None:
    report = there_and_back(project, add(project, "raise SystemExit(3)"))
    assert (report.outcome, [e.status for e in listed(project)]) == ("failed", ["failed"])


@pytest.mark.slow
def test_one_that_cannot_begin_stays_queued(project: Repo) -> None:
    entry = add(project, WRITE)
    broken = entry._replace(plan=entry.plan._replace(command=()))
    from git_mlops.git import objects

    with objects.scratch_index(project) as index:
        project.git("read-tree", entry.commit, index=index)
        objects.put(project, index, {queue.FILE: queue._format(broken)})
        tree = objects.write_tree(project, index)
    oid = project.text("commit-tree", tree, "-p", entry.baseline, "-m", "x")
    project.git("update-ref", entry.ref, oid)
    report = there_and_back(project, queue.entries(project)[0])
    assert (report.outcome, len(queue.entries(project)), listed(project)) == ("queued", 1, [])
    assert "nothing to run" in (report.problem or "")


def _with_data(data: Data) -> Entry:
    data.file("a.csv", "1,2")
    data.folder("d", {"x": "in a directory"})
    data.commit()
    (data.root / "a.csv").unlink()
    code = (
        "open('seen', 'w').write(open('a.csv').read() + open('d/x').read()); open('a.csv', 'w').write('made')"
    )
    return add(data.repo, code)


@pytest.mark.slow
@pytest.mark.parametrize("remote", [True, False])
def test_data_goes_there_and_comes_back(data: Data, remote: bool) -> None:
    if not remote:
        data.write(".dvc/config", "")
    entry = _with_data(data)
    there_and_back(data.repo, entry)
    done = listed(data.repo)[0].commit.oid
    assert data.git("show", f"{done}:seen") == "1,2in a directory"
    pointer = data.git("show", f"{done}:a.csv.dvc")
    md5 = next(line.split()[-1] for line in pointer.splitlines() if "md5: " in line)
    made = data.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    assert (made.read_text(), made.stat().st_mode & 0o777) == ("made", 0o444)


def test_a_remote_of_this_machine_is_found_by_its_full_path(data: Data) -> None:
    data.write(".dvc/config", "[core]\n    remote = store\n['remote \"store\"']\n    url = ../../store\n")
    assert away._config(data.repo).endswith(f"url = {data.root.parent / 'store'}\n")


def test_what_has_begun_elsewhere_meanwhile_is_not_recorded_twice(project: Repo) -> None:
    entry = add(project, WRITE)
    answer = away.work(away.Sender(project, DataSettings()).pack(entry))
    queue.remove(project, ["a"])
    assert (away.receive(project, entry, answer).outcome, listed(project)) == ("taken", [])


def test_a_name_that_was_taken_meanwhile_costs_nothing(project: Repo) -> None:
    entry = add(project, WRITE)
    answer = away.work(away.Sender(project, DataSettings()).pack(entry))
    save(project, "a")
    assert away.receive(project, entry, answer).name == "a-2"


def test_an_answer_to_something_else_is_refused(project: Repo) -> None:
    entry = add(project, WRITE)
    answer = away.work(away.Sender(project, DataSettings()).pack(entry))
    commit(project, {"x": "1"})
    other = add(project, WRITE, "b")
    with pytest.raises(MlopsError, match="is no run of it"):
        away.receive(project, other, answer)
    assert listed(project) == []


@pytest.mark.parametrize("name", ["md5/../../../x", "md5/" + "0" * 32, "no/" + "0" * 32, "md5/" + "Z" * 32])
def test_objects_that_are_not_what_they_say_are_left_out(dvc_repo: Repo, name: str) -> None:
    before = sorted(dvc_repo.root.parent.rglob("*"))
    away._store(dvc_repo, {f"objects/{name}": b"content"})
    assert [f for f in sorted(dvc_repo.root.parent.rglob("*")) if f.is_file() and f not in before] == []


def test_it_works_in_a_sha256_repository(tmp_path: Path, run: Run) -> None:
    root = tmp_path / "r"
    run("git", "init", "-q", "--object-format=sha256", root, cwd=tmp_path)
    repo = discover(root)
    commit(repo, {"train.py": "1"})
    there_and_back(repo, add(repo, WRITE))
    assert [e.name for e in listed(repo)] == ["a"]
    assert read.last(repo).oid.isalnum()


def test_without_a_scheduler_it_is_asked_for(project: Repo, mlops: Run) -> None:
    add(project, WRITE)
    said = mlops("exp", "queue", "start", "--executor", "dask", cwd=project.root, status=2).stderr
    assert said.startswith("error: which cluster?\n")
    assert (
        json.loads(mlops("exp", "queue", "list", "--json", cwd=project.root).stdout)["data"][0]["name"] == "a"
    )
