"""`python -m git_mlops.serve FOLDER`: what a container runs; `git mlops model package` wrote FOLDER."""

import argparse
import sys
from pathlib import Path

from git_mlops.errors import MlopsError
from git_mlops.serve import server
from git_mlops.serve.app import Limits
from git_mlops.serve.columns import Extra
from git_mlops.serve.container import Packaged
from git_mlops.serve.log import Keeping


def main(words: list[str]) -> int:
    """Serve until SIGTERM; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m git_mlops.serve", description="Serve a packaged model.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--workers", type=int, default=0, help="threads that score; 0: one per processor")
    parser.add_argument("--log", type=Path, help="where requests and answers are kept; default: nowhere")
    parser.add_argument("--sample", type=float, default=1.0, help="the share of requests that is kept")
    given = parser.parse_args(words)
    try:
        fleet = Packaged(given.folder)
        asked = fleet.said.get("serve") or {}
        where = server.Where(given.host, given.port, given.workers)
        keeping = (given.log, Keeping(given.sample, tuple(asked.get("redact") or ()))) if given.log else None
        limits = Limits(int(asked.get("body") or Limits().body))
        extra: Extra = "ignore" if asked.get("extra") == "ignore" else "refuse"
        server.serve(fleet, where, limits, extra=extra, keeping=keeping, say=_say)
    except MlopsError as error:
        _say(f"error: {error}" + (f"\nhint: {error.hint}" if error.hint else ""))
        return error.exit_code
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
