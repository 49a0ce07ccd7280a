"""The quality of predictions against what was recorded of it: metrics, calibration, slices. Pure."""

import math
from collections.abc import Iterator, Mapping
from typing import TypeGuard

from git_mlops.experiments import slices
from git_mlops.findings import Finding, Level
from git_mlops.monitor import chances, quality
from git_mlops.monitor.joined import FEWEST
from git_mlops.monitor.judging import number, short
from git_mlops.monitor.quality import Quality, Sliced
from git_mlops.monitor.settings import Settings

_FAR = 2.33
"""Standard errors that chance is given: one run of a hundred."""
_LESS_IS_BETTER = frozenset(("rmse", "mse", "mae", "log_loss", "brier", "ece"))
_CALLED = {"auc": "roc_auc", "acc": "accuracy", "logloss": "log_loss", "brier_score": "brier"}


def judge(found: Quality, recorded: Mapping[str, object], settings: Settings) -> list[Finding]:
    """Metrics that are worse than at the registration, beyond what is allowed and what chance explains."""
    if found.rows < FEWEST:
        said = f"{found.rows} of {found.labels} labels have a prediction; {FEWEST} are needed"
        return [Finding("quality", "unknown", said, hint="is `--key` what tells the rows apart?")]
    findings = [*_calibration(found, recorded, settings), *_slices(found, recorded, settings)]
    for name, value in recorded.items():
        metric = _metric(name)
        if not _plain(value) or metric not in found.metrics or metric == "ece" or slices.parse(name):
            continue
        now, error = found.metrics[metric]
        worse = (now - value) if metric in _LESS_IS_BETTER else (value - now)
        if worse > settings.quality + _FAR * error:
            said = f"`{metric}` is {number(now)} ± {1.96 * error:.2g}, at the registration {number(value)}"
            data = {"metric": metric, "value": now, "error": error, "recorded": value}
            findings.append(Finding("quality", "error", said, data=data))
    return findings


def _metric(name: str) -> str:
    last = name.rpartition(":")[2].rpartition(".")[2].lower()
    return _CALLED.get(last, last)


def _plain(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _calibration(found: Quality, recorded: Mapping[str, object], settings: Settings) -> Iterator[Finding]:
    """Probabilities that do not come true: an error where they once did, else a warning."""
    if "ece" not in found.metrics:
        return
    now = found.metrics["ece"][0]
    named = {name: value for name, value in recorded.items() if not slices.parse(name)}
    known = [value for name, value in named.items() if _metric(name) == "ece" and _plain(value)]
    allowed = max([settings.calibration, *(value + settings.quality for value in known)])
    if now > allowed and quality.miscalibrated(found.bins) < math.log(_CHANCE):
        then = f", at the registration {number(known[0])}" if known else ""
        said = f"probabilities are off what came true by {number(now)} on average{then}"
        data = {"metric": "ece", "value": now, "allowed": allowed, "recorded": known[0] if known else None}
        yield Finding("calibration", "error" if known else "warning", said, data=data)


_CHANCE = 0.01


def _slices(found: Quality, recorded: Mapping[str, object], settings: Settings) -> Iterator[Finding]:
    """Parts that are worse than they were; where that is not known, than the other rows are."""
    tested = max(sum(len(_JUDGED & part.metrics.keys()) for part in found.slices), 1)
    far = -chances.quantile(_CHANCE / tested)
    for part in found.slices:
        before = _of_part(part, recorded)
        names = part.metrics.keys() & (before.keys() or part.others.keys() & _JUDGED)
        for metric in sorted(names):
            (now, error), (rest, more) = part.metrics[metric], part.others.get(metric, (0.0, 0.0))
            then = before.get(metric, rest)
            chance = far * (error if before else math.hypot(error, more))
            worse = now - then if metric in _LESS_IS_BETTER else then - now
            if worse > settings.quality + chance:
                where = "at the registration" if before else "in the other rows"
                said = f"where `{short(part.column)}` is `{short(part.value)}`: `{metric}` is {number(now)},"
                data = {"slice": {part.column: part.value}, "metric": metric, "value": now, "rows": part.rows,
                        "recorded" if before else "others": then}  # fmt: skip
                level: Level = "error" if before else "warning"
                yield Finding("quality", level, f"{said} {where} {number(then)}", data=data)


_JUDGED = frozenset(("accuracy", "roc_auc", "mae"))
"""One of each kind."""


def _of_part(part: Sliced, recorded: Mapping[str, object]) -> dict[str, float]:
    """Metrics `slices.NAME.METRIC` whose name is the value, or the column and the value."""
    called = {part.value, *(f"{part.column}{between}{part.value}" for between in "=_:-.")}
    pairs = [(slices.parse(name), value) for name, value in recorded.items()]
    return {
        _metric(one.metric): value for one, value in pairs if one and one.name in called and _plain(value)
    }
