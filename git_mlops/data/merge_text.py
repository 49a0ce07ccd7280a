"""Three-way merge of CSV, TSV and JSON lines: what nobody changed is copied to the byte."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from git_mlops.data.records import Csv, JsonLines, Row, Table, ending, picked, separator_of, text_of
from git_mlops.data.threeway import (
    NOT_APPENDED,
    PLACE,
    CannotMergeError,
    Choose,
    Columns,
    Conflict,
    Counts,
    Outcome,
    Rows,
    Side,
    Sides,
    columns_of,
    has,
    named,
    of_both,
    paired,
    rows_of,
    settled,
    together,
    unique,
)
from git_mlops.tables.forms import Form

if TYPE_CHECKING:
    import polars as pl


def _open(sides: Sides, form: Form) -> tuple[Table, Table, Table]:
    if form.kind == "jsonl":
        return JsonLines(sides.base), JsonLines(sides.ours), JsonLines(sides.theirs)
    marks = [separator_of(form.kind, _first(file)) for file in sides]
    if len(set(marks)) > 1:
        raise CannotMergeError("the sides part their columns by different characters")
    return Csv(sides.base, marks[0]), Csv(sides.ours, marks[0]), Csv(sides.theirs, marks[0])


def _first(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.readline()


def merge(sides: Sides, form: Form, key: tuple[str, ...], target: Path, choose: Choose) -> Outcome:
    base, ours, theirs = tables = _open(sides, form)
    columns = columns_of((), (), ())
    alike = True
    if base.columns is not None and ours.columns is not None and theirs.columns is not None:
        for table, name in reversed([*zip(tables, Sides._fields, strict=True)]):
            has(table.columns or (), key, name)
        columns = columns_of(base.columns, ours.columns, theirs.columns)
        alike = base.columns == ours.columns == theirs.columns
        if not alike:
            changed = _changed_though_lost(tables, key, columns)
            columns = settled(columns, changed, choose)
    lines = [_lines(table, key, None if alike else columns.shared) for table in tables]
    for frame, name in zip(lines, Sides._fields, strict=True):
        unique(frame, ["key"], name, named(key))
    rows, every = rows_of(lines[0], lines[1], lines[2], ["key"], ["text"], alike=alike)
    plan = _Plan(tables, key, columns.result, choose)
    plan.settle(rows)
    conflicts = (*columns.conflicts, *plan.conflicts)
    if conflicts:
        return Outcome(conflicts)
    extra = [c for c in columns.result if c not in (ours.columns or ())]
    _write(target, plan, _Extra(every, extra), _ending(tables))
    counts = Counts(len(plan.append), len(rows.both) + len(rows.theirs) + len(rows.twins), len(plan.dropped))
    return Outcome((), counts.of(ours.columns or (), columns.result if ours.columns is not None else ()))


_CHUNK = 200_000


def _lines(table: Table, key: Sequence[str], columns: Sequence[str] | None) -> "pl.LazyFrame":
    """Key and text of each record, and its place; the text of these columns alone, where any are named."""
    import polars as pl

    frames = []
    for chunk in _chunks(table.records()):
        keys = table.keys(chunk, key)
        if columns is None:
            texts = [record.rstrip(b"\r\n") for record in chunk]
        else:
            rows = (table.row(record) for record in chunk)
            texts = [b"\0".join([table.value(row.get(column)) for column in columns]) for row in rows]
        frames.append(
            pl.DataFrame({"key": keys, "text": texts}, schema={"key": pl.Binary, "text": pl.Binary})
        )
    empty = pl.DataFrame(schema={"key": pl.Binary, "text": pl.Binary})
    return pl.concat([empty, *frames]).with_row_index(PLACE).lazy()


def _chunks(records: Iterable[bytes]) -> Iterator[list[bytes]]:
    every = iter(records)
    while chunk := list(itertools.islice(every, _CHUNK)):
        yield chunk


def _changed_though_lost(
    tables: tuple[Table, Table, Table], key: tuple[str, ...], columns: Columns
) -> dict[Side, list[str]]:
    """Columns that a side dropped → those of which the other changed cells."""
    found: dict[Side, list[str]] = {}
    for dropper, other in (("ours", tables[2]), ("theirs", tables[1])):
        side: Side = "ours" if dropper == "ours" else "theirs"
        for column in columns.lost_by[side]:
            before = _lines(tables[0], key, [column])
            pairs = paired(before, _lines(other, key, [column]), ["key"], ["text"])
            if pairs["changed"].any():
                found.setdefault(side, []).append(column)
    return found


class _Plan:
    """What becomes of each record of ours, which of theirs are appended, and what is left to a person."""

    def __init__(
        self,
        tables: tuple[Table, Table, Table],
        key: tuple[str, ...],
        columns: tuple[str, ...],
        choose: Choose,
    ) -> None:
        self.base, self.ours, self.theirs = tables
        self.key = key
        self.columns = columns
        self.choose = choose
        self.conflicts: list[Conflict] = []
        self.dropped: set[int] = set()
        self.edits: dict[int, Row | bytes] = {}
        """Place in ours → the row instead, or the record as theirs has it."""
        self.append: dict[int, bytes] = {}
        """Place in theirs → its record."""

    def settle(self, rows: Rows) -> None:
        """Decide about every row that is not the same on all sides."""
        self.dropped.update(rows.dropped)
        wanted_b = {b for b, _o, _t in rows.both} | {b for b, _ in rows.ours_gone + rows.theirs_gone}
        wanted_o = {o for _b, o, _t in rows.both} | {o for o, _t in rows.twins}
        wanted_o |= {o for _b, o in rows.theirs_gone}
        wanted_t = {t for *_, t in rows.both} | {t for _, t in rows.theirs + rows.twins + rows.ours_gone}
        base, ours = picked(self.base, wanted_b), picked(self.ours, wanted_o)
        theirs = picked(self.theirs, wanted_t | set(rows.new))
        for o, t in rows.theirs:
            self.edits[o] = theirs[t]
        for b, o, t in rows.both:
            self.edits[o] = self._cells(
                self.base.row(base[b]), self.ours.row(ours[o]), self.theirs.row(theirs[t])
            )
        for o, t in rows.twins:
            self.edits[o] = self._cells({}, self.ours.row(ours[o]), self.theirs.row(theirs[t]))
        for b, o in rows.theirs_gone:
            if self._gone(self.base.row(base[b]), self.ours.row(ours[o]), None) == "theirs":
                self.dropped.add(o)
        self.append = {t: theirs[t] for t in rows.new}
        for b, t in rows.ours_gone:
            if self._gone(self.base.row(base[b]), None, self.theirs.row(theirs[t])) == "theirs":
                self.append[t] = theirs[t]

    def _cells(self, base: Row, ours: Row, theirs: Row) -> Row:
        names = self.columns or tuple({**ours, **theirs})
        merged: dict[str, object] = {}
        for name in names:
            b, o, t = (row.get(name, _ABSENT) for row in (base, ours, theirs))
            cell = self._cell((ours, theirs), name, (b, o, t))
            if cell is not _ABSENT:
                merged[name] = cell
        return merged

    def _cell(self, rows: tuple[Row, Row], name: str, cells: tuple[object, object, object]) -> object:
        b, o, t = (self._value(cell) for cell in cells)
        if t in (b, o):
            return cells[1]
        if o == b:
            return cells[2]
        if self.columns and name not in self.ours_columns:
            return cells[2]
        if self.columns and name not in self.theirs_columns:
            return cells[1]
        conflict = Conflict(self._of(rows[0]), name, *(self._shown(cell) for cell in cells))
        choice = self.choose(conflict)
        if choice is None:
            self.conflicts.append(conflict)
            return _ABSENT
        if choice.side == "value":
            return self._typed(choice.value)
        return cells[("base", "ours", "theirs").index(choice.side)]

    @property
    def ours_columns(self) -> tuple[str, ...]:
        """Empty for JSON lines."""
        return self.ours.columns or ()

    @property
    def theirs_columns(self) -> tuple[str, ...]:
        """Empty for JSON lines."""
        return self.theirs.columns or ()

    def _value(self, cell: object) -> bytes | None:
        return None if cell is _ABSENT else self.ours.value(cell)

    def _shown(self, cell: object) -> str | None:
        return None if cell is _ABSENT else text_of(self.ours.value(cell))

    def _typed(self, text: str) -> object:
        if isinstance(self.ours, Csv):
            return self.ours.quoted(text)
        with suppress(ValueError):
            return json.loads(text)
        return text

    def _of(self, row: Row) -> tuple[str, ...]:
        return tuple(text_of(self.ours.value(row.get(name))) for name in self.key)

    def _gone(self, base: Row, ours: Row | None, theirs: Row | None) -> Side | None:
        """A row that one side removed and the other changed."""
        there = ours or theirs or {}
        names = [n for n in {**base, **there} if self._differs(base, there, n)]
        if not names:
            return "ours" if ours is None else "theirs"  # only its quoting changed
        shown = [self._listed(row, names) if row is not None else None for row in (base, ours, theirs)]
        conflict = Conflict(self._of(base), "", *shown)
        choice = self.choose(conflict)
        if choice is None or choice.side not in ("ours", "theirs"):
            self.conflicts.append(conflict)
            return None
        return "ours" if choice.side == "ours" else "theirs"

    def _differs(self, base: Row, there: Row, name: str) -> bool:
        shared = not self.columns or (name in base and name in there)
        return shared and self._value(base.get(name, _ABSENT)) != self._value(there.get(name, _ABSENT))

    def _listed(self, row: Row, names: Sequence[str]) -> str:
        return ", ".join(f"{name}={text_of(self.ours.value(row[name]))}" for name in names if name in row)


_ABSENT = object()


class _Extra(NamedTuple):
    """Columns that theirs added, and the rows to take them from."""

    pairs: "pl.DataFrame"
    columns: list[str]


def _ending(tables: tuple[Table, Table, Table]) -> tuple[bytes, bool]:
    """The line ending of new records, and whether all get it: only theirs changed it."""
    base, ours, theirs = (ending(table.head or next(table.records(), b"")) for table in tables)
    if theirs not in (b"", ours) and ours == base:
        return theirs, True
    return ours or theirs or b"\n", False


def _write(target: Path, plan: _Plan, extra: _Extra, end: tuple[bytes, bool]) -> None:
    ours, theirs = plan.ours, plan.theirs
    same = ours.columns == theirs.columns == (plan.columns or None)
    eol, all_ = end
    with target.open("wb") as stream:
        out = _Out(stream.write, eol, every=all_)
        if ours.columns is not None:
            out.put(_head(plan))
        more = _from_theirs(theirs, extra)
        for number, record in enumerate(ours.records()):
            if number in plan.dropped:
                continue
            edit = plan.edits.get(number)
            if edit is None and (ours.columns is None or plan.columns == ours.columns):
                out.put(record)
            elif isinstance(edit, bytes) and (same or ours.columns is None):
                out.put(edit.rstrip(b"\r\n") + ending(record))
            else:
                row: Row = edit if isinstance(edit, Mapping) else {**ours.row(record), **more.get(number, {})}
                out.put(ours.text(row, plan.columns, record) + ending(record))
        for _place, record in sorted(plan.append.items()):
            plain = theirs.columns is None or plan.columns == theirs.columns
            body = record.rstrip(b"\r\n") if plain else theirs.text(theirs.row(record), plan.columns, record)
            out.put(body + eol)
        out.end(closed=bool(ending(_last(ours.file))))


def _head(plan: _Plan) -> bytes:
    """The header as the side has it whose columns are the result's."""
    for table in (plan.ours, plan.theirs):
        if table.columns == plan.columns:
            return table.head
    assert isinstance(plan.ours, Csv)
    cells = dict(zip(plan.theirs_columns, _raw_head(plan.theirs), strict=True))
    cells |= dict(zip(plan.ours_columns, _raw_head(plan.ours), strict=True))
    bom = b"\xef\xbb\xbf" if plan.ours.head.startswith(b"\xef\xbb\xbf") else b""
    return bom + plan.ours.separator.join(cells[name] for name in plan.columns) + ending(plan.ours.head)


def _raw_head(table: Table) -> list[bytes]:
    assert isinstance(table, Csv)
    return table.cells(table.head.removeprefix(b"\xef\xbb\xbf"))


def _from_theirs(theirs: Table, extra: _Extra) -> dict[int, Row]:
    """Place in ours → the cells of the columns that theirs added."""
    if not extra.columns:
        return {}
    ours_of = dict(zip(extra.pairs["t"].to_list(), extra.pairs["o"].to_list(), strict=True))
    found: dict[int, Row] = {}
    for number, record in enumerate(theirs.records()):
        if number in ours_of:
            row = theirs.row(record)
            found[ours_of[number]] = {column: row.get(column, b"") for column in extra.columns}
    return found


def _last(file: Path) -> bytes:
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - 2))
        return stream.read()


class _Out:
    """Records one after the other, each but the last with a line ending."""

    def __init__(self, write: Callable[[bytes], object], eol: bytes, *, every: bool) -> None:
        self.write = write
        self.eol = eol
        self.every = every
        self.held: bytes | None = None

    def put(self, record: bytes) -> None:
        if self.held is not None:
            self._write(self.held, closed=True)
        self.held = record

    def end(self, *, closed: bool) -> None:
        if self.held is not None:
            self._write(self.held, closed=closed)

    def _write(self, record: bytes, *, closed: bool) -> None:
        own = ending(record)
        body = record[: len(record) - len(own)]
        eol = self.eol if self.every or not own else own
        self.write(body + eol if closed else body)


def append(sides: Sides, form: Form, target: Path, *, union: bool = False) -> Outcome:
    base, ours, theirs = _open(sides, form)
    if not base.columns == ours.columns == theirs.columns:
        raise CannotMergeError("there is no key, and the columns differ")
    grown = _holds(ours, base) and _holds(theirs, base)
    if not grown and not union:
        raise CannotMergeError(NOT_APPENDED)
    eol, all_ = _ending((base, ours, theirs))
    counts = Counts()
    with target.open("wb") as stream:
        out = _Out(stream.write, eol, every=all_)
        if ours.columns is not None:
            out.put(ours.head)
        if grown:
            counts = _grown(out, base, ours, theirs)
        else:
            rows = [[_body(record) for record in side.records()] for side in (ours, theirs)]
            merged, new, gone = of_both(Counter(map(_body, base.records())), *rows)
            counts = Counts(added=new, removed=gone)
            for body in merged:
                out.put(body)
        out.end(closed=bool(ending(_last(ours.file))))
    return Outcome((), counts)


def _grown(out: "_Out", base: Table, ours: Table, theirs: Table) -> Counts:
    """Both hold every row of base, in its order: between two of them, what ours inserted, then theirs."""
    mine, other, new = ours.records(), theirs.records(), 0
    for row in itertools.chain(map(_body, base.records()), (None,)):
        inserted, at = _until(mine, row)
        more, _ = _until(other, row)
        rows = together(inserted, more)
        new += len(rows) - len(inserted)
        for body in rows:
            out.put(body)
        if at is not None:
            out.put(at)
    return Counts(added=new)


def _until(records: Iterator[bytes], row: bytes | None) -> tuple[list[bytes], bytes | None]:
    """What comes before the row, and its record; None: all that is left."""
    before: list[bytes] = []
    for record in records:
        body = _body(record)
        if row is not None and body == row:
            return before, record
        before.append(body)
    return before, None


def _holds(side: Table, base: Table) -> bool:
    """Whether the side has every row of base, in its order. Neither is held in memory."""
    records = side.records()
    return all(any(_body(record) == row for record in records) for row in map(_body, base.records()))


def _body(record: bytes) -> bytes:
    return record.rstrip(b"\r\n")


def without_rows(ours: Path, theirs: Path, form: Form, target: Path) -> None:
    """The head of ours, of the columns that theirs has, too."""
    _, mine, other = _open(Sides(ours, ours, theirs), form)
    names = [name for name in mine.columns or () if name in (other.columns or ())]
    if not isinstance(mine, Csv):
        target.write_bytes(b"")
        return
    raw = dict(zip(mine.columns or (), _raw_head(mine), strict=True))
    target.write_bytes(mine.separator.join(raw[name] for name in names) + ending(mine.head))


def bodies(file: Path, form: Form) -> Iterator[bytes]:
    """Every row as it stands, without its line ending."""
    table, _, _ = _open(Sides(file, file, file), form)
    return map(_body, table.records())
