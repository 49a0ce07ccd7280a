"""`drift_evidently.py PLAN`: how often Evidently's default preset flags the column that shifted.

Run by the interpreter of another environment, which has none of our packages.
"""

import importlib.util
import json
import sys
import warnings
from pathlib import Path


def main(plan: list[tuple[str, int, int]]) -> None:
    """Print a line of JSON for each shift and size."""
    warnings.filterwarnings("ignore")
    shifts = _shifts()
    for shift, rows, runs in plan:
        hits = sum(_run(shifts, shift, rows, seed) for seed in range(runs))
        print(json.dumps({"shift": shift, "rows": rows, "runs": runs, "share": hits / runs}), flush=True)


def _run(shifts, shift, rows, seed):  # type: ignore[no-untyped-def]  # modules of another environment
    import pandas as pd
    from evidently import Report
    from evidently.presets import DataDriftPreset

    frames = [
        pd.DataFrame({n: [f"c{v}" for v in c] if n in shifts.CATEGORIES else c for n, c in side.items()})
        for side in shifts.pair(shift, rows, seed)
    ]
    said = Report([DataDriftPreset()]).run(frames[1], frames[0]).dict()
    flagged = {name for name, found in _columns(said) if found}
    return bool(flagged) if shift == "none" else bool(flagged & _wanted(shift, shifts))


def _wanted(shift, shifts):  # type: ignore[no-untyped-def]  # as above
    return set(shifts.PAIR) if shift == "correlation" else {shifts.WHERE[shift]}


def _columns(said):  # type: ignore[no-untyped-def]  # as above
    """Each column, and whether it is flagged: below the threshold where the score is a p-value."""
    for metric in said["metrics"]:
        config = metric.get("config", {})
        if "column" in config and "threshold" in config:
            value, threshold = float(metric["value"]), float(config["threshold"])
            yield (
                config["column"],
                value < threshold if "p_value" in str(config["method"]) else value >= threshold,
            )


def _shifts():  # type: ignore[no-untyped-def]  # as above
    """The module beside this one, without its package, which needs ours."""
    spec = importlib.util.spec_from_file_location("shifts", Path(__file__).with_name("shifts.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
