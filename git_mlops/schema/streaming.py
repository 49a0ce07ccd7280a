"""A table of any size against a schema: one streaming pass that counts, a few rows for pandera to judge.

The pass proves for every rule in how many rows it fails. What does not depend on rows (types, missing,
extra and ordered columns) pandera says of an extract: the first rows, rows with nulls, the first rows that
fail. From both, `validate` makes the very findings that pandera gives of the whole table.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from git_mlops.schema import batches, objects, pandera
from git_mlops.schema.batches import Source
from git_mlops.schema.compiled import Column, Key, NotCompiledError, Plan, Unique, plan
from git_mlops.schema.load import Schema
from git_mlops.schema.partitions import IN_MEMORY, Keys, Repeats, hashed
from git_mlops.schema.tables import Table, Wanted, iso_times, null, object_cells, text_cells, texts_alone
from git_mlops.schema.text import UnreadableError
from git_mlops.tables.forms import Form, Kind
from git_mlops.tables.frames import scan

if TYPE_CHECKING:
    import polars as pl

_HEAD = 200
"""First rows that pandera sees of every table."""


class Limits(NamedTuple):
    """When a table is read whole; bytes of the file, and rows."""

    small: int = 16 * 1024 * 1024
    """Below, pandera alone is quicker."""
    whole: int = 64 * 1024 * 1024
    """Below, a table with failures is given to pandera as a whole."""
    rows: int = 2_000_000
    """The same, by rows, where the file tells them."""
    keys: int = IN_MEMORY
    """Hashes of keys that are held in memory."""
    block: int = 4 * 1024 * 1024
    """Bytes of a CSV that are read at once."""


class Counted(NamedTuple):
    """What a pass came to."""

    rows: int
    counts: Mapping[Key, int]
    """Rules that fail → in how many rows."""
    extract: Table
    """Rows for pandera, in the file's order."""
    places: tuple[int, ...]
    """The row, from 0, of each row of the extract."""


def counted(file: Path, form: Form, schema: Schema, limits: Limits) -> Counted | None:
    """Count all failures; None when the table must be read whole: it is small, or has no plan."""
    import polars as pl
    import pyarrow as pa

    try:
        size = file.stat().st_size
        if size < limits.small or size == 0:
            return None
        found = _KINDS[form.kind](file, form, schema, limits).counted()
    except (NotCompiledError, UnreadableError, OSError, EOFError, zlib.error, ValueError, OverflowError):
        return None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException):
        return None
    return found


def _count(frame: "pl.LazyFrame", made: Plan, others: "Iterable[pl.Expr]" = ()) -> tuple[Any, ...]:
    """Rows, nulls of each column, failures of each rule, and what else is asked for."""
    import polars as pl

    nulls = [pl.col(name).null_count().alias(f"n{i}") for i, name in enumerate(made.columns)]
    fails = [rule.fails.sum().alias(f"f{i}") for i, rule in enumerate(made.rules)]
    asked = frame.with_columns(made.casts).select(pl.len(), *nulls, *fails, *others)
    return asked.collect(engine="streaming").row(0)


class _Parquet:
    """One Parquet file under one schema."""

    def __init__(self, file: Path, form: Form, schema: Schema, limits: Limits) -> None:

        self._file, self._form, self._limits = file, form, limits
        self._labels = self._said()
        names = self._labels.names
        if len(set(names)) < len(names) or not self._labels.rows:
            raise NotCompiledError("no rows, or a column that stands twice")
        self._whole = file.stat().st_size < limits.whole and self._labels.rows < limits.rows
        self._frame = self._scanned()
        types = self._frame.collect_schema()
        wanted = pandera.wanted(schema.built, schema.document, names)
        columns = {
            name: Column(types[name], wanted.get(name), plain=name not in self._labels.odd)
            for name in names
            if name not in self._labels.indexes
        }
        self._plan = plan(schema.built, columns)

    def _said(self) -> batches.Labels:
        return batches.labels(self._file)

    def _scanned(self) -> "pl.LazyFrame":
        import polars as pl

        return pl.scan_parquet(self._file, glob=False, hive_partitioning=False)

    def _table(self, places: Sequence[int]) -> Table:
        return batches.parquet_table(self._file, self._form, places)

    def counted(self) -> Counted | None:
        """In one pass over the columns of the plan, and one over each key."""
        made = self._plan
        rows, *numbers = _count(self._frame, made)
        nulls = dict(zip(made.columns, numbers[: len(made.columns)], strict=True))
        failing = dict(zip((r.key for r in made.rules), numbers[len(made.columns) :], strict=True))
        counts = {key: count for key, count in failing.items() if count}
        if counts and self._whole:
            return None
        repeats = {key: found for key in made.unique if (found := self._repeats(key))}
        if repeats and (self._whole or not all(map(self._countable, repeats))):
            return None
        counts |= {key.key: found.rows for key, found in repeats.items()}
        chosen = {*range(min(_HEAD, rows)), *self._failing(counts), *self._either(nulls, rows)}
        chosen |= {row for key, found in repeats.items() for row in self._repeated(key, found)}
        places = tuple(sorted(chosen))
        return Counted(rows, counts, self._table(places), places)

    def _countable(self, key: Unique) -> bool:
        """Whether pandera counts what repeats as we do: nulls repeat, but are no cases to it."""
        import polars as pl

        empty = [pl.col(name).is_null() for name in key.columns]
        empty += [
            pl.col(name).is_nan() for name in key.columns if self._frame.collect_schema()[name].is_float()
        ]
        return key.all_reported and not self._rows(pl.any_horizontal(empty), 1)

    def _rows(self, condition: "pl.Expr", most: int) -> list[int]:
        """The first rows of which it is true."""
        frame = self._frame.with_row_index(_ROW).with_columns(self._plan.casts)
        return (
            frame.filter(condition).select(_ROW).head(most).collect(engine="streaming").to_series().to_list()
        )

    def _failing(self, counts: Mapping[Key, int]) -> Iterator[int]:
        for rule in self._plan.rules:
            if rule.key in counts:
                if rule.doubt is not None and self._rows(rule.fails & rule.doubt, 1):
                    raise NotCompiledError("a text that Python's regular expressions may see otherwise")
                yield from self._rows(rule.fails, pandera.EXAMPLES)

    def _either(self, nulls: Mapping[str, int], rows: int) -> Iterator[int]:
        """A null and a value of every column that has both: pandas' types depend on it."""
        import polars as pl

        for name, count in nulls.items():
            if 0 < count < rows:
                yield from self._rows(pl.col(name).is_null(), 1)
                yield from self._rows(pl.col(name).is_not_null(), 1)

    def _keys(self, key: Unique) -> "Iterator[pl.DataFrame]":
        frame = self._frame.select(key.columns).with_columns(_of(self._plan, key))
        yield from frame.collect_batches(engine="streaming")

    def _repeats(self, key: Unique) -> Repeats | None:
        with closing(Keys(self._limits.keys)) as keys:
            for frame in self._keys(key):
                keys.add(hashed(frame))
            return keys.repeats()

    def _repeated(self, key: Unique, found: Repeats) -> Iterator[int]:
        yield from _first_repeated((hashed(frame) for frame in self._keys(key)), found)


class _Arrow(_Parquet):
    """One Arrow file of either sort under one schema."""

    def _said(self) -> batches.Labels:
        return batches.arrow_labels(self._file)

    def _scanned(self) -> "pl.LazyFrame":
        return scan(self._file, self._form)

    def _table(self, places: Sequence[int]) -> Table:
        return batches.arrow_table(self._file, self._form, places)


_ROW = "\0row"


def _of(made: Plan, key: Unique) -> "list[pl.Expr]":
    return [cast for cast in made.casts if cast.meta.output_name() in key.columns]


def _first_repeated(hashes: "Iterable[pl.Series]", found: Repeats) -> Iterator[int]:
    """The first rows whose key repeats, and another row of each, so that pandera sees them repeat."""
    seen: dict[int, int] = {}
    start = 0
    for series in hashes:
        for row in series.is_in(found.hashes.implode()).arg_true().to_list():
            value, shown = series[row], sum(seen.values())
            if shown < pandera.EXAMPLES or seen.get(value) == 1:
                yield start + row
                seen[value] = seen.get(value, 0) + 1
            elif 1 not in seen.values():
                return
        start += len(series)


class _Tally:
    """Counts of rules over batches, with the first rows that fail."""

    def __init__(self, made: Plan) -> None:
        self._plan = made
        self.rows = 0
        self.empty: set[str] = set()
        """Columns with nulls."""
        self.counts: dict[Key, int] = {}
        self.first: dict[Key, list[int]] = {}

    def open(self, key: Key) -> bool:
        """Whether more examples of its failing rows are wanted."""
        return len(self.first.get(key, ())) < pandera.EXAMPLES

    def add(self, key: Key, count: int, rows: Sequence[int]) -> None:
        """More failures of a rule; the rows are those of the batch that begins at `self.rows`."""
        if count:
            self.counts[key] = self.counts.get(key, 0) + count
            first = self.first.setdefault(key, [])
            if len(first) < pandera.EXAMPLES:
                first += [self.rows + row for row in rows[: pandera.EXAMPLES - len(first)]]


class _Batched:
    """One table under one schema, read in batches of what its cells are declared to be."""

    def __init__(self, file: Path, names: Sequence[str], schema: Schema, limits: Limits) -> None:
        self._limits, self._names = limits, names
        if len(set(names)) < len(names):
            raise NotCompiledError("a column that stands twice")
        self._whole = file.stat().st_size < limits.whole
        self._wanted: Mapping[str, Wanted] = pandera.wanted(schema.built, schema.document, names)
        self._types = {name: _type(self._wanted.get(name)) for name in names}
        self.plan = plan(schema.built, {name: self._column(name) for name in names})

    def _batches(self) -> Iterator[Any]:
        raise NotImplementedError

    def _typed(self, batch: Any) -> "tuple[pl.DataFrame, dict[str, list[int]]]":
        """A batch as the declared types, as `tables.typed` does, and the rows that are not of them."""
        raise NotImplementedError

    def _extract(self, first: Mapping[Key, Sequence[int]]) -> tuple[Table, tuple[int, ...]]:
        """The first rows and those that are asked for, as they stand in the file."""
        raise NotImplementedError

    def unclosed(self, _batch: Any) -> bool:
        """Whether the last batch may hold a cell that was never closed."""
        return False

    def _column(self, name: str) -> Column:
        want = self._wanted.get(name)  # cells become what is declared, so that nothing is left to coerce
        kept = None if want is None else want._replace(coerce=False)
        return Column(self._types[name], kept, plain=want is not None)

    def _keys(self) -> dict[Unique, Keys]:
        return {key: Keys(self._limits.keys) for key in self.plan.unique}

    def _exact(self) -> Counted | None:
        tally = _Tally(self.plan)
        keys = self._keys()
        last = None
        try:
            for batch in self._batches():
                frame = self._judge(batch, tally)
                for key, hashes in keys.items():
                    hashes.add(hashed(frame.select(key.columns)))
                tally.rows, last = tally.rows + batch.num_rows, batch
            if not tally.rows or self.unclosed(last):
                return None
            repeats = {key: found for key, held in keys.items() if (found := held.repeats())}
        finally:
            for held in keys.values():
                held.close()
        self._mixed(tally.counts)
        for key, found in repeats.items():
            if not key.all_reported or tally.empty & set(key.columns):
                return None  # nulls repeat, but are no cases to pandera
            tally.counts[key.key] = found.rows
            hashes_again = (hashed(self._typed(batch)[0].select(key.columns)) for batch in self._batches())
            tally.first[key.key] = list(_first_repeated(hashes_again, found))
        return Counted(tally.rows, tally.counts, *self._extract(tally.first))

    def _mixed(self, counts: Mapping[Key, int]) -> None:
        """Keys whose cells change their type as a whole when some of them are null or of another type."""
        for key in self.plan.unique:
            for name in key.columns:
                want = self._wanted.get(name)
                if want is not None and want.sort == "int" and want.coerce:
                    raise NotCompiledError("a key of coerced numbers")
                if Key(name, "null") in counts or Key(name, "type") in counts:
                    raise NotCompiledError("a key with cells that are none")

    def _judge(self, batch: Any, tally: _Tally) -> "pl.DataFrame":
        frame, wrong = self._typed(batch)
        for name, rows in wrong.items():
            tally.add(Key(name, "type"), len(rows), rows)
        numbers = _count(frame.lazy(), self.plan)[1:]
        tally.empty |= {name for name, nulls in zip(self.plan.columns, numbers, strict=False) if nulls}
        cast = frame.with_columns(self.plan.casts)
        for rule, failures in zip(self.plan.rules, numbers[len(self.plan.columns) :], strict=True):
            if not failures:
                continue
            fails = cast.select(rule.fails.fill_null(value=False)).to_series()
            if rule.doubt is not None and (fails & cast.select(rule.doubt).to_series()).any():
                raise NotCompiledError("a text that Python's regular expressions may see otherwise")
            bad = set(wrong.get(rule.key.column or "", ())) if rule.key.kind == "null" else set()
            rows = fails.arg_true().to_list() if tally.open(rule.key) else []
            tally.add(rule.key, failures - len(bad), [row for row in rows if row not in bad])
        return frame


class _Csv(_Batched):
    """One CSV under one schema."""

    def __init__(self, file: Path, form: Form, schema: Schema, limits: Limits) -> None:
        self._source: Source = batches.source(file, form, limits.block)
        super().__init__(file, self._source.header.names, schema, limits)
        self.failed = False
        """Whether some span failed, so that the others need not go on."""

    def _batches(self) -> Iterator[Any]:
        yield from batches.texts(self._source)

    def counted(self) -> Counted | None:
        """By Arrow's types when all cells have them, else by our own and with the rows that fail."""
        quick = self._quick()
        if quick is not None:
            return quick
        return None if self._whole else self._exact()

    def _quick(self) -> Counted | None:
        """Only ever a proof that nothing fails."""
        from concurrent.futures import ThreadPoolExecutor

        import pyarrow as pa

        readers = batches.values(self._source, self._wanted)
        if readers is None:
            return None
        keys = self._keys()
        proofs = [_Proof(self, reader, keys) for reader in readers]
        try:
            with ThreadPoolExecutor(len(proofs)) as pool:  # Arrow and Polars leave the interpreter to others
                held = all(pool.map(_Proof.holds, proofs)) and not any(k.repeats() for k in keys.values())
        except pa.ArrowInvalid:
            return None  # a cell of another type
        finally:
            for one in keys.values():
                one.close()
        rows = sum(proof.rows for proof in proofs)
        return Counted(rows, {}, *self._extract({})) if held and rows else None

    def holds(self, batch: Any, keys: Mapping[Unique, Keys]) -> bool:
        """Whether no row of a batch of values fails; its keys are noted."""
        import polars as pl

        frame = self._framed(pl.DataFrame(batch))
        numbers = _count(frame.lazy(), self.plan, self._not_numbers())
        if any(numbers[1 + len(self.plan.columns) :]):
            return False
        for key, hashes in keys.items():
            hashes.add(hashed(frame.select(key.columns)))
        return True

    def _not_numbers(self) -> "Iterator[pl.Expr]":
        """Arrow takes `NAN`, which is no number here."""
        import polars as pl

        for name in self.plan.columns:
            if self._types[name].is_float():
                yield pl.col(name).is_nan().sum().alias(f"nan {name}")

    def unclosed(self, batch: Any) -> bool:
        """Whether the last cell might be the rest of the file, behind a quote that never closes."""
        last = batch.column(batch.num_columns - 1)[-1].as_py() if batch is not None else None
        return self._source.quoted and isinstance(last, str) and "\n" in last

    def _framed(self, frame: "pl.DataFrame") -> "pl.DataFrame":
        """The columns of the plan by name, in the types that pandera will see."""
        import polars as pl

        places = {name: str(number) for number, name in enumerate(self._source.header.names)}
        return frame.select(
            pl.col(places[name]).cast(self._types[name]).alias(name) for name in self.plan.columns
        )

    def _typed(self, batch: Any) -> "tuple[pl.DataFrame, dict[str, list[int]]]":
        import polars as pl

        dialect = self._source.form.dialect
        columns, wrong = [], {}
        for number, name in enumerate(self._source.header.names):
            if name not in self.plan.columns:
                continue
            cells, want = batch.column(number), self._wanted.get(name)
            if want is not None and want.sort == "datetime":
                if dialect is not None and name in dialect.dates:
                    cells, wrong[name] = iso_times(cells, dialect.dates[name])
                cells = cells.cast("timestamp[ns]")  # ISO alone; other formats are told by the whole column
            elif want is not None and want.sort not in ("string", "category"):
                cells, wrong[name] = text_cells(cells, want, name, dialect)
            columns.append(pl.Series(name, cells).cast(self._types[name]))
        return pl.DataFrame(columns), {name: rows for name, rows in wrong.items() if rows}

    def _extract(self, first: Mapping[Key, Sequence[int]]) -> tuple[Table, tuple[int, ...]]:
        wanted = sorted({row for rows in first.values() for row in rows})
        taken, places, start = [], [], 0
        for batch in batches.texts(self._source):
            head = range(min(_HEAD, batch.num_rows)) if start == 0 else range(0)
            here = sorted({*head, *(row - start for row in wanted if start <= row < start + batch.num_rows)})
            if here:
                taken.append(batch.take(here))
                places += [start + row for row in here]
            start += batch.num_rows
            if not wanted or wanted[-1] < start:
                break
        return batches.csv_table(self._source, taken), tuple(places)


class _Objects(_Batched):
    """Values with types of their own: JSON lines, or a table of SQLite."""

    def __init__(self, file: Path, form: Form, schema: Schema, limits: Limits) -> None:
        self._file, self._form = file, form
        super().__init__(file, objects.names(file, form), schema, limits)
        self._size = objects.rows_at_once(limits.block, len(self._names))

    def counted(self) -> Counted | None:
        """By our own types; what fails in a small table is for pandera to say."""
        found = self._exact()
        return None if found is not None and found.counts and self._whole else found

    def _batches(self) -> Iterator[Any]:
        yield from objects.pieces(self._file, self._form, self._names, self._size)

    def _typed(self, batch: objects.Piece) -> "tuple[pl.DataFrame, dict[str, list[int]]]":
        import polars as pl

        columns, wrong = [], {}
        for name in self.plan.columns:
            values, want = batch.columns[name], self._wanted.get(name)
            if want is None:  # only its nulls count
                cells: Any = [None if null(value) else "" for value in values]
            elif want.sort in ("datetime", "category"):
                cells = texts_alone(values)
                if cells is None:
                    raise NotCompiledError("values that are no texts: pandas judges the column as a whole")
                cells = cells.cast("timestamp[ns]") if want.sort == "datetime" else cells
            else:
                cells, wrong[name] = object_cells(values, want)
            columns.append(pl.Series(name, cells).cast(self._types[name]))
        return pl.DataFrame(columns), {name: rows for name, rows in wrong.items() if rows}

    def _extract(self, first: Mapping[Key, Sequence[int]]) -> tuple[Table, tuple[int, ...]]:
        places = sorted({*range(_HEAD), *(row for rows in first.values() for row in rows)})
        found = objects.table(self._file, self._form, self._names, places, self._size)
        return found, tuple(places[: found.rows])


class _Proof:
    """That nothing fails in one span of a CSV."""

    def __init__(self, csv: _Csv, reader: Iterator[Any], keys: Mapping[Unique, Keys]) -> None:
        self._csv, self._reader, self._keys = csv, reader, keys
        self.rows = 0

    def holds(self) -> bool:
        """Reads until something fails, here or in another span."""
        try:
            held = self._held()
        except BaseException:
            self._csv.failed = True
            raise
        self._csv.failed |= not held
        return held

    def _held(self) -> bool:
        last = None
        for batch in self._reader:
            if self._csv.failed:
                return False
            if batch.num_rows:
                if not self._csv.holds(batch, self._keys):
                    return False
                self.rows, last = self.rows + batch.num_rows, batch
        return not self._csv.unclosed(last)


_TYPES: Mapping[str, str] = {
    **{f"int{bits}": f"Int{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"UInt{bits}" for bits in (8, 16, 32, 64)},
    "float32": "Float32", "float64": "Float64", "bool": "Boolean", "boolean": "Boolean",
}  # fmt: skip


def _type(want: Wanted | None) -> "pl.DataType":
    """What cells of a CSV become; what is not declared stays text here, because only its nulls count."""
    import polars as pl

    if want is None or want.sort == "category" or (want.sort == "string" and want.dtype != "object"):
        return pl.String()
    if want.sort == "datetime" and want.dtype == "datetime64[ns]":
        return pl.Datetime("ns")
    name = _TYPES.get(want.dtype.lower().removesuffix("[pyarrow]"))
    if name is None:
        raise NotCompiledError(f"cells as {want.dtype}")
    dtype: pl.DataType = getattr(pl, name)()
    return dtype


_Reader = Callable[[Path, Form, Schema, Limits], _Parquet | _Csv | _Objects]
_KINDS: dict[Kind, _Reader] = {
    "parquet": _Parquet, "arrow": _Arrow, "csv": _Csv, "tsv": _Csv, "jsonl": _Objects, "sqlite": _Objects,
}  # fmt: skip
