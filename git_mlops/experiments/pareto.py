"""The experiments that no other beats in every objective at once. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from git_mlops.errors import MlopsError
from git_mlops.experiments import columns
from git_mlops.experiments.columns import Row
from git_mlops.experiments.present import number
from git_mlops.experiments.settings import Metric
from git_mlops.experiments.where import full_name


class Objective(NamedTuple):
    """A metric or parameter, and where the good values are."""

    name: str
    """In full: `metrics.auc`."""
    sign: float
    """-1: more is better; 1: less is."""


def objectives(text: str, known: Sequence[str], declared: Mapping[str, Metric]) -> list[Objective]:
    """Those of `metrics.auc:max,metrics.latency:min`; a direction that mlops.yaml declares may be left out.

    Raises:
        MlopsError: a name that no experiment has, or one without a direction.
    """
    found = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        name, _, direction = word.rpartition(":")
        if direction not in ("max", "min"):
            name, direction = word, ""
        values = [one for one in known if one.startswith(("metrics.", "params."))]
        full = full_name(name, values, what="metric or parameter")
        found.append(Objective(full, 1 if (direction or declared_for(full, declared)) == "min" else -1))
    if not found:
        raise MlopsError("`--pareto` names no objective", hint="`--pareto metrics.auc:max,metrics.loss:min`")
    return found


def declared_for(name: str, declared: Mapping[str, Metric]) -> str:
    """The direction that mlops.yaml declares for `metrics.auc`.

    Raises:
        MlopsError: it declares none.
    """
    bare = name.removeprefix("metrics.").removeprefix("params.")
    metric = declared.get(bare) or declared.get(bare.rpartition(":")[2])
    if metric is None or name.startswith("params."):
        raise MlopsError(
            f"is more of `{bare}` better, or less?",
            hint=f"`{bare}:max` or `{bare}:min`; or in mlops.yaml:"
            f" `experiments: {{metrics: {{{bare}: {{direction: max}}}}}}`",
        )
    return metric.direction


def front(rows: Sequence[Row], wanted: Sequence[Objective]) -> list[Row]:
    """Those that are not dominated, in the order they came; only finished ones that have every value.

    Raises:
        MlopsError: a value that is a number nowhere.
    """
    some = columns.Rows.of(rows)
    found = [[number(value) for value in columns.named(one.name).values(some)] for one in wanted]
    for one, numbers in zip(wanted, found, strict=True):
        if numbers and all(number_ is None for number_ in numbers):
            raise MlopsError(f"`{one.name}` is a number in no experiment that is chosen")
    points: dict[int, tuple[float, ...]] = {}
    signs = [one.sign for one in wanted]
    for at, (status, values) in enumerate(
        zip(some.experiments.statuses, zip(*found, strict=True), strict=True)
    ):
        if status == "finished" and all(value is not None for value in values):
            points[at] = tuple(sign * (value or 0) for value, sign in zip(values, signs, strict=True))
    kept = _least(set(points.values()))
    return [some[at] for at, point in points.items() if point in kept]


def _least(points: set[tuple[float, ...]]) -> set[tuple[float, ...]]:
    """The points that no other is at most as large as in every place."""
    best: list[tuple[float, ...]] = []
    # sorted, so that nothing later dominates what was taken before; of two numbers the last taken decides
    for point in sorted(points):
        others = best[-1:] if len(point) <= 2 else best
        if not any(all(a <= b for a, b in zip(other, point, strict=True)) for other in others):
            best.append(point)
    return set(best)
