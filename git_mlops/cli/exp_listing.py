"""Experiments listed, as a table or for programs. Without click; what few forms need is imported late."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from git_mlops import ui
from git_mlops.cli import opened, sections
from git_mlops.experiments import columns, present, read, select, values
from git_mlops.experiments.columns import Column, Rows
from git_mlops.experiments.select import Options, Selected
from git_mlops.experiments.settings import Settings
from git_mlops.git.repo import Repo

if TYPE_CHECKING:
    from git_mlops.experiments.grouping import Group


class View(NamedTuple):
    """How to show them."""

    columns: str | None = None
    only_changed: bool = False
    form: str = "table"
    """`table`, `csv`, `md`, `parquet` or `json`."""
    pager: bool = True
    file: Path | None = None
    """Where a Parquet file goes."""


def listed(options: Mapping[str, Any], view: Mapping[str, Any]) -> None:
    """`run`, of the fields that are not as usual."""
    run(Options(**options), View(**view))


def run(options: Options, view: View) -> None:
    """List the experiments of the repository that the user stands in."""
    repo = opened.find_repo()
    settings = sections.section(repo, "experiments", Settings)
    with read.uncollected():
        chosen = options._replace(snapshots=options.snapshots or view.form == "json")
        found = select.select(repo, chosen, settings)
        _show(repo, found, options, view)
    _notes(found, options)


def _show(repo: Repo, found: Selected, options: Options, view: View) -> None:
    shown = _columns(found, options, view)
    rows = found.rows
    if columns.needs_record(shown):
        records = select.records(repo, [row.experiment for row in rows])
        rows = rows.recorded(records)
    shown = columns.varying(shown, rows) if view.only_changed else shown
    if view.form == "json":
        extra = shown if view.columns else []
        ui.emit_each("experiments", _plain(repo, found._replace(rows=rows), options, extra))
    elif view.form == "csv":
        from git_mlops.reports import table as tables

        ui.out(tables.csv([c.name for c in shown], _values(shown, rows)), end="")
    elif view.file is not None:
        from git_mlops.experiments import parquet

        parquet.write(view.file, [c.name for c in shown], _values(shown, rows))
        ui.note(f"wrote {view.file}: {ui.count(len(rows), 'experiment')}")
    elif view.form == "md":
        from git_mlops.reports import table as tables

        cells = columns.cells(shown, rows, time.time())
        ui.out(tables.markdown([c.label for c in shown], list(zip(*cells, strict=True))), end="")
    else:
        groups = _groups(repo, rows) if _grouped(options, view) else None
        with _paged(wanted=view.pager):
            _table(shown, rows, groups)


def _groups(repo: Repo, rows: Rows) -> list[Group]:
    from git_mlops.experiments import grouping

    return grouping.groups(repo, rows)


def _paged(*, wanted: bool) -> AbstractContextManager[None]:
    if not wanted or not sys.stdout.isatty():
        return nullcontext()
    from git_mlops.cli import paging

    return paging.paged()


def _table(shown: Sequence[Column], rows: Rows, groups: Sequence[Group] | None) -> None:
    headings: list[tuple[str | None, int]] = [(None, len(rows))]
    parts = [rows]
    if groups is not None:
        from git_mlops.experiments import grouping

        headings = [(grouping.heading(group), len(group.rows)) for group in groups]
        parts = [group.rows for group in groups]
    header, now = [column.label for column in shown], time.time()
    cells = zip(*(columns.cells(shown, part, now) for part in parts), strict=True)
    ui.by_column(header, [list(chain.from_iterable(column)) for column in cells], headings)


def _grouped(options: Options, view: View) -> bool:
    """An order over all of them would be torn apart by groups."""
    return options.everything and options.sort is None and view.form == "table"


def _columns(found: Selected, options: Options, view: View) -> list[Column]:
    if view.columns is not None and found.total:
        return columns.chosen(view.columns, columns.names(found.every))
    first = ["name", "time" if view.form in ("csv", "parquet") else "age", "status"]
    first += ["baseline"] if options.everything and not _grouped(options, view) else []
    return columns.usual(found.found, found.rows, first=first)


def _values(shown: Sequence[Column], rows: Rows) -> list[tuple[object, ...]]:
    now = time.time()
    found = [
        [column.shown(value, now) for value in column.values(rows)]
        if column.name == "age"
        else column.values(rows)
        for column in shown
    ]
    return list(zip(*found, strict=True))


def _plain(
    repo: Repo, found: Selected, options: Options, extra: Sequence[Column]
) -> Iterator[dict[str, object]]:
    bases = {oid: values.labelled(base.values.params) for oid, base in found.found.baselines.items()}
    everything = options.everything
    places = {}
    if everything:
        from git_mlops.experiments import grouping

        places = grouping.places(repo, set(found.rows.experiments.baselines))
    said = _values(extra, found.rows) if extra else repeat(())
    for row, more in zip(found.rows, said, strict=False):
        one = present.plain(row.experiment, bases.get(row.experiment.baseline))
        one |= {"belongs": row.belongs, "snapshot": select.snapshot(row.experiment)}
        if place := places.get(row.experiment.baseline):
            one |= {"baseline_subject": place.subject, "orphaned": place.orphaned, "in": place.source}
        if extra:
            one["columns"] = {c.name: v for c, v in zip(extra, more, strict=True)}
        yield one


def _notes(found: Selected, options: Options) -> None:
    if not found.total and options.everything:
        ui.note("no experiments yet; `git mlops exp run -- COMMAND` records one")
    elif not found.total:
        ui.note("no experiments here; `git mlops exp list --all` shows those of other commits")
    elif not found.rows and not found.hidden:
        ui.note(f"none of {ui.count(found.total, 'experiment')} is chosen")
    if found.cut:
        ui.note(f"{found.cut} more: `--limit` left them out")
    if found.hidden:
        ui.note(f"{ui.count(found.hidden, 'snapshot')} of `exp apply` hidden; see `--snapshots`")
    if unadded := [one.name for one in found.rows.experiments.telling() if one.unadded]:
        ui.warn(f"{ui.listed(unadded)} used data that was changed and not added: nobody else can have it")
    for note in dict.fromkeys(note for one in found.rows.experiments.telling() for note in one.notes):
        ui.warn(note)
