"""What the code of a run tracked (git_mlops.track), collected into files of `.mlops/run/`."""

import math
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from git_mlops import jsonable, trackfile
from git_mlops.experiments import documents, runlog, values
from git_mlops.experiments.documents import DocumentError
from git_mlops.git.repo import Repo

VARIABLE = "MLOPS_TRACK"
"""Tells the processes of a run where to track."""

PLOTS = {"plots": {"x": "step", "y": "value"}}
"""How `.mlops/run/dvc.yaml` declares the histories."""

MOST_POINTS = 100_000
"""Of one metric; a longer history is recorded evenly thinned, its last value always there."""


class Tracked(NamedTuple):
    """What is in a folder."""

    metrics: Mapping[str, object] = {}
    """Last value by name; groups with `/`."""
    params: Mapping[str, object] = {}
    """Nested."""
    plots: Mapping[str, bytes] = {}
    """Histories by name: step, milliseconds since 1970, value."""
    artifacts: Path | None = None
    """The folder of copies, if any were logged."""
    notes: tuple[str, ...] = ()
    facts: Mapping[str, object] = {}
    """What MLflow's interface was told of the run: the key `mlflow` of record.json."""
    models: Path | None = None
    """The folder of the models that were logged through it, each in one of its own."""


NOTHING = Tracked()


def folder(repo: Repo, run_id: str) -> Path:
    """Where a run tracks; the journal's folder must be there."""
    return repo.private / "runs" / run_id / "track"


def collect(place: Path) -> Tracked:
    """Everything that was tracked so far; nothing where there is no such folder."""
    metrics: dict[str, object] = {}
    plots: dict[str, bytes] = {}
    notes: list[str] = []
    for given, file in sorted(trackfile.series(str(place / trackfile.PLOTS))):
        name = trackfile.safe_name(given)
        kept, total = _lines(Path(file))
        if not kept:
            continue
        last = trackfile.parse_line(kept[-1])
        metrics[name] = last[2] if last else math.nan
        plots[name] = (trackfile.HEADER + "".join(f"{line}\n" for line in kept)).encode()
        if total > len(kept):
            notes.append(f"of the {total} values of `{name}` {len(kept)} are kept, evenly")
    params = trackfile.load(str(place / trackfile.PARAMS))
    artifacts = place / trackfile.ARTIFACTS
    some = artifacts.is_dir() and any(file.is_file() for file in artifacts.rglob("*"))
    found = Tracked(
        metrics, params if isinstance(params, dict) else {}, plots, artifacts if some else None, tuple(notes)
    )
    return _with_mlflow(found, place)


def _with_mlflow(found: Tracked, place: Path) -> Tracked:
    """With what came through MLflow's interface; of one name, what `track` was told counts."""
    told = runlog.whole(place)
    if told is None:
        return found
    files = {name: told.info.get("files", {}).get(name, name) for name in told.latest}
    mine = {name: point[0] for name, point in told.latest.items() if name not in found.metrics}
    plots = {
        files[name]: (trackfile.HEADER + runlog.lines(points)).encode()
        for name, points in (told.history or {}).items()
        if files[name] not in found.plots
    }
    params = {name: runlog.typed(text) for name, text in told.params.items() if name not in found.params}
    models = place / "models"
    return found._replace(
        metrics={**found.metrics, **mine},
        params={**found.params, **params},
        plots={**found.plots, **plots},
        facts={"version": runlog.VERSION, **told.facts()},
        models=models if models.is_dir() else None,
    )


def _lines(file: Path) -> tuple[list[str], int]:
    """The whole lines of a history, thinned where there are too many, and how many there are."""
    try:
        with file.open(encoding="utf-8", errors="replace", newline="\n") as stream:
            total = sum(1 for line in stream if trackfile.parse_line(line.rstrip("\n")))
            step = math.ceil(total / MOST_POINTS) or 1
            stream.seek(0)
            whole = (line.rstrip("\n") for line in stream if trackfile.parse_line(line.rstrip("\n")))
            # counted from the end: the last one is the result
            kept = [line for at, line in enumerate(whole) if (total - 1 - at) % step == 0 and at < total]
    except OSError:
        return [], 0
    return kept, total


def newest(place: Path) -> dict[str, float]:
    """The newest value of every metric of a run under way, read from the ends of the files."""
    found = {}
    for name, file in sorted(trackfile.series(str(place / trackfile.PLOTS))):
        if (last := trackfile.last_line(file)) is not None:
            found[name] = last[1]
    return found


def newest_values(place: Path) -> dict[str, object]:
    """The same, by the names that the experiment will have."""
    found: dict[str, object] = {}
    for name, value in newest(place).items():
        trackfile.nest(found, name, value)
    told = runlog.whole(place)
    for name, point in told.latest.items() if told else ():
        trackfile.nest(found, name, point[0])
    return flat(found)


def files(
    found: Tracked, loose: Mapping[str, object], metrics: Iterable[str], params: Iterable[str]
) -> tuple[dict[str, bytes], dict[str, object], dict[str, object]]:
    """The files of `.mlops/run/`, and the metrics and parameters (flat) that they add to those of the tree.

    Args:
        loose: values of metrics files that git ignores.
        metrics: names that files of the project have values for already.
        params: the same of parameters.
    """
    known = {name.replace("/", ".") for name in (*metrics, *flat(loose))}
    added = {name: value for name, value in found.metrics.items() if name.replace("/", ".") not in known}
    values = {**loose}
    for name, value in added.items():
        trackfile.nest(values, name, value)
    more = _without(found.params, set(params))
    made = {f"plots/{name}.tsv": content for name, content in found.plots.items()}
    if values:
        made["metrics.json"] = trackfile.text(jsonable.finite(values))
    if more:
        from git_mlops.experiments import yaml12

        made["params.yaml"] = yaml12.dump(jsonable.finite(more))
    return made, flat(values), flat(more)


def flat(value: Mapping[str, object]) -> dict[str, object]:
    """Dotted names; nothing where it nests too deeply."""
    try:
        return documents.flatten(value)
    except DocumentError:
        return {}


def _without(params: Mapping[str, object], known: Collection[str], above: str = "") -> dict[str, object]:
    """Parameters that no file of the project has."""
    left: dict[str, object] = {}
    for name, value in params.items():
        if isinstance(value, Mapping):
            if inner := _without(value, known, f"{above}{name}."):
                left[name] = inner
        elif f"{above}{name}" not in known:
            left[name] = value
    return left


def live(repo: Repo, run_id: str, start: str) -> dict[str, object]:
    """The newest metrics of a run under way: what it tracked, and what DVCLive wrote since it began."""
    found = newest_values(folder(repo, run_id))
    file = repo.root / "dvclive" / "metrics.json"
    try:
        began = datetime.fromisoformat(start).timestamp()
        fresh = file.stat().st_mtime >= began and file.stat().st_size <= values.LIMIT
        value, _note = values.read("metrics.json", file.read_bytes()) if fresh else (None, None)
    except (OSError, ValueError):
        return found
    flat, _problem = values.flat("metrics", value, ()) if isinstance(value, dict) else ({}, None)
    return {**flat, **found}
