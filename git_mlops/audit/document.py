"""An audit, and the difference of two, as a document: Markdown and HTML."""

from collections.abc import Iterator, Sequence

from git_mlops.audit import show
from git_mlops.audit.compare import Delta
from git_mlops.audit.evidence import Item, day
from git_mlops.audit.principles import SUBJECTS
from git_mlops.audit.run import TITLES, Audit
from git_mlops.reports.document import Cell, Document, Outcome, Section, Table

_MOST = 3


def document(audit: Audit, delta: Delta | None = None) -> Document:
    """The whole audit; with what changed, that first."""
    worse = delta is not None and bool(delta.worse)
    outcome: Outcome = "fail" if worse else "pass" if delta else "none"
    sections = [
        *([difference(delta)] if delta else []),
        *(_section(audit, name) for name in audit.sections),
        _levels(audit),
        _principles(audit),
        Section("Deployments", notes=(show.dora(audit.dora),)),
        *_wrong(audit),
    ]
    score = f"ML Test Score {show.number(audit.score)} of {show.PARTS}"
    parts = ", ".join(f"{name} {show.number(points)}" for name, points in audit.sections.items())
    return Document(score, outcome, f"{show.reading(audit.score)} ({parts})", tuple(sections))


def _section(audit: Audit, name: str) -> Section:
    rows = [_item(one) for one in audit.items if one.section == name]
    header = ("item", "points", "question", "found", "until", "next")
    title = f"{TITLES[name]}: {show.number(audit.sections[name])} of {show.PARTS}"
    return Section(title, (Table(header, rows),))


def _item(one: Item) -> list[str | Cell]:
    found = "; ".join(f"{each.what} (`{each.where}`)" for each in one.evidence[:_MOST])
    points = Cell(show.number(one.points), number=True)
    return [one.id, points, one.title, found, day(one.expires) or "", one.next or ""]


def _levels(audit: Audit) -> Section:
    rows: list[list[str | Cell]] = [
        [one.title, Cell(str(each.level), number=True), Cell(each.title, "pass" if each.met else "none"),
         "yes" if each.met else "no", f"`{each.by}`" if each.met else each.by]
        for one in audit.levels.values()
        for each in one.criteria
    ]  # fmt: skip
    reached = tuple(f"{one.title}: level {one.level} of {one.of}" for one in audit.levels.values())
    return Section("Levels", (Table(("scale", "level", "criterion", "met", "by"), rows),), reached)


def _principles(audit: Audit) -> Section:
    by_name: dict[str, list[str | Cell]] = {}
    for one in audit.principles:
        cell = Cell(show.number(one.points) + (f" (`{one.evidence}`)" if one.evidence else ""))
        by_name.setdefault(one.principle, [one.principle]).append(cell)
    return Section("Principles", (Table(("principle", *SUBJECTS), [*by_name.values()]),))


def _wrong(audit: Audit) -> Iterator[Section]:
    notes = [f"{one.path}: {one.message}" for one in audit.findings]
    notes += [f"tainted, and so not counted: {label}" for label in audit.tainted]
    if notes:
        yield Section("What does not count", notes=tuple(notes))


def difference(delta: Delta) -> Section:
    """What a change does to the score, for a report of it."""
    header = ("item", "before", "after", "question")
    rows: Sequence[Sequence[str | Cell]] = [
        [one.id, Cell(show.number(one.before), number=True), _after(one.before, one.after), one.title]
        for one in delta.changes
    ]
    tables = (Table(header, rows),) if rows else ()
    return Section("Maturity", tables, (delta.verdict,))


def _after(before: float, after: float) -> Cell:
    return Cell(show.number(after), "fail" if after < before else "pass", number=True)
