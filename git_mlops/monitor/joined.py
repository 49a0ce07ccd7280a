"""Labels that came later, joined to predictions by key. With Polars."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.findings import Finding
from git_mlops.monitor import quality, samples
from git_mlops.monitor.judging import number
from git_mlops.monitor.quality import Quality
from git_mlops.monitor.samples import Side
from git_mlops.monitor.settings import Settings
from git_mlops.tables import frames

if TYPE_CHECKING:
    import polars as pl

FEWEST = 30
"""Labels: with fewer a metric says nothing."""
_CLASSES = 20
_FAR = 2.33
"""Standard errors that chance is given: one run of a hundred."""


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


def measure(current: "pl.LazyFrame", asked: Asked, predictions: Sequence[str]) -> Quality:
    """The quality of predictions.

    Args:
        current: rows with predictions, the latest of a key last.
        predictions: columns that may hold them, the likeliest first.

    Raises:
        MlopsError: a column is missing, or nothing can be read (3).
    """
    import polars as pl

    try:
        labels = samples.scan(asked.labels.parts)
        there, given = frames.names(current), frames.names(labels)
        said = _one("prediction", asked.prediction, [name for name in predictions if name in there], there)
        truth = _one("label", asked.label, [name for name in given if name not in asked.key], given)
        _refuse_without(asked.key, there, "the predictions")
        _refuse_without(asked.key, given, f"`{asked.labels.said}`")
        keys = [pl.col(name).cast(pl.String) for name in asked.key]
        ours = current.select(*keys, pl.col(said).alias("said")).unique([*asked.key], keep="last")
        theirs = labels.select(*keys, pl.col(truth).alias("truth")).unique([*asked.key], keep="last")
        found = (
            theirs.join(ours, on=list(asked.key)).drop_nulls(["said", "truth"]).collect(engine="streaming")
        )
        count = int(theirs.select(pl.len()).collect(engine="streaming").item())
    except (pl.exceptions.PolarsError, frames.FrameError, UnicodeDecodeError) as error:
        raise MlopsError(
            f"labels cannot be read: {frames.reason(error)}", exit_code=CANNOT_EVALUATE
        ) from error
    return _measured(found["truth"], found["said"], count, asked.positive)


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


# -- against what was recorded ------------------------------------------------------------------------------

_LESS_IS_BETTER = frozenset(("rmse", "mse", "mae", "log_loss", "brier", "ece"))
_CALLED = {"auc": "roc_auc", "acc": "accuracy", "logloss": "log_loss", "brier_score": "brier"}


def judge(found: Quality, recorded: Mapping[str, object], settings: Settings) -> list[Finding]:
    """Metrics that are worse than at the registration, beyond what is allowed and what chance explains."""
    if found.rows < FEWEST:
        said = f"{found.rows} of {found.labels} labels have a prediction; {FEWEST} are needed"
        return [Finding("quality", "unknown", said, hint="is `--key` what tells the rows apart?")]
    findings = []
    for name, value in recorded.items():
        last = name.rpartition(":")[2].rpartition(".")[2].lower()
        metric = _CALLED.get(last, last)
        if not isinstance(value, int | float) or isinstance(value, bool) or metric not in found.metrics:
            continue
        now, error = found.metrics[metric]
        worse = (now - value) if metric in _LESS_IS_BETTER else (value - now)
        if worse > settings.quality + _FAR * error:
            said = f"`{metric}` is {number(now)} ± {1.96 * error:.2g}, at the registration {number(value)}"
            data = {"metric": metric, "value": now, "error": error, "recorded": value}
            findings.append(Finding("quality", "error", said, data=data))
    return findings
