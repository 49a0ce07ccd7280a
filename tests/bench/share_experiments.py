"""B6: push and fetch 1,000 experiments."""

import shutil
import time
from pathlib import Path

from tests.bench.generate import experiments
from tests.bench.measure import Place, Row, interleaved, repository, slower

COUNT = 1000


def bench(base: Path) -> list[Row]:
    """Beside `git push` and `git fetch` of the same refs, each time to and from a fresh repository."""
    place = repository(base, "r")
    experiments(place, COUNT)
    head = place.run("git", "rev-parse", "HEAD").decode().strip()
    seconds = interleaved(
        {
            "push": lambda: _push(base, place, "git", "mlops", "exp", "push", "--all"),
            "git push": lambda: _push(base, place, "git", "push", "-q", "origin", "refs/exps/*:refs/exps/*"),
            "pull": lambda: _pull(base, place, "git", "mlops", "exp", "pull", "--all"),
            "git fetch": lambda: _pull(
                base, place, "git", "fetch", "-q", "origin", "refs/exps/*:refs/exps/*"
            ),
        },
        5,
    )
    assert head
    return [
        slower("B6", f"exp push of {COUNT}", seconds["push"], "git push", seconds["git push"]),
        slower("B6", f"exp pull of {COUNT}", seconds["pull"], "git fetch", seconds["git fetch"]),
    ]


def _push(base: Path, place: Place, *words: str) -> float:
    shutil.rmtree(base / "bare.git", ignore_errors=True)
    place.run("git", "init", "-q", "--bare", str(base / "bare.git"))
    place.run("git", "remote", "remove", "origin", check=False)
    place.run("git", "remote", "add", "origin", str(base / "bare.git"))
    place.run("git", "push", "-q", "origin", "main")
    return place.timed(*words)


def _pull(base: Path, place: Place, *words: str) -> float:
    shutil.rmtree(base / "clone", ignore_errors=True)
    place.run("git", "clone", "-q", str(place.root), str(base / "clone"))
    clone = place._replace(root=base / "clone")
    started = time.perf_counter()
    clone.run(*words)
    return time.perf_counter() - started
