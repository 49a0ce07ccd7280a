"""The log of a run that is recorded through MLflow's interface: a line for each call, and what they come to.

    <folder>/mlflow/run.json          what is known when the log begins: facts, and where they come from
    <folder>/mlflow/log-<host>.jsonl  one call a line, appended in one write by any number of processes
    <folder>/mlflow/lock              shared while a line is written, alone while the run is sealed
    <folder>/artifacts/, models/<id>/ what was logged as files

`facts` is what record.json has under `mlflow`: everything but the histories of metrics. Knows no MLflow.
"""

import fcntl
import json
import math
import os
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from git_mlops import trackfile

VERSION = 1
FOLDER = "mlflow"
RUN_FILE = "run.json"
_SYNC_EVERY = 1.0
"""Seconds: what a loss of power may cost."""

Event = Mapping[str, Any]
"""Keys: `m` metrics, `p` parameters, `t` tags, `-t` tags that go, `i` facts of the run, `d` datasets,
`in` and `out` models, `model` a new one, `mp`, `mt`, `-mt`, `mi` its parameters, tags, gone tags, facts, `mm`
metrics of it that another run logged."""

Point = tuple[float, int, int]
"""Value, milliseconds since 1970, step."""


class GoneError(Exception):
    """The log was sealed meanwhile: what was to be written belongs to the sealed run now."""


class State:
    """What the lines of a log come to."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.info: dict[str, Any] = {k: v for k, v in facts.items() if k not in _PARTS}
        self.tags: dict[str, str] = dict(facts.get("tags", {}))
        self.params: dict[str, str] = dict(facts.get("params", {}))
        self.latest: dict[str, Point] = {
            name: (float(value), time_, step)
            for name, (value, time_, step) in facts.get("metrics", {}).items()
        }
        self.datasets: list[dict[str, Any]] = list(facts.get("datasets", ()))
        self.inputs: list[str] = list(facts.get("model_inputs", ()))
        self.outputs: list[tuple[str, int]] = [(one, step) for one, step in facts.get("model_outputs", ())]
        self.models: dict[str, dict[str, Any]] = {
            model["model_id"]: json.loads(json.dumps(model)) for model in facts.get("models", ())
        }
        self.history: dict[str, list[Point]] | None = None
        """Of what the log says; None until somebody asks."""

    def apply(self, event: Event) -> None:
        """One line more."""
        for kind, value in event.items():
            handler = _APPLY.get(kind)
            if handler is not None:
                handler(self, value)

    def facts(self) -> dict[str, Any]:
        """As record.json has them. What is not finite is text: JSON has no word for it."""
        parts: dict[str, Any] = {
            "params": self.params,
            "metrics": {name: [finite(p[0]), p[1], p[2]] for name, p in self.latest.items()},
            "tags": self.tags,
            "datasets": self.datasets,
            "model_inputs": self.inputs,
            "model_outputs": [list(one) for one in self.outputs],
            "models": list(self.models.values()),
        }
        return {**self.info, **{name: part for name, part in parts.items() if part}}

    def model(self, model_id: str) -> dict[str, Any]:
        """One of its models; of one that is not known what is said is kept apart."""
        return self.models.get(model_id) or {}

    def metrics(self, points: Iterable[list[Any]]) -> None:
        """Each: name, value, milliseconds, step, and for a model's its id, the dataset's name and digest."""
        latest, history = self.latest, self.history
        for name, value, moment, step, *more in points:
            old = latest.get(name)
            if old is None or (step, moment, _ordered(value)) > (old[2], old[1], _ordered(old[0])):
                latest[name] = (value, moment, step)
            if history is not None:
                history.setdefault(name, []).append((value, moment, step))
            if more and (model := self.models.get(more[0])) is not None:
                model.setdefault("metrics", []).append([name, finite(value), moment, step, *more[1:]])


_PARTS = ("params", "metrics", "tags", "datasets", "model_inputs", "model_outputs", "models")


def _ordered(value: float) -> float:
    return 0.0 if value != value else value  # noqa: PLR0124  # NaN, which MLflow orders as 0


def finite(value: float) -> float | str:
    """NaN and infinities as text."""
    return value if math.isfinite(value) else repr(value)


def _params(state: State, pairs: list[list[str]]) -> None:
    for name, value in pairs:
        state.params.setdefault(name, value)


def _datasets(state: State, found: list[dict[str, Any]]) -> None:
    known = {(one["name"], one["digest"]) for one in state.datasets}
    for one in found:
        if (one["name"], one["digest"]) not in known:
            known.add((one["name"], one["digest"]))
            state.datasets.append(one)


def _gone_tags(state: State, names: list[str]) -> None:
    for name in names:
        state.tags.pop(name, None)


def _inputs(state: State, models: list[str]) -> None:
    state.inputs += [one for one in models if one not in state.inputs]


def _outputs(state: State, models: list[list[Any]]) -> None:
    known = {one for one, _step in state.outputs}
    state.outputs += [(one, step) for one, step in models if one not in known]


def _model_tag_gone(state: State, pair: list[str]) -> None:
    state.model(pair[0]).get("tags", {}).pop(pair[1], None)


def _model_metrics(state: State, pair: tuple[str, list[list[Any]]]) -> None:
    """Each: name, value, milliseconds, step, the dataset's name and digest, the run."""
    known = state.model(pair[0]).setdefault("metrics", [])
    known += [[name, finite(value), *more] for name, value, *more in pair[1]]


_APPLY: dict[str, Any] = {
    "m": State.metrics,
    "p": _params,
    "t": lambda state, pairs: state.tags.update(pairs),
    "-t": _gone_tags,
    "i": lambda state, found: state.info.update(found),
    "d": _datasets,
    "in": _inputs,
    "out": _outputs,
    "model": lambda state, found: state.models.setdefault(found["model_id"], dict(found)),
    "mp": lambda state, pair: state.model(pair[0]).setdefault("params", {}).update(pair[1]),
    "mt": lambda state, pair: state.model(pair[0]).setdefault("tags", {}).update(pair[1]),
    "-mt": _model_tag_gone,
    "mm": _model_metrics,
    "mi": lambda state, pair: state.model(pair[0]).update(pair[1]),
}


class Log:
    """Writes lines. One per process and run; threads may share it."""

    def __init__(self, place: Path) -> None:
        """Open the log below `place`, the run's folder.

        Raises:
            GoneError: there is none any more.
        """
        import platform

        self.pid = os.getpid()
        self._mutex = threading.Lock()
        self._closed = False
        self._synced = time.monotonic()
        name = re.sub(r"[^A-Za-z0-9.-]", "_", platform.node()) or "host"
        folder = place / FOLDER
        if not (folder / RUN_FILE).exists():
            raise GoneError(str(place))
        try:
            self._file = os.open(folder / f"log-{name}.jsonl", _APPEND, 0o666)
        except FileNotFoundError as error:
            raise GoneError(str(place)) from error
        try:
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            size = os.fstat(self._file).st_size
            self._torn = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
        except OSError as error:
            os.close(self._file)
            raise GoneError(str(place)) from error

    def append(self, event: Event) -> None:
        """One line, in one write.

        Raises:
            GoneError: the run was sealed meanwhile. OSError: the disk is full.
        """
        line = (json.dumps(event, separators=(",", ":"), default=str) + "\n").encode()
        with self._mutex:
            if self._closed:  # by another thread, which has sealed the run
                raise GoneError
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            try:
                if os.fstat(self._file).st_nlink == 0:
                    raise GoneError
                line = b"\n" + line if self._torn else line
                self._torn = os.write(self._file, line) != len(line)
            finally:
                fcntl.flock(self._lock, fcntl.LOCK_UN)
            now = time.monotonic()
            if now - self._synced > _SYNC_EVERY:
                self._synced = now
                os.fdatasync(self._file)
        if self._torn:
            raise OSError("the disk is full")

    def close(self) -> None:
        """Give the files free."""
        with self._mutex:
            if not self._closed:
                self._closed = True
                os.close(self._file)
                os.close(self._lock)


_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class Sealing:
    """Nobody writes while it is held.

    Raises:
        GoneError: another process has sealed the run.
    """

    def __init__(self, place: Path) -> None:
        self._place = place

    def __enter__(self) -> None:
        folder = self._place / FOLDER
        try:
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise GoneError from error
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        if os.fstat(self._lock).st_nlink == 0 or not (folder / RUN_FILE).exists():
            os.close(self._lock)
            raise GoneError

    def __exit__(self, *_error: object) -> None:
        os.close(self._lock)


class Began(NamedTuple):
    """What run.json says."""

    run_id: str
    facts: dict[str, Any]
    baseline: str
    tree: str
    """The project as it was when the run began."""
    ref: str | None = None
    """Of a run that was sealed before: its experiment, and the commit that it was."""
    commit: str | None = None
    root: str = ""
    pid: int = 0
    """0: nobody's; it ends when somebody says so."""
    host: str = ""
    born: str = ""
    version: int = VERSION


def read_began(place: Path) -> Began | None:
    """None where there is none, or of a later version."""
    try:
        values = json.loads((place / FOLDER / RUN_FILE).read_bytes())
        return Began(**values)
    except (OSError, ValueError, TypeError):
        return None


def places(private: Path) -> Iterator[Path]:
    """The folders of runs under way: their own, and those in the folder of an `exp run`."""
    runs = private / "runs"
    with suppress(OSError):
        for one in os.scandir(runs):
            for place in (one.path, f"{one.path}/track"):
                if os.path.exists(f"{place}/{FOLDER}/{RUN_FILE}"):  # noqa: PTH110  # a thousand of them
                    yield Path(place)


class Reader:
    """Follows a log: each look reads only what is new."""

    def __init__(self, place: Path, began: Began) -> None:
        self.place = place
        self.began = began
        self.state = State(began.facts)
        self.changed = 0.0
        """When the log was last written, in seconds since 1970."""
        self.gone = False
        """Whether the run was sealed meanwhile: the experiment knows more than this log."""
        self._offsets: dict[str, int] = {}
        self._mutex = threading.Lock()

    def look(self) -> State:
        """What the log comes to now."""
        with self._mutex:
            for file in sorted(self._files()):
                for event in self._events(file):
                    self.state.apply(event)
        return self.state

    def histories(self) -> dict[str, list[Point]]:
        """Every value that the log has, in its order."""
        with self._mutex:
            if self.state.history is None:
                self._offsets.clear()
                self.state = State(self.began.facts)
                self.state.history = {}
        self.look()
        return self.state.history or {}

    def _files(self) -> list[str]:
        folder = str(self.place / FOLDER)
        try:
            return [f"{folder}/{n}" for n in os.listdir(folder) if n.startswith("log-")]  # noqa: PTH208
        except OSError:
            self.gone = True
            return []

    def _events(self, file: str) -> Iterator[Event]:
        begin = self._offsets.get(file, 0)
        try:
            status = os.stat(file)  # noqa: PTH116  # once per call
            if status.st_size <= begin:
                return
            with open(file, "rb") as stream:  # noqa: PTH123
                stream.seek(begin)
                content = stream.read()
        except OSError:
            self.gone = True
            return
        self.changed = max(self.changed, status.st_mtime)
        end = content.rfind(b"\n") + 1  # a line that is being written is read next time
        self._offsets[file] = begin + end
        for line in content[:end].splitlines():
            with suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict):
                    yield event


def whole(place: Path) -> State | None:
    """What the log at a place comes to when nobody writes any more, histories and file names included.

    A run that was not said to have ended was killed.
    """
    began = read_began(place)
    if began is None:
        return None
    log = Reader(place, began)
    log.histories()
    state = log.look()
    end(state, log.changed)
    if names := filed(state.latest, state.info.get("files", {})):
        state.info["files"] = names
    return state


def end(state: State, changed: float) -> None:
    """Nobody said how it ended: it was killed, when its log was last written (seconds since 1970)."""
    if state.info.get("status") in ("RUNNING", "SCHEDULED"):
        start = state.info.get("start_time") or 0
        state.info.update(status="KILLED", end_time=max(int(changed * 1000), start))


def filed(metrics: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Metrics whose history is not in the file of their name, and in which it is."""
    named = dict(known)
    taken = {file: name for name, file in named.items()}
    wanted = list(metrics)
    own = {name for name in wanted if trackfile.safe_name(name) == name}
    for name in wanted:
        if name in own or name in named:
            continue
        safe, number = trackfile.safe_name(name), 2
        file = safe
        while file in own or file in taken:
            file, number = f"{safe}~{number}", number + 1
        taken[file], named[name] = name, file
    return named


def points(content: bytes) -> list[Point]:
    """A recorded history (`plots/<metric>.tsv`) as points."""
    found = []
    for line in content.decode("utf-8", "replace").splitlines():
        fields = line.split("\t")
        with suppress(ValueError):
            if len(fields) == 3:
                found.append((float(fields[2]), int(fields[1]), int(float(fields[0]))))
    return found


def lines(found: Iterable[Point]) -> str:
    """The inverse, without the header."""
    return "".join(f"{step}\t{moment}\t{float(value)!r}\n" for value, moment, step in found)


def typed(text: str) -> object:
    """A parameter as YAML should have it: a number or a truth where nothing is lost by it."""
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        with suppress(ValueError):
            value = kind(text)
            if str(value) == text and math.isfinite(value):
                return value
    return text
