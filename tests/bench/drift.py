"""`python -m tests.bench.drift [--quick] [alarms] [uneven] [finds] [ROWS]...`: false alarms, shifts found.

The plan, made before anything of it was run (2026-11-21):

* **False alarms**: 1,900 pairs of tables of each size in which nothing moves, all drawn anew; a run counts
  as an alarm if the command would end with exit code 1. Asked is 0.05, without the floor (`effect: 0`);
  1,900 runs tell 0.05 from 0.04 and 0.06 (1.96 standard errors are 0.0098). A size holds if its share is
  within 0.04 and 0.06. The shuffling is that of the command: its seed, and so the same for two pairs of one
  size; it is kept between runs for that reason. Ten columns up to 10,000 rows, three beyond. `uneven` is the
  same with a large reference and a small current side; it was not in the first plan.
* **Found**: pairs with one known shift; a run counts if the column that shifted is named. Ours by default
  (`false_alarms: 0.01`, `effect: 0.05`), ours at 0.05 without the floor, and Evidently by its defaults.

Tables come from memory; that reading them from frames gives the same answer is checked once for each size.
Evidently is measured by the interpreter that MLOPS_BENCH_EVIDENTLY names, because it does not go with our
pandas; without one its cells say so. Nothing is chosen after it was seen.
"""

import datetime as dt
import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import polars as pl

from git_mlops.findings import exit_code
from git_mlops.monitor import drift, judging, samples, shuffled
from git_mlops.monitor.drift import Drift
from git_mlops.monitor.samples import Both, Compared, Counted
from git_mlops.monitor.settings import Settings
from git_mlops.monitor.shuffled import Column
from tests.bench.shifts import CATEGORIES, PAIR, SHIFTS, WHERE, Table, narrow, pair

QUICK = "--quick" in sys.argv
ASKED = 0.05
ALARMS = dict.fromkeys((500, 2000, 10_000, 100_000, 1_000_000), 1900)
UNEVEN = {(100_000, 2_000): 1900}
"""Rows of the reference and of the current side."""
FINDS = {500: 200, 2000: 100, 10_000: 40, 100_000: 20, 1_000_000: 5}
THEIRS = {500: 60, 2000: 20, 10_000: 10, 100_000: 3, 1_000_000: 1}
"""Runs of Evidently, which takes a second and more for each."""
if QUICK:
    ALARMS, FINDS, THEIRS = {500: 40, 10_000: 4}, {500: 5, 10_000: 2}, {500: 2, 10_000: 1}
    UNEVEN = {(100_000, 2_000): 4}
_WIDE = 10_000
USUAL = Settings()
STRICT = Settings(false_alarms=ASKED, effect=0.0)


class Alarms(NamedTuple):
    """Of the tables in which nothing moves."""

    runs: int
    whole: int
    """Runs that would end with exit code 1."""
    drift: dict[float, int]
    """Rate that is asked for → runs in which a column or a pair of them alarms."""
    floored: int
    """At 0.05, with the floor as it comes."""


def main(parts: list[str]) -> None:
    """Measure, and print."""
    # one size has one shuffling, as two runs of the command have
    shuffled._shuffled = functools.lru_cache(maxsize=2)(shuffled._shuffled)
    with tempfile.TemporaryFile("w+") as file:
        process = _evidently(file) if "finds" in parts else None
        alarms = {f"{rows:,}": _alarms(rows, runs) for rows, runs in ALARMS.items() if "alarms" in parts}
        if "uneven" in parts:
            alarms |= {f"{n:,} and {m:,}": _alarms(n, runs, m) for (n, m), runs in UNEVEN.items()}
        finds = {
            (shift, rows): _found(shift, rows, runs)
            for rows, runs in FINDS.items()
            for shift in SHIFTS[1:]
            if "finds" in parts
        }
        theirs = _answers(process, file)
    print(f"Measured on {dt.datetime.now(dt.UTC).date()}, {os.cpu_count()} cores.\n")
    if alarms:
        _print_alarms(alarms)
    if finds:
        _print_finds(finds, theirs)


def _print_alarms(alarms: dict[str, Alarms]) -> None:
    print("| rows of each side | runs | asked 0.05: exit code 1 | drift alone | asked 0.01 | asked 0.2 |"
          " 0.05, with the floor |\n|---|---|---|---|---|---|---|")  # fmt: skip
    for rows, one in alarms.items():
        counts = (one.whole, one.drift[0.05], one.drift[0.01], one.drift[0.2], one.floored)
        cells = [share(count, one.runs) for count in counts]
        print(f"| {rows} | {one.runs:,} | {' | '.join(cells)} |")


def _print_finds(
    finds: dict[tuple[str, int], tuple[float, float]], theirs: dict[tuple[str, int], str]
) -> None:
    print("\nours by default / ours at 0.05 without the floor / Evidently\n")
    print(f"| rows of each side | {' | '.join(SHIFTS)} |\n|{'---|' * (len(SHIFTS) + 1)}")
    for rows in FINDS:
        cells = [f"- / - / {theirs.get(('none', rows), '')}"]
        for shift in SHIFTS[1:]:
            usual, strict = finds[shift, rows]
            cells.append(f"{usual:.2f} / {strict:.2f} / {theirs.get((shift, rows), '')}")
        print(f"| {rows:,} | {' | '.join(cells)} |")


def _evidently(file: IO[str]) -> "subprocess.Popen[str] | None":
    """All of its runs, in one process beside ours."""
    program = os.environ.get("MLOPS_BENCH_EVIDENTLY")
    if not program:
        return None
    plan = [(shift, rows, runs) for rows, runs in THEIRS.items() for shift in SHIFTS]
    script = str(Path(__file__).with_name("drift_evidently.py"))
    return subprocess.Popen([program, script, json.dumps(plan)], stdout=file, text=True)


def _answers(process: "subprocess.Popen[str] | None", file: IO[str]) -> dict[tuple[str, int], str]:
    if process is None:
        return {(shift, rows): "not installed" for shift in SHIFTS for rows in THEIRS}
    process.wait()
    file.seek(0)
    lines = [json.loads(line) for line in file if line.startswith("{")]
    return {(one["shift"], one["rows"]): f"{one['share']:.2f}" for one in lines}


def share(count: int, runs: int) -> str:
    """With its interval of 95 %, by Wilson."""
    z, p = 1.96, count / runs
    middle = (p + z**2 / (2 * runs)) / (1 + z**2 / runs)
    half = z * np.sqrt(p * (1 - p) / runs + z**2 / (4 * runs**2)) / (1 + z**2 / runs)
    return f"{p:.3f} ({max(middle - half, 0):.3f}–{middle + half:.3f})"  # noqa: RUF001  # a span


# -- false alarms -------------------------------------------------------------------------------------------


def _alarms(rows: int, runs: int, current: int | None = None) -> Alarms:
    whole, floored, counts = 0, 0, dict.fromkeys((0.01, 0.05, 0.2), 0)
    for seed in range(runs):
        old, new = pair("none", rows, seed) if rows <= _WIDE else narrow(rows, seed, current)
        both = in_memory(old, new)
        found = drift.compare(both, STRICT)
        least, large = _least(found)
        for asked in counts:
            counts[asked] += least <= asked
        floored += large <= ASKED
        whole += exit_code(judging.judge(found, STRICT)) == 1
        if seed == 0:
            _same_from_frames(old, new, found)
        if seed % 100 == 99:
            print(f"{dt.datetime.now(dt.UTC):%H:%M:%S} none {rows} {seed + 1} {whole} {counts} {floored}",
                  file=sys.stderr, flush=True)  # fmt: skip
    return Alarms(runs, whole, counts, floored)


def _least(found: Drift) -> tuple[float, float]:
    """The smallest adjusted p of a run; the same of what reaches the usual floor."""
    tests = [(one.answer.adjusted, one.figures.effect >= USUAL.effect) for one in found.moved if one.answer]
    if found.pair is not None:
        old, new = found.pair.correlations
        tests.append((found.pair.answer.adjusted, abs(new - old) >= 2 * USUAL.effect))
    return min(p for p, _large in tests), min((p for p, large in tests if large), default=1.0)


def _same_from_frames(old: Table, new: Table, found: Drift) -> None:
    again = drift.compare(samples.read(_frame(old), _frame(new)), STRICT)
    named = {one.column.name: one.answer for one in again.moved}
    assert all(abs(named[one.column.name].p - one.answer.p) < 1e-9 for one in found.moved), named  # type: ignore[union-attr]  # there are rows enough


def _frame(table: Table) -> pl.LazyFrame:
    named = np.array([f"c{code}" for code in range(20)])
    return pl.LazyFrame(
        {name: named[values] if name in CATEGORIES else values for name, values in table.items()},
        nan_to_null=True,
    )


# -- what is found ------------------------------------------------------------------------------------------


def _found(shift: str, rows: int, runs: int) -> tuple[float, float]:
    print(shift, rows, file=sys.stderr, flush=True)
    hits = np.zeros(2)
    for seed in range(runs):
        both = in_memory(*pair(shift, rows, seed))
        found = drift.compare(both, USUAL)
        hits += [_names(found, shift, 0.01, USUAL.effect), _names(found, shift, ASKED, 0.0)]
    return float(hits[0] / runs), float(hits[1] / runs)


def _names(found: Drift, shift: str, alpha: float, effect: float) -> bool:
    if shift == "correlation":
        one = found.pair
        return one is not None and one.columns == PAIR and one.answer.adjusted <= alpha and (
            abs(one.correlations[1] - one.correlations[0]) >= 2 * effect
        )  # fmt: skip
    return any(
        one.answer is not None and one.answer.adjusted <= alpha and one.figures.effect >= effect
        for one in found.moved
        if one.column.name == WHERE[shift]
    )


# -- as `samples.read` makes it of files --------------------------------------------------------------------


def in_memory(old: Table, new: Table) -> Both:
    """Both sides: of many rows so many are kept as the command keeps."""
    rows = len(old["pulse"]), len(new["pulse"])
    steps = [samples._prime(-(-count // samples.ROWS)) for count in rows]
    columns = [_column(name, old[name], new[name], steps) for name in old]
    kept = len(columns[0].values.reference), len(columns[0].values.current)
    return Both(rows, kept, tuple(columns), (), (), (), {}, {})


def _column(name: str, old: np.ndarray, new: np.ndarray, steps: Sequence[int]) -> Compared:
    if name in CATEGORIES:
        codes = [side[::step].astype(np.int32) for side, step in zip((old, new), steps, strict=True)]
        counted = [Counted(len(side), 0, 0, 0, None, None) for side in (old, new)]
        values = Column(name, codes[0], codes[1])
        return Compared(name, "category", values, counted[0], counted[1], tuple(map(str, range(20))))
    counts = [
        Counted(len(side), int(np.isnan(side).sum()), 0, 0, float(np.nanmin(side)), float(np.nanmax(side)))
        for side in (old, new)
    ]
    low, high = counts[0].low, counts[0].high
    values = Column(name, old[:: steps[0]].astype(np.float64), new[:: steps[1]].astype(np.float64))
    outside = int(((new < low) | (new > high)).sum())
    return Compared(name, "number", values, counts[0], counts[1], outside=outside)


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    if sizes := {int(word) for word in words if word.isdigit()}:
        for plan in (ALARMS, FINDS, THEIRS):
            for rows in plan.keys() - sizes:
                del plan[rows]
    main([word for word in words if not word.isdigit()] or ["alarms", "uneven", "finds"])
