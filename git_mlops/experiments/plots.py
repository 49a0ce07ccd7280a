"""`exp plots`: one HTML page that needs no network, and pictures of metric curves."""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from git_mlops import jsonable, resources, trackfile
from git_mlops.errors import NotFoundError
from git_mlops.experiments import history, matplotlib, read, select, svg
from git_mlops.experiments.history import History, Series
from git_mlops.experiments.read import Experiment
from git_mlops.experiments.select import Options
from git_mlops.experiments.settings import Settings
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo

_MOST_POINTS = 200_000
"""Of a whole page: more make it slow, and say nothing more on a screen."""


class Want(NamedTuple):
    """What to write, and where; nothing named: the page, in the private directory."""

    page: str | None = None
    svg: str | None = None
    png: str | None = None


class Made(NamedTuple):
    """What was written."""

    page: str | None
    pictures: tuple[str, ...]
    experiments: tuple[str, ...]
    notes: tuple[str, ...]


def plots(repo: Repo, names: Sequence[str], settings: Settings, want: Want, *, everything: bool) -> Made:
    """Write the page, the pictures, or both.

    Args:
        names: experiments; none: those of HEAD, or of every commit (`everything`).

    Raises:
        NotFoundError: there is no such experiment, or none at all.
    """
    chosen = _chosen(repo, names, settings, everything=everything)
    histories = history.read(repo, chosen)
    found = [(experiment, histories[experiment.ref]) for experiment in _told_apart(chosen)]
    folders = {"svg": want.svg, "png": want.png}
    pictures = [f for kind, to in folders.items() if to for f in _pictures(found, Path(to), kind)]
    file = None
    if want.page or not (want.svg or want.png):
        file = Path(want.page) if want.page else repo.private / "plots.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, page(found).encode("utf-8", "replace"))
    notes = dict.fromkeys(note for _experiment, one in found for note in one.notes)
    shown = tuple(experiment.name for experiment, _one in found)
    return Made(str(file.absolute()) if file else None, tuple(pictures), shown, tuple(notes))


def _chosen(repo: Repo, names: Sequence[str], settings: Settings, *, everything: bool) -> list[Experiment]:
    if names:
        return read.load(repo, read.pick(repo, names), settings)
    rows = select.select(repo, Options(everything=everything), settings).rows
    found = [row.experiment for row in rows]
    if not found:
        raise NotFoundError(
            "no experiments yet" if everything else "no experiments of this commit",
            hint="`git mlops exp run -- COMMAND`" if everything else "`--all` takes those of every commit",
        )
    return found


def _told_apart(chosen: Sequence[Experiment]) -> list[Experiment]:
    """Those of one name are called by what they started from, too."""
    count = Counter(experiment.name for experiment in chosen)
    return [e._replace(name=f"{e.name} ({e.baseline[:7]})") if count[e.name] > 1 else e for e in chosen]


def page(found: Sequence[tuple[Experiment, History]]) -> str:
    """The whole page. It may run its own script and nothing else, and fetch nothing."""
    style = resources.path("templates", "plots", "page.css").read_text(encoding="utf-8")
    script = resources.path("templates", "plots", "page.js").read_text(encoding="utf-8")
    policy = f"default-src 'none'; script-src {_hashed(script)}; style-src {_hashed(style)}"
    parts = {"policy": policy, "style": style, "script": script, "data": _embedded(data(found))}
    text = resources.path("templates", "plots", "page.html").read_text(encoding="utf-8")
    # cut at the marks once: what is put in is not searched for marks
    pieces = text.split("@")
    return "".join(parts.get(piece, piece) if number % 2 else piece for number, piece in enumerate(pieces))


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _embedded(value: object) -> str:
    """JSON that can stand in a script element: nothing in it begins a tag or a comment."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e")


def data(found: Sequence[tuple[Experiment, History]]) -> dict[str, object]:
    """What the page draws."""
    number = sum(len(one.series) for _experiment, one in found) or 1
    most = max(20, min(1000, _MOST_POINTS // number))
    thinned = any(len(points) > most for _e, one in found for points in one.series.values())
    about = f"{len(found)} experiments" if len(found) != 1 else "1 experiment"
    return {
        "about": about + (f"; longer curves are drawn through {most} of their points" if thinned else ""),
        "metrics": list(dict.fromkeys(name for e, _one in found for name in e.metrics)),
        "params": list(dict.fromkeys(name for e, _one in found for name in e.params)),
        "histories": list(dict.fromkeys(name for _e, one in found for name in one.series)),
        "experiments": [_plain(experiment, one, most) for experiment, one in found],
    }


def _plain(experiment: Experiment, one: History, most: int) -> dict[str, object]:
    return {
        "name": experiment.name,
        "status": experiment.status,
        "time": datetime.fromtimestamp(experiment.time, UTC).isoformat(" ", "minutes"),
        "metrics": jsonable.finite(experiment.metrics),
        "params": jsonable.finite(experiment.params),
        "history": {name: _line(history.thinned(points, most)) for name, points in one.series.items()},
    }


def _line(points: Series) -> dict[str, object]:
    return {"x": [step for step, _value in points], "y": jsonable.finite([value for _step, value in points])}


_DRAW: dict[str, Callable[[str, Mapping[str, Series]], bytes]] = {"svg": svg.curves, "png": matplotlib.curves}


def _pictures(found: Sequence[tuple[Experiment, History]], folder: Path, kind: str) -> list[str]:
    """One picture for each metric; names that two metrics would share are counted."""
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, None] = {}
    for metric in dict.fromkeys(name for _experiment, one in found for name in one.series):
        lines = {experiment.name: one.series[metric] for experiment, one in found if metric in one.series}
        base = trackfile.safe_name(metric).replace("/", "_")
        names = (f"{base}{'' if n == 1 else f'-{n}'}.{kind}" for n in range(1, len(made) + 2))
        file = next(folder / name for name in names if str(folder / name) not in made)
        replace_file(file, _DRAW[kind](metric, lines))
        made[str(file)] = None
    return list(made)
