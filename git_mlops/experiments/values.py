"""Metrics and parameters of one tree: the files that a layout names, read and flattened. Pure."""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from git_mlops.experiments import documents, layout
from git_mlops.experiments.documents import DocumentError

_T = TypeVar("_T")

ByFile = Mapping[str, Mapping[str, object]]


class Values(NamedTuple):
    """By file and dotted name, so that two files may use one name."""

    metrics: ByFile = {}  # noqa: RUF012  # the default of a frozen tuple, never changed
    params: ByFile = {}  # noqa: RUF012  # as above
    notes: tuple[str, ...] = ()
    """What was skipped, and why."""


LIMIT = documents.LIMIT


def flat(kind: str, value: object, keys: tuple[str, ...]) -> tuple[dict[str, object], str | None]:
    """The names and values of a file, or why there are none."""
    try:
        return (metrics_of(value) if kind == "metrics" else params_of(value, keys)), None
    except DocumentError as error:
        return {}, str(error)


def metrics_of(value: object) -> dict[str, object]:
    """The numbers, texts and truths of a metrics file; lists are no metrics, as for DVC."""
    flat = documents.flatten(value)
    if _METRICS.issuperset(map(type, flat.values())):
        return flat
    return {name: found for name, found in flat.items() if isinstance(found, bool | int | float | str)}


_METRICS = frozenset((bool, int, float, str))


def params_of(value: object, keys: tuple[str, ...]) -> dict[str, object]:
    """The parameters that count: those at or below the dotted names, or all."""
    flat = documents.flatten(value)
    if not keys:
        return flat
    return {name: v for name, v in flat.items() if any(name == k or name.startswith(k + ".") for k in keys)}


def read(path: str, content: bytes | None) -> tuple[object, str | None]:
    """A file's value, or a note on why it was skipped (`content` None: too large)."""
    if content is None:
        return None, f"`{path}` was skipped: too large"
    try:
        return documents.load(path, content), None
    except DocumentError as error:
        return None, f"`{path}` was skipped: {error}"


def labelled(by_file: Mapping[str, Mapping[str, _T]]) -> dict[str, _T]:
    """One mapping for people: the bare name where one file uses it, `file:name` where several do."""
    if len(by_file) == 1:
        (only,) = by_file.values()
        if "" not in only:
            return dict(only)
    count: dict[str, int] = {}
    for names in by_file.values():
        for name in names:
            count[name] = count.get(name, 0) + 1
    found: dict[str, _T] = {}
    for file, names in by_file.items():
        for name, value in names.items():
            shown = file.removeprefix(layout.RUN)
            found[f"{shown}:{name}" if count[name] > 1 else name or shown] = value
    return found


def seeds(params: ByFile) -> dict[str, object]:
    """The parameters that are named as seeds."""
    flat = labelled(params)
    return {
        n: v for n, v in flat.items() if "seed" in n.rpartition(".")[2].lower() or n.endswith("random_state")
    }
