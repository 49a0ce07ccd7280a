"""B4: record one experiment."""

import json
import sys
from pathlib import Path

from tests.bench.measure import Place, Row, faster, interleaved, repository, slower

# ours in-process: what a training loop or `exp run` pays; many times, because the first pays the imports
IN_PROCESS = """
import json, statistics, sys, time
from git_mlops.data.settings import Settings as Data
from git_mlops.experiments.recording import Request
from git_mlops.experiments.save import save
from git_mlops.experiments.settings import Settings
from git_mlops.git.repo import discover
seconds = []
for turn in range(16):
    started = time.perf_counter()
    save(discover("."), Request(), Settings(), Data())
    seconds.append(time.perf_counter() - started)
print(json.dumps(statistics.median(seconds[1:])))
"""


def bench(base: Path) -> list[Row]:
    """Ours beside `dvc exp save`, and beside the git plumbing that cannot be avoided."""
    ours, dvc = _project(base, "ours"), _project(base, "dvc")
    inside = float(json.loads(ours.run(sys.executable, "-c", IN_PROCESS).decode().splitlines()[-1]))
    works = {
        "process": lambda: ours.timed("git", "mlops", "exp", "save"),
        "dvc": lambda: dvc.timed("dvc", "exp", "save", "-q"),
        "plumbing": lambda: _plumbing(ours),
    }
    seconds = interleaved(works, 5)
    return [
        faster("B4", "record an experiment, in-process", inside, "dvc exp save", seconds["dvc"], ">= 8"),
        faster("B4", "git mlops exp save, whole process", seconds["process"], "dvc exp save", seconds["dvc"]),
        slower(
            "B4",
            "  limit: git plumbing alone",
            inside,
            "add, write-tree, commit-tree, update-ref",
            seconds["plumbing"],
        ),
    ]


def _project(base: Path, name: str) -> Place:
    place = repository(base, name)
    place.run("dvc", "init", "-q")
    (place.root / "params.yaml").write_text("train:\n  lr: 0.1\n  depth: 3\n")
    (place.root / "metrics.json").write_text('{"auc": 0.93, "loss": 0.21}\n')
    (place.root / "dvc.yaml").write_text("metrics: [metrics.json]\nparams: [params.yaml]\n")
    place.run("git", "add", "-A")
    place.run("git", "commit", "-q", "-m", "project")
    return place


def _plumbing(place: Place) -> None:
    extra = place._replace(env=place.env | {"GIT_INDEX_FILE": str(place.root / ".git" / "bench-index")})
    (place.root / ".git" / "bench-index").write_bytes((place.root / ".git" / "index").read_bytes())
    extra.run("git", "add", "-A")
    tree = extra.run("git", "write-tree").decode().strip()
    commit = extra.run("git", "commit-tree", tree, "-p", "HEAD", "-m", "x").decode().strip()
    extra.run("git", "update-ref", "refs/bench/x", commit)
