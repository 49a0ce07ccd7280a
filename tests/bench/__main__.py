"""`python -m tests.bench [B1 …]`: run the benches, print the table, keep it in build/bench.md."""

import importlib
import sys
import tempfile
from pathlib import Path

from tests.bench.measure import Row, table

BENCHES = {
    "B1": "commit_untouched",
    "B2": "commit_pointer",
    "B3": "start_up",
    "B4": "record",
    "B5": "list_experiments",
    "B6": "share_experiments",
    "B7": "registry",
    "B8": "validate_table",
    "B10": "check_range",
    "B11": "add_data",
    "B12": "queue_runs",
    "B13": "diff_tables",
    "B14": "mlflow_store",
    "B15": "drift_table",
}


def main(wanted: list[str]) -> int:
    """Run them; the exit code is 1 when a budget is missed."""
    rows: list[Row] = []
    for budget, module in BENCHES.items():
        if wanted and budget not in wanted:
            continue
        with tempfile.TemporaryDirectory(prefix="mlops-bench-") as base:
            print(f"{budget} …", file=sys.stderr, flush=True)
            rows += importlib.import_module(f"tests.bench.{module}").bench(Path(base))
    text = table(rows)
    print(text, end="")
    out = Path(__file__).parent.parent.parent / "build" / "bench.md"
    out.parent.mkdir(exist_ok=True)
    out.write_text(text, encoding="utf-8")
    return int(any(not row.holds for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
