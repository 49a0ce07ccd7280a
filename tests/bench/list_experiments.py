"""B5: list experiments with their metrics, cold and warm.

`MLOPS_BENCH_LARGE=1` measures 10,000 and 100,000, too; `MLOPS_BENCH_DVC=1` also waits for `dvc exp show`.
"""

import os
from pathlib import Path

from tests.bench.generate import experiments
from tests.bench.measure import Place, Row, faster, interleaved, repository, slower


def bench(base: Path) -> list[Row]:
    """Whole processes; the limit is one `for-each-ref` and one `cat-file --batch` of what must be read."""
    counts = [1000, *([10_000, 100_000] if os.environ.get("MLOPS_BENCH_LARGE") else [])]
    return [row for count in counts for row in _rows(base / str(count), count)]


def _rows(base: Path, count: int) -> list[Row]:
    place = repository(base, "r")
    place.run("dvc", "init", "-q")
    (place.root / "dvc.yaml").write_text("metrics: [metrics.json]\nparams: [params.yaml]\n")
    (place.root / "metrics.json").write_text('{"auc": 0.5, "loss": 0.5}\n')
    (place.root / "params.yaml").write_text("train:\n  lr: 0.1\n  depth: 3\n")
    place.run("git", "add", "-A")
    place.run("git", "commit", "-q", "-m", "project")
    experiments(place, count)
    listing = ("git", "mlops", "exp", "list")
    seconds = interleaved(
        {
            "cold": lambda: _cold(place, *listing),
            "warm": lambda: place.timed(*listing),
            "newest": lambda: place.timed(*listing, "--limit", "20"),
            "cold json": lambda: _cold(place, *listing, "--json"),
            "json": lambda: place.timed(*listing, "--json"),
            "limit": lambda: _limit(place),
        },
        5 if count <= 10_000 else 1,
    )
    limit = ("for-each-ref + cat-file --batch", seconds["limit"])
    rows = [
        slower("B5", f"exp list of {count}, cold", seconds["cold"], *limit, limit="<= 3"),
        slower("B5", f"exp list of {count}, warm", seconds["warm"], *limit),
        slower("B5", f"exp list --limit 20 of {count}, warm", seconds["newest"], *limit),
        slower("B5", f"exp list --json of {count}, cold", seconds["cold json"], *limit),
        slower("B5", f"exp list --json of {count}, warm", seconds["json"], *limit),
    ]
    if os.environ.get("MLOPS_BENCH_DVC"):
        theirs = place.timed("dvc", "exp", "show", "--json")
        rows.append(
            faster("B5", f"exp list of {count}, cold", seconds["cold"], "dvc exp show --json", theirs)
        )
    return rows


def _cold(place: Place, *words: str) -> float:
    for file in (place.root / ".git" / "mlops").glob("cache.db*"):
        file.unlink()
    return place.timed(*words)


def _limit(place: Place) -> None:
    refs = place.run("git", "for-each-ref", "--format=%(objectname)", "refs/exps/").decode().split()
    names = [f"{oid}{path}\n" for oid in refs for path in ("", ":metrics.json", ":params.yaml")]
    place.run("git", "cat-file", "--batch", stdin="".join(names).encode())
