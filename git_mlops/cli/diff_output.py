"""How `git mlops diff` shows what changed: as text with `-` for A and `+` for B, as counts, as Markdown."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from git_mlops import ui
from git_mlops.checks.large_file import human
from git_mlops.data import profile
from git_mlops.data.diff import WORKSPACE, Change, Request, TableChange, Version, row_counts
from git_mlops.data.rows import Row
from git_mlops.reports.table import markdown

How = Literal["text", "stat", "md"]
_MOST_NAMES = 20
_COLOURS = {"-": "31", "+": "32", "d": "1"}


def shown(changes: Iterable[Change], request: Request, *, how: How) -> bool:
    """Print the changes, each as soon as it is known; returns whether there are any."""
    sides = labels(request)
    if how == "text":
        count = 0
        for count, change in enumerate(changes, 1):
            _print(([""] if count > 1 else []) + list(text(change, sides)))
        return count > 0
    found = list(changes)
    if how == "md":
        ui.out(as_markdown(found, sides), end="")
    else:
        ui.table(("data", "rows", "columns", "what"), [_counts(change) for change in found])
    return bool(found)


def labels(request: Request) -> tuple[str, str]:
    """What A and B are called."""
    return request.a or "HEAD", request.b or WORKSPACE


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        colour = _COLOURS.get(line[:1])
        ui.out(ui.paint(line, colour) if colour else line)


def text(change: Change, labels: tuple[str, str]) -> Iterator[str]:
    """The lines of one change."""
    yield f"data {change.path} ({change.status} {change.kind}{_by(change)})"
    counts = row_counts(change)
    for sign, label, version, rows in zip("-+", labels, (change.old, change.new), counts, strict=True):
        if version is not None:
            yield f"{sign * 3} {label}: {_said(version, rows)}"
    yield from (f"  note: {note}" for note in change.notes)
    if change.table is not None:
        yield from _table(change.table)
    if change.files is not None:
        yield from _names("-", change.files.removed)
        yield from _names("+", change.files.added)
        yield from _names("~", change.files.modified)
    if change.model is not None:
        yield from _model(change)


def _by(change: Change) -> str:
    found = change.table.rows if change.table else None
    return f" by {', '.join(found.key)}" if found and found.key else ""


def _said(version: Version, rows: int | None) -> str:
    parts = [ui.count(rows, "row")] if rows is not None else []
    parts += [human(version.size)] if version.size is not None else []
    parts += [ui.count(len(version.members), "file")] if version.members is not None else []
    parts.append(f"md5 {version.hash[:10]}" if version.hash else "not added")
    return ", ".join(parts)


def _table(table: TableChange) -> Iterator[str]:
    found = table.rows
    if found is not None:
        for sign, number in (("-", found.removed), ("+", found.added)):
            if number:
                yield f"{sign} {ui.count(number, 'row')}"
        if found.changed:
            yield f"~ {ui.count(found.changed, 'row')} changed"
    added, removed = table.columns
    yield from (f"- column {inert(name)}" for name in removed)
    yield from (f"+ column {inert(name)}" for name in added)
    for old, new in found.columns.renamed if found else ():
        yield from (f"- column {inert(old)} (renamed)", f"+ column {inert(new)} (renamed)")
    yield from _columns(table)
    if table.labels is not None:
        yield f"  labels: {inert(table.labels.found.said(table.labels.column))}"
    if found is not None:
        old_names = {new: old for old, new in found.columns.renamed}
        yield from (f"- {_row(row)}" for row in found.examples.removed)
        yield from (f"+ {_row(row)}" for row in found.examples.added)
        for a, b in found.examples.changed:
            names = [name for name in b if _differ(a, b, name, old_names) or name in found.key]
            names = [name for name in names if old_names.get(name, name) in a]
            yield f"- {_row({old_names.get(name, name): a[old_names.get(name, name)] for name in names})}"
            yield f"+ {_row({name: b[name] for name in names})}"


def _differ(a: Row, b: Row, name: str, old_names: Mapping[str, str]) -> bool:
    old = old_names.get(name, name)
    return old in a and str(a[old]) != str(b[name])


def _columns(table: TableChange) -> Iterator[str]:
    cells = table.rows.cells if table.rows else {}
    drift, retyped = table.drift, table.retyped
    described = table.profiles[1]
    order = list(described.columns) if described else []
    for name in (n for n in dict.fromkeys((*order, *cells)) if n in cells or n in retyped or n in drift):
        yield (
            f"  {inert(name)}: {ui.count(cells[name], 'cell')} changed"
            if cells.get(name)
            else f"  {inert(name)}:"
        )
        for side, sign in enumerate("-+"):
            figures = {"type": retyped[name][side]} if name in retyped else {}
            figures |= drift[name][side] if name in drift else {}
            if figures:
                yield f"{sign}   {profile.inline(figures)}"


def _row(row: Row) -> str:
    return ", ".join(f"{inert(name)}: {_cell(value)}" for name, value in row.items())


def _cell(value: object) -> str:
    return "null" if value is None else inert(profile.shortened(str(value)))


def inert(name: str) -> str:
    """A name out of the data that cannot begin a line of its own."""
    return name if name.isprintable() else json.dumps(name)


def _names(sign: str, names: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{sign} {inert(name)}" for name in names[:_MOST_NAMES])
    if len(names) > _MOST_NAMES:
        yield f"{sign} and {len(names) - _MOST_NAMES} more files"


def _model(change: Change) -> Iterator[str]:
    model = change.model
    assert model is not None
    for side, sign in enumerate("-+"):
        if (change.old, change.new)[side] is not None and model.parameters[0] != model.parameters[1]:
            yield f"{sign} {model.parameters[side]:,} parameters"
    if change.status == "modified":
        yield from (f"- tensor {inert(name)} {kind}" for name, kind in model.removed.items())
        yield from (f"+ tensor {inert(name)} {kind}" for name, kind in model.added.items())
    for name, (old, new) in model.changed.items():
        yield from (f"- tensor {inert(name)} {old}", f"+ tensor {inert(name)} {new}")
    for name, (before, after) in model.metadata.items():
        yield from (
            f"{sign} {inert(name)}: {inert(value)}"
            for sign, value in (("-", before), ("+", after))
            if value is not None
        )


# -- counts ---------------------------------------------------------------------------------------------


def _counts(change: Change) -> tuple[str, str, str, str]:
    """The cells of one line of `--stat`."""
    what = [change.status if change.status != "modified" else "", *change.notes]
    rows = columns = ""
    if change.table is not None:
        rows, columns = _row_counts(change), _column_counts(change.table)
    elif change.files is not None:
        files = change.files
        counts = _signed(len(files.added), len(files.removed), len(files.modified))
        what.insert(1, f"{counts} files" if counts else "")
    elif change.model is not None:
        a, b = change.model.parameters
        what.insert(1, f"{a:,} -> {b:,} parameters" if a != b else f"{a:,} parameters")
    return change.path, rows, columns, "; ".join(filter(None, what))


def _row_counts(change: Change) -> str:
    found = change.table.rows if change.table else None
    if found is not None:
        return _signed(found.added, found.removed, found.changed)
    a, b = row_counts(change)
    return f"{a} -> {b}" if a is not None and b is not None else ""


def _column_counts(table: TableChange) -> str:
    added, removed = table.columns
    renamed = len(table.rows.columns.renamed) if table.rows else 0
    cells = table.rows.cells if table.rows else {}
    return _signed(len(added), len(removed), len({*table.retyped, *cells}) + renamed)


def _signed(added: int, removed: int, changed: int) -> str:
    parts = (("+", added), ("-", removed), ("~", changed))
    return " ".join(f"{sign}{number}" for sign, number in parts if number)


def as_markdown(changes: list[Change], labels: tuple[str, str]) -> str:
    """A table of all changes, and what changed in the columns of each."""
    if not changes:
        return f"No data changed between {labels[0]} and {labels[1]}.\n"
    text_ = markdown(("data", "rows", "columns", "what"), [_counts(change) for change in changes])
    for change in changes:
        lines = "".join(f"{line}\n" for line in text(change, labels))
        fence = "`" * max(3, *(len(run) + 1 for run in _runs_of_backticks(lines)), 3)
        text_ += f"\n{fence}diff\n{lines}{fence}\n"
    return text_


def _runs_of_backticks(text_: str) -> list[str]:
    runs, run = [""], ""
    for char in text_:
        run = run + char if char == "`" else ""
        runs.append(run)
    return runs
