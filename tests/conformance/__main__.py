"""`python -m tests.conformance [FILE…]`: MLflow's own tests on our store and on MLflow's SQLite.

`MLFLOW_SRC` names a checkout of MLflow at the version that is installed. Its tests are copied, the copy's
`db_uri` is a repository of ours, and what fails here and passes with SQLite is listed. Exit code 1 where that
concerns runs, experiments, logged models or the registry.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from tests.conformance import mlops_conformance as plugin

FILES = (
    "tests/tracking/test_rest_tracking.py",
    "tests/tracking/test_model_registry.py",
    "tests/tracking/test_tracking.py",
    "tests/tracking/fluent/test_fluent.py",
)
OTHERS = re.compile(
    r"trace|span|otel|issue|scorer|assessment|evaluation|gateway|secret|endpoint|prompt|webhook|session|judge"
    r"|review_queue|label_schema|guardrail|budget",
    re.IGNORECASE,
)
"""What is not ours: GenAI's, kept by MLflow's own store beside us."""
BY_DESIGN = {
    "test_search_runs_multiple_experiments": "counts on the ids 1, 2, 3: ours are the same in every clone",
}
"""What cannot pass, and why."""
STORES = ("git-mlops", "sqlite")

Outcomes = Mapping[str, tuple[str, str]]


class RefusedError(Exception):
    """What is missing, and how to mend it."""


class Result(NamedTuple):
    """What became of the tests of a store: test → outcome, and the end of its traceback."""

    store: str
    outcomes: Outcomes

    def of(self, file: str, outcome: str) -> int:
        """How many of a file."""
        return sum(name.startswith(f"{file}::") and one[0] == outcome for name, one in self.outcomes.items())


def main(words: Sequence[str]) -> int:
    """Run both, print the table and the difference."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("files", nargs="*", default=FILES, metavar="FILE", help="files of MLflow's tests")
    parser.add_argument("-k", metavar="EXPRESSION", default="", help="as pytest has it")
    parser.add_argument("-n", metavar="PROCESSES", default=os.environ.get("JOBS", "auto"))
    parser.add_argument("-v", action="store_true", help="show why tests fail")
    parser.add_argument(
        "--baseline", type=Path, metavar="FILE", help="what SQLite did: kept there, not run again"
    )
    asked = parser.parse_args(words)
    try:
        source = _source(asked.files)
    except RefusedError as error:
        message, hint = error.args
        print(f"error: {message}\nhint: {hint}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="mlops-conformance-") as base:
        results = [_run(source, Path(base), store, asked) for store in STORES]
    return report(results, asked.files, why=asked.v)


def _source(files: Sequence[str]) -> Path:
    named = os.environ.get("MLFLOW_SRC")
    installed = version("mlflow")
    hint = (
        f"`git clone --depth 1 --branch v{installed} https://github.com/mlflow/mlflow`, then "
        "`make conformance MLFLOW_SRC=mlflow`"
    )
    if not named:
        raise RefusedError("`MLFLOW_SRC` names no checkout of MLflow", hint)
    source = Path(named).resolve()
    missing = [
        one for one in ("tests/conftest.py", *files) if not source.joinpath(one.split("::")[0]).is_file()
    ]
    if missing:
        raise RefusedError(f"`{named}` has no `{missing[0]}`", hint)
    if "def db_uri(" not in source.joinpath("tests/conftest.py").read_text(encoding="utf-8"):
        raise RefusedError(
            f"the tests in `{named}` make their databases each in a way of its own", "MLflow 3.7 or later"
        )
    stated = source / "mlflow" / "version.py"
    known = (
        re.search(r'^VERSION = "(.+)"', stated.read_text("utf-8"), re.MULTILINE) if stated.is_file() else None
    )
    if known and known[1] != installed:
        print(f"warning: the tests are of MLflow {known[1]}, and {installed} is installed", file=sys.stderr)
    return source


def _run(source: Path, base: Path, store: str, asked: argparse.Namespace) -> Result:
    place = base / store
    shutil.copytree(source / "tests", place / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(plugin.__file__, place)
    (place / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    if store == STORES[0]:
        with (place / "tests" / "tracking" / "conftest.py").open("a", encoding="utf-8") as conftest:
            conftest.write("\nfrom mlops_conformance import db_uri\n")
    outcomes = (
        place / "outcomes.jsonl" if store == STORES[0] or not asked.baseline else asked.baseline.absolute()
    )
    if outcomes.is_file():
        return _read(store, outcomes)
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", Path(plugin.__file__).stem, "-p", "no:cacheprovider",
        "--tb=short", "--no-header", "-n", asked.n, "-k", asked.k, *asked.files,
    ]  # fmt: skip
    print(f"{store} …", file=sys.stderr, flush=True)
    environment = _environment(place, store, outcomes)
    with (place / "output.txt").open("w", encoding="utf-8") as output:
        done = subprocess.run(
            command, cwd=place, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if not outcomes.is_file() or done.returncode > 1:
        print((place / "output.txt").read_text(encoding="utf-8")[-4000:], file=sys.stderr)
        raise SystemExit(3)
    return _read(store, outcomes)


def _read(store: str, outcomes: Path) -> Result:
    lines = outcomes.read_text(encoding="utf-8").splitlines()
    return Result(store, {name: (outcome, why) for name, outcome, why in map(json.loads, lines)})


def _environment(place: Path, store: str, outcomes: Path) -> dict[str, str]:
    leaks = ("GIT_", "MLOPS_", "DVC_", "MLFLOW_", "PYTEST_", "GITHUB_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(leaks) and name != "CI"}
    home = place / "home"
    home.mkdir()
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _ADA.items()}
    return kept | who | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "DVC_NO_ANALYTICS": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "PYTHONPATH": os.pathsep.join((str(place), str(Path(__file__).parents[2]))),
        plugin.STORE: store,
        plugin.OUTCOMES: str(outcomes),
    }  # fmt: skip


_ADA = {"NAME": "Ada", "EMAIL": "ada@example.com"}


def report(results: Sequence[Result], files: Sequence[str], *, why: bool) -> int:
    """Print them; the exit code."""
    ours, theirs = results
    heads = [f"{one.store} {what}" for one in results for what in ("failed", "passed")]
    print(f"| file | {' | '.join(heads)} |\n|---{'|---' * len(heads)}|")
    for file in dict.fromkeys(name.split("::")[0] for name in files):
        counts = [str(one.of(file, outcome)) for one in results for outcome in ("failed", "passed")]
        print(f"| {file} | {' | '.join(counts)} |")
    worse = [
        name for name, (outcome, _why) in ours.outcomes.items()
        if outcome == "failed" and theirs.outcomes.get(name, ("", ""))[0] == "passed"
    ]  # fmt: skip
    others = [name for name in worse if OTHERS.search(name.partition("::")[2])]
    meant = [name for name in worse if _plain(name) in BY_DESIGN]
    concern = [name for name in worse if name not in {*others, *meant}]
    for title, names in (
        ("fail here alone", concern),
        ("fail here alone, by design", meant),
        ("fail here alone, and are not ours (GenAI)", others),
    ):
        print(f"\n{len(names)} {title}")
        for name in names:
            print(f"  {name}{f': {BY_DESIGN[_plain(name)]}' if name in meant else ''}")
            if why:
                print("".join(f"      {line}\n" for line in ours.outcomes[name][1].splitlines()), end="")
    return int(bool(concern))


def _plain(name: str) -> str:
    """A test without file and parameters."""
    return name.rpartition("::")[2].partition("[")[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
