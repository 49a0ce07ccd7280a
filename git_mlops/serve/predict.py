"""Batch scoring: a file of rows into a file of answers, a batch in memory at a time."""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from git_mlops.errors import FINDINGS, MlopsError
from git_mlops.serve import answers, columns, rows
from git_mlops.serve.columns import ContractError, Extra, Takes
from git_mlops.serve.loaded import Loaded, answer
from git_mlops.tables.forms import Form


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


Scoring = Callable[[Loaded, Iterator[tuple[Any, Any]]], Iterator[tuple[Any, Any]]]
"""Answers batches, in their order: it is given each with the part that the model takes."""


def here(loaded: Loaded, pairs: Iterator[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """Each batch with its answers, by this process."""
    for batch, fitting in pairs:
        raw = answer(loaded, columns.frame(loaded.takes, fitting))
        yield batch, answers.table(raw, batch.num_rows)


def predict(loaded: Loaded, request: Request, scored: Scoring = here) -> Scored:
    """Score a file; the target appears when all of it is there, and stays as it was otherwise.

    Args:
        scored: who scores the batches.

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
        for batch, found_ in scored(loaded, _pairs(loaded, request, form)):
            made = _numbered(_beside(batch, found_, request), numbers)
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


def _pairs(loaded: Loaded, request: Request, form: Form) -> Iterator[tuple[Any, Any]]:
    """Each batch of the file, and the part of it that the model takes."""
    count = 0
    for batch in rows.batches(request.source, form, request.batch):
        own = batch.drop_columns(list(_only_kept(loaded.takes, request.keep)))
        texts = rows.is_text(form)
        yield batch, columns.table(loaded.takes, own, request.extra, texts=texts, first=count)
        count += batch.num_rows


def _beside(batch: Any, made: Any, request: Request) -> Any:
    """The answers, with what is kept."""
    import pyarrow as pa

    if made.num_rows != batch.num_rows:
        raise answers.AnswerError(f"{batch.num_rows} rows were asked about, {made.num_rows} answered")
    kept = {name: batch.column(name) for name in request.keep}
    clash = [name for name in made.column_names if name in kept]
    if clash:
        raise MlopsError(f"the model's answer has a column `{clash[0]}`, too: it cannot be kept")
    return pa.table(kept | {name: made.column(name) for name in made.column_names})
