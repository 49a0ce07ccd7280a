"""`python -m tests.bench.drift [--quick]`: who finds which shift, and who cries wolf.

Prints two tables in Markdown: the share of runs with a false alarm beside the share that was asked for, and
the share of runs that find a shift in the column where it is (ours at 0.01 / Evidently by its defaults).
Evidently is measured by the interpreter that MLOPS_BENCH_EVIDENTLY names, because it does not go with our
pandas; without one its cells say so.
"""

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl

from git_mlops.monitor import drift, samples
from git_mlops.monitor.drift import Drift
from git_mlops.monitor.samples import Both, Compared, Counted
from git_mlops.monitor.settings import Settings
from git_mlops.monitor.shuffled import Column
from tests.bench.shifts import CATEGORIES, PAIR, SHIFTS, WHERE, Table, pair

QUICK = "--quick" in sys.argv
ASKED = (0.01, 0.05, 0.2)
NULLS = {500: 40, 10_000: 4} if QUICK else {500: 2000, 2000: 500, 10_000: 300, 100_000: 60, 1_000_000: 6}
FINDS = {500: 5, 10_000: 2} if QUICK else {500: 60, 2000: 60, 10_000: 30, 100_000: 10, 1_000_000: 2}
_MOST = {500: 60, 2000: 20, 10_000: 10, 100_000: 3, 1_000_000: 1}
"""Runs of Evidently, which takes a second and more for each."""
_IN_MEMORY = 100_000


def main() -> None:
    """Measure, and print."""
    with tempfile.TemporaryFile("w+") as file:
        process = _evidently(file)
        nulls = [(rows, runs, *_nulls(rows, runs)) for rows, runs in NULLS.items()]
        finds = {
            (shift, rows): _found(shift, rows, runs) for rows, runs in FINDS.items() for shift in SHIFTS[1:]
        }
        theirs = _answers(process, file)
    print(f"Measured on {dt.datetime.now(dt.UTC).date()}, {os.cpu_count()} cores.\n")
    print(
        "| rows of each side | runs | asked 0.01 | asked 0.05 | asked 0.2 | 0.05 with the floor | Evidently |"
    )
    print("|---|---|---|---|---|---|---|")
    for rows, runs, least, alarms in nulls:
        cells = [_share(float((least <= asked).mean()), runs) for asked in ASKED]
        print(
            f"| {rows:,} | {runs} | {' | '.join(cells)} | {alarms:.3f} | {theirs.get(('none', rows), '')} |"
        )
    print(f"\n| rows of each side | {' | '.join(SHIFTS[1:])} |\n|{'---|' * len(SHIFTS)}")
    for rows in FINDS:
        cells = [f"{finds[shift, rows]} / {theirs.get((shift, rows), '')}" for shift in SHIFTS[1:]]
        print(f"| {rows:,} | {' | '.join(cells)} |")


def _evidently(file: IO[str]) -> "subprocess.Popen[str] | None":
    """All of its runs, in one process beside ours."""
    program = os.environ.get("MLOPS_BENCH_EVIDENTLY")
    if not program:
        return None
    plan = [(shift, rows, min(_MOST[rows], 5 if QUICK else 60)) for rows in NULLS for shift in SHIFTS]
    script = str(Path(__file__).with_name("drift_evidently.py"))
    return subprocess.Popen([program, script, json.dumps(plan)], stdout=file, text=True)


def _answers(process: "subprocess.Popen[str] | None", file: IO[str]) -> dict[tuple[str, int], str]:
    if process is None:
        return {(shift, rows): "not installed" for shift in SHIFTS for rows in NULLS}
    process.wait()
    file.seek(0)
    lines = [json.loads(line) for line in file if line.startswith("{")]
    return {(one["shift"], one["rows"]): f"{one['share']:.2f}" for one in lines}


def _nulls(rows: int, runs: int) -> tuple[np.ndarray, float]:
    """The smallest adjusted p of each run where nothing differs, and the share with an alarm at 0.05."""
    least, alarms = [], 0
    for seed in range(runs):
        found = compared("none", rows, seed, 0.05)
        tests = [moved.answer.adjusted for moved in found.moved if moved.answer]
        if seed % 50 == 0:
            print(f"none {rows} {seed}", file=sys.stderr, flush=True)
        least.append(min([*tests, found.pair.answer.adjusted] if found.pair else tests))
        alarms += found.alarm
    return np.array(least), alarms / runs


def _share(value: float, runs: int) -> str:
    error = 1.96 * np.sqrt(max(value * (1 - value), 0.0) / runs)
    return f"{value:.3f} ± {error:.3f}"


def _found(shift: str, rows: int, runs: int) -> str:
    print(shift, rows, file=sys.stderr, flush=True)
    hits = 0
    for seed in range(runs):
        found = compared(shift, rows, seed, 0.01)
        if shift == "correlation":
            hits += bool(found.pair and found.pair.alarm and found.pair.columns == PAIR)
        else:
            hits += any(moved.alarm for moved in found.moved if moved.column.name == WHERE[shift])
    return f"{hits / runs:.2f}"


def compared(shift: str, rows: int, seed: int, alpha: float) -> Drift:
    """One run; of large tables as files have them, sampled."""
    old, new = pair(shift, rows, seed)
    settings = Settings(false_alarms=alpha)
    if rows > _IN_MEMORY:
        return drift.compare(samples.read(_frame(old), _frame(new)), settings, seed)
    return drift.compare(_both(old, new), settings, seed)


def _frame(table: Table) -> pl.LazyFrame:
    named = {name: [f"c{code}" for code in range(20)] for name in CATEGORIES}
    return pl.LazyFrame(
        {name: np.array(named[name])[values] if name in named else values for name, values in table.items()},
        nan_to_null=True,
    )


def _both(old: Table, new: Table) -> Both:
    rows = len(old["height"])
    counted = Counted(rows, 0, 0, 0, None, None)
    columns = []
    for name in old:
        category = name in CATEGORIES
        sides = [
            side[name].astype(np.int32) if category else side[name].astype(np.float64) for side in (old, new)
        ]
        values = Column(name, sides[0], sides[1])
        columns.append(
            Compared(
                name,
                "category" if category else "number",
                values,
                counted,
                counted,
                tuple(map(str, range(20))) if category else (),
            )
        )
    return Both((rows, rows), (rows, rows), tuple(columns), (), (), (), {}, {})


if __name__ == "__main__":
    main()
