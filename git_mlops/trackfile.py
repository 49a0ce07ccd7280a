"""The files that tracking leaves: written by any number of processes at once, read by the recorder.

    mlops-track/
      plots/metrics/train/loss.tsv    step, milliseconds since 1970, value; a line is one append
      metrics.json                    the newest value of every metric
      params.json
      dvc.yaml                        names the above, so that DVC and git-mlops read the folder
      artifacts/

Only what costs nothing to import: training code pays for it.
"""

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType

METRICS, PARAMS, PLOTS, ARTIFACTS = "metrics.json", "params.json", "plots/metrics", "artifacts"
HEADER = "step\ttimestamp\tvalue\n"
TORN = "\t\n"
"""Ends a line that a full disk cut short: with it, it has too many fields, and no reader takes it."""


def series(folder: str) -> Iterator[tuple[str, str]]:
    """Metric names and files below a folder of histories."""
    for base, _folders, names in os.walk(folder):
        for name in names:
            if name.endswith(".tsv") and not name.startswith("."):
                file = f"{base}/{name}"
                yield file[len(folder) + 1 : -len(".tsv")], file


def last_line(file: str) -> tuple[float, float] | None:
    """Step and value of a history's last whole line, without reading the rest."""
    try:
        with open(file, "rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - 4096))
            lines = stream.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return None
    for line in reversed(lines[:-1]):
        if (parsed := parse_line(line)) is not None:
            return parsed[0], parsed[2]
    return None


def parse_line(line: str) -> tuple[float, int, float] | None:
    """Step, milliseconds since 1970 and value of a line; None for the header and what was cut short."""
    fields = line.split("\t")
    if len(fields) != 3:
        return None
    try:
        return number(fields[0]), int(fields[1]), number(fields[2])
    except ValueError:
        return None


def number(text: str) -> float:
    """A whole number stays one.

    Raises:
        ValueError: it is no number.
    """
    try:
        return int(text) if len(text) < 20 else float(text)
    except ValueError:
        return float(text)


def nest(into: dict[str, object], name: str, value: object) -> None:
    """Set `a/b` as `{"a": {"b": …}}`, as DVCLive does; whole where `a` is a value itself."""
    *groups, last = name.split("/")
    place = into
    for group in groups:
        inner = place.setdefault(group, {})
        if not isinstance(inner, dict):
            into[name] = value
            return
        place = inner
    if isinstance(place.get(last), dict):
        into[f"{name}/"] = value
    else:
        place[last] = value


def safe_name(name: object) -> str:
    """The name as a path of files can have it, on any system; never empty, never above or hidden."""
    parts = [_safe_part(part) for part in str(name).split("/")]
    parts = [part for part in parts if part] or ["_"]
    parts = [*parts[:7], "_".join(parts[7:])] if len(parts) > 8 else parts
    folders = [f"{part[:-4]}_tsv" if part.endswith(".tsv") else part for part in parts[:-1]]
    return "/".join([*folders, parts[-1]])


def _safe_part(part: str) -> str:
    text = "".join(c if c.isprintable() and c not in '\\:*?"<>|' else "_" for c in part).strip(" ")
    text = "_" + text[1:] if text.startswith(".") else text
    return text.encode()[:200].decode("utf-8", "ignore").rstrip(" ")


def merged(old: object, new: object) -> object:
    """Nested mappings as one; elsewhere the new value."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**old, **{name: merged(old.get(name), value) for name, value in new.items()}}


def load(file: str) -> object:
    """The JSON of a file; empty where there is none."""
    try:
        with open(file, encoding="utf-8") as stream:
            return json.load(stream)
    except (OSError, ValueError):
        return {}


def replace(file: str, value: object) -> None:
    """Replace a file by JSON: readers see the old or the new whole."""
    write(file, text(value))


def text(value: object) -> bytes:
    """JSON as every file of ours has it."""
    return (json.dumps(value, indent=1) + "\n").encode()


def write(file: str, content: bytes) -> None:
    """Replace a file. Without a sync: training does not wait for the disk."""
    temporary = f"{os.path.dirname(file)}/.{os.getpid()}.{threading.get_ident()}.tmp"
    try:
        with open(temporary, "wb") as stream:
            stream.write(content)
        os.replace(temporary, file)
    except BaseException:
        remove(temporary)
        raise


def declare(folder: str) -> None:
    """The dvc.yaml by which DVC and git-mlops read the folder, wherever it is."""
    found = [
        (METRICS, f"metrics:\n- {METRICS}\n"),
        (PARAMS, f"params:\n- {PARAMS}\n"),
        (PLOTS, f"plots:\n- {PLOTS}:\n    x: step\n    y: value\n"),
    ]
    wanted = "".join(said for name, said in found if os.path.exists(f"{folder}/{name}"))
    file = f"{folder}/dvc.yaml"
    try:
        with open(file, encoding="utf-8") as stream:
            same = stream.read() == wanted
    except (OSError, ValueError):
        same = False
    if not same:
        write(file, wanted.encode())


def create(file: str) -> None:
    """A history with its header, whole at once: another process may add a line at any moment."""
    folder = os.path.dirname(file)
    os.makedirs(folder, exist_ok=True)
    temporary = f"{folder}/.{os.getpid()}.{threading.get_ident()}.tmp"
    with open(temporary, "w", encoding="utf-8") as stream:
        stream.write(HEADER)
    try:
        os.link(temporary, file)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        os.close(os.open(file, os.O_CREAT, 0o666))
    finally:
        remove(temporary)


def copy(source: str, target: str) -> None:
    """Copy one file, whole at once; nothing that is no file (a pipe would be waited for)."""
    if os.path.exists(source) and not os.path.isfile(source):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    temporary = f"{os.path.dirname(target)}/.{os.getpid()}.{threading.get_ident()}.tmp"
    try:
        with open(source, "rb") as old, open(temporary, "wb") as new:
            while chunk := old.read(1 << 20):
                new.write(chunk)
        os.replace(temporary, target)
    except BaseException:
        remove(temporary)
        raise


def empty(folder: str) -> None:
    """Remove what an earlier run left, and nothing that is not ours."""
    for name in (METRICS, PARAMS, "dvc.yaml"):
        remove(f"{folder}/{name}")
    for name in (PLOTS, ARTIFACTS):
        for base, _folders, files in os.walk(f"{folder}/{name}", topdown=False):
            for file in files:
                if name == ARTIFACTS or file.endswith((".tsv", ".tmp")):
                    remove(f"{base}/{file}")
            if base != f"{folder}/{name}" and not os.listdir(base):
                os.rmdir(base)


def remove(file: str) -> None:
    """Remove a file that may be there."""
    with suppress(OSError):
        os.unlink(file)


class Alone:
    """One process at a time, for files that are read and replaced."""

    def __init__(self, folder: str) -> None:
        self._handle = os.open(f"{folder}/{PLOTS}", os.O_RDONLY | os.O_CLOEXEC)

    def __enter__(self) -> None:
        lock(self._handle, fcntl.LOCK_EX)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._handle)


def lock(handle: int, how: int) -> bool:
    """False where somebody else has it, or (not waiting for it) where the file system has no locks."""
    try:
        fcntl.flock(handle, how)
    except OSError:
        return not how & fcntl.LOCK_NB
    return True
