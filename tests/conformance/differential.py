"""`python -m tests.conformance.differential`: the same calls of our store and of MLflow's SQLite, compared.

Exit code 1 where an answer differs otherwise than by design. Needs no checkout of MLflow.
"""

import argparse
import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conformance.sides import Both

KNOWN = {
    r"experiments: (name 'e1'|rename ('e1'|None)|name of deleted)": "SQLite's own words",
    r".*: most (None|'a'|0|-1|200001)": "SQLite's own failures; we refuse what is no number of results",
    r"runs: (history|get.*|metric .*) ?'?(inf|r1)?'?$|logged_models: run 'r1'": "infinities stay",
    r"runs: history of no run": "no silent nothing",
    r"runs: sampled \(1, None, None\)": "MLflow's own sampling keeps both ends",
    r".*\(None, ": "MLflow's words for a name that is missing change with its version",
    r"search: order \['(start_time|name)', '(start_time|name)'\]": "ordering twice harms nobody",
    r"search: order \['(dataset.name|bogus)'\]": "words of another parser of MLflow's",
    r"logged_models: filter (\"status|'bogus'|'foo|\"metrics.acc > 'a')": "other words; status is found",
    r"logged_models: order \[\{('field_name': 'bogus')?\}\]": "words of another parser of MLflow's",
    r"logged_models: get deleted all the same": "MLflow 3.5 cannot",
    r"experiments: filter '(creation|last_update)_time > 0'": "the experiment Default has no beginning",
    r"rest: history": "infinities stay what they are",
    r"rest: (version|get version '1'|by alias|models)$": "what is empty is left out",
    r"rest: (search \{'order_by'|experiment \{'name': 'over'\})": "SQLite's own words",
    r"models: rename 'UPPER'": "SQLite's own words",
    r"versions: (get None|stages|stage \(3, 'Archived', True\))": "SQLite's own failures",
    r"search: versions \"version_number = 'a'\"": "other words",
}
"""Pattern of `area: call` → why it differs."""


def main(words: Sequence[str]) -> int:
    """Ask, compare, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.differential", description=__doc__)
    parser.add_argument("--no-servers", action="store_true", help="the stores alone")
    asked = parser.parse_args(words)
    os.environ |= {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    }
    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)
    import mlflow

    from tests.conformance import calls_registry, calls_rest, calls_tracking
    from tests.conformance.sides import ADA, Both

    os.environ |= ADA
    with tempfile.TemporaryDirectory(prefix="mlops-differential-", ignore_cleanup_errors=True) as base:
        both = Both(Path(base))
        for area in (*calls_tracking.ALL, *calls_registry.ALL):
            _area(both, area)
        if not asked.no_servers:
            with calls_rest.servers(both):
                for area in calls_rest.ALL:
                    _area(both, area)
    differing = [one for one in both.differences if not _known(one.label)]
    for one in differing:
        pairs = zip(one.ours, one.theirs, strict=False)
        same = next((at for at, (a, b) in enumerate(pairs) if a != b), len(one.ours))
        part = slice(max(0, same - 60), same + 300)
        print(f"{one.label}\n    ours   {one.ours[part]}\n    sqlite {one.theirs[part]}")
    known = len(both.differences) - len(differing)
    print(
        f"MLflow {mlflow.__version__}: {both.calls} calls; differing: {known} by design, {len(differing)} not"
    )
    return int(bool(differing))


def _area(both: "Both", area: "Callable[[Both], None]") -> None:
    before = len(both.differences)
    area(both)
    name = area.__name__
    both.differences[before:] = [
        one._replace(label=f"{name}: {one.label}") for one in both.differences[before:]
    ]


def _known(label: str) -> bool:
    return any(re.match(pattern, label) for pattern in KNOWN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
