"""A comparison from beginning to end: two files or directories, with what mlops.yaml says."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from git_mlops.errors import CANNOT_EVALUATE, MlopsError, NotFoundError
from git_mlops.findings import ordered
from git_mlops.monitor import drift, joined, judging, replay, samples, worse
from git_mlops.monitor.joined import Asked
from git_mlops.monitor.observed import Observation, Subject
from git_mlops.monitor.samples import Both, Side
from git_mlops.monitor.settings import Settings, own
from git_mlops.tables.frames import FrameError


def side(path: Path) -> Side:
    """A file or directory as the user named it.

    Raises:
        MlopsError: there is none (2), or no table in it.
    """
    if not path.exists():
        raise NotFoundError(
            f"no such file or directory: `{path}`", hint="`git mlops pull` brings tracked data"
        )
    try:
        return Side(tuple(samples.parts_of(path)), str(path))
    except FrameError as error:
        raise MlopsError(f"`{path}`: {error}") from error


class Request(NamedTuple):
    """Two sides, and what else to look at."""

    reference: Side
    current: Side
    name: str = "files"
    labels: Asked | None = None
    replayed: replay.Asked | None = None


def files(request: Request, settings: Settings) -> Observation:
    """Compare two sides."""
    reference, current = request.reference, request.current
    keys = settings.skew.key if request.replayed is not None else ()
    both = read(reference, current, settings, also_skip=keys)
    found = drift.compare(both, settings)
    findings = judging.judge(found, settings)
    measured, numbers = None, {}
    if request.replayed is not None:
        again = replay.compare(samples.scan(current.parts), request.replayed, settings)
        findings += again.findings
        numbers["replayed"] = float(again.rows)
    if request.labels is not None:
        measured = joined.measure(samples.scan(current.parts), request.labels, _LIKELY, settings.slices)
        findings += worse.judge(measured, {}, settings)
    subject = Subject(request.name, reference=reference.said, current=current.said)
    return Observation(subject, now(), tuple(ordered(findings)), found, measured, numbers)


_LIKELY = ("prediction", "predicted", "score", "probability")


def read(reference: Side, current: Side, settings: Settings, also_skip: Iterable[str] = ()) -> Both:
    """Both sides in memory, as far as they are kept.

    Raises:
        MlopsError: one of them is not what its name says (3).
    """
    frames = []
    for one in (reference, current):
        try:
            frame = samples.scan(one.parts)
            names = samples.names(frame)
        except FrameError as error:
            raise MlopsError(f"`{one.said}` cannot be read: {error}", exit_code=CANNOT_EVALUATE) from error
        frames.append((frame, names))
    skip = [name for name in frames[0][1] if own(settings, name).skip or name in set(also_skip)]
    try:
        return samples.read(frames[0][0], frames[1][0], skip=skip)
    except FrameError as error:
        where = f"`{reference.said}` or `{current.said}`"
        raise MlopsError(f"{where} cannot be read: {error}", exit_code=CANNOT_EVALUATE) from error


def now() -> str:
    """This moment, in UTC."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
