"""B3: the answers that must come at once."""

import sys
from pathlib import Path

from tests.bench.measure import Row, interleaved, repository, slower


def bench(base: Path) -> list[Row]:
    """Beside Python itself and the peers' `--version`."""
    place = repository(base, "r")
    completing = place._replace(
        env=place.env
        | {"_GIT_MLOPS_COMPLETE": "bash_complete", "COMP_WORDS": "git-mlops e", "COMP_CWORD": "1"}
    )
    works = {
        "python": lambda: place.timed(sys.executable, "-c", "pass"),
        "help": lambda: place.timed("git-mlops", "--help"),
        "version": lambda: place.timed("git-mlops", "--version"),
        "completion": lambda: completing.timed("git-mlops"),
        "dvc": lambda: place.timed("dvc", "--version"),
    }
    seconds = interleaved(works, 15) | interleaved({"mlflow": lambda: place.timed("mlflow", "--version")}, 2)
    python = seconds["python"]
    ours = [("--help", "help"), ("--version", "version"), ("completion of a command", "completion")]
    return [
        *(
            slower("B3", f"git-mlops {what}", seconds[key], "python -c pass", python, "<= 2.5")
            for what, key in ours
        ),
        *(
            slower("B3", f"  peer: {peer} --version", seconds[peer], "python -c pass", python)
            for peer in ("dvc", "mlflow")
        ),
    ]
