"""The history of a model's monitoring, for people."""

from collections.abc import Iterator, Sequence

from git_mlops.experiments import svg
from git_mlops.experiments.history import Series, sparkline
from git_mlops.monitor.history import Recorded
from git_mlops.reports.document import Cell, Document, Outcome, Picture, Section, Table

_OUTCOMES: dict[str, Outcome] = {"pass": "pass", "fail": "fail", "unknown": "unknown"}
_COLUMNS = 30


def document(name: str, runs: Sequence[Recorded]) -> Document:
    """A table of the runs, and the course of every figure that has one."""
    last = runs[-1] if runs else None
    outcome = _OUTCOMES.get(str(last.record.get("outcome")), "none") if last else "none"
    verdict = f"{len(runs)} runs" if len(runs) != 1 else "1 run"
    pictures = tuple(_picture(title, points) for title, points in series(runs))
    sections = [Section("Runs", (Table(_HEADER, [_row(run) for run in reversed(runs)]),))] if runs else []
    if pictures:
        sections.append(Section("Course", pictures=pictures))
    return Document(f"{name}: monitored", outcome, verdict, tuple(sections))


_HEADER = ("time", "version", "outcome", "rows", "moved", "largest effect", "p95 ms")


def _row(run: Recorded) -> list[str | Cell]:
    columns = run.record.get("columns")
    columns = columns if isinstance(columns, dict) else {}
    moved = [name for name, one in columns.items() if isinstance(one, dict) and one.get("alarm")]
    outcome = str(run.record.get("outcome", ""))
    named = ", ".join(f"`{name}`" for name in moved[:5]) + (
        f" and {len(moved) - 5} more" if len(moved) > 5 else ""
    )
    return [
        run.time, str(run.record.get("model_version") or ""), Cell(outcome, _OUTCOMES.get(outcome, "none")),
        _number(run.number("rows", "current")), named, _number(_largest(run)),
        _number(run.number("numbers", "p95_ms")),
    ]  # fmt: skip


def _number(value: float | None) -> Cell:
    return Cell("" if value is None else f"{value:.4g}", number=True)


def _largest(run: Recorded) -> float | None:
    columns = run.record.get("columns")
    if not isinstance(columns, dict):
        return None
    found = [run.number("columns", name, "effect") for name in columns]
    return max((value for value in found if value is not None), default=None)


def series(runs: Sequence[Recorded]) -> Iterator[tuple[str, Series]]:
    """What has a course: metrics, effects of columns (those that moved most first), latencies."""
    for group, names in (("quality", _names(runs, "quality", "metrics")), ("numbers", ["p50_ms", "p95_ms"])):
        for name in names:
            path = ("quality", "metrics", name) if group == "quality" else ("numbers", name)
            yield from _course(name, [_value(run, *path) for run in runs])
    columns = {
        name: [run.number("columns", name, "effect") for run in runs] for name in _names(runs, "columns")
    }
    order = sorted(columns, key=lambda name: -max((v for v in columns[name] if v is not None), default=0.0))
    for name in order[:_COLUMNS]:
        yield from _course(f"{name}: effect", columns[name])


def _names(runs: Sequence[Recorded], *path: str) -> list[str]:
    found: dict[str, None] = {}
    for run in runs:
        value: object = run.record
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        found.update(dict.fromkeys(value) if isinstance(value, dict) else {})
    return list(found)


def _value(run: Recorded, *path: str) -> float | None:
    """A figure, or the first of a figure and its error."""
    value: object = run.record
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    first = value[0] if isinstance(value, list) and value else value
    return float(first) if isinstance(first, int | float) and not isinstance(first, bool) else None


def _course(name: str, values: Sequence[float | None]) -> Iterator[tuple[str, Series]]:
    points = tuple((number, value) for number, value in enumerate(values) if value is not None)
    if points:
        yield name, points


def _picture(title: str, points: Series) -> Picture:
    text = f"{sparkline(points)} {points[0][1]:.4g} → {points[-1][1]:.4g}"
    return Picture(title, svg.curves(title, {"per run": points}), text)
