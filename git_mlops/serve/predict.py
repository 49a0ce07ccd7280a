"""Batch scoring: a file of rows into a file of answers, a batch in memory at a time."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from git_mlops.errors import FINDINGS, MlopsError
from git_mlops.serve import answers, columns, rows
from git_mlops.serve.columns import ContractError, Extra, Takes
from git_mlops.serve.loaded import Loaded, answer


class Request(NamedTuple):
    """What to score."""

    source: Path
    target: Path
    keep: tuple[str, ...] = ()
    """Columns that go into the answers as they are."""
    extra: Extra = "refuse"
    batch: int = rows.BATCH


class Scored(NamedTuple):
    """What was done."""

    rows: int
    columns: tuple[str, ...]
    """Of the answers."""


def predict(loaded: Loaded, request: Request) -> Scored:
    """Score a file; the target appears when all of it is there, and stays as it was otherwise.

    Raises:
        ContractError: rows that the model cannot take (1).
        ModelError: the model fails (1).
        MlopsError: a file cannot be read or written (2, 3).
    """
    form = rows.form_of(request.source)
    names = rows.names(request.source, form)
    _refuse_unknown(names, request)
    takes = loaded.takes
    asked = [name for name in names if name not in _only_kept(takes, request.keep)]
    if problems := columns.missing(takes, asked, request.extra):
        raise _with_hint(ContractError(problems))
    count, found = 0, ()
    numbers = (
        rows.whole_numbers(request.source, form, request.keep) if request.target.suffix != ".csv" else ()
    )
    with rows.written(request.target) as sink:
        for batch in rows.batches(request.source, form, request.batch):
            made = _numbered(_batch(loaded, batch, request, texts=rows.is_text(form), first=count), numbers)
            sink.write(made)
            count, found = count + batch.num_rows, tuple(made.column_names)
        if not count:
            raise MlopsError(f"`{request.source}` has no rows", exit_code=FINDINGS)
    return Scored(count, found)


def _with_hint(error: ContractError) -> ContractError:
    if all(problem.reason == "extra" for problem in error.problems):
        error.hint = "`--extra ignore` passes over columns that the model does not take"
    return error


def _numbered(table: Any, names: Collection[str]) -> Any:
    """With columns of text as the whole numbers that they say."""
    for name in names:
        at = table.column_names.index(name)
        table = table.set_column(at, name, table.column(name).cast("int64"))
    return table


def _only_kept(takes: Takes, keep: Sequence[str]) -> set[str]:
    return set(keep) - {column.name for column in takes.columns}


def _refuse_unknown(names: Sequence[str], request: Request) -> None:
    for name in request.keep:
        if name not in names:
            raise MlopsError(f"`{request.source}` has no column `{name}` to keep")


def _batch(loaded: Loaded, batch: Any, request: Request, *, texts: bool, first: int) -> Any:
    import pyarrow as pa

    own = batch.drop_columns(list(_only_kept(loaded.takes, request.keep)))
    fitting = columns.table(loaded.takes, own, request.extra, texts=texts, first=first)
    raw = answer(loaded, columns.frame(loaded.takes, fitting))
    made = answers.table(raw, batch.num_rows)
    kept = {name: batch.column(name) for name in request.keep}
    clash = [name for name in made.column_names if name in kept]
    if clash:
        raise MlopsError(f"the model's answer has a column `{clash[0]}`, too: it cannot be kept")
    return pa.table(kept | {name: made.column(name) for name in made.column_names})
