"""One file against one schema: findings that name column, check, how many rows fail and the first of them."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from git_mlops.findings import Finding
from git_mlops.schema import pandera, streaming, tables
from git_mlops.schema.compiled import Key, Kind
from git_mlops.schema.load import Schema
from git_mlops.schema.pandera import EXAMPLES, Broken
from git_mlops.schema.streaming import Counted, Limits
from git_mlops.schema.tables import Table, Wanted
from git_mlops.schema.text import UnreadableError
from git_mlops.tables.forms import KNOWN, Form, form_of

RULE = "schema"
MOST_FINDINGS = 50
_LONGEST_VALUE = 80
_LIMITS = Limits()
_KINDS: dict[str, Kind] = {
    "series_contains_nulls": "null",
    "series_contains_duplicates": "unique",
    "duplicates": "unique",
}
_OF_VALUES = ("check_error", "not_applicable", "warning", "dataframe_check", *_KINDS)
"""Reasons that the rows of an extract do not settle for the whole table."""
_TYPE_REASONS = ("wrong_dtype", "dtype_coercion_error")
_SENTENCES = {
    "column_not_in_schema": "column `{detail}` is not in the schema",
    "column_not_ordered": "column `{detail}` is not where the schema has it",
    "series_contains_nulls": "{column} has nulls",
    "series_contains_duplicates": "{column} must be unique, but values repeat",
    "duplicates": "rows repeat in their key columns",
    "check_error": "`{check}` cannot be applied to {column}: {detail}",
    "not_applicable": "pandera cannot apply the schema to these values ({detail})",
    "warning": "{detail}",
}
"""Reason code of pandera → what is said of it."""


def validate(file: Path, name: str, schema: Schema, limits: Limits = _LIMITS) -> list[Finding]:
    """Findings of rule `schema`; none when the data satisfies it.

    Args:
        file: where the bytes are; an object of a cache has no suffix.
        name: the file's path in the repository, which tells the form.
        schema: what it must satisfy.
        limits: from which size on it is read in pieces.
    """
    return few(judged(file, name, schema, limits).findings, name)


class Judged(NamedTuple):
    """What there is to say of a file."""

    rows: int
    """How many it has; 0 when it cannot be read, too."""
    findings: list[Finding]


def judged(file: Path, name: str, schema: Schema, limits: Limits = _LIMITS) -> Judged:
    """All findings of `validate`, however many, and the number of rows."""
    form = form_of(name)
    if form is None:
        return Judged(0, [_unknown_form(name)])
    found = _streamed(file, form, name, schema, limits)
    return _whole(file, form, name, schema) if found is None else found


def streamed(file: Path, form: Form, name: str, schema: Schema, limits: Limits) -> list[Finding] | None:
    """The findings of `whole`, in bounded memory; None when only reading all of it tells them."""
    found = _streamed(file, form, name, schema, limits)
    return None if found is None else few(found.findings, name)


def _streamed(file: Path, form: Form, name: str, schema: Schema, limits: Limits) -> Judged | None:
    counted = streaming.counted(file, form, schema, limits)
    if counted is None:
        return None
    try:
        return Judged(counted.rows, list(_Checked(counted.extract, name, schema, counted).findings()))
    except _DisagreementError:
        return None


def whole(file: Path, form: Form, name: str, schema: Schema) -> list[Finding]:
    """What pandera on pandas says of the whole table: the law."""
    return few(_whole(file, form, name, schema).findings, name)


def _whole(file: Path, form: Form, name: str, schema: Schema) -> Judged:
    try:
        table = tables.read(file, form)
    except UnreadableError as error:
        message = f"cannot be read as {form.name}: {error}"
        return Judged(0, [Finding(RULE, "error", message, name, error.line, data={"check": "readable"})])
    except OSError as error:
        return Judged(0, [Finding(RULE, "unknown", f"cannot be read: {error.strerror or error}", name)])
    if table.rows == 0:
        message = "has no rows, so that nothing was checked"
        return Judged(0, [Finding(RULE, "error", message, name, data={"check": "rows", "rows": 0})])
    return Judged(table.rows, list(_Checked(table, name, schema).findings()))


def _unknown_form(name: str) -> Finding:
    hint = f"a schema can be bound to {', '.join(KNOWN)}"
    return Finding(RULE, "unknown", "its form is not known by its name", name, hint=hint)


def few(findings: list[Finding], name: str) -> list[Finding]:
    """So many as a person reads, and how many more there are."""
    if len(findings) <= MOST_FINDINGS:
        return findings
    rest = len(findings) - MOST_FINDINGS
    more = Finding(RULE, "error", f"… and {rest} more checks fail", name, data={"more": rest})
    return [*findings[:MOST_FINDINGS], more]


def share(failures: int, rows: int) -> str:
    """As messages have it: `3 of 40 rows (7.5 %)`."""
    return f"{failures} of {rows} rows ({100 * failures / rows:.2g} %)"


class _Failure(NamedTuple):
    """What one finding is made of."""

    message: str
    column: str | None
    check: str
    failures: int | None = None
    rows: tuple[int, ...] = ()
    warning: bool = False


class _DisagreementError(Exception):
    """pandera says of an extract what the pass over the whole table does not, or the other way round."""


class _Checked:
    """One table under one schema; or an extract of it, with the failures of the whole counted before."""

    def __init__(self, table: Table, name: str, schema: Schema, counted: Counted | None = None) -> None:
        self._table, self._name = table, name
        self._counted, self._told = counted, set[Key]()
        self._rows = counted.rows if counted else table.rows
        self._schema = schema.built
        self._wanted: Mapping[str, Wanted] = pandera.wanted(schema.built, schema.document, table.cells)

    def findings(self) -> Iterator[Finding]:
        """Types first, because what follows rests on them; then what pandera says."""
        labelled = pandera.labelled(self._schema)
        typed = tables.typed(self._table, self._wanted, index=labelled)
        failures = [
            *(_Failure(f"column `{name}` stands more than once", name, "column_name")
              for name in self._table.repeated),
            *(self._of_type(name, rows) for name, rows in typed.bad.items()),
            *self._of_pandera(pandera.broken(self._schema, typed.frame), typed.bad),
        ]  # fmt: skip
        if self._counted and self._told != self._counted.counts.keys():
            raise _DisagreementError
        lines = self._lines({row for failure in failures for row in failure.rows})
        return (self._finding(failure, lines) for failure in failures)

    def _lines(self, rows: set[int]) -> Mapping[int, int]:
        """Line of each row, where the form has lines."""
        if self._counted is None:
            return tables.lines(self._table, rows)
        places = {self._counted.places[row]: row for row in rows}
        lines = tables.lines(self._table._replace(rows=self._rows), places)
        return {places[place]: line for place, line in lines.items()}

    def _all(self, found: int, column: str | None, kind: Kind, check: str = "") -> int:
        """How many rows of the whole table fail a rule that fails in `found` rows here."""
        if self._counted is None:
            return found
        key = Key(column, kind, check)
        self._told.add(key)
        if key not in self._counted.counts:
            raise _DisagreementError
        return self._counted.counts[key]

    def _of_type(self, name: str, rows: list[int]) -> _Failure:
        dtype = self._wanted[name].declared
        failures = self._all(len(rows), name, "type")
        message = f"column `{name}` is not {dtype} in {self._share(failures)}"
        return _Failure(message, name, f"dtype('{dtype}')", failures, tuple(rows[:EXAMPLES]))

    def _of_pandera(self, found: Iterable[Broken], bad: Mapping[str, list[int]]) -> Iterator[_Failure]:
        handled: set[str | None] = set(bad)
        found = list(found)
        nulls = {b.column for b in found if b.reason == "series_contains_nulls"}
        for item in found:
            if item.reason in _TYPE_REASONS:
                if item.column in handled or item.column in nulls:
                    continue  # said already: cells of another type, or nulls in a type that has none
                handled.add(item.column)
            wrong = bad.get(item.column or "")
            yield from (
                self._without(item, frozenset(wrong)) if wrong else (self._failure(self._with_nulls(item)),)
            )

    def _without(self, item: Broken, wrong: frozenset[int]) -> Iterator[_Failure]:
        """The same without the rows whose cells are of another type: they became nulls on the way."""
        if item.reason == "series_contains_nulls" and item.failures is not None:
            nulls = [row for row in range(self._table.rows) if self._null(item.column, row)]
            if nulls:
                yield self._failure(item._replace(failures=len(nulls), rows=tuple(nulls[:EXAMPLES])))
        elif item.reason == "check_error" or (item.failures is None and self._alone(item)):
            return
        else:
            rows = tuple(row for row in item.rows if row not in wrong)
            if rows or item.failures is None:
                yield self._failure(item._replace(rows=rows))

    def _alone(self, item: Broken) -> bool:
        """Whether nothing but cells of another type repeats: pandera saw nulls in their place."""
        if item.reason != "series_contains_duplicates":
            return False
        return sum(self._null(item.column, row) for row in range(self._table.rows)) <= 1

    def _null(self, column: str | None, row: int) -> bool:
        value = self._table.value(column or "", row)
        return value is None or value != value  # noqa: PLR0124  # NaN

    def _failure(self, item: Broken) -> _Failure:
        if item.failures is not None:
            item = item._replace(failures=self._of_all(item, item.failures))
        elif self._counted and item.reason in _OF_VALUES:
            raise _DisagreementError
        message = self._message(item)
        return _Failure(message, item.column, item.check, item.failures, item.rows, item.warning)

    def _of_all(self, item: Broken, found: int) -> int:
        if item.reason in _TYPE_REASONS:
            return self._all(found, item.column, "null" if self._cannot_hold(item.column) else "type")
        kind = _KINDS.get(item.reason, "check")
        return self._all(found, item.column, kind, item.check if kind == "check" else "")

    def _message(self, item: Broken) -> str:
        column = f"column `{item.column}`" if item.column is not None else "the table"
        if item.reason in _TYPE_REASONS:
            return self._type_message(item, column)
        if item.reason == "column_not_in_dataframe":
            return f"column `{item.detail}` is missing{self._close(item.detail)}"
        sentence = _SENTENCES.get(item.reason, "{column} breaks `{check}`")
        said = sentence.format(column=column, check=item.check, detail=item.detail)
        return said if item.failures is None else f"{said} in {self._share(item.failures)}"

    def _type_message(self, item: Broken, column: str) -> str:
        want = self._wanted.get(item.column or "")
        expected = want.declared if want else item.check
        if want is not None and self._cannot_hold(item.column):
            other = "boolean" if want.sort == "bool" else want.dtype.replace("int", "Int").replace("uI", "UI")
            share = self._share(item.failures or 0)
            return f"{column} has nulls, which {want.declared} cannot hold (`dtype: {other}` can), in {share}"
        if item.failures is not None:
            return f"{column} is not {expected} in {self._share(item.failures)}"
        return f"{column} is not {expected} but {item.detail}"

    def _with_nulls(self, item: Broken) -> Broken:
        """A type that cannot hold nulls: the rows that have them, whatever pandera says of where."""
        if item.reason not in _TYPE_REASONS or not self._cannot_hold(item.column):
            return item
        nulls = [row for row in range(self._table.rows) if self._null(item.column, row)]
        return item._replace(failures=len(nulls), rows=tuple(nulls[:EXAMPLES]))

    def _cannot_hold(self, column: str | None) -> bool:
        want = self._wanted.get(column or "")
        if want is None or want.sort not in ("int", "bool") or want.dtype != want.dtype.lower():
            return False
        cells = self._table.cells.get(column or "", ())
        return bool(getattr(cells, "null_count", 0)) or (isinstance(cells, list) and None in cells)

    def _close(self, missing: str) -> str:
        near = difflib.get_close_matches(missing, self._table.cells, n=1, cutoff=0.7)
        folded = [name for name in self._table.cells if name.strip().lower() == missing.lower()]
        best = next(iter([*folded, *near]), None)
        return f"; the file has `{best}`" if best else ""

    def _share(self, failures: int) -> str:
        return share(failures, self._rows)

    def _finding(self, failure: _Failure, lines: Mapping[int, int]) -> Finding:
        examples = [self._example(failure, row, lines) for row in failure.rows]
        shown = ", ".join(place(example) for example in examples)
        more = ", …" if failure.failures and failure.failures > len(examples) > 0 else ""
        data: dict[str, object] = {
            "column": failure.column,
            "check": failure.check,
            "failures": failure.failures,
            "rows": self._rows,
            "examples": examples,
        }
        message = f"{failure.message}: {shown}{more}" if shown else failure.message
        first = examples[0].get("line") if examples else None
        line = first if isinstance(first, int) else None
        return Finding(RULE, "warning" if failure.warning else "error", message, self._name, line, data=data)

    def _example(self, failure: _Failure, row: int, lines: Mapping[int, int]) -> dict[str, object]:
        where: dict[str, object] = {"line": lines[row]} if row in lines else {"row": self._place(row) + 1}
        if failure.column is None or failure.column not in self._table.cells:
            return where
        return {**where, "value": plain(self._table.value(failure.column, row))}

    def _place(self, row: int) -> int:
        return self._counted.places[row] if self._counted else row


def plain(value: object) -> object:
    """A cell as JSON can hold it, and short."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)  # JSON has no NaN and no infinity
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def place(example: Mapping[str, object]) -> str:
    """Where an example is, and what stands there."""
    return f"{'line' if 'line' in example else 'row'} {example.get('line', example.get('row'))}" + _value(
        example
    )


def _value(example: Mapping[str, object]) -> str:
    if example.get("value") is None:
        return ""
    value = example["value"]
    return f" `{value}`" if isinstance(value, str) else f" {json.dumps(value)}"
