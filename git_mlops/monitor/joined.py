"""Labels that came later, joined to predictions by key. With Polars."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.monitor import quality, samples
from git_mlops.monitor.quality import Quality, Sliced
from git_mlops.monitor.samples import Side
from git_mlops.tables import frames

if TYPE_CHECKING:
    import polars as pl

FEWEST = 30
"""Labels: with fewer a metric says nothing."""
_CLASSES = 20


class Asked(NamedTuple):
    """Where labels are."""

    labels: Side
    key: tuple[str, ...]
    """Columns that both have."""
    label: str | None = None
    """The column with the truth; the only one beside the key otherwise."""
    prediction: str | None = None
    """The column with what was said; `prediction` otherwise, or the only answer of the model."""
    positive: str | None = None
    """The class whose probability is said."""


def measure(
    current: "pl.LazyFrame", asked: Asked, predictions: Sequence[str], slices: Sequence[str] = ()
) -> Quality:
    """The quality of predictions.

    Args:
        current: rows with predictions, the latest of a key last.
        predictions: columns that may hold them, the likeliest first.
        slices: columns whose parts are measured by themselves, too.

    Raises:
        MlopsError: a column is missing, or nothing can be read (3).
    """
    import polars as pl

    try:
        labels = samples.scan(asked.labels.parts)
        there, given = frames.names(current), frames.names(labels)
        said = _one("prediction", asked.prediction, [name for name in predictions if name in there], there)
        _refuse_without(asked.key, given, f"`{asked.labels.said}`")
        truth = _one("label", asked.label, [name for name in given if name not in asked.key], given)
        _refuse_without(asked.key, there, "the predictions")
        keys = [pl.col(name).cast(pl.String) for name in asked.key]
        parts = [name for name in slices if name in there and name not in asked.key]
        kept = [pl.col(name).cast(pl.String).alias(f"{_PART}{name}") for name in parts]
        ours = current.select(*keys, pl.col(said).alias("said"), *kept).unique([*asked.key], keep="last")
        theirs = labels.select(*keys, pl.col(truth).alias("truth")).unique([*asked.key], keep="last")
        found = (
            theirs.join(ours, on=list(asked.key)).drop_nulls(["said", "truth"]).collect(engine="streaming")
        )
        count = int(theirs.select(pl.len()).collect(engine="streaming").item())
    except (pl.exceptions.PolarsError, frames.FrameError, UnicodeDecodeError) as error:
        raise MlopsError(
            f"labels cannot be read: {frames.reason(error)}", exit_code=CANNOT_EVALUATE
        ) from error
    measured = _measured(found["truth"], found["said"], count, asked.positive)
    return measured._replace(slices=tuple(_sliced(found, parts, asked.positive)))


_PART = "part of "


def _sliced(found: "pl.DataFrame", parts: Sequence[str], positive: str | None) -> Iterator[Sliced]:
    """The parts with labels enough, on both sides."""

    for name in parts:
        cells = found[f"{_PART}{name}"]
        counts = cells.drop_nulls().value_counts(name="n").sort(["n", cells.name], descending=[True, False])
        for value, rows in counts.head(_MOST_SLICES).iter_rows():
            if min(rows, found.height - rows) < FEWEST:
                continue
            inside = (cells == value).fill_null(value=False)
            sides = [found.filter(rule) for rule in (inside, ~inside)]
            own, others = (_measured(x["truth"], x["said"], x.height, positive).metrics for x in sides)
            yield Sliced(name, str(value), rows, own, others)


_MOST_SLICES = 30


def _one(what: str, named: str | None, possible: Sequence[str], there: Sequence[str]) -> str:
    if named is not None and named in there:
        return named
    if named is None and len(possible) >= 1 and (what == "prediction" or len(possible) == 1):
        return possible[0]
    problem = f"there is no column `{named}`" if named else f"it cannot be told which column is the {what}"
    raise MlopsError(problem, hint=f"`--{what} COLUMN`; there are {', '.join(f'`{n}`' for n in there[:10])}")


def _refuse_without(key: Sequence[str], there: Sequence[str], where: str) -> None:
    for name in key:
        if name not in there:
            named = ", ".join(f"`{n}`" for n in there[:10])
            raise MlopsError(f"{where} has no column `{name}`", hint=f"`--key COLUMN`; there are {named}")


def _measured(truth: "pl.Series", said: "pl.Series", labels: int, positive: str | None) -> Quality:
    import polars as pl

    if not len(truth):
        return Quality(0, labels, {})
    numbers = [one.cast(pl.Float64, strict=False) for one in (truth, said)]
    numeric = all(one.null_count() == 0 for one in numbers)
    told = numbers[1].to_numpy() if numbers[1].null_count() == 0 else None
    share = told is not None and bool(((told >= 0) & (told <= 1)).all())
    classes = truth.cast(pl.String).n_unique()
    if told is not None and share and (positive is not None or (numeric and _binary(numbers[0]))):
        true = (
            (truth.cast(pl.String) == positive).to_numpy() if positive is not None else numbers[0].to_numpy()
        )
        if not _whole(told):
            metrics, bins = quality.probability(true.astype(np.float64), told)
            return Quality(len(truth), labels, metrics, bins)
    if numeric and not (
        classes <= _CLASSES and _whole(numbers[0].to_numpy()) and _whole(numbers[1].to_numpy())
    ):
        metrics = quality.regression(numbers[0].to_numpy(), numbers[1].to_numpy())
        return Quality(len(truth), labels, metrics)
    texts = [_text(one, number) for one, number in zip((truth, said), numbers, strict=True)]
    return Quality(len(truth), labels, quality.classification(texts[0], texts[1]))


def _text(series: "pl.Series", numbers: "pl.Series") -> "np.ndarray[tuple[int], np.dtype[np.object_]]":
    """`1` and `1.0` are one class."""
    import polars as pl

    if numbers.null_count() == 0:
        return np.array([f"{value:g}" for value in numbers.to_list()], dtype=object)
    return np.array(series.cast(pl.String).to_list(), dtype=object)


def _binary(series: "pl.Series") -> bool:
    return set(series.unique().to_list()) <= {0.0, 1.0}


def _whole(values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> bool:
    return bool((values == np.floor(values)).all())
