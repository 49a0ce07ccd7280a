"""What MLflow's interface is asked to record: runs begun, logged to, ended, edited. Knows no MLflow."""

import atexit
import logging
import os
import platform
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from git_mlops import env
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import MlopsError
from git_mlops.experiments import environment, sealing
from git_mlops.experiments.environment import Environment
from git_mlops.experiments.runlog import Event, GoneError, Log, State
from git_mlops.experiments.sealing import Beginning
from git_mlops.experiments.settings import Settings
from git_mlops.git.repo import Repo, resolve
from git_mlops.tracking.groups import Group, Groups
from git_mlops.tracking.runs import Entry, Index

_log = logging.getLogger(__name__)
ENDED = ("FINISHED", "FAILED", "KILLED")
_PAUSE = 1.0
"""Seconds between two seals of a run that is edited."""


class Recorder:
    """The runs of a repository, for one process."""

    def __init__(self, repo: Repo, settings: Settings, data: DataSettings, *, served: bool = False) -> None:
        """Open.

        Args:
            served: this process speaks for others (MLflow's server): runs are not its own, and their code
                is not what stands here.
        """
        self.repo = repo
        self.served = served
        self.index = Index(repo, settings)
        self.groups = Groups(self.index)
        self._settings, self._data = settings, data
        self._logs: dict[str, Log] = {}
        self._environment: Environment | None = None
        self._sealed: dict[str, float] = {}
        self._pending: set[str] = set()
        self._mutex = threading.RLock()
        atexit.register(self.settle)

    def begin(self, group: Group, run_name: str, user: str, start: int, tags: Mapping[str, str]) -> Entry:
        """A run that has just started.

        Raises:
            MlopsError: no commit yet.
        """
        run_id = uuid.uuid4().hex
        facts: dict[str, Any] = {
            "run_id": run_id,
            "experiment_id": group.id,
            "experiment": group.name,
            "run_name": run_name,
            "user": user,
            "status": "RUNNING",
            "start_time": start,
            "tags": dict(tags),
        }
        outer = env.get("MLOPS_RUN")
        if not (outer and not self.served and sealing.inside(self.repo, outer, run_id, facts)):
            self._begin(run_id, facts, tags)
        entry = self.index.get(run_id)
        assert entry is not None
        return entry

    def _begin(self, run_id: str, facts: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        committed = self._committed(tags) if self.served else None
        if self._environment is None and not committed:
            interpreter = f"{platform.python_implementation()} {platform.python_version()}"
            self._environment = Environment(environment.lock(list(sys.path)), interpreter)
        how = Beginning(
            run_id,
            facts,
            self._environment or Environment(b"", ""),
            _command(self.repo) if not committed else (),
            committed,
            owned=not self.served,
        )
        sealing.begin(self.repo, how, self._settings, self._data)

    def _committed(self, tags: Mapping[str, str]) -> str:
        """Of a run elsewhere: the commit that it says it is of, if that is here; else HEAD."""
        with suppress(MlopsError):
            return resolve(self.repo, tags.get("mlflow.source.git.commit") or "HEAD")
        return resolve(self.repo, "HEAD")

    def model_alone(self, group: Group, model: Mapping[str, Any]) -> Entry:
        """A logged model that no run made: an experiment of its own, but no run."""
        run_id = str(model["model_id"])
        facts = {
            "run_id": run_id,
            "kind": "model",
            "experiment_id": group.id,
            "experiment": group.name,
            "run_name": model["name"],
            "status": "RUNNING",
            "start_time": model["created"],
            "models": [model],
        }
        self._begin(run_id, facts, {})
        entry = self.index.get(run_id)
        assert entry is not None
        return entry

    def state(self, entry: Entry) -> State:
        """As it is now."""
        return entry.state()

    def log(self, entry: Entry, event: Event) -> None:
        """Write a line. Of a run that has ended, it becomes part of the experiment within a second or so.

        Raises:
            MlopsError: it cannot be written.
        """
        for _attempt in range(5):
            try:
                self._open(entry).append(event)
                break
            except GoneError:
                self._close(entry.run_id)
                self.index.refresh()
                entry = self.index.entries.get(entry.run_id, entry)
            except OSError as error:
                raise MlopsError(f"the run cannot be written: {error.strerror or error}") from error
        else:
            raise MlopsError(f"the run `{entry.run_id}` is being sealed again and again")
        self._after(entry)

    def place(self, entry: Entry) -> Path:
        """The folder for files that are logged; a run that has ended is opened again for it."""
        self._open(entry)
        assert entry.log is not None
        return entry.log.place

    def _open(self, entry: Entry) -> Log:
        known = self._logs.get(entry.run_id)
        if known is not None and known.pid == os.getpid():
            return known
        with self._mutex:
            if entry.log is None:
                if entry.ref is None or entry.commit is None:
                    raise MlopsError(f"the run `{entry.run_id}` is gone")
                sealing.reopen(self.repo, entry.ref, entry.commit, entry.facts, owned=True)
                self.index.refresh()
            if entry.log is None:
                raise GoneError
            log = self._logs[entry.run_id] = Log(entry.log.place)
            return log

    def _close(self, run_id: str) -> None:
        log = self._logs.pop(run_id, None)
        if log is not None and log.pid == os.getpid():
            log.close()

    def _after(self, entry: Entry) -> None:
        """A run that has ended is sealed at once; one that is edited often, from time to time."""
        if entry.log is None or entry.log.place.name == "track":
            return
        if entry.state().info.get("status") not in ENDED:
            return
        first = entry.log.began.commit is None
        wait = 0 if first else self._sealed.get(entry.run_id, 0) + _PAUSE - time.monotonic()
        if wait <= 0:
            self.seal(entry)
            return
        with self._mutex:
            if not self._pending:
                timer = threading.Timer(wait, self.settle)
                timer.daemon = True
                timer.start()
            self._pending.add(entry.run_id)

    def seal(self, entry: Entry) -> None:
        """Make the log an experiment.

        Raises:
            MlopsError: it cannot be recorded; the log stays.
        """
        if entry.log is None:
            return
        self._sealed[entry.run_id] = time.monotonic()
        with suppress(GoneError):
            done = sealing.seal(self.repo, entry.log.place)
            for note in done.notes if done else ():
                _log.warning("%s; it stays on this machine (`git mlops init` sets DVC up)", note)
        self._close(entry.run_id)

    def settle(self) -> None:
        """Seal what was edited."""
        with self._mutex:
            pending, self._pending = self._pending, set()
            for run_id in pending:
                entry = self.index.entries.get(run_id)
                if entry is not None and entry.state().info.get("status") in ENDED:  # not begun again since
                    with suppress(MlopsError, OSError):
                        self.seal(entry)


def _command(repo: Repo) -> tuple[str, ...]:
    """How this process was started, as far as it can be told."""
    script, *words = sys.argv or [""]
    if not script or script in ("-c", "-m"):
        return ("python", script) if script else ("python",)
    path = Path(script)
    with suppress(ValueError, OSError):
        here = Path(repo.root, repo.prefix)
        return ("python", str(path.resolve().relative_to(here.resolve())), *words)
    return ("python", path.name, *words)
