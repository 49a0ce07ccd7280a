"""What `exp show` says of what a run told MLflow, and of the files that it logged."""

import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from git_mlops.data import cache, pointers
from git_mlops.data.hashes import walk
from git_mlops.errors import MlopsError
from git_mlops.experiments import read, reads, runlog, tracked
from git_mlops.experiments.layout import RUN
from git_mlops.experiments.read import Experiment
from git_mlops.experiments.reads import Read
from git_mlops.experiments.record import Record
from git_mlops.experiments.runlog import Reader
from git_mlops.git import objects
from git_mlops.git.repo import Repo

_MACHINE = ("mlflow.", "mlops.")
"""Tags that begin like this were set by no person."""
_PARENT = "mlflow.parentRunId"
_CONTEXT = "mlflow.data.context"
_WIDTH, _MOST = 60, 8
"""Characters of a value and values of a fact that are shown to people; `--json` has them all."""


class Artifacts(NamedTuple):
    """What was logged as artifacts."""

    files: int | None
    size: int | None
    """Bytes."""
    paths: tuple[str, ...]
    """Empty where the listing is not on this machine."""


class Told(NamedTuple):
    """What is known of a run besides what every experiment has."""

    run: Mapping[str, Any]
    """As record.json has it; empty where MLflow's interface was not used."""
    parent: str | None = None
    """The experiment that the run it is nested in is, where that is here."""
    artifacts: Artifacts | None = None
    read: Read | None = None
    """What it said that it read."""


def gather(repo: Repo, experiment: Experiment, record: Record | None) -> Told:
    """What record.json and the pointers of an experiment say."""
    said = record.extra.get("mlflow") if record else None
    place = _place(repo, record) if record and experiment.status == "running" else None
    run = _so_far(place) if place else said if isinstance(said, dict) else {}
    above = _texts(run.get("tags")).get(_PARENT)
    named = read.matching(repo, above, prefixes=False) if above else []
    parent = named[0].name.rpartition("/")[2] if named else None
    said_ = reads.parse(record.extra.get(reads.KEY)) if record else None
    files = _on_disk(place / "artifacts") if place else _artifacts(repo, experiment.commit.oid)
    return Told(run, parent, files, said_)


def _place(repo: Repo, record: Record) -> Path | None:
    """Where the log of a run under way is."""
    run_id = str(record.extra.get("run_id"))
    if re.fullmatch("[0-9a-f]{1,64}", run_id) is None:
        return None
    from git_mlops.experiments import sealing  # 50 ms, and most have ended

    found = (sealing.folder(repo, run_id), tracked.folder(repo, run_id))
    return next((one for one in found if runlog.read_began(one)), None)


def _so_far(place: Path) -> dict[str, Any]:
    began = runlog.read_began(place)
    return Reader(place, began).look().facts() if began else {}


def _on_disk(folder: Path) -> Artifacts | None:
    with suppress(OSError):  # the run ends just now, and its folder goes
        paths = sorted(walk(folder)) if folder.is_dir() else []
        size = sum((folder / one).stat().st_size for one in paths)
        return Artifacts(len(paths), size, tuple(paths)) if paths else None
    return None


def _artifacts(repo: Repo, commit: str) -> Artifacts | None:
    """From the pointer, or, without DVC, from git."""
    base = f"{RUN}artifacts/"
    entries = objects.tree_entries(repo, commit, f"{RUN}artifacts.dvc", base)
    inner = {one.path.removeprefix(base): one.oid for one in entries if one.path.startswith(base)}
    if inner:
        sizes = objects.sizes(repo, inner.values())
        return Artifacts(len(inner), sum(sizes.get(oid, 0) for oid in inner.values()), tuple(sorted(inner)))
    for text in objects.read_blobs(repo, [one.oid for one in entries]).values():
        with suppress(MlopsError):  # said by the rule pointer-valid
            out = pointers.parse(f"{RUN}artifacts.dvc", text).outs[0]
            return Artifacts(out.nfiles, out.size, tuple(sorted(cache.members(repo, out))))
    return None


def facts(told: Told) -> list[tuple[str, str]]:
    """For people, short."""
    run = told.run
    above = _texts(run.get("tags")).get(_PARENT)
    pairs = [
        ("MLflow", _run(run)),
        ("parent", f"{told.parent} ({above})" if told.parent else above or ""),
        ("tags", _listed(f"{name}={_cut(value)}" for name, value in _tags(run).items())),
        ("data it read", _read(told.read) if told.read else ""),
        ("datasets", _listed(map(_dataset, _mappings(run.get("datasets"))))),
        ("model inputs", _listed(map(str, _list(run.get("model_inputs"))))),
        ("models", _listed(map(_model, _mappings(run.get("models"))))),
        ("artifacts", _files(told.artifacts) if told.artifacts else ""),
    ]
    return [(name, value) for name, value in pairs if value]


def plain(told: Told) -> dict[str, object]:
    """For `--json`."""
    run, files = told.run, told.artifacts
    mlflow: dict[str, object] | None = None
    if run:
        mlflow = {
            **{name: run.get(name) for name in ("run_id", "experiment", "run_name", "user", "deleted")},
            "parent": {"run_id": above, "name": told.parent}
            if (above := _texts(run.get("tags")).get(_PARENT))
            else None,
            "tags": _tags(run),
            "datasets": [
                {**{name: one.get(name) for name in ("name", "digest", "source_type")},
                 "source": reads.source(one), "context": _texts(one.get("tags")).get(_CONTEXT)}
                for one in _mappings(run.get("datasets"))
            ],
            "model_inputs": _list(run.get("model_inputs")),
            "models": [
                {name: one.get(name) for name in ("model_id", "name", "status", "model_type", "object")}
                for one in _mappings(run.get("models"))
            ],
        }  # fmt: skip
    said = told.read._asdict() if told.read else None
    return {"mlflow": mlflow, "read": said, "artifacts": files._asdict() if files else None}


def _run(run: Mapping[str, Any]) -> str:
    user = f", {run['user']}" if run.get("user") else ""
    gone = " (deleted)" if run.get("deleted") else ""
    return f"{run.get('experiment', '')}, run {run['run_id']}{user}{gone}" if "run_id" in run else ""


def _read(said: Read) -> str:
    return (_listed(said.paths) or "none") + ("" if said.whole else ", and perhaps more")


def _tags(run: Mapping[str, Any]) -> dict[str, str]:
    """Those that a person set."""
    return {name: text for name, text in _texts(run.get("tags")).items() if not name.startswith(_MACHINE)}


def _dataset(one: Mapping[str, Any]) -> str:
    said = (_texts(one.get("tags")).get(_CONTEXT), reads.source(one), one.get("digest"))
    inner = ", ".join(_cut(str(part)) for part in said if part)
    return f"{one.get('name')} ({inner})" if inner else str(one.get("name"))


def _model(one: Mapping[str, Any]) -> str:
    status = one.get("status")
    return f"{one.get('name')} ({one.get('model_id')}{'' if status in (None, 'READY') else f', {status}'})"


def _files(found: Artifacts) -> str:
    count = "" if found.files is None else f"{found.files} file{'s'[: found.files != 1]}"
    size = "" if found.size is None else _bytes(found.size)
    said = ", ".join(part for part in (count, size) if part)
    if not found.paths:
        return f"{said} (not on this machine: `git mlops exp pull`)"
    tops = Counter(path.partition("/")[0] for path in found.paths)
    folders = {path.partition("/")[0] for path in found.paths if "/" in path}
    return f"{said}: {_listed(f'{one}/ ({n})' if one in folders else one for one, n in tops.items())}"


def _bytes(size: int) -> str:
    for unit, most in (("bytes", 1), ("KiB", 2**10), ("MiB", 2**20)):
        if size < 1024 * most:
            return f"{size / most:.1f} {unit}" if most > 1 else f"{size} {unit}"
    return f"{size / 2**30:.1f} GiB"


def _listed(values: Any) -> str:
    found = list(values)
    more = f", and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return ", ".join(found[:_MOST]) + more


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"


def _texts(value: object) -> dict[str, str]:
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mappings(value: object) -> list[dict[str, Any]]:
    return [one for one in _list(value) if isinstance(one, dict)]
