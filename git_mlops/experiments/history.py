"""The history of metrics: read from what experiments recorded, whoever wrote it, in one git process.

A history is a table with a column that counts steps. Read are `.mlops/run/plots/`, `mlops-track/`, DVCLive's
`plots/metrics/` and its older `*.tsv`, and every TSV, CSV, JSON or JSON lines file that a dvc.yaml declares
as a plot. Plots without a step (a ROC curve, a confusion matrix) are no history.
"""

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from git_mlops import jsonable, trackfile
from git_mlops.data.pointers import Out
from git_mlops.experiments import inputs, layout
from git_mlops.experiments.layout import covers
from git_mlops.experiments.message import short
from git_mlops.experiments.read import Experiment
from git_mlops.experiments.tree import Trees
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo

Point = tuple[float, float]
"""Step and value; the value may be NaN or infinite."""
Series = tuple[Point, ...]

LARGEST = 32 * 1024 * 1024
"""Bytes of the largest file that is read for a history."""

# written for steps by everyone; the first that a table has counts
_STEPS = ("step", "epoch", "iteration", "iter", "global_step", "batch", "round")
_NO_VALUES = frozenset((*_STEPS, "timestamp", "time", "wall_time", "index", ""))
_DVCLIVE = re.compile(r"(?:.*/)?(?:dvclive|mlops-track)/(?:plots/metrics/)?((?!plots/).+)\.tsv")
_SUFFIXES = (".tsv", ".csv", ".json", ".jsonl", ".ndjson")


class History(NamedTuple):
    """What one experiment's metrics went through."""

    series: dict[str, Series]
    """By the metric's name; groups with `/`."""
    notes: tuple[str, ...] = ()
    """What was skipped, and why."""


def read(repo: Repo, experiments: Sequence[Experiment]) -> dict[str, History]:
    """The histories of experiments, by full ref. A file that several share is parsed once."""
    with reader(repo) as objects:
        trees = Trees(objects)
        trees.load(e.commit.tree for e in experiments)
        places = {e.ref: [*_in_git(trees, e), *_in_cache(trees, e)] for e in experiments}
        wanted = {place.oid for found in places.values() for place in found if place.out is None}
        texts = {name: one.content for name, one in objects.read(wanted, limit=LARGEST).items()}
    known = {(place.name, place.oid): place for found in places.values() for place in found}
    parsed = {same: _parse(place, _content(repo, place, texts)) for same, place in known.items()}
    return {
        ref: _together([(place.path, *parsed[place.name, place.oid]) for place in found])
        for ref, found in places.items()
    }


class _Place(NamedTuple):
    path: str
    name: str
    """Of the metric, or of the file."""
    oid: str
    """Of the blob, or the hash of the object in DVC's cache."""
    out: Out | None = None


def _in_git(trees: Trees, experiment: Experiment) -> Iterator[_Place]:
    for entry in trees.files(experiment.commit.tree):
        path = entry.path
        if not path.endswith(_SUFFIXES) or entry.mode not in ("100644", "100755"):
            continue
        if path.startswith(f"{layout.RUN}plots/"):
            yield _Place(path, path[len(layout.RUN) + len("plots/") : -len(".tsv")], entry.oid)
        elif match := _DVCLIVE.fullmatch(path):
            yield _Place(path, match[1], entry.oid)
        elif name := _declared(experiment, path):
            yield _Place(path, name, entry.oid)


def _in_cache(trees: Trees, experiment: Experiment) -> Iterator[_Place]:
    """Plots that a stage makes are DVC's, unless it says `cache: false`."""
    if experiment.contents.layout.plots:
        for out in inputs.outs(inputs.files(trees, experiment.commit.tree)):
            if out.cache and out.path.endswith(_SUFFIXES) and (name := _declared(experiment, out.path)):
                yield _Place(out.path, name, out.hash, out)


def _declared(experiment: Experiment, path: str) -> str | None:
    plots = experiment.contents.layout.plots
    if not covers(plots, path):
        return None
    folder = next((place for place in plots if path.startswith(place + "/")), "")
    inner = path[len(folder) + 1 :] if folder else path.rpartition("/")[2]
    return inner.rpartition(".")[0]


def _content(repo: Repo, place: _Place, texts: Mapping[str, bytes | None]) -> bytes | None:
    """None: too large. What DVC's cache has not here is empty: it may be anywhere."""
    if place.out is None:
        return texts.get(place.oid)
    return inputs.content(repo, place.out, LARGEST)


def _together(found: Iterable[tuple[str, dict[str, Series], str | None]]) -> History:
    """One name for each series: a name that two files use is told apart by the file."""
    series: dict[str, Series] = {}
    notes: dict[str, None] = {}
    for path, named, note in found:
        if note:
            notes[f"`{path}` was skipped: {note}"] = None
        for name, points in named.items():
            # the run's own files come first: git lists `.mlops` before letters
            series[f"{path}:{name}" if name in series and series[name] != points else name] = points
    return History(dict(sorted(series.items())), tuple(notes))


def _parse(place: _Place, content: bytes | None) -> tuple[dict[str, Series], str | None]:
    if content is None:
        return {}, f"larger than {LARGEST // 2**20} MiB"
    if content.startswith(trackfile.HEADER.encode()):  # our own form, without a mapping for each line
        lines = content.decode("utf-8", "replace").splitlines()
        points = tuple(
            (one[0], one[2]) for one in map(trackfile.parse_line, lines) if one and math.isfinite(one[0])
        )
        return ({place.name: points} if points else {}), None
    try:
        rows = list(_rows(place.path, content))
    except (ValueError, RecursionError, csv.Error) as error:
        return {}, str(error)
    return table(place.name, rows), None


def _rows(path: str, content: bytes) -> Iterator[Mapping[str, object]]:
    text = content.decode("utf-8-sig", "replace")
    if path.endswith((".tsv", ".csv")):
        yield from csv.DictReader(text.splitlines(), delimiter="\t" if path.endswith(".tsv") else ",")
    elif path.endswith(".json"):
        yield from _records(json.loads(text) if text else None)
    else:
        for line in text.splitlines():
            try:
                one = json.loads(line) if line.strip() else None
            except ValueError:
                continue  # the last line of a process that was killed
            if isinstance(one, dict):
                yield one


def _records(value: object) -> list[dict[str, object]]:
    """The list of a JSON plot: the whole file, or the first list of mappings in it, as DVC has it."""
    if isinstance(value, dict):
        value = next(
            (v for v in value.values() if isinstance(v, list) and v and isinstance(v[0], dict)), None
        )
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def table(name: str, rows: Sequence[Mapping[str, object]]) -> dict[str, Series]:
    """The series of a table with steps: one that is named as its file or `value`, or one per column."""
    if not rows:
        return {}
    # a line with too many fields has some without a name
    columns = [str(column) for column in dict.fromkeys(c for row in rows[:100] for c in row) if column]
    step = next((column for column in _STEPS if column in columns), None)
    if step is None:
        return {}
    last = name.rpartition("/")[2]
    wanted = [column for column in columns if column not in _NO_VALUES]
    whole = len(wanted) == 1 and wanted[0] in ("value", last, name)
    found = {}
    for column in wanted:
        if points := tuple(_points(rows, step, column)):
            found[name if whole else column] = points
    return found


def _points(rows: Sequence[Mapping[str, object]], step: str, column: str) -> Iterator[Point]:
    for row in rows:
        at, value = _number(row.get(step)), _number(row.get(column))
        if at is not None and value is not None and math.isfinite(at):
            yield at, value


def _number(value: object) -> float | None:
    if isinstance(value, str):
        try:
            return trackfile.number(value)
        except ValueError:
            return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def thinned(points: Series, most: int) -> Series:
    """At most so many points, evenly; the first and the last are among them."""
    if len(points) <= most:
        return points
    last = len(points) - 1
    return tuple(points[round(number * last / (most - 1))] for number in range(most))


MOST = 1000
"""Points of one metric in `--json`."""


def plain(found: History) -> dict[str, object]:
    """For `--json`: `history` with at most 1,000 points each, and how many there are where that is fewer."""
    longer = {name: len(points) for name, points in found.series.items() if len(points) > MOST}
    return {
        "history": {name: jsonable.finite(thinned(points, MOST)) for name, points in found.series.items()},
        "history_points": longer,
    }


def rows(found: History, marks: str) -> list[list[str]]:
    """For a table: metric, course, first and last value, smallest, largest, number of points."""
    cells = []
    for name, points in found.series.items():
        least, most = extent(points) or (math.nan, math.nan)
        ends = f"{short(points[0][1])} → {short(points[-1][1])}"
        if marks == ASCII:
            ends = ends.replace("→", "->")
        cells.append([name, sparkline(points, marks), ends, short(least), short(most), str(len(points))])
    return cells


HEADER = ("metric", "history", "first, last", "min", "max", "points")
BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = "_.-~=+*#"
_WIDEST = 40


def sparkline(points: Series, marks: str = BLOCKS) -> str:
    """The course of a metric in at most 40 characters; `?` stands where it was no finite number."""
    values_ = [value for _step, value in points]
    width = min(_WIDEST, len(values_))
    bins = [values_[n * len(values_) // width : (n + 1) * len(values_) // width] for n in range(width)]
    means = [_mean(some) for some in bins]
    finite = [mean for mean in means if mean is not None]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    return "".join("?" if mean is None else _mark(mean, low, high, marks) for mean in means)


def _mean(some: Sequence[float]) -> float | None:
    finite = [value for value in some if math.isfinite(value)]
    return math.fsum(value / len(finite) for value in finite) if finite else None


def _mark(mean: float, low: float, high: float, marks: str) -> str:
    span = high / 2 - low / 2  # halves: the difference of two large numbers is infinite
    part = 0.0 if span <= 0 else (mean / 2 - low / 2) / span
    return marks[min(len(marks) - 1, int(part * len(marks)))]


def extent(points: Series) -> tuple[float, float] | None:
    """Smallest and largest finite value."""
    finite = [value for _step, value in points if math.isfinite(value)]
    return (min(finite), max(finite)) if finite else None
