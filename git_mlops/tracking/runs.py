"""Runs as MLflow counts them: the experiments of refs, and the logs of those under way. Knows no MLflow.

An index of one process. What is in refs is read when a ref is new; what is under way is followed.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from git_mlops.errors import MlopsError
from git_mlops.experiments import history, names, read, runlog, sealing
from git_mlops.experiments.layout import RUN
from git_mlops.experiments.read import Experiment
from git_mlops.experiments.record import PATH
from git_mlops.experiments.runlog import Point, Reader, State
from git_mlops.experiments.sealing import FACTS
from git_mlops.experiments.settings import Settings
from git_mlops.git import objects, refs
from git_mlops.git.reader import reader
from git_mlops.git.refs import Ref
from git_mlops.git.repo import Repo

EXPERIMENTS = "refs/mlops/mlflow/experiments"
"""What is known of MLflow's experiments besides the runs in them."""
DEFAULT = ("0", "Default")
_STATUS = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED", "running": "RUNNING"}
_ATTEMPTS = 10
_LIMIT = 64 * 1024 * 1024
_RECENT = 100_000_000
"""Nanoseconds within which two writes may leave the same time on a directory."""


class Entry:
    """One run: recorded, under way, or recorded and being edited."""

    def __init__(self, run_id: str, refresh: Callable[[], None]) -> None:
        self.run_id = run_id
        self._refresh = refresh
        self.ref: str | None = None
        self.commit: str | None = None
        self.facts: Mapping[str, Any] = {}
        self.log: Reader | None = None
        self.foreign = False
        """Whether MLflow's interface did not record it."""
        self.made: object = None
        """What MLflow's side made of `facts`; forgotten when they change."""

    @property
    def live(self) -> bool:
        """Whether there is a log."""
        return self.log is not None

    def state(self) -> State:
        """As it is now."""
        for _attempt in range(_ATTEMPTS):
            log = self.log
            if log is None:
                if self.facts:
                    break
                self._refresh()  # another thread learns what became of its log
                continue
            found = log.look()
            if not log.gone:
                return found
            self._refresh()  # it is being sealed just now
        return State(self.facts)

    def seen(self, ref: Ref, facts: Mapping[str, Any], *, foreign: bool) -> None:
        """A commit of it."""
        self.ref, self.commit, self.facts, self.made = ref.name, ref.oid, facts, None
        self.foreign = foreign


class Index:
    """All runs of a repository, by id."""

    def __init__(self, repo: Repo, settings: Settings) -> None:
        self.repo = repo
        self._settings = settings
        self.entries: dict[str, Entry] = {}
        self.experiments: str | None = None
        """The commit of `EXPERIMENTS`."""
        self._refs: dict[str, str] = {}
        self._of_ref: dict[str, str] = {}
        self._mark: object = None
        self._models: dict[str, str] = {}
        self._asked = ""
        """The commit whose histories were asked for last."""
        self._plots: dict[str, dict[str, bytes] | None] = {}
        """Of one commit: metric → its history as it is written."""
        self._mutex = threading.RLock()

    def refresh(self) -> None:
        """Look at what changed. Threads look one after the other."""
        with self._mutex:
            self._look()

    def _look(self) -> None:
        ended = self._look_at_logs()
        mark = _mark(self.repo)
        if mark is None or mark != self._mark:
            self._mark = mark
            self._look_at_refs()
        for entry in ended:  # only now: meanwhile other threads would take what was known before for all
            entry.log = entry.made = None
            if entry.ref is None:  # given up
                self.entries.pop(entry.run_id, None)

    def _look_at_refs(self) -> None:
        found = refs.list_refs(self.repo, names.PREFIX, EXPERIMENTS)
        self.experiments = next((ref.oid for ref in found if ref.name == EXPERIMENTS), None)
        now = {ref.name: ref.oid for ref in found if names.parse_ref(ref.name)}
        for gone in self._refs.keys() - now.keys():
            self._forget(gone)
        new = [Ref(name, oid) for name, oid in now.items() if self._refs.get(name) != oid]
        self._refs = now
        if new:
            self._learn(new)

    def _forget(self, ref: str) -> None:
        run_id = self._of_ref.pop(ref, "")
        entry = self.entries.get(run_id)
        if entry is not None and entry.ref == ref:
            entry.ref = entry.commit = entry.made = None
            if not entry.live:
                del self.entries[run_id]

    def _learn(self, new: list[Ref]) -> None:
        with reader(self.repo) as objects_:
            texts = objects_.read((f"{ref.oid}:{PATH}" for ref in new), limit=_LIMIT)
        foreign: list[tuple[Ref, dict[str, Any]]] = []
        for ref in new:
            record = _record(texts[f"{ref.oid}:{PATH}"].content if f"{ref.oid}:{PATH}" in texts else None)
            facts = record.get(FACTS)
            if isinstance(facts, dict) and isinstance(facts.get("run_id"), str):
                self._seen(ref, facts)
            else:
                foreign.append((ref, record))
        if foreign:
            loaded = read.load(self.repo, [ref for ref, _record_ in foreign], self._settings)
            by_ref = {one.ref: one for one in loaded}
            for ref, record in foreign:
                if ref.name in by_ref:
                    self._seen(ref, foreign_facts(by_ref[ref.name], record), foreign=True)

    def _seen(self, ref: Ref, facts: Mapping[str, Any], *, foreign: bool = False) -> None:
        run_id = facts["run_id"]
        entry = self.entries.get(run_id)
        if entry is None:
            entry = self.entries[run_id] = Entry(run_id, self.refresh)
        elif entry.ref not in (None, ref.name) and entry.ref in self._refs:
            return  # a copy of it, under another name
        entry.seen(ref, facts, foreign=foreign or bool(facts.get("foreign")))
        self._of_ref[ref.name] = run_id
        for model in facts.get("models", ()):
            self._models[model["model_id"]] = run_id

    def _look_at_logs(self) -> list[Entry]:
        """Follow them; the runs that have none any more, though they still seem to."""
        present = set()
        for place in runlog.places(self.repo.private):
            began = self._follow(place)
            if began:
                present.add(began)
        ended = [e for e in [*self.entries.values()] if e.live and e.run_id not in present]
        if ended:
            self._mark = None  # they were sealed: there are refs
        return ended

    def _follow(self, place: Path) -> str | None:
        for entry in [*self.entries.values()] if place.name == "track" else [self.entries.get(place.name)]:
            if entry is not None and entry.log is not None and entry.log.place == place:
                if _same(entry.log, place):
                    return entry.run_id
                entry.log = None
        began = runlog.read_began(place)
        if began is None:
            return None
        if began.pid and place.name != "track" and sealing.dead(place):
            with suppress(MlopsError, OSError, runlog.GoneError):
                sealing.seal(self.repo, place)
                self._mark = None
                return None
        entry = self.entries.get(began.run_id)
        if entry is None:
            entry = self.entries[began.run_id] = Entry(began.run_id, self.refresh)
        entry.log, entry.made = Reader(place, began), None
        return began.run_id

    def of_ref(self, ref: str) -> Entry | None:
        """The run that an experiment is."""
        return self.entries.get(self._of_ref.get(ref, ""))

    def get(self, run_id: str) -> Entry | None:
        """A run, if there is one."""
        self.refresh()
        return self.entries.get(run_id)

    def of_model(self, model_id: str) -> Entry | None:
        """The run whose model it is."""
        self.refresh()
        entry = self.entries.get(self._models.get(model_id, ""))
        if entry is not None:
            return entry
        for one in [*self.entries.values()]:
            if one.live and model_id in one.state().models:
                return one
        return None

    def history(self, entry: Entry, metric: str) -> list[Point]:
        """Every value of a metric, in MLflow's order."""
        found: list[Point] = []
        if entry.commit is not None:
            if not entry.foreign:
                found += self._recorded(entry.commit, entry.facts.get("files", {}).get(metric, metric))
            else:
                found += self.histories(entry).get(metric, [])
            if not found and metric in (known := entry.facts.get("metrics", {})):
                value, moment, step = known[metric]
                found.append((float(value), moment, step))
        if entry.log is not None:
            found += entry.log.histories().get(metric, [])
        return sorted(dict.fromkeys(found), key=_order)  # what was sent twice counts once

    def histories(self, entry: Entry) -> dict[str, list[Point]]:
        """Every value of every metric that is recorded."""
        if entry.commit is None or entry.ref is None:
            return {}
        if not entry.foreign:
            found = self._all_recorded(entry)
        else:
            found = self._of_others(entry.ref, entry.commit, entry.facts)
        for name, (value, moment, step) in entry.facts.get("metrics", {}).items():
            found.setdefault(name, [(float(value), moment, step)])
        return {name: sorted(dict.fromkeys(points), key=_order) for name, points in found.items()}

    def _recorded(self, commit: str, metric: str) -> list[Point]:
        """One metric; who asks for a second one of the same run will ask for all, one by one."""
        if commit == self._asked and commit not in self._plots:
            self._plots = {commit: self._files(commit)}
        self._asked = commit
        if (files := self._plots.get(commit)) is not None:
            return runlog.points(files.get(metric, b""))
        name = f"{commit}:{RUN}plots/{metric}.tsv"
        with reader(self.repo) as objects_:
            texts = objects_.read([name], limit=_LIMIT)
        return runlog.points(texts[name].content or b"") if name in texts else []

    def _files(self, commit: str) -> dict[str, bytes] | None:
        """Every history of a run, as it is written; None where that is too much to keep."""
        base = f"{RUN}plots/"
        files = {one.path: one.oid for one in objects.tree_entries(self.repo, commit, base)}
        if sum(objects.sizes(self.repo, files.values()).values()) > _LIMIT:
            return None
        texts = objects.read_blobs(self.repo, files.values())
        return {path[len(base) : -len(".tsv")]: texts.get(oid, b"") for path, oid in files.items()}

    def _all_recorded(self, entry: Entry) -> dict[str, list[Point]]:
        base = f"{RUN}plots/"
        files = {
            one.path[len(base) : -len(".tsv")]: one.oid
            for one in objects.tree_entries(self.repo, entry.commit or "", base)
        }
        names_ = {file: name for name, file in entry.facts.get("files", {}).items()}
        texts = objects.read_blobs(self.repo, files.values())
        return {names_.get(file, file): runlog.points(texts[oid]) for file, oid in files.items()}

    def _of_others(self, ref: str, commit: str, facts: Mapping[str, Any]) -> dict[str, list[Point]]:
        """Of an experiment that MLflow's interface did not record; its histories may know no times."""
        loaded = read.load(self.repo, [Ref(ref, commit)], self._settings)
        series = history.read(self.repo, loaded)[ref].series if loaded else {}
        end = int(facts.get("end_time") or 0)
        known = facts.get("metrics", {})
        found: dict[str, list[Point]] = {}
        for name, points in series.items():
            label = name if name in known else name.replace("/", ".")
            found[label] = [(float(value), end, int(step)) for step, value in points]
        return found


def _order(point: Point) -> tuple[int, int, float]:
    value, moment, step = point
    return moment, step, value if value == value else 0.0  # noqa: PLR0124  # NaN has no order


def _same(log: Reader, place: Path) -> bool:
    """Whether the log at a place is still the one that is followed: it may be another by now."""
    try:
        status = os.stat(place / runlog.FOLDER / runlog.RUN_FILE)  # noqa: PTH116  # once per call
    except OSError:
        return False
    mark = (status.st_ino, status.st_mtime_ns)
    known = getattr(log, "mark", None)
    if known is None:
        log.mark = mark  # type: ignore[attr-defined]  # set at the first look
        return True
    return bool(known == mark)


def _record(content: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(content or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _mark(repo: Repo) -> object:
    """Changes when a ref of ours may have changed; None: nobody can tell, or it was just now."""
    places = [repo.common_dir / "packed-refs"]
    base = repo.common_dir / "refs"
    if not (repo.common_dir / "refs" / "heads").is_dir() or (repo.common_dir / "reftable").exists():
        return None
    try:
        marks = [_time(str(place)) for place in places]
        for folder in (f"{base}/exps", f"{base}/mlops/mlflow"):
            marks += _times(folder, 3)
    except OSError:
        return None
    newest = max((mark[0] for mark in marks), default=0)
    return None if time.time_ns() - newest < _RECENT else tuple(marks)


def _time(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116  # many
    except FileNotFoundError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def _times(folder: str, depth: int) -> Iterable[tuple[int, int]]:
    yield _time(folder)
    if depth > 1:
        with suppress(OSError):
            for one in os.scandir(folder):
                if one.is_dir(follow_symlinks=False):
                    yield from _times(one.path, depth - 1)


def foreign_facts(found: Experiment, record: Mapping[str, Any]) -> dict[str, Any]:
    """An experiment that MLflow's interface did not record, as a run of the default experiment."""
    commit = found.commit
    end = _moment(record.get("end")) or found.time * 1000
    start = _moment(record.get("start")) or end
    tags = {
        "mlflow.runName": found.name,
        "mlflow.source.git.commit": found.baseline,
        "mlflow.note.content": commit.message.text,
        "mlops.ref": found.ref,
        "mlops.run": commit.message.key or "",
    }
    command = record.get("command")
    if isinstance(command, list):
        tags |= {"mlflow.source.name": " ".join(map(str, command)), "mlflow.source.type": "LOCAL"}
    numbers = {n: v for n, v in found.metrics.items() if isinstance(v, bool | int | float)}
    return {
        "run_id": commit.oid[:32],
        "foreign": True,
        "experiment_id": DEFAULT[0],
        "experiment": DEFAULT[1],
        "run_name": found.name,
        "status": _STATUS.get(found.status, "FINISHED"),
        "start_time": start,
        "end_time": end,
        "params": {name: str(value) for name, value in found.params.items()},
        "metrics": {name: [runlog.finite(float(v)), end, 0] for name, v in numbers.items()},
        "tags": {name: value for name, value in tags.items() if value},
    }


def _moment(text: object) -> int | None:
    try:
        return int(datetime.fromisoformat(str(text)).timestamp() * 1000) if text else None
    except ValueError:
        return None
