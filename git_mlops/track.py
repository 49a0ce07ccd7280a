"""Track parameters, metrics and artifacts from training code, with the standard library alone.

    from git_mlops import track

    track.params(lr=0.1, layers=[64, 64])
    for epoch in range(10):
        track.metric("train/loss", loss, step=epoch)
    track.artifact("confusion.png")

Under `git mlops exp run` the recorder takes what was tracked into the experiment (it names the folder in
`MLOPS_TRACK`). Everywhere else plain files appear in `mlops-track/`, in the layout of DVCLive and with a
dvc.yaml, so that `git mlops exp save` and DVC read them. Nothing here raises: what cannot be kept is said
once on stderr, and training goes on.
"""

import atexit
import fcntl
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType

from git_mlops import env, trackfile
from git_mlops.trackfile import ARTIFACTS, METRICS, PARAMS, PLOTS, TORN

TYPE_CHECKING = False  # `typing` costs 12 ms
if TYPE_CHECKING:
    from typing import Self

FOLDER = "mlops-track"
VARIABLE = "MLOPS_TRACK"

_SUMMARY_EVERY = 1.0
"""Seconds between two summaries while metrics come in."""


def params(values: object = None, /, **more: object) -> None:
    """Keep parameters: a mapping or anything with attributes (argparse's namespace), keywords, or both.

    Nested mappings are merged; a name given again takes the new value. What JSON has no word for is kept as
    text, except scalars of numpy and torch, which are numbers.
    """
    _safely("parameters", lambda: _store().params({**_mapping(values), **more}))


def metric(name: str, value: object, step: object = None) -> None:
    """Keep one value of a metric.

    Args:
        name: `/` groups (`train/loss`). What cannot stand in a file name becomes `_`; a leading dot, too.
        value: a number, or a scalar of numpy or torch (anything with `.item()`). NaN and infinities are kept.
        step: default: one more than the last one of this metric in this process, from 0. One that is no
            number counts as none.
    """
    label = f"the metric `{name}`"
    _safely(label, lambda: _store().metric(trackfile.safe_name(name), _number(value), _at(step)))


def artifact(path: str | os.PathLike[str], name: str | None = None) -> None:
    """Keep a copy of a file or directory as it is now; of the same name the newer one counts.

    Args:
        name: default: the last part of the path.
    """
    _safely(f"the artifact `{path}`", lambda: _store().artifact(os.fspath(path), name))


def run(*, resume: bool = False) -> "Run":
    """A block that is one run; optional. Its end writes the summary.

    Outside of `git mlops exp run` it begins with an empty folder, as the first call in a process does when no
    other process is at it.

    Args:
        resume: keep what an earlier run left, and count steps on.
    """
    return Run(resume=resume)


class Run:
    """What `run` gives."""

    def __init__(self, *, resume: bool) -> None:
        self._resume = resume

    def __enter__(self) -> "Self":
        _safely("the run", lambda: _store(resume=self._resume).begin(resume=self._resume))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _close()

    @property
    def folder(self) -> str:
        """Where the files are; empty when there can be none."""
        return _current.path if _current else ""


class Store:
    """One folder: files that any number of processes and threads add to."""

    def __init__(self, path: str, *, owner: bool, resume: bool) -> None:
        self.path = path
        self.owner = owner
        """Whether this process chose the folder, and may empty it."""
        self._steps: dict[str, int] = {}
        self._torn: set[str] = set()
        self._resume = resume
        self._fresh = True
        self._summed = -math.inf
        self._changed = False
        if owner or env.get("MLOPS_RUN") is None:
            os.makedirs(path, exist_ok=True)
        elif not os.path.isdir(path):
            os.mkdir(path)  # its parent is the recorder's: gone when that has ended
        # held while this process lives: who finds it free knows that nobody writes here any more
        self._held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if owner and not resume:
            self._empty_unless_used()
        trackfile.lock(self._held, fcntl.LOCK_SH)
        os.makedirs(f"{path}/{PLOTS}", exist_ok=True)

    def close(self) -> None:
        """Give the folder free."""
        os.close(self._held)

    def begin(self, *, resume: bool) -> None:
        """Start a run: empty the folder, unless it is fresh, not ours, or in use elsewhere."""
        if not self._fresh and self.owner and not resume:
            self._empty_unless_used()
            trackfile.lock(self._held, fcntl.LOCK_SH)
            self._steps.clear()
        self._resume = self._resume or resume

    def _empty_unless_used(self) -> None:
        if trackfile.lock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB):
            trackfile.empty(self.path)

    def metric(self, name: str, value: float, step: float | None) -> None:
        """Append one line, in one write."""
        self._fresh = False
        file = f"{self.path}/{PLOTS}/{name}.tsv"
        at = self._step(name, file, step)
        line = f"{at}\t{time.time_ns() // 1_000_000}\t{value!r}\n"
        self._append(file, (TORN + line if file in self._torn else line).encode())
        self._changed = True
        if time.monotonic() - self._summed > _SUMMARY_EVERY:
            self.summarise()

    def _step(self, name: str, file: str, step: float | None) -> float:
        if step is None:
            if name not in self._steps and self._resume:
                last = trackfile.last_line(file)
                self._steps[name] = int(last[0]) + 1 if last else 0
            at: float = self._steps.get(name, 0)
        else:
            at = int(step) if int(step) == step else step
        self._steps[name] = int(at) + 1
        return at

    def _append(self, file: str, line: bytes) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            handle = os.open(file, flags)
        except FileNotFoundError:
            trackfile.create(file)
            handle = os.open(file, flags)
        try:
            whole = os.write(handle, line) == len(line)
        finally:
            os.close(handle)
        if whole:
            self._torn.discard(file)
        else:
            self._torn.add(file)
            raise OSError("the disk is full")

    def params(self, values: Mapping[str, object]) -> None:
        """Merge into the file of parameters."""
        self._fresh = False
        with trackfile.Alone(self.path):
            file = f"{self.path}/{PARAMS}"
            trackfile.replace(file, trackfile.merged(trackfile.load(file), plain(values)))
            trackfile.declare(self.path)

    def artifact(self, source: str, name: str | None) -> None:
        """Copy a file or directory."""
        self._fresh = False
        label = trackfile.safe_name(name or os.path.basename(os.path.abspath(source)))
        target = f"{self.path}/{ARTIFACTS}/{label}"
        if not os.path.isdir(source):
            trackfile.copy(source, target)
            return
        for base, folders, names in os.walk(source):
            folders[:] = [one for one in folders if os.path.abspath(f"{base}/{one}") != self.path]
            below = os.path.relpath(base, source)
            for inner in names:
                trackfile.copy(f"{base}/{inner}", os.path.normpath(f"{target}/{below}/{inner}"))

    def summarise(self) -> None:
        """Write the newest value of every metric, whichever process it came from."""
        if not self._changed:
            return
        with trackfile.Alone(self.path):
            self._changed = False
            found: dict[str, object] = {}
            for name, file in sorted(trackfile.series(f"{self.path}/{PLOTS}")):
                if last := trackfile.last_line(file):
                    trackfile.nest(found, name, _finite(last[1]))
            trackfile.replace(f"{self.path}/{METRICS}", found)
            trackfile.declare(self.path)
        self._summed = time.monotonic()


def plain(value: object, depth: int = 0) -> object:
    """What JSON has a word for; NaN and everything strange as text."""
    if value is None or isinstance(value, str):
        return value if value is None else str(value)
    if isinstance(value, bool | int | float):
        return bool(value) if isinstance(value, bool) else _finite(_number(value))
    if depth > 10:
        return "…"
    if isinstance(value, Mapping):
        return {str(key): plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner, depth + 1) for inner in value]
    unwrapped = getattr(value, "tolist", None) or getattr(value, "item", None)  # numpy, torch
    return plain(unwrapped(), depth + 1) if callable(unwrapped) else str(value)


def _finite(value: float) -> object:
    return value if isinstance(value, int) or math.isfinite(value) else repr(value)


def _number(value: object) -> float:
    if isinstance(value, int):
        return int(value)
    item = getattr(value, "item", None)
    if not isinstance(value, float) and callable(item):
        value = item()
    return int(value) if isinstance(value, int) else float(value)  # type: ignore[arg-type]  # a TypeError is said


def _at(step: object) -> float | None:
    """A step that is no finite number counts as none: the value is worth more."""
    try:
        at = None if step is None else _number(step)
    except (TypeError, ValueError, RuntimeError):
        return None
    return at if at is not None and math.isfinite(at) else None


def _mapping(values: object) -> dict[str, object]:
    if values is None:
        return {}
    if isinstance(values, Mapping):
        return {str(name): value for name, value in values.items()}
    return dict(vars(values))


_current: Store | None = None
_lock_of_threads = threading.RLock()
_said: set[str] = set()
_MOST_SAID = 5


def _store(*, resume: bool = False) -> Store:
    """The folder of this process; chosen at the first call, and passed on to the processes it starts."""
    global _current  # noqa: PLW0603  # one folder per process is what this module is
    given = env.get(VARIABLE)
    if _current is None or given not in (None, _current.path):
        if _current is not None:
            _current.close()
        path = os.path.abspath(given or FOLDER)
        _current = Store(path, owner=given is None, resume=resume)
        env.change({VARIABLE: path})
        # processes of multiprocessing end without atexit
        finalize = getattr(sys.modules.get("multiprocessing.util"), "Finalize", None)
        if finalize is not None:
            finalize(None, _close, exitpriority=10)
    return _current


def _close() -> None:
    if _current is not None:
        _safely("the summary", _current.summarise)


def _safely(what: str, work: Callable[[], object]) -> None:
    """Training goes on whatever happens here; each problem is said once, and not many."""
    try:
        with _lock_of_threads:
            work()
    except Exception as error:  # noqa: BLE001  # code that trains must never break for lack of us
        said = f"git-mlops: {what} was not tracked: {type(error).__name__}: {error}"
        kind = f"{type(error).__name__}: {error}"
        if kind in _said or len(_said) >= _MOST_SAID:
            return
        _said.add(kind)
        if sys.stderr is not None:
            with suppress(OSError, ValueError):
                sys.stderr.write(said + "\n")


def _forked() -> None:
    """In a forked child: a lock that another thread held would never be free; the folder is the parent's."""
    global _lock_of_threads  # noqa: PLW0603  # the same lock, anew
    _lock_of_threads = threading.RLock()
    if _current is not None:
        _current.owner = False


os.register_at_fork(after_in_child=_forked)
atexit.register(_close)
