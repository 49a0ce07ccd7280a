"""Experiments as rows and plain data: what `exp list`, `show` and `diff` print. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from git_mlops.errors import MlopsError
from git_mlops.experiments import key
from git_mlops.experiments.message import short
from git_mlops.experiments.read import Experiment, Listing
from git_mlops.experiments.record import Record
from git_mlops.experiments.settings import Metric

if TYPE_CHECKING:  # 7 ms, for listings that compare nothing
    from git_mlops.experiments.diff import Difference, ValueChange

_WIDTH = 30


def where(found: Listing, text: str) -> Listing:
    """Those that an expression is true of.

    Raises:
        MlopsError: the expression cannot be read, or asks for what none of them has.
    """
    return found._replace(experiments=tuple(holding(found.experiments, text)))


def holding(experiments: Sequence[Experiment], text: str) -> list[Experiment]:
    """Those that an expression is true of, in their order.

    Raises:
        MlopsError: the expression cannot be read, or asks for what none of them has.
    """
    from git_mlops.experiments.where import compile_where

    metrics = dict.fromkeys(f"metrics.{name}" for one in experiments for name in one.metrics)
    params = dict.fromkeys(f"params.{name}" for one in experiments for name in one.params)
    known = ("name", "status", "baseline", *metrics, *params) if experiments else None
    holds = compile_where(text, known)
    return [one for one in experiments if holds(values_of(one))]


def values_of(experiment: Experiment) -> dict[str, object]:
    """What the expressions of `--where` see: `name`, `status`, `baseline`, `metrics.…` and `params.…`."""
    facts = {"name": experiment.name, "status": experiment.status, "baseline": experiment.baseline}
    metrics = {f"metrics.{name}": value for name, value in experiment.metrics.items()}
    return facts | metrics | {f"params.{name}": value for name, value in experiment.params.items()}


def ordered(
    found: Iterable[Experiment], sort: str | None, declared: Mapping[str, Metric]
) -> list[Experiment]:
    """Newest first, or by a metric or parameter (`params.lr`): the best first, unfinished ones last."""
    newest = sorted(found, key=_newest)
    if sort is None:
        return newest
    numbers = {e.ref: number(value(e, sort)) for e in newest}
    if numbers and not any(value is not None for value in numbers.values()):
        known = sorted({name for e in newest for name in (*e.metrics, *e.params)})
        raise MlopsError(
            f"no experiment has a number `{sort}` to sort by", hint=f"there are: {', '.join(known)}"
        )
    bare = sort.removeprefix("metrics.")
    sign = 1 if bare in declared and declared[bare].direction == "min" else -1
    return sorted(
        newest, key=lambda e: (e.status != "finished", numbers[e.ref] is None, sign * (numbers[e.ref] or 0))
    )


def _newest(one: Experiment) -> int:
    return -one[3][2]


def value(experiment: Experiment, name: str) -> object:
    """Of a metric or parameter, by its full name (`metrics.auc`) or the bare one."""
    kind, _, rest = name.partition(".")
    if kind == "metrics" and rest in experiment.metrics:
        return experiment.metrics[rest]
    if kind == "params" and rest in experiment.params:
        return experiment.params[rest]
    return {**experiment.params, **experiment.metrics}.get(name)


def number(value: object) -> float | None:
    """A number to compare by; NaN, text and nothing are none."""
    if not isinstance(value, int | float) or value != value:  # noqa: PLR0124  # NaN is not itself
        return None
    return int(value) if isinstance(value, int) else value  # a whole one may be too large for a float


def varies(values: Sequence[object]) -> bool:
    """Whether they are not all the same; where they are not, that is mostly found at once."""
    if not values:
        return False
    value, kind, text = values[0], type(values[0]), key.canonical(values[0])
    return any((type(one) is not kind or one != value) and key.canonical(one) != text for one in values)


def cell(value: object) -> str:
    """A value in a table."""
    if value is None:
        return "-"
    text = short(value) if isinstance(value, float) else str(value)
    text = text.replace("\n", " ")
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


def age(seconds: float) -> str:
    """`5m`, `3h`, `12d`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(int(seconds), 0)}s"


def ages(times: Iterable[int], now: float) -> list[str]:
    """Of many times at once: most are days ago."""
    second = int(now)
    return [f"{since // 86400}d" if (since := second - time) >= 86400 else age(since) for time in times]


def plain(experiment: Experiment, baseline: Mapping[str, object] | None = None) -> dict[str, object]:
    """An experiment for `--json`; `changed` are the parameters that differ from the baseline."""
    params, said = experiment.params, experiment.said
    changed = None if baseline is None else {n: v for n, v in params.items() if baseline.get(n) != v}
    return {
        "name": experiment.name,
        "ref": experiment.ref,
        "commit": experiment.oid,
        "baseline": experiment.baseline,
        "time": datetime.fromtimestamp(experiment.time, UTC).isoformat(),
        "status": experiment.status,
        "key": said.key,
        "title": said.title,
        "message": said.text,
        "metrics": experiment.metrics,
        "params": params,
        "changed": changed,
        "data_added": not experiment.unadded,
        "notes": list(experiment.notes),
    }


def facts(experiment: Experiment, record: Record | None) -> list[tuple[str, str]]:
    """What `exp show` says above metrics and parameters."""
    said = experiment.commit.message
    pairs: list[tuple[str, object]] = [
        ("experiment", experiment.name),
        ("status", experiment.status),
        ("recorded", datetime.fromtimestamp(experiment.time).astimezone().isoformat(" ", "seconds")),
        ("baseline", experiment.baseline),
        ("commit", experiment.commit.oid),
        ("ref", experiment.ref),
        ("content key", said.key),
        ("message", said.text if said.version else f"{said.title} {said.text}".strip()),
    ]
    pairs += _run_facts(record) if record else []
    return [(name, str(value)) for name, value in pairs if value not in (None, "", [])]


def _run_facts(record: Record) -> list[tuple[str, object]]:
    host = record.host or {}
    data = [f"{d.get('path')} ({str(d.get('hash'))[:12]})" for d in record.data or [] if isinstance(d, dict)]
    return [
        ("command", " ".join(map(str, record.command)) if record.command else record.how),
        ("overrides", " ".join(map(str, record.overrides or []))),
        ("directory", record.directory),
        ("resumes", (record.extra or {}).get("resumes")),
        ("retries", (record.extra or {}).get("retries")),
        ("exit status", record.exit_status),
        ("problem", record.problem),
        ("wall time", None if record.wall is None else f"{record.wall:.1f} s"),
        ("CPU time", None if record.cpu is None else f"{record.cpu:.1f} s"),
        ("peak memory", None if record.peak_memory is None else f"{record.peak_memory / 2**20:.0f} MiB"),
        ("host", " ".join(str(host[k]) for k in ("name", "system", "machine") if k in host)),
        ("seeds", ", ".join(f"{name}={value}" for name, value in (record.seeds or {}).items())),
        ("data", ", ".join(data)),
        ("data not added", ", ".join(map(str, record.data_dirty or []))),
        ("left out", ", ".join(str(f.get("path")) for f in record.left_out or [] if isinstance(f, dict))),
        ("edited meanwhile", ", ".join(map(str, record.changed_while_running or []))),
    ]


def difference_rows(found: Difference) -> list[tuple[str, list[str], list[list[str]]]]:
    """Tables of a comparison: title, header, cells; empty ones left out."""
    sides = [found.a, found.b]
    packages = [[p.name, p.old or "-", p.new or "-"] for p in found.environment]
    sizes = [[d.path, _hash(d.old, d.old_size), _hash(d.new, d.new_size)] for d in found.data]
    tables = [
        ("metrics", ["metric", *sides, "change"], [_value_row(c) for c in found.metrics]),
        ("params", ["parameter", *sides], [[c.name, cell(c.old), cell(c.new)] for c in found.params]),
        ("code", ["code", "change"], [[c.path, _STATUS.get(c.status, c.status)] for c in found.code]),
        ("data", ["data", *sides], sizes),
        ("environment", ["package", *sides], packages),
    ]
    return [(title, header, cells) for title, header, cells in tables if cells]


_COMPARED = ("metrics", "params", "code", "data", "environment")
_STATUS = {"A": "added", "D": "deleted", "M": "modified", "T": "type changed"}


def _value_row(change: ValueChange) -> list[str]:
    said = {None: "", True: " better", False: " worse"}[change.better]
    delta = "" if change.delta is None else f"{change.delta:+.5g}{said}"
    return [change.name, cell(change.old), cell(change.new), delta]


def _hash(oid: str | None, size: int | None) -> str:
    if oid is None or " " in oid:  # the second is said in words
        return oid or "-"
    return oid[:12] + ("" if size is None else f" ({size} bytes)")


def difference_plain(found: Difference) -> dict[str, object]:
    """A comparison for `--json`."""
    return {
        "a": found.a,
        "b": found.b,
        **{k: [item._asdict() for item in getattr(found, k)] for k in _COMPARED},
        "notes": list(found.notes),
    }
