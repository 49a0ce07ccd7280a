"""A schema tried out: rows that satisfy it, and for each of its rules rows that break it, are validated.

A rule that refuses none of the rows made to break it guards nothing. No data is needed.
"""

import csv
import datetime as dt
import io
import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from git_mlops.findings import Finding
from git_mlops.schema import pandera
from git_mlops.schema.load import Schema
from git_mlops.schema.samples import Check, Column, Value, candidates, column_of, holds, key_of
from git_mlops.schema.validate import few, judged

ROWS = 12
_EXTRA = "mlops_extra_column"
_NOT_OF_TYPE = {"int": "no number", "float": "no number", "datetime": "no date", "bool": "neither"}

_SAID = {
    "gt": "greater_than", "ge": "greater_than_or_equal_to", "lt": "less_than", "le": "less_than_or_equal_to",
    "eq": "equal_to", "ne": "not_equal_to", "between": "in_range",
}  # fmt: skip
"""Short names → what pandera says of them."""

Outcome = Literal["caught", "catches nothing", "not tried"]
Table = dict[str, list[Value]]
Said = Callable[[Table], list[Finding]]


class Tried(NamedTuple):
    """One rule."""

    column: str | None
    """None for the table."""
    rule: str
    outcome: Outcome
    why: str = ""


class Trial(NamedTuple):
    """What `try_out` came to."""

    good: list[Finding]
    """What is said of rows that satisfy every rule by itself; none is right."""
    rules: list[Tried]

    @property
    def sound(self) -> bool:
        """Whether good rows pass and every rule that was tried guards something."""
        return not self.good and not any(tried.outcome == "catches nothing" for tried in self.rules)


def try_out(schema: Schema, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Trial:
    """Make rows, validate them, and say which rules guard something.

    Args:
        schema: what is tried.
        progress: told how many of the columns were tried.
    """
    columns = {name: column_of(schema, name) for name in pandera.names_of(schema.built)}
    made = {name: _good(column) for name, column in columns.items()}
    impossible = [name for name, values in made.items() if not values]
    if impossible or not made:
        return Trial([], list(_untried(columns, impossible)))
    table = _table(columns, made, key_of(schema.document))
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        said = _judge(Path(folder, "trial.csv"), schema)
        good = said(table)
        if good:
            return Trial([finding._replace(path=schema.path) for finding in few(good, schema.path)], [])
        tried = [*_of_table(schema, table, said)]
        names = list(columns)
        parts = max(1, len(names) // _TOGETHER)
        ends = [len(names) * number // parts for number in range(parts + 1)]
        for start, end in itertools.pairwise(ends):
            some = names[start:end]
            part = schema if parts == 1 else _part(schema, some)
            rows = {name: table[name] for name in some}
            asked = [one for name in some for one in _of_column(columns[name], rows, made[name])]
            tried += _tried(asked, rows, _judge(Path(folder, "trial.csv"), part), whole=parts == 1)
            progress(end, len(names))
    return Trial([], tried)


_TOGETHER = 20
"""Columns; of a table twice as wide about so many are tried at a time: the time grew with the square."""


def _judge(file: Path, schema: Schema) -> Said:
    def said(rows: Table) -> list[Finding]:
        file.write_bytes(_csv(rows))
        return judged(file, file.name, schema).findings

    return said


def _part(schema: Schema, names: Sequence[str]) -> Schema:
    """The same rules for some of the columns."""
    document: Mapping[str, Any] = schema.document
    columns = {name: document["columns"][name] for name in names}
    key = key_of(document)
    unique = document.get("unique") if all(name in columns for name in key) else None
    part = {**document, "columns": columns, "unique": unique}
    return Schema(schema.path, part, pandera.build(part))


def _good(column: Column) -> list[Value]:
    return [value for value in candidates(column) if _clean(value) and _all_hold(column, value)]


def _all_hold(column: Column, value: Value, *, but: Check | None = None) -> bool:
    return all(holds(check, value) for check in column.checks if check is not but)


def _clean(value: Value) -> bool:
    """Whether a CSV gives it back as it is: texts that mean null, or begin with a space, are left out."""
    return not isinstance(value, str) or (value.strip() == value and value.lower() not in _NULLS)


_NULLS = frozenset(
    ("", "na", "nan", "null", "none", "n/a", "<na>", "#n/a", "nat", "-nan", "#na", "true", "false")
)


def _untried(columns: Mapping[str, Column], impossible: list[str]) -> Iterator[Tried]:
    """Without a good row nothing can be tried: say which columns are to blame."""
    if not columns:
        yield Tried(None, "columns", "not tried", "all columns are patterns: their names cannot be made up")
    for name in impossible:
        names = ", ".join(f"`{check.name}`" for check in columns[name].checks) or "its type"
        yield Tried(name, "all", "not tried", f"no value that satisfies {names} could be made")


def _table(columns: Mapping[str, Column], made: Mapping[str, list[Value]], keys: list[str]) -> Table:
    """As many rows as the values of unique columns allow, at most `ROWS`."""
    few = [len(made[name]) for name, column in columns.items() if column.unique]
    few += [max(len(made[name]) for name in key)] if (key := [name for name in keys if name in made]) else []
    rows = max(1, min([ROWS, *few]))
    listed = [len(c.arguments["values"]) for column in columns.values() for c in column.checks
              if c.name == "unique_values_eq"]  # fmt: skip
    rows = max([rows, *(listed if not few else [])])
    return {name: [values[row % len(values)] for row in range(rows)] for name, values in made.items()}


def _csv(table: Table) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    for row in zip(*table.values(), strict=True):
        writer.writerow(["NA" if value is None else _cell(value) for value in row])
    return text.getvalue().encode("utf-8", "surrogatepass")


def _cell(value: Value) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)


def _of_table(schema: Schema, table: Table, said: Said) -> Iterator[Tried]:
    document: Mapping[str, Any] = schema.document
    if document.get("strict") is True:
        yield _verdict(None, "strict", said({**table, _EXTRA: ["x"] * _rows(table)}))
    if document.get("ordered") and len(table) > 1:
        first, second, *rest = table
        yield _verdict(None, "ordered", said({name: table[name] for name in (second, first, *rest)}))
    if names := key_of(document):
        twice = {name: [*values[:1], *values] for name, values in table.items()}
        yield _verdict(None, f"unique ({', '.join(names)})", said(twice))
    if document.get("index"):
        yield Tried(None, "index", "not tried", "a CSV has no row labels")
    patterns = [name for name, part in document["columns"].items() if part.get("regex")]
    for name in patterns:
        yield Tried(name, "regex", "not tried", "a column whose name is a pattern")


def _rows(table: Table) -> int:
    return len(next(iter(table.values())))


class _Try(NamedTuple):
    """Rows that break one rule of one column."""

    column: Column
    rule: str
    cells: list[Value] | None
    """Of the column, instead of good ones; None: the column is left out."""
    check: Check | None = None


def _of_column(column: Column, table: Table, good: list[Value]) -> Iterator[_Try | Tried]:
    name, values = column.name, table[column.name]

    def last(value: Value) -> list[Value]:
        return [*values[:-1], value]

    if column.required and len(table) > 1:
        yield _Try(column, "required", None)
    if not column.nullable:
        yield _Try(column, "not null", last(None))
    if column.sort in _NOT_OF_TYPE:
        yield _Try(column, f"type {column.dtype}", last(_NOT_OF_TYPE[column.sort]))
    if column.unique and _rows(table) > 1 and len(good) > 1:
        yield _Try(column, "unique", last(values[0]))
    elif column.unique:
        yield Tried(name, "unique", "catches nothing", "there is one value only that the column can have")
    for check in column.checks:
        label = f"{check.name} (table)" if check.of_table else check.name
        if check.name == "unique_values_eq":
            yield _Try(column, check.name, [values[0]] * _rows(table))
        elif (bad := _bad(column, check)) is None:
            yield Tried(name, label, "catches nothing", "no value that it refuses could be made")
        else:
            yield _Try(column, label, last(bad), check)


def _bad(column: Column, check: Check) -> Value:
    """A value that breaks this check and, where there is one, no other; None: there is none."""
    bad = [value for value in candidates(column) if _clean(value) and not holds(check, value)]
    return min(bad, key=lambda value: not _all_hold(column, value, but=check), default=None)


def _tried(asked: Sequence[_Try | Tried], table: Table, said: Said, *, whole: bool) -> list[Tried]:
    """Each by itself; of a wide table the same rule of all columns at once, told apart by column."""
    one_by_one = whole
    groups: dict[object, list[int]] = {}
    seen: dict[tuple[str, str], int] = {}
    dropped = 0
    for number, one in enumerate(asked):
        if isinstance(one, Tried):
            continue
        kind = one.rule.partition(" ")[0]
        seen[one.column.name, kind] = nth = seen.get((one.column.name, kind), -1) + 1
        dropped += one.cells is None
        half = dropped % 2 if one.cells is None else 0  # never are all columns left out
        groups.setdefault(number if one_by_one else (kind, nth, half), []).append(number)
    result = {number: one for number, one in enumerate(asked) if isinstance(one, Tried)}
    for numbers in groups.values():
        tries = {number: one for number in numbers if isinstance(one := asked[number], _Try)}
        rows = {**table, **{one.column.name: one.cells for one in tries.values() if one.cells is not None}}
        for one in tries.values():
            if one.cells is None:
                del rows[one.column.name]
        found = said(rows)
        for number, one in tries.items():
            own = found if one_by_one else [finding for finding in found if _is_of(finding, one)]
            result[number] = _of_try(one, own)
    return [result[number] for number in range(len(asked))]


def _is_of(finding: Finding, one: _Try) -> bool:
    if one.cells is None:
        return finding.message.startswith(f"column `{one.column.name}` is missing")
    return finding.data.get("column") == one.column.name


def _of_try(one: _Try, found: list[Finding]) -> Tried:
    if one.check is None:
        return _verdict(one.column.name, one.rule, found)
    name = _SAID.get(one.check.name, one.check.name)
    if found and not any(name in str(finding.data.get("check")) or finding.level == "warning"
                         for finding in found):  # fmt: skip
        return Tried(one.column.name, one.rule, "caught", "by another rule of the column")
    return _verdict(one.column.name, one.rule, found, warns=one.check.warns)


def _verdict(column: str | None, rule: str, found: list[Finding], *, warns: bool = False) -> Tried:
    if found:
        only = warns and not any(finding.level == "error" for finding in found)
        return Tried(column, rule, "caught", "but only warned of" if only else "")
    return Tried(column, rule, "catches nothing", "rows that break it were let pass")
