"""B5: list experiments with their metrics. `MLOPS_BENCH_DVC=1` also waits for `dvc exp show`."""

import os
from pathlib import Path

from tests.bench.generate import experiments
from tests.bench.measure import Place, Row, faster, interleaved, repository, slower

COUNT = 1000


def bench(base: Path) -> list[Row]:
    """Whole processes; the limit is one `for-each-ref` and one `cat-file --batch` of what must be read."""
    place = repository(base, "r")
    place.run("dvc", "init", "-q")
    (place.root / "dvc.yaml").write_text("metrics: [metrics.json]\nparams: [params.yaml]\n")
    (place.root / "metrics.json").write_text('{"auc": 0.5, "loss": 0.5}\n')
    (place.root / "params.yaml").write_text("train:\n  lr: 0.1\n  depth: 3\n")
    place.run("git", "add", "-A")
    place.run("git", "commit", "-q", "-m", "project")
    experiments(place, COUNT)
    seconds = interleaved(
        {
            "ours": lambda: place.timed("git", "mlops", "exp", "list", "--json"),
            "limit": lambda: _limit(place),
        },
        5,
    )
    what = f"exp list of {COUNT} experiments"
    rows = [slower("B5", what, seconds["ours"], "for-each-ref + cat-file --batch", seconds["limit"])]
    if os.environ.get("MLOPS_BENCH_DVC"):
        rows.append(
            faster(
                "B5",
                what,
                seconds["ours"],
                "dvc exp show --json",
                place.timed("dvc", "exp", "show", "--json"),
            )
        )
    return rows


def _limit(place: Place) -> None:
    refs = place.run("git", "for-each-ref", "--format=%(objectname)", "refs/exps/").decode().split()
    names = [f"{oid}{path}\n" for oid in refs for path in ("", ":metrics.json", ":params.yaml")]
    place.run("git", "cat-file", "--batch", stdin="".join(names).encode())
