"""What changed in the data as a document: `git mlops diff --html`."""

from collections.abc import Sequence

from git_mlops.data import profile
from git_mlops.data.diff import Change, TableChange
from git_mlops.data.rows import Row
from git_mlops.reports.document import Document, Section, Table, without_empty
from git_mlops.review import sections

_MOST = 1000


def document(changes: Sequence[Change], labels: tuple[str, str]) -> Document:
    """Everything that `git mlops diff` knows of the changes from A to B."""
    count = f"{len(changes)} data file{'' if len(changes) == 1 else 's'} changed"
    found = [sections.data(changes), sections.models(changes), *(_details(change) for change in changes)]
    said = count if changes else "no data changed"
    return Document(f"{labels[0]} → {labels[1]}", "none", said, tuple(one for one in found if one))


def _details(change: Change) -> Section | None:
    tables = [*_columns(change.table), *_rows(change.table)] if change.table else []
    if change.files is not None:
        signs = zip("+-~", (change.files.added, change.files.removed, change.files.modified), strict=True)
        names = [(sign, name) for sign, names in signs for name in names]
        more = f"; {len(names) - _MOST} more are not shown" if len(names) > _MOST else ""
        tables.append(Table(("", "file"), names[:_MOST], f"files{more}"))
    return Section(change.path, tuple(tables), folded=True) if tables else None


def _columns(table: TableChange) -> list[Table]:
    cells = table.rows.cells if table.rows else {}
    names = dict.fromkeys((*table.retyped, *table.drift, *cells))
    rows = [
        (name, str(cells.get(name) or ""), *(_figures(table, name, side) for side in (0, 1)))
        for name in names
    ]
    return (
        [without_empty(Table(("column", "cells changed", "old", "new"), rows[:_MOST], "columns"))]
        if rows
        else []
    )


def _figures(table: TableChange, name: str, side: int) -> str:
    found = {"type": table.retyped[name][side]} if name in table.retyped else {}
    found |= table.drift[name][side] if name in table.drift else {}
    return profile.inline(found) if found else ""


def _rows(table: TableChange) -> list[Table]:
    if table.rows is None:
        return []
    examples = table.rows.examples
    signed: list[tuple[str, Row]] = [
        *(("-", row) for row in examples.removed),
        *(("+", row) for row in examples.added),
    ]
    for old, new in examples.changed:
        signed += [("-", old), ("+", new)]
    if not signed:
        return []
    columns = list(dict.fromkeys(name for _sign, row in signed for name in row))[:50]
    rows = [(sign, *(_cell(row, name) for name in columns)) for sign, row in signed[:_MOST]]
    return [Table(("", *columns), rows, "rows, for example")]


def _cell(row: Row, name: str) -> str:
    value = row.get(name)
    return "null" if value is None and name in row else profile.shortened(str(value)) if name in row else ""
