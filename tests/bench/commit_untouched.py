"""B1: `git commit` with all hooks armed and nothing for us in the index."""

import time
from pathlib import Path

from tests.bench.measure import Place, Row, interleaved, repository, slower

PRE_COMMIT = """\
repos:
  - repo: local
    hooks:
      - {id: nothing, name: nothing, entry: "true", language: system, always_run: true, pass_filenames: false}
"""


def bench(base: Path) -> list[Row]:
    """Bare, ours, DVC's own hooks, the pre-commit framework with one hook that does nothing."""
    places = {name: repository(base, name) for name in ("bare", "ours", "dvc", "pre-commit")}
    places["ours"].run("git", "mlops", "init")
    places["dvc"].run("dvc", "init", "-q")
    places["dvc"].run("dvc", "install")
    (places["pre-commit"].root / ".pre-commit-config.yaml").write_text(PRE_COMMIT)
    places["pre-commit"].run("pre-commit", "install")
    for place in places.values():
        place.run("git", "add", "-A")
        place.run("git", "commit", "-q", "--allow-empty", "-m", "armed")
    seconds = interleaved({n: lambda p=p: _commit(p) for n, p in places.items()}, 25)  # type: ignore[misc]  # bound now
    bare = seconds["bare"]
    return [
        slower("B1", "git commit, all hooks armed", seconds["ours"], "bare git commit", bare, "<= 2"),
        slower("B1", "  peer: dvc install", seconds["dvc"], "bare git commit", bare),
        slower("B1", "  peer: pre-commit framework", seconds["pre-commit"], "bare git commit", bare),
    ]


def _commit(place: Place) -> float:
    file = place.root / "train.py"
    file.write_text(f"print({time.perf_counter_ns()})\n")
    place.run("git", "add", "train.py")
    return place.timed("git", "commit", "-q", "-m", "change")
