"""`python -m tests.conformance.versions [VERSION…]`: our store under several MLflows. Needs the network.

For each one an environment of its own: the differential calls on both stores, and the quick tests in
tests/tracking. Environments stay below `build/mlflow/`, so that the next time is quick.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.5.1", "3.7.0", "3.9.0", "3.11.1", "3.13.0", "3.15.2", "3.17.2")


class Row(NamedTuple):
    """What became of one version."""

    version: str
    calls: str
    tests: str
    failed: bool


def main(words: Sequence[str]) -> int:
    """Try them, print a table; 1 where something fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.versions", description=__doc__)
    parser.add_argument("versions", nargs="*", default=VERSIONS, metavar="VERSION")
    parser.add_argument("--no-servers", action="store_true", help="without calls over REST")
    asked = parser.parse_args(words)
    rows = [_try(version, servers=not asked.no_servers) for version in asked.versions]
    print("| MLflow | differential calls | tests/tracking |\n|---|---|---|")
    for row in rows:
        print(f"| {row.version} | {row.calls} | {row.tests} |")
    return int(any(row.failed for row in rows))


def _try(version: str, *, servers: bool) -> Row:
    python = _environment(version)
    options = () if servers else ("--no-servers",)
    calls = _run(python, "-m", "tests.conformance.differential", *options)
    tests = _run(
        python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "default", "--tb=short",
        "tests/tracking",
    )  # fmt: skip
    for done in (calls, tests):
        if done.returncode:
            print(f"--- MLflow {version}\n{done.stdout[-6000:]}", file=sys.stderr)
    failed = bool(calls.returncode or tests.returncode)
    return Row(version, _last(calls), _last(tests), failed)


def _environment(version: str) -> Path:
    place = ROOT / "build" / "mlflow" / version
    python = place / "bin" / "python"
    if not python.exists():
        print(f"MLflow {version} …", file=sys.stderr, flush=True)
        uv = (sys.executable, "-m", "uv")
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(place)], check=True)
        old = ("sqlalchemy<2.1",) if int(version.split(".")[1]) < 11 else ()  # MLflow's own SQLite needs it
        wanted = (
            *old,
            "--editable",
            str(ROOT),
            "--group",
            f"{ROOT / 'pyproject.toml'}:dev",
            f"mlflow=={version}",
        )
        subprocess.run([*uv, "pip", "install", "--quiet", "--python", str(python), *wanted], check=True)
    return python


def _run(python: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
    }
    return subprocess.run(
        [str(python), *words], cwd=ROOT, env=environment, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def _last(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stdout.strip().splitlines() or ["nothing"])[-1].partition(": ")[
        2 if ": " in done.stdout else 0
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
