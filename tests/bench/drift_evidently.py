"""`drift_evidently.py PLAN`: how often Evidently's default preset flags the column that shifted.

Run by the interpreter of another environment, which has none of our packages.
"""

import importlib
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def main(plan: list[tuple[str, int, int]]) -> None:
    """Print a line of JSON for each shift and size."""
    warnings.filterwarnings("ignore")
    sys.path.insert(0, str(Path(__file__).parent))
    shifts: Any = importlib.import_module("shifts")
    for shift, rows, runs in plan:
        hits = sum(_run(shifts, shift, rows, seed) for seed in range(runs))
        print(json.dumps({"shift": shift, "rows": rows, "runs": runs, "share": hits / runs}), flush=True)


def _run(shifts: Any, shift: str, rows: int, seed: int) -> bool:
    import pandas as pd

    evidently: Any = importlib.import_module("evidently")
    presets: Any = importlib.import_module("evidently.presets")
    frames = [
        pd.DataFrame({n: [f"c{v}" for v in c] if n in shifts.CATEGORIES else c for n, c in side.items()})
        for side in shifts.pair(shift, rows, seed)
    ]
    said = evidently.Report([presets.DataDriftPreset()]).run(frames[1], frames[0]).dict()
    flagged = {name for name, found in _columns(said) if found}
    if shift == "none":
        return bool(flagged)
    wanted = set(shifts.PAIR) if shift == "correlation" else {shifts.WHERE[shift]}
    return bool(flagged & wanted)


def _columns(said: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Each column, and whether it is flagged: below the threshold where the score is a p-value."""
    for metric in said["metrics"]:
        config = metric.get("config", {})
        if "column" in config and "threshold" in config:
            value, threshold = float(metric["value"]), float(config["threshold"])
            by_p = "p_value" in str(config["method"])
            yield config["column"], value < threshold if by_p else value >= threshold


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
