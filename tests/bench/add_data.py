"""B11: `git mlops add` beside `dvc add`, as whole processes: one large file, many small ones.

MLOPS_BENCH_FULL=1 measures the budget's own sizes (1 GB, 20,000 files); by default smaller ones, for speed.
"""

import os
import shutil
from itertools import count
from pathlib import Path

from tests.bench.measure import Place, Row, interleaved, repository, slower

FULL = bool(os.environ.get("MLOPS_BENCH_FULL"))
MEGABYTES = 1024 if FULL else 200
FILES = 20_000 if FULL else 5_000
TIMES = 3


def bench(base: Path) -> list[Row]:
    """Every turn adds new bytes to a cache that is empty."""
    ours, peer = repository(base, "ours"), repository(base, "dvc")
    for place in (ours, peer):
        place.run("dvc", "init", "-q")
        place.run("git", "commit", "-q", "-m", "dvc")
    numbers = count()

    def one_file(place: Place, *words: str) -> float:
        name = f"large-{next(numbers)}.bin"
        block = os.urandom(1 << 20)
        with (place.root / name).open("wb") as file:
            for number in range(MEGABYTES):
                file.write(number.to_bytes(8, "big") + block[8:])
        return _timed(place, name, *words)

    def many_files(place: Place, *words: str) -> float:
        turn = next(numbers)
        for number in range(FILES):
            file = place.root / f"many-{turn}" / f"{number % 100:02d}" / f"{number}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{turn} {number}\n")
        return _timed(place, f"many-{turn}", *words)

    rows = []
    for what, work in ((f"one file of {MEGABYTES} MB", one_file), (f"{FILES} small files", many_files)):
        works = {
            "ours": lambda w=work: w(ours, "git-mlops", "add"),
            "dvc": lambda w=work: w(peer, "dvc", "add", "-q"),
        }
        seconds = interleaved(works, TIMES)
        named = f"git mlops add: {what}"
        rows.append(slower("B11", named, seconds["ours"], "dvc add", seconds["dvc"], "<= 1"))
    return rows


def _timed(place: Place, name: str, *words: str) -> float:
    place.run("sync")  # what the turn before wrote is not this turn's to wait for
    seconds = place.timed(*words, name)
    path = place.root / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree(place.root / ".dvc" / "cache")
    (place.root / f"{name}.dvc").unlink()
    place.run("git", "rm", "-q", "--cached", "--ignore-unmatch", f"{name}.dvc")
    return seconds
