"""A run of the monitor in Prometheus' text format, for a file collector or a push gateway. Pure."""

import math
from collections.abc import Iterator, Mapping

from git_mlops.monitor.drift import Moved
from git_mlops.monitor.observed import Observation

_Series = tuple[str, Mapping[str, str], float]
_HELP = {
    "mlops_monitor_outcome": "0 nothing found, 1 findings, 3 could not be evaluated",
    "mlops_monitor_findings": "findings by rule and level",
    "mlops_monitor_rows": "rows of both sides",
    "mlops_drift_alarm": "whether a column moved",
    "mlops_drift_effect": "how far a column moved: share of rows or of a standard deviation",
    "mlops_drift_adjusted_p": "chance of any column to look so unlike where nothing moved",
    "mlops_drift_psi": "population stability index",
    "mlops_drift_js": "Jensen-Shannon distance",
    "mlops_drift_ks": "Kolmogorov-Smirnov distance",
    "mlops_drift_wasserstein": "distance in standard deviations",
    "mlops_null_share": "share of rows without a value",
    "mlops_new_category_rows": "rows with a value that the reference does not have",
    "mlops_out_of_range_rows": "rows beyond the range of the reference",
    "mlops_quality": "metric of predictions whose labels are known",
    "mlops_monitor_value": "ages in seconds, latencies in milliseconds, counts",
}


def render(one: Observation) -> str:
    """The text; a series has the labels `model`, `version`, `stage` besides its own."""
    subject = {
        "model": one.subject.name,
        "version": one.subject.version or "",
        "stage": one.subject.stage or "",
    }
    lines: dict[str, list[str]] = {}
    for name, labels, value in _series(one):
        known = {**subject, **labels}
        text = ",".join(f'{key}="{_escaped(said)}"' for key, said in known.items() if said)
        lines.setdefault(name, []).append(f"{name}{{{text}}} {_value(value)}")
    parts = []
    for name, found in lines.items():
        parts += [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} gauge", *found]
    return "\n".join(parts) + "\n"


def _series(one: Observation) -> Iterator[_Series]:
    outcomes = {"pass": 0.0, "none": 0.0, "fail": 1.0, "unknown": 3.0}
    yield "mlops_monitor_outcome", {}, outcomes[one.outcome]
    counts: dict[tuple[str, str], int] = {}
    for found in one.findings:
        counts[found.rule, found.level] = counts.get((found.rule, found.level), 0) + 1
    for (rule, level), count in sorted(counts.items()):
        yield "mlops_monitor_findings", {"rule": rule, "level": level}, count
    if one.drift is not None:
        for side, rows in zip(("reference", "current"), one.drift.both.rows, strict=True):
            yield "mlops_monitor_rows", {"side": side}, rows
        for moved in one.drift.moved:
            yield from _column(moved)
    if one.quality is not None:
        for metric, (value, _error) in one.quality.metrics.items():
            yield "mlops_quality", {"metric": metric}, value
    for name, value in one.numbers.items():
        yield "mlops_monitor_value", {"name": name}, value


def _column(moved: Moved) -> Iterator[_Series]:
    label = {"column": moved.column.name}
    yield "mlops_drift_alarm", label, float(moved.alarm)
    yield "mlops_drift_effect", label, moved.figures.effect
    if moved.answer is not None:
        yield "mlops_drift_adjusted_p", label, moved.answer.adjusted
    for name in ("psi", "js", "ks", "wasserstein"):
        if (value := getattr(moved.figures, name)) is not None:
            yield f"mlops_drift_{name}", label, value
    yield "mlops_null_share", {**label, "side": "reference"}, moved.figures.nulls[0]
    yield "mlops_null_share", {**label, "side": "current"}, moved.figures.nulls[1]
    yield "mlops_new_category_rows", label, sum(moved.column.new.values())
    yield "mlops_out_of_range_rows", label, moved.column.outside


def _escaped(text: str) -> str:
    """As the format asks; what cannot be printed is a space."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return plain.replace("\\", "\\\\").replace('"', '\\"')


def _value(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return f"{value:.10g}"
