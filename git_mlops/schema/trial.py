"""A schema tried out: rows that satisfy it, and for each of its rules rows that break it, are validated.

A rule that refuses none of the rows made to break it guards nothing. No data is needed.
"""

import csv
import datetime as dt
import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from git_mlops.findings import Finding
from git_mlops.schema import pandera
from git_mlops.schema.load import Schema
from git_mlops.schema.samples import Check, Column, Value, candidates, column_of, holds, key_of
from git_mlops.schema.validate import validate

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


def try_out(schema: Schema) -> Trial:
    """Make rows, validate them, and say which rules guard something."""
    columns = {name: column_of(schema, name) for name in pandera.names_of(schema.built)}
    made = {name: _good(column) for name, column in columns.items()}
    impossible = [name for name, values in made.items() if not values]
    if impossible or not made:
        return Trial([], list(_untried(columns, impossible)))
    table = _table(columns, made, key_of(schema.document))
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        file = Path(folder, "trial.csv")

        def said(rows: Table) -> list[Finding]:
            file.write_bytes(_csv(rows))
            return validate(file, "trial.csv", schema)

        good = said(table)
        if good:
            return Trial([finding._replace(path=schema.path) for finding in good], [])
        tried = [*_of_table(schema, table, said)]
        for column in columns.values():
            tried += _of_column(column, table, made[column.name], said)
    return Trial([], tried)


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


def _of_column(column: Column, table: Table, good: list[Value], said: Said) -> Iterator[Tried]:
    name, values = column.name, table[column.name]

    def with_(value: Value) -> list[Finding]:
        return said({**table, name: [*values[:-1], value]})

    if column.required and len(table) > 1:
        rest = {other: cells for other, cells in table.items() if other != name}
        yield _verdict(name, "required", said(rest))
    if not column.nullable:
        yield _verdict(name, "not null", with_(None))
    if column.sort in _NOT_OF_TYPE:
        yield _verdict(name, f"type {column.dtype}", with_(_NOT_OF_TYPE[column.sort]))
    if column.unique and _rows(table) > 1 and len(good) > 1:
        yield _verdict(name, "unique", with_(values[0]))
    elif column.unique:
        yield Tried(name, "unique", "catches nothing", "there is one value only that the column can have")
    for check in column.checks:
        if check.name == "unique_values_eq":
            yield _verdict(name, check.name, said({**table, name: [values[0]] * _rows(table)}))
        else:
            yield _of_check(column, check, with_)


def _of_check(column: Column, check: Check, with_: Callable[[Value], list[Finding]]) -> Tried:
    """The bad value breaks this check and, where there is one, no other."""
    label = f"{check.name} (table)" if check.of_table else check.name
    bad = [value for value in candidates(column) if _clean(value) and not holds(check, value)]
    bad.sort(key=lambda value: not _all_hold(column, value, but=check))
    if not bad:
        return Tried(column.name, label, "catches nothing", "no value that it refuses could be made")
    found = with_(bad[0])
    said = _SAID.get(check.name, check.name)
    if found and not any(said in str(finding.data.get("check")) or finding.level == "warning"
                         for finding in found):  # fmt: skip
        return Tried(column.name, label, "caught", "by another rule of the column")
    return _verdict(column.name, label, found, warns=check.warns)


def _verdict(column: str | None, rule: str, found: list[Finding], *, warns: bool = False) -> Tried:
    if found:
        only = warns and not any(finding.level == "error" for finding in found)
        return Tried(column, rule, "caught", "but only warned of" if only else "")
    return Tried(column, rule, "catches nothing", "rows that break it were let pass")
