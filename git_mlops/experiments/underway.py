"""Runs under way, as `exp list` shows them: those of `exp run`, and those that MLflow's interface records."""

import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from git_mlops import trackfile
from git_mlops.errors import MlopsError
from git_mlops.experiments import journal, names, runlog, tracked
from git_mlops.experiments.names import ExperimentRef
from git_mlops.experiments.runlog import Began, Reader, State
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo

_PREVIEW = "preview"
"""Holds the commit that stands for a run until there is one."""
_FRESH = 86_400.0
"""Seconds after which it is made anew: nothing keeps git from collecting it."""


class Live(NamedTuple):
    """One run under way."""

    ref: str
    """Where the experiment will be; where it is, if the run was recorded and goes on."""
    commit: str
    """The experiment as it is if nothing more comes."""
    id: str
    start: str
    root: str = ""
    """The worktree that it runs in."""
    log: Path | None = None
    """The folder of MLflow's log; None: a run of `exp run`."""


class Newest(NamedTuple):
    """What a run has said until now, flat; no commit has it yet."""

    metrics: dict[str, object]
    params: dict[str, object]
    start: int | None = None
    """In seconds since 1970, where the commit does not tell it."""


def runs(repo: Repo, present: Collection[str], prefix: str = names.PREFIX) -> list[Live]:
    """Those whose experiment is, or will be, below a prefix.

    Args:
        present: the refs of what is recorded.
    """
    found = [
        Live(run.ref, run.commit, run.id, run.start, run.root)
        for run in journal.under_way(repo)
        if run.ref.startswith(prefix) and run.ref not in present
    ]
    taken = {*present, *(one.ref for one in found)}
    for began, place in _logs(repo):
        with suppress(MlopsError, OSError):  # it was sealed just now, or the disk is full
            live = _of_log(repo, began, place, taken, prefix)
            if live is not None:
                taken.add(live.ref)
                found.append(live)
    return found


def _logs(repo: Repo) -> Iterator[tuple[Began, Path]]:
    """Logs of runs; not of a model that no run made, nor of what is said of a run that has ended."""
    for place in sorted(runlog.places(repo.private)):
        began = runlog.read_began(place) if place.name != "track" else None
        if began is not None and not began.facts.get("kind"):
            yield began, place


def _of_log(repo: Repo, began: Began, place: Path, taken: Collection[str], prefix: str) -> Live | None:
    stamp = datetime.fromtimestamp((began.facts.get("start_time") or 0) / 1000, UTC).isoformat()
    if began.ref is not None:
        if not began.ref.startswith(prefix):
            return None
        again = Reader(place, began).look().info.get("status") == "RUNNING"
        return Live(began.ref, began.commit or "", began.run_id, stamp, log=place) if again else None
    name = names.of_run(str(began.facts.get("run_name") or "run"))
    free = (names.format_ref(ExperimentRef(began.baseline, one)) for one in _numbered(name))
    ref = next(one for one in free if one not in taken)
    if not ref.startswith(prefix):  # before a commit is made for it
        return None
    return Live(ref, _preview(repo, began, place, name), began.run_id, stamp, log=place)


def _numbered(name: str) -> Iterator[str]:
    yield name
    for number in range(2, 10_000):
        yield f"{name}-{number}"


def _preview(repo: Repo, began: Began, place: Path, name: str) -> str:
    """The commit that stands for a run: made by whoever looks first."""
    from git_mlops.experiments import sealing  # 30 ms, and it needs this module's readers

    file = place / runlog.FOLDER / _PREVIEW
    with suppress(OSError):
        if time.time() - file.stat().st_mtime < _FRESH:
            return file.read_text(encoding="utf-8")
    made = sealing.preview(repo, place, began, name)
    replace_file(file, made.encode())  # another listing may read it just now
    return made


def newest(repo: Repo, run: Live) -> Newest:
    """What a run has measured and said of itself until now."""
    if run.log is None:
        where = repo._replace(root=Path(run.root)) if run.root else repo
        return Newest(tracked.live(where, run.id, run.start), {})
    began = runlog.read_began(run.log)
    state = Reader(run.log, began).look() if began else State({})
    metrics: dict[str, object] = {}
    for name, point in state.latest.items():
        trackfile.nest(metrics, name, point[0])
    params = {name: runlog.typed(text) for name, text in state.params.items()}
    return Newest(tracked.flat(metrics), params, int(datetime.fromisoformat(run.start).timestamp()))
