"""B12, the recorder's part: what a queued trial costs beside its own time, what a second worker brings."""

from pathlib import Path

from tests.bench.measure import Place, Row, faster, repository, slower

TRIALS = 8
SECONDS = 0.5
"""Of one trial, asleep: two of them share no processor."""


def bench(base: Path) -> list[Row]:
    """`exp queue start` as a whole process, without data of DVC."""
    place = repository(base, "r")
    (place.root / "params.yaml").write_text("n: 0\n")
    (place.root / "train.py").write_text(
        f"import json, time\ntime.sleep({SECONDS})\njson.dump({{'acc': 1}}, open('metrics.json', 'w'))\n"
    )
    place.run("git", "add", "-A")
    place.run("git", "commit", "-q", "-m", "project")
    one, two = (_seconds(place, workers) for workers in (1, 2))
    overhead = one / TRIALS - SECONDS
    return [
        slower("B12", "queued trial, beside its own time", overhead, "allowed", 0.3, limit="<= 1"),
        faster("B12", f"{TRIALS} trials of {SECONDS} s, two workers", two, "one worker", one)._replace(
            limit=">= 1.8"
        ),
    ]


def _seconds(place: Place, workers: int) -> float:
    for number in range(TRIALS):
        words = ("-S", f"n={workers * 100 + number}", "--", "python", "train.py")
        place.run("git", "mlops", "exp", "run", "--queue", *words)
    return place.timed("git", "mlops", "exp", "queue", "start", "-j", str(workers))
