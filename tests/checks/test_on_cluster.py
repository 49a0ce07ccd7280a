"""Tables judged by a real Dask cluster of two worker processes on this machine, held against this process."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from git_mlops.checks import on_cluster, partition_worker
from git_mlops.checks.on_cluster import Settings
from git_mlops.checks.partition_worker import WORKERS, Work, payload
from git_mlops.data import remote_url
from git_mlops.errors import MlopsError
from git_mlops.executors import dask
from git_mlops.findings import Finding
from git_mlops.git.repo import Repo
from git_mlops.schema import cluster, workspace
from git_mlops.schema.cluster import Part
from git_mlops.schema.load import load
from git_mlops.tables.settings import Dialect
from tests.conftest import Run
from tests.executors.test_dask import CLUSTER
from tests.schema import parts_of_tables as cases

pytestmark = pytest.mark.skipif(
    not any(Path(folder, "distributed").is_dir() for folder in sys.path), reason="Dask is not installed"
)
SCHEMA = "columns:\n  id: {dtype: int64, unique: true}\n  age: {dtype: int64, ge: 0}\n"


@contextmanager
def started(folder: Path) -> Iterator[str]:
    program = folder / "cluster.py"
    program.write_text(CLUSTER)
    child = subprocess.Popen(
        [sys.executable, program], cwd=folder, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        env={**os.environ, "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "3s"},  # to a worker that is gone
    )  # fmt: skip
    assert child.stdout
    yield child.stdout.readline().strip()
    child.communicate()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of the scheduler."""
    with started(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A storage that speaks HTTP."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def pieces(folder: Path, case: cases.Case) -> dict[str, Path]:
    folder.mkdir()
    files = {}
    for number in range(3):
        files[f"p{number}.csv"] = file = folder / f"p{number}.csv"
        file.write_text("\n".join([case.head, *case.rows[number * 10 : number * 10 + 10]]) + "\n")
    return files


def tasks(files: dict[str, Path], schema: str) -> list[Part]:
    return [
        Part(name, payload(Work(f"t/{name}", "s.yaml", schema.encode(), [remote_url.of_file(file)]), {}))
        for name, file in sorted(files.items())
    ]


@pytest.mark.slow
def test_workers_say_of_every_case_what_this_process_says(address: str, tmp_path: Path) -> None:
    here, there = {}, {}
    with dask.session(address) as engine:
        begun = {}
        for number, (name, case) in enumerate(cases.CASES.items()):
            files = pieces(tmp_path / str(number), case)
            here[name] = cluster.here("t", files, load(case.schema.encode(), "s.yaml"))
            begun[name] = cluster.begin(engine, "t", tasks(files, case.schema), WORKERS)
        for name, one in begun.items():
            there[name] = cluster.findings(engine, one, WORKERS, most=16)
    assert there == here


@pytest.mark.slow
def test_a_worker_that_is_killed_changes_nothing(address: str, tmp_path: Path) -> None:
    from distributed import Client

    case = cases.CASES["many keys repeat"]
    files = pieces(tmp_path / "t", case)
    here = cluster.here("t", files, load(case.schema.encode(), "s.yaml"))
    with dask.session(address) as engine, Client(address, set_as_default=False) as client:
        begun = cluster.begin(engine, "t", tasks(files, case.schema), WORKERS)
        for head in begun.heads:
            engine.answer(head)  # every partition is judged, and its hashes are with the workers
        keys = [handle.key for handle in begun.handles]  # type: ignore[attr-defined]
        holders = client.who_has()
        victim = next(worker for key in keys for worker in holders[key])
        os.kill(client.run(os.getpid)[victim], signal.SIGKILL)
        found = cluster.findings(engine, begun, WORKERS)
    assert (found, len(found)) == (here, 1)


@pytest.fixture
def project(dvc_repo: Repo) -> Repo:
    """A table of three partitions with one key across two of them, and a file by itself; both tracked."""
    root = dvc_repo.root
    (root / "data" / "tälle s").mkdir(parents=True)
    for number, rows in enumerate(("1,5\n2,5\n", "3,-5\n", "4,5\n1,5\n")):
        (root / "data" / "tälle s" / f"p {number}.csv").write_text(f"id,age\n{rows}")
    (root / "data" / "one.csv").write_text("id,age\n1,5\n1,-1\n")
    (root / "schemas").mkdir()
    (root / "schemas" / "s.yaml").write_text(SCHEMA)
    bindings = "{'data/tälle s': schemas/s.yaml, data/one.csv: schemas/s.yaml}"
    (root / "mlops.yaml").write_text(f"version: 1\nschemas: {bindings}\n")
    return dvc_repo


BOUND = {"data/tälle s": "schemas/s.yaml", "data/one.csv": "schemas/s.yaml"}


def away(repo: Repo, address: str, *names: str, bindings: dict[str, str] = BOUND) -> list[Finding]:
    return on_cluster.check(repo, Settings(bindings, {}), names, address).findings


@pytest.mark.slow
def test_the_same_is_said_of_the_workspace_the_cache_and_the_remotes_storage(
    project: Repo, address: str, mlops: Run, tmp_path: Path
) -> None:
    here = workspace.check(project, BOUND)
    assert [(f.path, f.level) for f in here.findings] == [("data/one.csv", "error")] * 2 + [
        ("data/tälle s", "error")
    ] * 2
    assert on_cluster.check(project, Settings(BOUND, {}), [], address) == here  # not tracked yet
    mlops("add", "data/tälle s", "data/one.csv", cwd=project.root)
    assert away(project, address) == here.findings
    mlops("push", cwd=project.root)
    shutil.rmtree(project.root / "data" / "tälle s")
    (project.root / "data" / "one.csv").unlink()
    assert away(project, address) == here.findings
    shutil.rmtree(project.root / ".dvc" / "cache")
    assert away(project, address) == here.findings
    assert not (project.root / ".dvc" / "cache" / "files").exists()
    assert not (project.root / "data" / "one.csv").exists()
    with served(tmp_path / "store") as url:
        config = project.root / ".dvc" / "config"
        config.write_text(config.read_text().replace(str(tmp_path / "store"), url))
        assert away(project, address) == here.findings
        config.write_text(config.read_text().replace(url, str(tmp_path / "store")))
    damaged = next(file for file in (tmp_path / "store").glob("files/md5/*/*") if b"-5" in file.read_bytes())
    damaged.chmod(0o644)
    damaged.write_bytes(b"id,age\n3,5\n")
    found = [f for f in away(project, address, "data/tälle s") if f.level == "unknown"]
    assert [f.data["partitions"] for f in found] == [["p 1.csv"]]
    assert "other bytes" in found[0].message


def test_what_was_changed_in_the_workspace_is_what_is_judged(project: Repo, address: str, mlops: Run) -> None:
    mlops("add", "data/tälle s", cwd=project.root)
    file = project.root / "data" / "tälle s" / "p 1.csv"
    file.unlink()
    file.write_text("id,age\n3,5\n4,5\n")
    here = workspace.check(project, BOUND, ["data/tälle s"]).findings
    assert [f.data["failures"] for f in here] == [4]
    assert away(project, address, "data/tälle s/p 1.csv") == here


def test_a_partition_that_does_not_exist_is_no_name(project: Repo, address: str) -> None:
    (project.root / "data" / "tälle s" / "p 9.csv.dvc").write_text("outs: []\n")
    for name in ("data/tälle s/p 7.csv", "data/tälle s/in"):
        for check in (
            workspace.check,
            lambda *given: on_cluster.check(given[0], Settings(BOUND, {}), given[2], address),
        ):
            with pytest.raises(MlopsError, match=f"no such file: {name}"):
                check(project, BOUND, [name])
    assert [f.level for f in workspace.check(project, BOUND, ["data/tälle s/p 1.csv"]).findings] == [
        "error"
    ] * 2


def test_workers_do_not_run_schemas_in_python(project: Repo, address: str) -> None:
    marker = project.root / "ran"
    (project.root / "s.py").write_text(f"open({str(marker)!r}, 'w')\n")
    project.git("config", "mlops.schema.python", "true")
    found = away(project, address, bindings={"data/one.csv": "s.py"})
    assert [(f.level, f.path, marker.exists()) for f in found] == [("unknown", "data/one.csv", False)]


@pytest.mark.slow
def test_the_command_finds_its_cluster_in_gits_config(project: Repo, address: str, mlops: Run) -> None:
    project.git("config", dask.KEY, address)
    said = mlops("schema", "check", "--engine", "dask", "--json", cwd=project.root, status=1).stdout
    assert json.loads(said) == json.loads(
        mlops("schema", "check", "--json", cwd=project.root, status=1).stdout
    )
    project.git("config", dask.KEY, "tcp://127.0.0.1:1")
    assert "no Dask scheduler answers at `tcp://127.0.0.1:1`" in (
        mlops("schema", "check", "--engine", "dask", cwd=project.root, status=3).stderr
    )


def test_a_task_fails_with_words_and_shows_nothing_of_what_it_was_given(tmp_path: Path) -> None:
    secret: remote_url.Place = {
        "path": "s3/x",
        "fs": json.dumps({"cls": "nowhere:None", "password": "hunter2"}),
    }
    task = payload(Work("t/a.csv", "s.yaml", SCHEMA.encode(), [secret]), {"*.csv": Dialect(delimiter=";")})
    assert "hunter2" not in f"{task} {task!r} {[task]}"
    for answer in (partition_worker.whole(task), partition_worker.located(task, b"[]")):
        assert b"hunter2" not in answer
        assert json.loads(answer)["problem"].startswith("on the worker: ")
    other = payload(Work("t/a.csv", "s.yaml", SCHEMA.encode(), []), {}).replace(b'-mlops": "', b'-mlops": "x')
    assert b"the worker has git-mlops" in partition_worker.examine(other)


def test_without_dask_that_is_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    for address in (None, "tcp://127.0.0.1:1"):
        with pytest.raises(MlopsError, match="Dask is not installed") as caught, dask.session(address):
            pass
        assert caught.value.hint == "`pip install 'git-mlops[dask]'`, here and on the workers"


@pytest.mark.slow
def test_the_nearest_address_of_a_scheduler_wins(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    assert dask.scheduler(repo) is None
    repo.git("config", dask.KEY, "tcp://config:1")
    found = [dask.scheduler(repo)]
    for variable in reversed(dask.VARIABLES):
        monkeypatch.setenv(variable, variable)
        found.append(dask.scheduler(repo))
    assert [*found, dask.scheduler(repo, "said")] == ["tcp://config:1", *reversed(dask.VARIABLES), "said"]
