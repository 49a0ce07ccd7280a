"""B14: MLflow through our URI beside MLflow's own SQLite store, in one process of each per figure."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.bench.measure import Row, faster, repository, slower

_CODE = """
import json, logging, statistics, sys, time, warnings
warnings.simplefilter("ignore")
logging.disable(logging.INFO)
from mlflow.entities import Metric, Param
from mlflow.tracking._tracking_service.utils import _get_store
def timed(work, times):
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)
what, uri, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
begun = time.perf_counter()
store = _get_store(uri)
group = store.get_experiment_by_name("bench")
place = group.experiment_id if group else store.create_experiment("bench", None, [])
found = {"first": time.perf_counter() - begun}
def begin():
    return store.create_run(place, "me", 1, [], None).info.run_id
def small():
    run = begin()
    for number in range(10):
        store.log_param(run, Param(f"p{number}", str(number)))
    for step in range(100):
        store.log_metric(run, Metric("m", step / 2, step, step))
    store.update_run_info(run, 3, 5, None)
def search():
    return store.search_runs([place], "metrics.m > 10", 1, 1000, ["metrics.m DESC"])
if what == "log":
    run = begin()
    at = iter(range(10**9))
    def one():
        step = next(at)
        store.log_metric(run, Metric("m", step / 2, step, step))
    found["metric"] = timed(one, 300)
    store.update_run_info(run, 3, 5, None)
    found["run"] = timed(small, 7)
elif what == "fill":
    for number in range(count):
        run = begin()
        store.log_batch(run, [Metric("m", float(number), 1, 0)], [Param("p", "1")], [])
        store.update_run_info(run, 3, 5, None)
else:
    begun = time.perf_counter()
    assert len(search()) > 900
    found["cold"] = time.perf_counter() - begun + found["first"]
    found["warm"] = timed(search, 7)
print(json.dumps(found))
"""


def bench(base: Path) -> list[Row]:
    """What one call, one run and one search cost; 1,000 runs are searched warm, and cold in a clone."""
    place = repository(base, "r")
    place.run("git", "commit", "-q", "--allow-empty", "-m", "first")
    ours, theirs = f"git-mlops://{place.root}", f"sqlite:///{base / 'mlflow.db'}"
    mine, other = _ask(place.root, "log", ours), _ask(place.root, "log", theirs)
    for uri in (ours, theirs):
        _ask(place.root, "fill", uri, 1000)
    place.run("git", "pack-refs", "--all")
    place.run("git", "gc", "-q")
    clone = base / "clone"
    place.run("git", "clone", "-q", str(place.root), str(clone))
    subprocess.run(["git", "-C", str(clone), "fetch", "-q", "origin", "refs/exps/*:refs/exps/*"], check=True)
    found = _ask(clone, "search", f"git-mlops://{clone}")
    known = _ask(place.root, "search", theirs)
    sqlite = "MLflow's SQLite"
    return [
        faster("B14", "one log_metric", mine["metric"], sqlite, other["metric"], ">= 8"),
        faster("B14", "10 params, 100 metrics, end", mine["run"], sqlite, other["run"], ">= 4"),
        faster("B14", "search of 1,000 runs, warm", found["warm"], sqlite, known["warm"], ">= 10"),
        faster("B14", "first use", mine["first"], sqlite, other["first"]),
        slower("B14", "search of 1,000 runs, cold in a clone", found["cold"], "half a second", 0.5, "<= 1"),
    ]


def _ask(where: Path, what: str, uri: str, count: int = 0) -> dict[str, float]:
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run(
        [sys.executable, "-c", _CODE, what, uri, str(count)],
        cwd=where, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found
