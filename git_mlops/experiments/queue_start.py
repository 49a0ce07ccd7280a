"""`exp queue start`: what is queued, run by an executor and recorded as it ends."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from git_mlops.data import dvc
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import FINDINGS, OK, MlopsError
from git_mlops.executors import Executor, Job, Result, Where
from git_mlops.experiments import away, journal, recovery, temp, worktree
from git_mlops.experiments import run as running
from git_mlops.experiments.queue import FILE, Entry, Lock, Outcome, Report, entries, log_file
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Ended, Known
from git_mlops.experiments.settings import Settings
from git_mlops.git import refs
from git_mlops.git.refs import RefMovedError
from git_mlops.git.repo import Repo

_LOGS = 500
"""Logs of runs that have ended are kept up to this number."""


class Started(NamedTuple):
    """What `exp queue start` did."""

    reports: tuple[Report, ...]
    interrupted: bool

    @property
    def exit_code(self) -> int:
        """0 when every run finished, 1 when one did not."""
        return OK if all(one.outcome in ("finished", "known", "taken") for one in self.reports) else FINDINGS


class _Feed:
    """Entries as they are asked for, until none is left that this process has not tried."""

    def __init__(self, repo: Repo, told: Callable[[Entry], None]) -> None:
        self._repo = repo
        self._told = told
        self._tried: set[str] = set()
        self.held: dict[str, tuple[Entry, Lock]] = {}

    def __iter__(self) -> Iterator[Entry]:
        while entry := self._next():
            yield entry

    def _next(self) -> Entry | None:
        for entry in entries(self._repo):
            if entry.id in self._tried:
                continue
            lock = Lock(self._repo, entry.id)
            if lock.take():
                self._tried.add(entry.id)
                self.held[entry.id] = (entry, lock)
                self._told(entry)
                return entry
        return None

    def done(self, entry_id: str) -> Entry:
        entry, lock = self.held.pop(entry_id)
        lock.release()
        return entry


class Told(NamedTuple):
    """Called as the queue goes on."""

    started: Callable[[Entry], None]
    ended: Callable[[Report], None]


def start(
    repo: Repo, settings: tuple[Settings, DataSettings], executor: Executor, where: Where, told: Told
) -> Started:
    """Run what is queued, and what is queued meanwhile, until nothing is left.

    An entry that cannot begin stays in the queue. On Ctrl-C the runs under way are recorded as interrupted,
    and what has not begun stays queued.
    """
    recovery.recover(repo)
    found = entries(repo)
    if not found:
        return Started((), interrupted=False)
    if any(not entry.plan.command for entry in found):
        dvc.load()
    feed = _Feed(repo, told.started)
    how = _away(repo, settings[1]) if executor.AWAY else _here(repo, settings)
    jobs = (Job(one.id, how.packed(one), log_file(repo, one.id)) for one in feed)
    reports: list[Report] = []
    interrupted = False
    try:
        for result in executor.run(how.work, jobs, where):
            entry = feed.done(result.id)
            reports.append(_reported(repo, entry, result, how))
            told.ended(reports[-1])
    except KeyboardInterrupt:
        interrupted = True
    finally:
        for entry_id in list(feed.held):
            feed.done(entry_id)
        _prune(repo)
    return Started(tuple(reports), interrupted)


class _How(NamedTuple):
    """What passes between this process and a worker."""

    packed: Callable[[Entry], bytes]
    work: Callable[[bytes], bytes]
    received: Callable[[Entry, bytes], Report]


def _here(repo: Repo, settings: tuple[Settings, DataSettings]) -> _How:
    return _How(
        lambda entry: entry.id.encode(), partial(work, repo, *settings), lambda _entry, said: _report(said)
    )


def _away(repo: Repo, data: DataSettings) -> _How:
    return _How(away.Sender(repo, data).pack, away.work, partial(away.receive, repo))


def _reported(repo: Repo, entry: Entry, result: Result, how: _How) -> Report:
    if result.answer is None:
        return _killed(repo, entry, result.problem or "")
    try:
        return how.received(entry, result.answer)
    except (MlopsError, OSError) as error:
        return Report(entry.id, entry.name, "queued", str(error))


def _killed(repo: Repo, entry: Entry, problem: str) -> Report:
    """The recording process was killed: as far as it came."""
    recovery.recover(repo)
    waits = refs.read(repo, entry.ref) is not None
    return Report(entry.id, entry.name, "queued" if waits else "interrupted", problem)


def work(repo: Repo, settings: Settings, data: DataSettings, payload: bytes) -> bytes:
    """One entry, by id, in this process; prints what the run prints. Returns a report."""
    entry = next((one for one in entries(repo) if one.id == payload.decode()), None)
    if entry is None:
        return _answer(Report(payload.decode(), "", "taken"))
    return _once(repo, entry, settings, data)


def _once(repo: Repo, entry: Entry, settings: Settings, data: DataSettings) -> bytes:
    try:
        return _answer(_worked(repo, entry, settings, data))
    except RefMovedError:
        return _answer(Report(entry.id, entry.name, "taken"))
    except (MlopsError, OSError) as error:
        hint = error.hint if isinstance(error, MlopsError) else None
        said = f"{error}" + (f" ({hint})" if hint else "")
        return _answer(Report(entry.id, entry.name, "queued", said))
    except KeyboardInterrupt:
        return _answer(Report(entry.id, entry.name, "queued", "interrupted before it began"))


def _worked(repo: Repo, entry: Entry, settings: Settings, data: DataSettings) -> Report:
    with worktree.of(repo, entry.commit, head=entry.baseline) as place:
        (place.root / FILE).unlink()
        missing = tuple(
            f"`{path}` is not on this machine: `git mlops pull`" for path in temp.bring(place, entry.plan)
        )
        request = Request(entry.name, entry.message, entry.force, late=True)
        done = running.run(place, entry.plan, request, settings, data, started=lambda _subject: None)
    if isinstance(done, Known):
        refs.move(repo, [*entry.plan.origin.claims], f"mlops exp queue: {entry.name} is known")
        said = f"not run: `{done.experiment.name}` is the same"
        return Report(entry.id, entry.name, "known", said, done.experiment.metrics)
    return _ended(entry, done, missing)


def _ended(entry: Entry, done: Ended, missing: tuple[str, ...]) -> Report:
    made = done.recorded
    outcome: Outcome = "interrupted" if made.status == "running" else made.status
    notes = (*missing, *made.notes)
    return Report(entry.id, made.name, outcome, done.problem, made.metrics, notes)


def _answer(report: Report) -> bytes:
    return json.dumps(report._asdict(), default=str).encode()


def _report(answer: bytes) -> Report:
    said = json.loads(answer)
    return Report(**{**said, "notes": tuple(said["notes"])})


def _prune(repo: Repo) -> None:
    """Remove the oldest logs of runs that have ended."""
    queued = {entry.id for entry in entries(repo)} | {one.id for one in journal.under_way(repo)}
    folder = repo.private / "runs"
    found = sorted((file for file in folder.glob("*/log")), key=lambda file: file.stat().st_mtime)
    for file in [one for one in found if one.parent.name not in queued][:-_LOGS]:
        file.unlink(missing_ok=True)
        with suppress(OSError):
            file.parent.rmdir()
