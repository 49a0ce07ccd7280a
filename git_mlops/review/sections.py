"""The facts of a range as a document: what matters most first."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from git_mlops.checks.gating import Judged
from git_mlops.checks.large_file import human
from git_mlops.data import diff as data_diff
from git_mlops.data.diff import Change
from git_mlops.data.shift import shifts
from git_mlops.experiments import history, slices, svg
from git_mlops.experiments.diff import ValueChange
from git_mlops.experiments.message import short
from git_mlops.experiments.results import Result
from git_mlops.findings import Finding, exit_code
from git_mlops.reports import html
from git_mlops.reports.document import Cell, Document, Outcome, Picture, Section, Table, without_empty
from git_mlops.review.facts import Facts
from git_mlops.schema.bindings import schema_for
from git_mlops.schema.settings import Bindings

_MOST_ROWS = 500
_MOST_PICTURES = 6
_MOST_SHIFTS = 3


def document(facts: Facts, schemas: Bindings) -> Document:
    """The whole report."""
    sections = [
        _metrics(facts), _slices(facts), _findings(facts), _data(facts, schemas), models(facts.data),
        _params(facts), _maturity(facts), _reproducible(facts),
    ]  # fmt: skip
    outcome = html.OUTCOMES[exit_code(facts.findings)]
    return Document(facts.title, outcome, verdict(facts), tuple(one for one in sections if one))


def verdict(facts: Facts) -> str:
    """Why, in one line."""
    worst = [f for f in facts.findings if f.level == "error"]
    if not worst:
        worst = [f for f in facts.findings if f.level == "unknown"]
    if worst:
        said = "; ".join(f"{f.path}: {f.message}" if f.path else f.message for f in worst[:2])
        return said + (f"; and {len(worst) - 2} more" if len(worst) > 2 else "")
    held = sum(one.outcome == "pass" for one in facts.judged)
    parts = [f"{_count(held, 'gate')} held" if held else "no gate is set for a metric"]
    warnings = sum(f.level == "warning" for f in facts.findings)
    parts += [_count(warnings, "warning")] if warnings else []
    parts += [f"{_count(len(facts.data), 'data file')} changed" if facts.data else "no data changed"]
    return ", ".join(parts)


# -- metrics ------------------------------------------------------------------------------------------------


def _metrics(facts: Facts) -> Section | None:
    changes = [one for one in facts.metrics if slices.parse(one.name) is None]
    notes = [
        *_sources(facts),
        *(f"the gate of {p} is weaker than the target's: {h}" for p, h in facts.loosened),
    ]
    if not facts.metrics and not facts.judged:
        return Section("Metrics", notes=tuple(notes)) if facts.new.failed else None
    judged = _by_metric(facts.judged)
    ordered = sorted(changes, key=lambda one: (_rank(judged.get(one.name)), one.old == one.new))
    rows = [_metric_row(one, judged.get(one.name)) for one in ordered]
    known = {one.name for one in facts.metrics}
    rows += [_lost_row(one) for one in facts.judged if one.metric not in known]
    header = ("metric", "base", "this change", "difference", "noise", "gate")
    return Section(
        "Metrics", (without_empty(Table(header, rows[:_MOST_ROWS])),), tuple(notes), tuple(_pictures(facts))
    )


def _by_metric(judged: Iterable[Judged]) -> dict[str, Judged]:
    """The worst of each metric."""
    found: dict[str, Judged] = {}
    for one in judged:
        if one.metric not in found or _rank(one) < _rank(found[one.metric]):
            found[one.metric] = one
    return found


def _rank(one: Judged | None) -> int:
    return ("fail", "unknown", "pass").index(one.outcome) if one else 3


def _metric_row(one: ValueChange, judged: Judged | None) -> list[str | Cell]:
    gate = Cell(judged.reason, judged.outcome) if judged else Cell("")
    noise = Cell(f"±{short(judged.noise)}" if judged and judged.noise else "")
    return [one.name, _value(one.old), _value(one.new), _delta(one), noise, gate]


def _lost_row(one: Judged) -> list[str | Cell]:
    return [one.metric, "", "", "", "", Cell(one.reason, one.outcome)]


def _value(value: object) -> Cell:
    if value is None:
        return Cell("")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return Cell(short(value) if number else str(value), number=number)


def _delta(one: ValueChange) -> Cell:
    if one.delta is None or math.isnan(one.delta):
        return Cell(
            "" if one.old == one.new else "new" if one.old is None else "gone" if one.new is None else ""
        )
    if one.delta == 0:
        return Cell("0", number=True)
    word = "" if one.better is None else " better" if one.better else " worse"
    return Cell(f"{one.delta:+.4g}{word}", number=True)


def _slices(facts: Facts) -> Section | None:
    judged = _by_metric(facts.judged)
    rows = []
    for one in facts.metrics:
        if found := slices.parse(one.name):
            rest = _metric_row(one, judged.get(one.name))[1:]
            rows.append([found.name, found.metric, *rest])
    rows.sort(key=lambda row: (str(row[1]), str(row[0])))
    header = ("slice", "metric", "base", "this change", "difference", "noise", "gate")
    return Section("Slices", (without_empty(Table(header, rows[:_MOST_ROWS])),)) if rows else None


def _sources(facts: Facts) -> Iterator[str]:
    yield f"this change: {_source(facts.new, stale=facts.stale)}"
    if facts.old is not None:
        yield f"base: {_source(facts.old, stale=False)}"


def _source(result: Result, *, stale: bool) -> str:
    if result.experiment:
        return f"experiment {result.experiment.name}, recorded for this code, data and parameters"
    if result.failed:
        return f"experiment {result.failed} did not finish"
    if stale:
        return "no result is recorded for it, and its metrics files are those of the base"
    return "metrics files of the commit; no experiment is recorded for it" if result.metrics else "no result"


def _pictures(facts: Facts) -> Iterator[Picture]:
    if facts.course is None or facts.new.experiment is None:
        return
    for name, points in list(facts.course.series.items())[:_MOST_PICTURES]:
        text = f"{history.sparkline(points)} {short(points[0][1])} → {short(points[-1][1])}"
        yield Picture(name, svg.curves(name, {facts.new.experiment.name: points}), text)


# -- findings -----------------------------------------------------------------------------------------------


def _findings(facts: Facts) -> Section | None:
    return html.section(facts.findings) if facts.findings else None


# -- data ---------------------------------------------------------------------------------------------------


class _Verdict(NamedTuple):
    """What the schema says of one file."""

    outcome: Outcome
    text: str


def _data(facts: Facts, schemas: Bindings) -> Section | None:
    return data(facts.data, facts.findings, schemas)


def data(
    changes: Sequence[Change], findings: Sequence[Finding] = (), schemas: Bindings | None = None
) -> Section | None:
    """Tables, directories and other files; models have a section of their own."""
    chosen = [one for one in changes if one.kind != "model"]
    if not chosen:
        return None
    rows = [_change(one, _schema(one, findings, schemas or {})) for one in chosen]
    header = ("data", "what", "rows", "+", "-", "~", "columns", "moved most", "schema")
    notes = dict.fromkeys(f"{one.path}: {note}" for one in chosen for note in one.notes)
    return Section("Data", (without_empty(Table(header, rows[:_MOST_ROWS])),), tuple(notes)[:20])


def _change(one: Change, schema: _Verdict) -> list[str | Cell]:
    before, after = data_diff.row_counts(one)
    found = one.table.rows if one.table else None
    files = one.files
    if files is not None:
        counts = [str(len(paths)) for paths in (files.added, files.removed, files.modified)]
    elif found is not None:
        counts = [str(found.added), str(found.removed), str(found.changed) if found.key else ""]
    else:
        counts = ["", "", ""]
    rows = "" if before is None and after is None else f"{_or(before)} → {_or(after)}"
    what = f"{one.status} {one.kind}"
    return [one.path, what, rows, *counts, _columns(one), _moved(one), Cell(schema.text, schema.outcome)]


def _or(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _columns(one: Change) -> str:
    if one.table is None:
        return ""
    added, removed = one.table.columns
    parts = [*(f"+{name}" for name in added), *(f"-{name}" for name in removed)]
    parts += [f"{name}: {a} → {b}" for name, (a, b) in one.table.retyped.items()]
    if one.table.rows:
        parts += [f"{a} → {b}" for a, b in one.table.rows.columns.renamed]
    return ", ".join(parts[:8]) + (f" and {len(parts) - 8} more" if len(parts) > 8 else "")


def _moved(one: Change) -> str:
    if one.table is None:
        return ""
    old, new = one.table.profiles
    if old is None or new is None:
        return ""
    found = [shift for shift in shifts(old, new) if not shift.said.startswith("type")]
    return "; ".join(f"{shift.column}: {shift.said}" for shift in found[:_MOST_SHIFTS])


def _schema(one: Change, findings: Sequence[Finding], schemas: Bindings) -> _Verdict:
    """By what the rule `schema` had to say; where that is nothing, a bound table holds."""
    bound = schema_for(one.path, schemas)
    if bound is None or one.status == "removed":
        return _Verdict("none", "")
    pointer = one.new.pointer if one.new else ""
    said = [f for f in findings if f.rule == "schema" and f.path in (one.path, pointer)]
    levels = {f.level for f in said}
    if "error" in levels:
        return _Verdict("fail", "fails")
    return _Verdict("unknown", "not evaluated") if "unknown" in levels else _Verdict("pass", "holds")


def models(changes: Sequence[Change]) -> Section | None:
    """Model files, by what their headers say."""
    chosen = [one for one in changes if one.kind == "model"]
    if not chosen:
        return None
    rows = [[one.path, one.status, _sizes(one), _parameters(one), _shapes(one)] for one in chosen]
    header = ("model", "what", "size", "parameters", "tensors")
    notes = dict.fromkeys(f"{one.path}: {note}" for one in chosen for note in one.notes)
    return Section("Models", (without_empty(Table(header, rows[:_MOST_ROWS])),), tuple(notes)[:20])


def _sizes(one: Change) -> str:
    sizes = [human(v.size) if v and v.size is not None else "-" for v in (one.old, one.new)]
    return " → ".join(sizes)


def _parameters(one: Change) -> str:
    if one.model is None:
        return ""
    a, b = one.model.parameters
    return f"{a:,}" if a == b else f"{a:,} → {b:,}"


def _shapes(one: Change) -> str:
    if one.model is None:
        return ""
    parts = [f"+{name} {kind}" for name, kind in one.model.added.items()]
    parts += [f"-{name} {kind}" for name, kind in one.model.removed.items()]
    parts += [f"{name}: {a} → {b}" for name, (a, b) in one.model.changed.items()]
    return ", ".join(parts[:5]) + (f" and {len(parts) - 5} more" if len(parts) > 5 else "")


# -- how it was made ----------------------------------------------------------------------------------------


def _params(facts: Facts) -> Section | None:
    rows: list[list[str | Cell]] = [[one.name, _value(one.old), _value(one.new)] for one in facts.params]
    if not rows:
        return None
    return Section("Parameters", (Table(("parameter", "base", "this change"), rows[:_MOST_ROWS]),))


def _maturity(facts: Facts) -> Section | None:
    if facts.maturity is None:
        return None
    from git_mlops.audit import document

    return document.difference(facts.maturity)


def _reproducible(facts: Facts) -> Section:
    pairs = [
        ("commit", facts.head),
        ("merge base", facts.base),
        ("commits", str(facts.commits)),
        ("code", facts.new.parts.code),
        ("data", facts.new.parts.data),
        ("parameters", facts.new.parts.params),
    ]
    if facts.new.experiment is not None:
        pairs += [
            ("experiment", facts.new.experiment.ref),
            ("content key", facts.new.experiment.commit.message.key),
        ]
    if (record := facts.record) is not None:
        seeds = ", ".join(f"{name}={value}" for name, value in (record.seeds or {}).items())
        pairs += [
            ("command", " ".join(map(str, record.command)) if record.command else record.how),
            ("environment lock", record.environment),
            ("interpreter", record.python),
            ("seeds", seeds or "none declared"),
            ("data not added", ", ".join(map(str, record.data_dirty or [])) or "none"),
            ("files left out", ", ".join(str(f.get("path")) for f in _mappings(record.left_out))),
            ("wall time", None if record.wall is None else f"{record.wall:.1f} s"),
        ]  # fmt: skip
    rows = [[name, str(value)] for name, value in pairs if value]
    return Section("Reproducibility", (Table(("fact", "value"), rows),), folded=True)


def _mappings(values: Iterable[object] | None) -> list[dict[str, object]]:
    return [value for value in values or [] if isinstance(value, dict)]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
