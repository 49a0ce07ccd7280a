"""How fast a model answers, and how much it is asked: against bounds, and its own baseline. With Polars.

The baseline of latency is what the registration recorded (a metric such as `p95_ms`), else the first runs of
the monitor over the same version; of throughput always the latter: what a test can bear is not what is asked.
"""

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from git_mlops.findings import Finding
from git_mlops.monitor.history import Recorded
from git_mlops.monitor.settings import Settings
from git_mlops.registry.read import Version

if TYPE_CHECKING:
    import polars as pl

_P95 = frozenset(("p95_ms", "latency_p95_ms", "latency_p95", "p95_latency_ms"))
_FIRST = 5
"""Runs that make a baseline."""
_FEWEST = 100
"""Requests of a run that says how fast a model is."""
_FAR = 2.33
"""Standard errors that chance is given: one run of a hundred."""


class Baseline(NamedTuple):
    """Of one version; None where it is not known."""

    p95: float | None = None
    """Milliseconds."""
    per_second: float | None = None
    said: str = ""
    """Where the latency is from."""


def baseline(version: Version, past: Sequence[Recorded]) -> Baseline:
    """What is recorded of a version."""
    metrics = version.facts.get("metrics")
    found = [
        float(value)
        for name, value in (metrics if isinstance(metrics, Mapping) else {}).items()
        if str(name).rpartition(":")[2].rpartition(".")[2].lower() in _P95
        and isinstance(value, int | float) and value > 0 and not isinstance(value, bool)
    ]  # fmt: skip
    runs = [run for run in past if run.record.get("model_version") == version.version]
    runs = [run for run in runs if (run.number("numbers", "requests") or 0) >= _FEWEST][:_FIRST]
    first, rate = (_middle(runs, name) for name in ("p95_ms", "per_second"))
    return Baseline(
        found[0] if found else first, rate, "at the registration" if found else "in the first runs"
    )


def _middle(runs: Sequence[Recorded], name: str) -> float | None:
    values = [value for run in runs if (value := run.number("numbers", name)) is not None]
    return median(values) if values else None


def judge(
    whole: "pl.LazyFrame", settings: Settings, base: Baseline, numbers: dict[str, float]
) -> Iterator[Finding]:
    """What a log says of it; the figures go to `numbers`."""
    import polars as pl

    times = whole.group_by("request").agg(pl.col("ms").max(), pl.col("time").min())
    ms = pl.col("ms")
    asked = [pl.len().alias("requests"), *(ms.quantile(q / 100).alias(f"p{q}_ms") for q in (50, 95, 99))]
    limit = (base.p95 or math.inf) * (1 + settings.slower)
    asked += [
        (ms > limit).sum().alias("slow"),
        pl.col("time").min().alias("first"),
        pl.col("time").max().alias("last"),
    ]
    row: dict[str, Any] = times.select(asked).collect(engine="streaming").row(0, named=True)
    slow, first, last = row.pop("slow"), row.pop("first"), row.pop("last")
    numbers.update({name: float(value) for name, value in row.items() if value is not None})
    requests, p95 = numbers["requests"], numbers.get("p95_ms")
    if settings.latency is not None and p95 is not None and p95 > settings.latency:
        said = f"one answer of twenty takes more than {p95:.3g} ms, allowed are {settings.latency:g}"
        yield Finding("latency", "error", said, data={"p95": p95, "allowed": settings.latency})
    elif base.p95 is not None and p95 is not None and requests >= _FEWEST and _many(slow, requests):
        said = f"one answer of twenty takes more than {p95:.3g} ms; {base.said} it was {base.p95:.3g} ms"
        yield Finding("latency", "error", said, data={"p95": p95, "baseline": base.p95})
    seconds = (last - first).total_seconds() if isinstance(last, dt.datetime) else 0.0
    if seconds > 0 and requests >= _FEWEST:
        numbers["per_second"] = requests / seconds
        yield from _traffic(requests / seconds, base, settings)


def _many(slow: int, requests: float) -> bool:
    """Whether more than one of twenty are slow, beyond chance."""
    return slow / requests > 0.05 + _FAR * math.sqrt(0.05 * 0.95 / requests)


def _traffic(rate: float, base: Baseline, settings: Settings) -> Iterator[Finding]:
    if base.per_second and rate < base.per_second * (1 - settings.quieter):
        said = f"{rate:.3g} requests are answered in a second, in the first runs {base.per_second:.3g}"
        hint = "do all of them reach the server, and its log?"
        data = {"per_second": rate, "baseline": base.per_second}
        yield Finding("throughput", "warning", said, hint=hint, data=data)
