"""The queue: requests for runs that wait, each a commit under `refs/mlops/queue/` with all that it needs.

The commit's parent is the baseline, its tree the project as it was queued, with the request in
`.mlops/queue.json`. An entry leaves the queue in the very transaction in which its run begins: of two that
want to run it one does, and what was killed before that is still queued. From then on the run's journal knows
of it, and a run that does not come to its end is recorded as interrupted.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.experiments import journal, read, recording, recovery
from git_mlops.experiments import start as starting
from git_mlops.experiments.record import parse_record
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Origin, Plan
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.start import Start
from git_mlops.git import objects, refs
from git_mlops.git.reader import reader
from git_mlops.git.refs import Move, Ref
from git_mlops.git.repo import Repo

PREFIX = "refs/mlops/queue/"
FILE = ".mlops/queue.json"
_VERSION = 1
_LOGS = 500
"""Logs of runs that have ended are kept up to this number."""


class Entry(NamedTuple):
    """A run that waits."""

    id: str
    """Sorts by the time it was queued."""
    commit: str
    baseline: str
    name: str
    time: str
    message: str
    force: bool
    plan: Plan

    @property
    def ref(self) -> str:
        """Where it is."""
        return f"{PREFIX}{self.id}"


Outcome = Literal["finished", "failed", "interrupted", "known", "queued", "taken"]
"""`known`: not run, there is a result already; `queued`: it could not begin and waits on; `taken`: another
process began it first."""


class Report(NamedTuple):
    """What became of an entry."""

    id: str
    name: str
    outcome: Outcome
    problem: str | None = None
    metrics: Mapping[str, object] = {}
    notes: tuple[str, ...] = ()


def add(repo: Repo, start: Start, request: Request) -> Entry:
    """Queue a run of what `start` says, as it is now.

    Raises:
        MlopsError: the name cannot be used or is queued already, a bad override.
    """
    moment = recording.now()
    entry_id = f"{moment:%Y%m%dt%H%M%S%f}-{secrets.token_hex(3)}"
    plan = start.plan
    name = _name(repo, request)
    changed = {} if plan.origin.prepared else starting.parameters(repo, plan.overrides)
    entry = Entry(
        entry_id, "", start.baseline, name, recording.stamp(moment), request.message, request.force, plan
    )
    with objects.scratch_index(repo) as index:
        repo.git("read-tree", start.tree, index=index)
        objects.put(repo, index, {**changed, FILE: _format(entry)})
        tree = objects.write_tree(repo, index)
    commit = recording.commit_tree(repo, tree, start.baseline, f"queued: {name}\n")
    refs.move(repo, [Move(entry.ref, commit, None)], f"mlops exp run --queue: {name}")
    return entry._replace(commit=commit)


def _name(repo: Repo, request: Request) -> str:
    """A name that no experiment and no entry has."""
    queued = {entry.name for entry in entries(repo)}
    if request.name in queued:
        raise MlopsError(
            f"`{request.name}` is queued already",
            hint=f"choose another name, or `git mlops exp queue rm {request.name}`",
        )
    found = (recording.choose(repo, request, attempt)[0] for attempt in range(100))
    return next(name for name in found if name not in queued)


def _format(entry: Entry) -> bytes:
    plan = entry.plan
    values = {
        "version": _VERSION,
        "name": entry.name,
        "command": list(plan.command) or None,
        "directory": plan.directory or None,
        "overrides": list(plan.overrides) or None,
        "message": entry.message or None,
        "force": entry.force or None,
        "again": plan.origin.again or None,
        "time": entry.time,
        "record": dict(plan.origin.extra) or None,
    }
    said = {name: value for name, value in values.items() if value is not None}
    return (json.dumps(said, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def entries(repo: Repo) -> list[Entry]:
    """All that wait, the oldest first; what cannot be read is left out."""
    found = refs.list_refs(repo, PREFIX)
    if not found:
        return []
    with reader(repo) as answers:
        known = read.commits(answers, (ref.oid for ref in found))
        texts = answers.read(f"{ref.oid}:{FILE}" for ref in found)
    parsed = (
        _parsed(ref, known[ref.oid].parents[0], texts[name].content or b"")
        for ref in found
        if (name := f"{ref.oid}:{FILE}") in texts and known.get(ref.oid) and known[ref.oid].parents
    )
    return [entry for entry in parsed if entry]


def _parsed(ref: Ref, baseline: str, content: bytes) -> Entry | None:
    try:
        said: dict[str, Any] = json.loads(content)
        record = {str(name): str(value) for name, value in (said.get("record") or {}).items()}
        entry_id = ref.name.removeprefix(PREFIX)
        origin = Origin(
            run_id=entry_id,
            claims=(Move(ref.name, None, ref.oid),),
            extra=record,
            prepared=True,
            again=bool(said.get("again")),
            passing=True,
        )
        command, overrides = (tuple(map(str, said.get(key) or ())) for key in ("command", "overrides"))
        plan = Plan(command, overrides, str(said.get("directory") or ""), origin=origin)
        texts = (str(said["name"]), str(said["time"]), str(said.get("message") or ""))
        return Entry(entry_id, ref.oid, baseline, *texts, bool(said.get("force")), plan)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


class Waiting(NamedTuple):
    """A line of `exp queue list`."""

    name: str
    state: Literal["queued", "starting", "running"]
    id: str
    baseline: str
    time: str
    command: tuple[str, ...]
    overrides: tuple[str, ...] = ()


def listing(repo: Repo) -> list[Waiting]:
    """What waits and what runs, the oldest first."""
    recovery.recover(repo)
    waiting = []
    for entry in entries(repo):
        state: Literal["queued", "starting"] = "starting" if Lock(repo, entry.id).held() else "queued"
        plan = entry.plan
        waiting.append(
            Waiting(entry.name, state, entry.id, entry.baseline, entry.time, plan.command, plan.overrides)
        )
    return [*_running(repo), *waiting]


def _running(repo: Repo) -> list[Waiting]:
    """Runs under way that came from the queue: they have a log."""
    found = [one for one in journal.under_way(repo) if log_file(repo, one.id).exists() and journal.alive(one)]
    names_ = [f"{one.commit}:.mlops/run/record.json" for one in found]
    with reader(repo) as answers:
        texts = answers.read(names_)
    lines = []
    for one, name in zip(found, names_, strict=True):
        record = parse_record((texts[name].content if name in texts else None) or b"{}")
        _refs, _exps, first, rest, label = one.ref.split("/", 4)
        words = (tuple(record.command or ()), tuple(record.overrides or ()))
        lines.append(Waiting(label, "running", one.id, first + rest, one.start, *words))
    return lines


def remove(repo: Repo, names: Sequence[str], *, everything: bool = False) -> list[Entry]:
    """Take entries out of the queue: all that are named or none.

    Raises:
        NotFoundError: no such entry. MlopsError: one of them was started meanwhile.
    """
    found = entries(repo)
    known = {entry.name: entry for entry in found}
    lost = next((name for name in names if name not in known), None)
    if lost is not None:
        raise NotFoundError(f"`{lost}` is not queued", hint="`git mlops exp queue list`")
    chosen = found if everything else [known[name] for name in dict.fromkeys(names)]
    refs.move(repo, [Move(entry.ref, None, entry.commit) for entry in chosen], "mlops exp queue rm")
    return chosen


def log_file(repo: Repo, run_id: str) -> Path:
    """Where a run from the queue prints to."""
    return repo.private / "runs" / run_id / journal.LOG


def log(repo: Repo, name: str) -> Path:
    """The log of an entry, of a run under way or of an experiment.

    Raises:
        NotFoundError: there is none.
    """
    ids = [entry.id for entry in entries(repo) if entry.name == name]
    ids += [one.id for one in _running(repo) if one.name == name]
    if not ids:
        ref = read.pick(repo, [name])[0]
        record = read.record(repo, read.load(repo, [ref], Settings())[0])
        ids = [str(record.extra.get("run_id"))] if record else []
    files = [file for one in ids if (file := log_file(repo, one)).is_file()]
    if not files:
        raise NotFoundError(
            f"there is no log of `{name}`", hint="logs are kept of runs that `exp queue start` made here"
        )
    return files[0]


class Lock:
    """Keeps other starters on this machine from preparing the same entry; the kernel frees a killed one's."""

    def __init__(self, repo: Repo, entry_id: str) -> None:
        self._path = repo.private / "runs" / entry_id / "lock"
        self._file: IO[bytes] | None = None

    def take(self) -> bool:
        """Whether it is ours now."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        file.truncate(0)
        file.write(f"{os.getpid()} {journal.born(os.getpid())}".encode())
        file.flush()
        self._file = file
        return True

    def held(self) -> bool:
        """Whether somebody has it, asked without taking it: that would turn a starter away."""
        with suppress(OSError, ValueError):
            pid, _, born = self._path.read_text(encoding="utf-8").partition(" ")
            return bool(born) and journal.born(int(pid)) == born
        return False

    def release(self) -> None:
        """Let others have it."""
        if self._file:
            fcntl.flock(self._file, fcntl.LOCK_UN)  # a copy of this process may hold the file, too
            self._file.close()
            self._path.unlink(missing_ok=True)
            with suppress(OSError):
                self._path.parent.rmdir()
