"""`git mlops exp list`: choose experiments, and show them as a table or for programs."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict, Unpack

import click

from git_mlops import ui
from git_mlops.cli.common import json_option, open_repo
from git_mlops.cli.paging import paged
from git_mlops.experiments import columns, grouping, parquet, present, read, select, values
from git_mlops.experiments.columns import Column, Row
from git_mlops.experiments.grouping import Group
from git_mlops.experiments.select import Options, Selected
from git_mlops.git.repo import Repo
from git_mlops.reports import table as tables


class View(NamedTuple):
    """How to show them."""

    columns: str | None = None
    only_changed: bool = False
    form: str = "table"
    """`table`, `csv`, `md`, `parquet` or `json`."""
    pager: bool = True
    file: Path | None = None
    """Where a Parquet file goes."""


class _Chosen(TypedDict):
    everything: bool
    baseline: str | None
    snapshots: bool
    where: str | None
    since: str | None
    pareto: str | None
    sort: str | None
    limit: int | None


@click.command("list")
@click.option("--all", "everything", is_flag=True, help="Those of every commit, grouped by it.")
@click.option("--baseline", metavar="REV", help="Those of another revision than HEAD.")
@click.option("--snapshots", is_flag=True, help="Also what `exp apply` saved before it replaced it.")
@click.option(
    "--where", metavar="EXPR", help="Only those it is true of: `metrics.auc > 0.9 and params.lr < 1`."
)
@click.option("--since", metavar="DATE", help="Only those since then: `2w`, `2026-01-31`, `yesterday`.")
@click.option("--pareto", metavar="LIST", help="Only those none beats in all of `auc:max,loss:min`.")
@click.option("--sort", metavar="METRIC", help="By a metric (the best first) or a parameter.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The first N only.")
@click.option("--columns", metavar="LIST", help="Show these: `name,metrics.*,params.lr,wall`.")
@click.option("--only-changed", is_flag=True, help="No metrics and parameters that are the same in all.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with full names and values.")
@click.option("--md", "as_md", is_flag=True, help="Print a Markdown table.")
@click.option("--parquet", type=click.Path(dir_okay=False, path_type=Path), help="Write a Parquet file.")
@json_option
@click.option("--no-pager", is_flag=True, help="Never through git's pager.")
def list_(  # noqa: PLR0913  # one parameter per option
    columns: str | None,
    *,
    only_changed: bool,
    as_csv: bool,
    as_md: bool,
    parquet: Path | None,
    as_json: bool,
    no_pager: bool,
    **chosen: Unpack[_Chosen],
) -> None:
    """List the experiments of HEAD

    Also those of its content, when it was amended, rebased or squashed; `belongs` says how they were found.
    EXPR knows `name`, `status`, `metrics.…`, `params.…`; `== != < <= > >=`, `~` (holds the text), `in (…)`,
    `and`, `or`, `not` and parentheses. A comparison with a value that is not there is false.
    """
    form = _form(csv=as_csv, md=as_md, parquet=parquet is not None, json=as_json)
    view = View(columns, only_changed, form, not no_pager, parquet)
    repo, config = open_repo()
    options = Options(**chosen)
    with read.uncollected():
        options_ = options._replace(snapshots=options.snapshots or as_json)
        found = select.select(repo, options_, config.experiments)
        _show(repo, found, options, view)
    _notes(found, options)


def _form(**asked: bool) -> str:
    forms = [name for name, wanted in asked.items() if wanted]
    if len(forms) > 1:
        raise click.UsageError(f"either `--{forms[0]}` or `--{forms[1]}`, not both")
    return forms[0] if forms else "table"


def _show(repo: Repo, found: Selected, options: Options, view: View) -> None:
    shown = _columns(found, options, view)
    rows = found.rows
    if columns.needs_record(shown):
        records = select.records(repo, [row.experiment for row in rows])
        rows = tuple(row._replace(record=records.get(row.experiment.ref)) for row in rows)
    shown = columns.varying(shown, rows) if view.only_changed else shown
    if view.form == "json":
        extra = shown if view.columns else []
        ui.emit_each("experiments", _plain(repo, found._replace(rows=rows), options, extra))
    elif view.form == "csv":
        ui.out(tables.csv([c.name for c in shown], [_values(shown, row) for row in rows]), end="")
    elif view.file is not None:
        parquet.write(view.file, [c.name for c in shown], [_values(shown, row) for row in rows])
        ui.note(f"wrote {view.file}: {ui.count(len(rows), 'experiment')}")
    elif view.form == "md":
        ui.out(tables.markdown([c.label for c in shown], columns.cells(shown, rows, time.time())), end="")
    else:
        groups = grouping.groups(repo, rows) if _grouped(options, view) else None
        with paged(wanted=view.pager):
            _table(shown, rows, groups)


def _table(shown: Sequence[Column], rows: Sequence[Row], groups: Sequence[Group] | None) -> None:
    header, now = [column.label for column in shown], time.time()
    if groups is None:
        ui.table(header, columns.cells(shown, rows, now))
    else:
        ui.grouped(
            header, [(grouping.heading(group), columns.cells(shown, group.rows, now)) for group in groups]
        )


def _grouped(options: Options, view: View) -> bool:
    """An order over all of them would be torn apart by groups."""
    return options.everything and options.sort is None and view.form == "table"


def _columns(found: Selected, options: Options, view: View) -> list[Column]:
    if view.columns is not None and found.total:
        return columns.chosen(view.columns, columns.names(found.every))
    first = ["name", "time" if view.form in ("csv", "parquet") else "age", "status"]
    first += ["baseline"] if options.everything and not _grouped(options, view) else []
    return columns.usual(found.found, found.rows, first=first)


def _values(shown: Sequence[Column], row: Row) -> list[object]:
    now = time.time()
    pairs = [(column, column.value(row)) for column in shown]
    return [column.shown(value, now) if column.name == "age" else value for column, value in pairs]


def _plain(
    repo: Repo, found: Selected, options: Options, extra: Sequence[Column]
) -> Iterator[dict[str, object]]:
    bases = {oid: values.labelled(base.values.params) for oid, base in found.found.baselines.items()}
    everything = options.everything
    places = grouping.places(repo, {r.experiment.baseline for r in found.rows}) if everything else {}
    for row in found.rows:
        one = present.plain(row.experiment, bases.get(row.experiment.baseline))
        one |= {"belongs": row.belongs, "snapshot": select.snapshot(row.experiment)}
        if place := places.get(row.experiment.baseline):
            one |= {"baseline_subject": place.subject, "orphaned": place.orphaned, "in": place.source}
        if extra:
            one["columns"] = {c.name: v for c, v in zip(extra, _values(extra, row), strict=True)}
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
    if unadded := [row.experiment.name for row in found.rows if row.experiment.unadded]:
        ui.warn(f"{ui.listed(unadded)} used data that was changed and not added: nobody else can have it")
    for note in dict.fromkeys(note for e in found.found.experiments for note in e.notes):
        ui.warn(note)
