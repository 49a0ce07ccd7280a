"""B15: two tables compared, as a whole process: 100k rows of 20 columns; memory of many rows beside a tenth.

1M rows by default, 10M with MLOPS_BENCH_LARGE=1. Who finds which shift is measured by `tests.bench.drift`.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from tests.bench.measure import Row, environment, slower

ROWS = 10_000_000 if os.environ.get("MLOPS_BENCH_LARGE") else 1_000_000
_PART = 100_000
_LIMIT = 3.0
"""Seconds."""
_PEAK = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def bench(base: Path) -> list[Row]:
    """Both figures; nothing moved in any of the tables."""
    env = environment(base / "home")
    small = _pair(base / "small", 100_000)
    times = [_timed(_words(*small), base, env) for _turn in range(5)]
    row = slower(
        "B15", "drift of 100k rows, 20 columns", statistics.median(times), "the limit", _LIMIT, "<= 1"
    )
    tenth = _peak(_words(*_pair(base / "tenth", ROWS // 10)), base, env)
    started = time.perf_counter()
    whole = _peak(_words(*_pair(base / "whole", ROWS)), base, env)
    seconds = time.perf_counter() - started
    what = f"peak memory of {ROWS:,} rows ({whole // 1024} MiB)"
    reference = f"of a tenth ({tenth // 1024} MiB); the time is with making the table"
    return [row, Row("B15", what, seconds, reference, 0.0, whole / tenth, "<= 3")]


def _words(old: Path, new: Path) -> list[str]:
    program = str(Path(sys.executable).with_name("git-mlops"))
    return [program, "monitor", "--reference", str(old), "--current", str(new)]


def _timed(words: list[str], base: Path, env: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(words, cwd=base, env=env, capture_output=True, check=True)
    return time.perf_counter() - started


def _peak(words: list[str], base: Path, env: dict[str, str]) -> int:
    """Of resident memory, in KiB."""
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *words], cwd=base, env=env, capture_output=True, text=True, check=True
    )
    code, peak = done.stdout.split()
    assert code == "0", done.stderr
    return int(peak)


def _pair(folder: Path, rows: int) -> tuple[Path, Path]:
    folder.mkdir()
    for seed, name in enumerate(("old", "new")):
        random = np.random.default_rng(seed)
        writer = None
        for start in range(0, rows, _PART):
            part = _part(random, min(_PART, rows - start))
            writer = writer or parquet.ParquetWriter(folder / f"{name}.parquet", part.schema)
            writer.write_table(part)
        if writer is not None:
            writer.close()
    return folder / "old.parquet", folder / "new.parquet"


def _part(random: np.random.Generator, rows: int) -> pa.Table:
    columns: dict[str, object] = {f"x{n}": random.normal(size=rows) for n in range(8)}
    columns |= {f"s{n}": random.lognormal(size=rows) for n in range(4)}
    columns |= {f"n{n}": random.poisson(3, size=rows) for n in range(4)}
    names = np.array(["Ghent", "Namur", "Liege", "Mons"])
    texts: dict[str, object] = {f"c{n}": names[random.integers(0, 4, size=rows)] for n in range(4)}
    return pa.table({**columns, **texts})
