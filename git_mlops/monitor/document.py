"""A run of the monitor as a report for people."""

from collections.abc import Iterator, Sequence

from git_mlops.findings import exit_code
from git_mlops.monitor import figures, pictures
from git_mlops.monitor.drift import Drift, Moved
from git_mlops.monitor.judging import caption, number, percent, short
from git_mlops.monitor.observed import Observation
from git_mlops.monitor.quality import Quality
from git_mlops.reports import html
from git_mlops.reports.document import Cell, Document, Section, Table, without_empty
from git_mlops.reports.text import summary

_DRAWN = 40
"""Pictures in one report."""


def document(one: Observation, *, brief: bool = False) -> Document:
    """The whole report; a brief one draws only what moved."""
    sections = [*_findings(one)]
    if one.quality is not None:
        sections.append(_quality(one.quality))
    if one.drift is not None:
        sections += [s for s in _drift(one.drift, brief=brief) if not (brief and s.folded)]
    sections += [*one.sections, *_about(one)]
    verdict = summary(list(one.findings), "").partition(" (")[0] if one.findings else "nothing moved"
    return Document(title(one), html.OUTCOMES[exit_code(one.findings)], verdict, tuple(sections))


def title(one: Observation) -> str:
    """What was watched."""
    subject = one.subject
    version = f" {subject.version}" if subject.version else ""
    stage = f" ({subject.stage})" if subject.stage else ""
    return f"{subject.name}{version}{stage}: {subject.current} against {subject.reference}"


def _findings(one: Observation) -> Iterator[Section]:
    if one.findings:
        yield html.section(one.findings)._replace(title="Found")


def _drift(drift: Drift, *, brief: bool) -> Iterator[Section]:
    moved = sorted(
        drift.moved, key=lambda m: (not m.alarm, m.answer.adjusted if m.answer else 1.0, -m.figures.effect)
    )
    rows = [_row(m) for m in moved]
    if rows:
        notes = (
            f"drift: p, of all columns together, at most {drift.alpha:.2g}, and the floor reached",
            *_pair(drift),
        )
        yield Section("Columns", (without_empty(Table(_HEADER, rows)),), notes)
    yield from _drawn("What moved", [m for m in moved[:_DRAWN] if m.alarm], folded=False)
    if not brief:
        yield from _drawn("The other columns", [m for m in moved[:_DRAWN] if not m.alarm], folded=True)
    if rows:
        table = Table(_FIGURES, [_figures(m) for m in moved])
        yield Section("All figures", (without_empty(table),), folded=True)
    if drift.parts:
        yield Section("Slices", (Table(("slice", "rows", "moved"), [*_parts(drift)]),))


def _drawn(title: str, some: Sequence[Moved], *, folded: bool) -> Iterator[Section]:
    made = tuple(
        pictures.distribution(m.column.name, drawn, said=caption(m) if m.alarm else "")
        for m in some
        if (drawn := figures.drawn(m.column.values, m.column.categories)) is not None
    )
    if made:
        yield Section(
            title,
            notes=("grey, or first: the reference; blue, or second: now",),
            pictures=made,
            folded=folded,
        )


_HEADER = ("column", "kind", "effect", "floor", "p", "PSI", "nulls", "mean", "new", "outside")
_FIGURES = ("column", "KS", "Wasserstein", "Jensen-Shannon", "χ²", "standard deviation")


def _row(moved: Moved) -> list[str | Cell]:
    found = moved.figures
    nulls = f"{percent(found.nulls[0])} → {percent(found.nulls[1])}" if any(found.nulls) else ""
    adjusted = moved.answer.adjusted if moved.answer else None
    return [
        _name(moved), moved.column.kind, _number(found.effect), _number(moved.floor),
        _number(adjusted), _number(found.psi), nulls, _both(found.mean),
        _count(sum(moved.column.new.values())), _count(moved.column.outside),
    ]  # fmt: skip


def _figures(moved: Moved) -> list[str | Cell]:
    found = moved.figures
    plain = map(_number, (found.ks, found.wasserstein, found.js, found.chi2))
    return [_name(moved), *plain, _both(found.std)]


def _name(moved: Moved) -> Cell:
    return Cell(short(moved.column.name), "fail" if moved.alarm else "none")


def _both(values: tuple[float, float] | None) -> str:
    return f"{number(values[0])} → {number(values[1])}" if values else ""


def _number(value: float | None) -> Cell:
    return Cell("" if value is None else f"{value:.3g}", number=True)


def _count(value: int) -> Cell:
    return Cell(str(value) if value else "", number=True)


def _pair(drift: Drift) -> Iterator[str]:
    if drift.pair is not None:
        (a, b), (old, new) = drift.pair.columns, drift.pair.correlations
        adjusted = drift.pair.answer.adjusted
        said = f"{old:.2f} → {new:.2f} (p {adjusted:.2g})"
        yield f"correlations: that of `{short(a)}` with `{short(b)}` differs most, {said}"


def _parts(drift: Drift) -> Iterator[Sequence[str | Cell]]:
    for part in drift.parts:
        names = [f"`{short(m.column.name)}`" for m in part.moved if m.alarm]
        outcome = Cell(", ".join(names), "fail" if names else "none")
        yield [f"{part.column} = {short(part.value)}", f"{part.rows[0]} → {part.rows[1]}", outcome]


def _quality(quality: Quality) -> Section:
    rows: list[list[str | Cell]] = [
        [name, _number(value), Cell(f"± {1.96 * error:.2g}" if error else "", number=True)]
        for name, (value, error) in quality.metrics.items()
    ]
    drawn = (pictures.calibration(quality.bins),) if quality.bins else ()
    note = f"{quality.rows} of {quality.labels} labels have a prediction"
    tables = [Table(("metric", "value", "95 %"), rows)]
    if quality.slices:
        tables.append(Table(("slice", "rows", "metric", "value", "in the other rows"), [*_sliced(quality)]))
    return Section("Quality", tuple(tables), (note,), drawn)


def _sliced(quality: Quality) -> Iterator[Sequence[str | Cell]]:
    for part in quality.slices:
        for name, (value, _error) in part.metrics.items():
            others = part.others[name][0] if name in part.others else None
            where = f"{short(part.column)} = {short(part.value)}"
            yield [where, Cell(str(part.rows), number=True), name, _number(value), _number(others)]


def _about(one: Observation) -> Iterator[Section]:
    notes = [*one.notes]
    if one.drift is not None:
        both = one.drift.both
        notes += [f"`{short(left.name)}` is not compared: {left.why}" for left in both.left]
        notes += [
            f"{side}: {kept:,} of {rows:,} rows are compared, evenly spread; counts are of all"
            for side, kept, rows in zip(("reference", "current"), both.kept, both.rows, strict=True)
            if kept < rows
        ]
        notes += [f"newest `{short(name)}`: {old} → {new}" for name, (old, new) in both.times.items() if new]
    table = Table(("figure", "value"), [[name, _number(value)] for name, value in one.numbers.items()])
    if notes or one.numbers:
        yield Section("About this run", (table,) if one.numbers else (), tuple(notes), folded=True)
