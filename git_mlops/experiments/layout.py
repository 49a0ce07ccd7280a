"""Which files of a tree hold metrics, parameters, plots and outputs: dvc.yaml, DVCLive. Pure."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from git_mlops.experiments import documents
from git_mlops.experiments.documents import DocumentError

RUN = ".mlops/run/"

# files that mean the same in every project, whether anything declares them or not
_METRICS = re.compile(r"metrics\.(?:json|ya?ml|toml)|dvclive\.json|(?:.*/)?dvclive/(?:metrics|summary)\.json")
_PARAMS = re.compile(r"params\.(?:json|ya?ml|toml)|(?:.*/)?dvclive/params\.yaml")
_PLOTS = re.compile(r"(?:.*/)?dvclive/(?:plots/.*|[^/]+\.tsv)")


class Layout(NamedTuple):
    """Repository paths by what they hold. A directory stands for every file below it."""

    metrics: tuple[str, ...] = ()
    params: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """File, and the dotted names that count (none: all)."""
    plots: tuple[str, ...] = ()
    outs: tuple[str, ...] = ()
    """Other outputs of stages."""
    notes: tuple[str, ...] = ()
    """What could not be read, for people."""


def is_pipeline(path: str) -> bool:
    """Whether DVC would read the file as a pipeline."""
    return path.endswith("dvc.yaml") and posixpath.basename(path) == "dvc.yaml"


def conventional(path: str) -> str | None:
    """`metrics`, `params` or `plots` for a file that means this in every project."""
    for kind, pattern in (("metrics", _METRICS), ("params", _PARAMS), ("plots", _PLOTS)):
        if pattern.fullmatch(path):
            return kind
    return None


def of_convention(path: str) -> Layout:
    """What a file means that nothing needs to declare; mostly nothing."""
    kind = conventional(path)
    if kind == "params":
        return Layout(params=((path, ()),))
    return Layout(metrics=(path,)) if kind == "metrics" else Layout()


def declared(pipelines: Mapping[str, object]) -> Layout:
    """What dvc.yaml files (path → parsed) declare, at the top level and in stages."""
    found = _Found()
    for path, value in sorted(pipelines.items()):
        if isinstance(value, Mapping):
            _pipeline(posixpath.dirname(path), value, found)
    return found.layout()


def merged(layouts: Iterable[Layout]) -> Layout:
    """Several as one."""
    found = _Found()
    for layout in layouts:
        for name, into in (("metrics", found.metrics), ("plots", found.plots), ("outs", found.outs)):
            into.update(dict.fromkeys(getattr(layout, name)))
        for file, keys in layout.params:
            found.add_params(file, keys)
        found.notes.update(dict.fromkeys(layout.notes))
    return found.layout()


def parse(path: str, content: bytes | None) -> tuple[object, str | None]:
    """A dvc.yaml's value, or a note on why it has none."""
    if content is None:
        return None, f"`{path}` is too large to be read"
    try:
        return documents.load("dvc.yaml", content), None
    except DocumentError as error:
        return None, f"`{path}`: {error}"


def covers(places: Iterable[str], path: str) -> bool:
    """Whether a path is one of the places or below one."""
    return any(path == place or path.startswith(place + "/") for place in places)


class _Found:
    """What is collected on the way; dicts keep the order of declaration."""

    def __init__(self) -> None:
        self.metrics: dict[str, None] = {}
        self.plots: dict[str, None] = {}
        self.outs: dict[str, None] = {}
        self.params: dict[str, dict[str, None]] = {}
        self.notes: dict[str, None] = {}

    def add_params(self, file: str, keys: Iterable[str]) -> None:
        """No keys means all of them, for good: so does DVC merge declarations."""
        wanted = dict.fromkeys(keys)
        if file in self.params and not (self.params[file] and wanted):
            wanted = {}
        self.params[file] = {**self.params.get(file, {}), **wanted} if wanted else {}

    def layout(self) -> Layout:
        params = tuple((file, tuple(keys)) for file, keys in self.params.items())
        return Layout(tuple(self.metrics), params, tuple(self.plots), tuple(self.outs), tuple(self.notes))


def _pipeline(folder: str, value: Mapping[Any, Any], found: _Found) -> None:
    for place, _options in _items(value.get("metrics")):
        _add(found.metrics, folder, place)
    for place, _options in _items(value.get("params")):
        if path := _inside(folder, place):
            found.add_params(path, ())
    for place in _top_plots(value.get("plots")):
        _add(found.plots, folder, place)
    stages = value.get("stages")
    for stage in stages.values() if isinstance(stages, Mapping) else ():
        for body, names in _instances(stage):
            _stage(folder, body, names, found)


def _stage(folder: str, stage: Mapping[Any, Any], names: Mapping[str, str], found: _Found) -> None:
    wdir = _inside(folder, _filled(str(stage.get("wdir") or "."), names))
    if wdir is None:
        return
    for kind, into in (("metrics", found.metrics), ("plots", found.plots), ("outs", found.outs)):
        for place, _options in _items(stage.get(kind)):
            _add(into, wdir, _filled(place, names))
    for place, keys in _items(stage.get("params")):
        if keys is None and not place.endswith((".yaml", ".yml", ".json", ".toml", ".py")):
            file, wanted = "params.yaml", [place]
        else:
            file, wanted = place, [str(k) for k in keys] if isinstance(keys, list) else []
        if path := _inside(wdir, _filled(file, names)):
            found.add_params(path, [_filled(key, names) for key in wanted])


def _instances(stage: object) -> Iterator[tuple[Mapping[Any, Any], dict[str, str]]]:
    """A stage, or each stage that its `foreach` or `matrix` makes, with the values of `${…}`."""
    if not isinstance(stage, Mapping):
        return
    each, body = stage.get("foreach"), stage.get("do")
    if isinstance(each, list | Mapping) and isinstance(body, Mapping):
        items = each.items() if isinstance(each, Mapping) else ((None, item) for item in each)
        for key, item in items:
            yield body, {"key": str(key), **_named("item", item)}
    elif isinstance(matrix := stage.get("matrix"), Mapping):
        combinations: list[dict[str, str]] = [{}]
        for name, values in matrix.items():
            values = values if isinstance(values, list) else []  # noqa: PLW2901  # text (`${…}`) cannot be resolved here
            combinations = [{**c, **_named(f"item.{name}", v)} for c in combinations for v in values][:1000]
        yield from ((stage, combination) for combination in combinations)
    else:
        yield stage, {}


def _named(name: str, value: object) -> dict[str, str]:
    return {f"{name}.{key}".rstrip("."): str(inner) for key, inner in documents.flatten(value).items()}


def _filled(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\s*([^}]+?)\s*\}", lambda match: names.get(match[1], match[0]), text)


def _items(value: object) -> Iterator[tuple[str, object]]:
    """`[a, {b: options}]` and `{b: options}` as pairs."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            yield item, None
        elif isinstance(item, Mapping):
            yield from ((str(place), options) for place, options in item.items())


def _top_plots(value: object) -> Iterator[str]:
    """A plot is named by its file, unless its `y` (or `x`) names files."""
    for place, options in _items(value):
        axes = [options[a] for a in ("x", "y") if isinstance(options, Mapping) and a in options]
        files = [str(file) for axis in axes if isinstance(axis, Mapping) for file in axis]
        yield from files or [place]


def _add(into: dict[str, None], folder: str, place: str) -> None:
    if path := _inside(folder, place):
        into[path] = None


def _inside(folder: str, place: str) -> str | None:
    """A repository path, or None for what is not in the repository or holds an unresolved `${…}`."""
    path = posixpath.normpath(posixpath.join(folder, place))
    return None if path.startswith(("../", "/")) or path == ".." or "${" in path else path.removeprefix("./")
