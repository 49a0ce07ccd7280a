"""How things are measured: interleaved, medians, ratios."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """One line of the table."""

    budget: str
    what: str
    ours: float
    """Seconds."""
    reference: str
    """What ours is divided by, or what is divided by ours."""
    seconds: float
    ratio: float
    limit: str
    """The budget, as text: `<= 2`."""

    @property
    def holds(self) -> bool:
        """Whether the ratio keeps the budget; a row without one only informs."""
        if not self.limit:
            return True
        sign, number = self.limit.split(" ")
        return self.ratio <= float(number) if sign == "<=" else self.ratio >= float(number)


def slower(budget: str, what: str, ours: float, reference: str, seconds: float, limit: str = "") -> Row:
    """A row that says how many times the reference ours takes."""
    return Row(budget, what, ours, reference, seconds, ours / seconds, limit)


def faster(budget: str, what: str, ours: float, reference: str, seconds: float, limit: str = "") -> Row:
    """A row that says how many times faster ours is than the reference."""
    return Row(budget, what, ours, reference, seconds, seconds / ours, limit)


def interleaved(works: Mapping[str, Callable[[], float | None]], times: int) -> dict[str, float]:
    """The median seconds of each, run in turns so that the machine's moods hit all alike; one warm-up first.

    A work may return its own seconds when only a part of it is to be measured.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(times + 1):
        for name, work in works.items():
            started = time.perf_counter()
            own = work()
            if turn:
                seconds[name].append(time.perf_counter() - started if own is None else own)
    return {name: statistics.median(values) for name, values in seconds.items()}


def environment(home: Path) -> dict[str, str]:
    """A sealed environment; bytecode may be cached, as for any installed program."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "MLOPS_", "DVC_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    names = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _ADA.items()}
    return kept | names | {
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(home / "dvc"),
        "PRE_COMMIT_HOME": str(home / "pre-commit"),
    }  # fmt: skip


_ADA = {"NAME": "Ada", "EMAIL": "ada@example.com"}


class Place(NamedTuple):
    """A directory to run commands in, with a sealed environment."""

    root: Path
    env: dict[str, str]

    def run(self, *words: str | Path, stdin: bytes | None = None, check: bool = True) -> bytes:
        """Run and capture."""
        done = subprocess.run(
            [str(w) for w in words],
            cwd=self.root,
            env=self.env,
            input=stdin,
            capture_output=True,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(f"{words}: {done.returncode}\n{done.stdout.decode()}\n{done.stderr.decode()}")
        return done.stdout

    def timed(self, *words: str | Path) -> float:
        """Seconds of one whole process."""
        started = time.perf_counter()
        self.run(*words)
        return time.perf_counter() - started


def repository(base: Path, name: str) -> Place:
    """A fresh repository with one commit."""
    place = Place(base / name, environment(base / "home"))
    place.root.mkdir(parents=True)
    place.run("git", "init", "-q", "-b", "main")
    (place.root / "train.py").write_text("print('train')\n")
    place.run("git", "add", "-A")
    place.run("git", "commit", "-q", "-m", "first")
    return place


def table(rows: list[Row]) -> str:
    """The table as Markdown."""
    lines = [
        "| # | what | ours | reference | seconds | ratio | budget | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        mark = "" if not row.limit else "ok" if row.holds else "MISSED"
        lines.append(
            f"| {row.budget} | {row.what} | {row.ours * 1000:.1f} ms | {row.reference} "
            f"| {row.seconds * 1000:.1f} ms | {row.ratio:.2f} | {row.limit} | {mark} |"
        )
    return "\n".join(lines) + "\n"
