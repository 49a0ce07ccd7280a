"""One partition of a table: its findings, and hashes of its keys, so that keys that repeat across are found.

What a worker does with its partition, as plain functions of bytes: `examine` judges it without uniqueness and
hashes its keys, `split` takes the hashes of one range, `repeats` says what repeats in a range of all
partitions, `located` where the first of these rows are.
"""

import copy
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from git_mlops import __version__
from git_mlops.findings import Finding
from git_mlops.schema import batches, pandera, tables
from git_mlops.schema.load import Schema
from git_mlops.schema.partitions import hashed
from git_mlops.schema.streaming import Limits
from git_mlops.schema.tables import Table, Wanted
from git_mlops.schema.text import UnreadableError
from git_mlops.schema.validate import judged, plain
from git_mlops.tables.forms import Form, form_of

if TYPE_CHECKING:
    import polars as pl

EXAMPLES = pandera.EXAMPLES
_LIMITS = Limits()
_LENGTH = struct.Struct("<Q")


class Unique(NamedTuple):
    """What may not repeat in the whole table."""

    column: str | None
    """None: the columns of the table's own key."""
    columns: tuple[str, ...]
    report: str
    """Which of equal rows fail, as pandera's `report_duplicates` has it."""


class Key(NamedTuple):
    """What is known of one key in one partition."""

    column: str | None
    report: str
    family: str = ""
    """Of its values: those of two families cannot be compared."""
    nulls: int = 0
    """Nulls of a single column, which are no cases."""
    hashes: int = 0
    """How many follow."""
    problem: str = ""
    """Why there are none."""


class Head(NamedTuple):
    """What is said of a partition."""

    rows: int
    findings: list[Finding]
    keys: list[Key]
    probe: str
    """Machines that hash alike say the same here."""
    problem: str = ""
    """Why nothing is said of it."""


class UncomparableError(Exception):
    """Why the keys of a partition cannot be compared with those of another."""


def obstacle(schema: Schema) -> str | None:
    """Why a table in partitions cannot be judged by a schema: something in it is about all rows at once."""
    built: Any = schema.built
    if pandera.labelled(built):
        return "`index` is about the row labels of one file"
    checks = [*built.checks, *(check for column in built.columns.values() for check in column.checks)]
    if any(check.name == "unique_values_eq" for check in checks):
        return "`unique_values_eq` is about all values of a column at once"
    if not pandera.by_row(built):
        return "a check written in Python may be about all rows at once (with `element_wise=True` it is not)"
    return None


def examine(file: Path, name: str, schema: Schema, limits: Limits = _LIMITS) -> bytes:
    """Judge a partition by all but uniqueness; the answer is a `Head` and the hashes of each key."""
    found = judged(file, name, _alone(schema), limits)
    keys: list[Key] = []
    hashes: list[bytes] = []
    form = form_of(name)
    if found.rows and form is not None:
        for unique in _uniques(file, form, schema):
            key, values = _hashes(file, form, schema, unique)
            keys.append(key)
            hashes += values
    head = {
        "rows": found.rows,
        "findings": [finding.to_json() for finding in found.findings],
        "keys": keys,
        "probe": _probe(),
    }
    return _framed(head, *hashes)


def failed(problem: str) -> bytes:
    """The answer of a worker that could not look."""
    return _framed({"rows": 0, "findings": [], "keys": [], "probe": "", "problem": problem})


def _framed(head: Mapping[str, object], *rest: bytes) -> bytes:
    text = json.dumps(head, default=str).encode("utf-8", "surrogateescape")
    return b"".join((_LENGTH.pack(len(text)), text, *rest))


def _parted(answer: bytes) -> tuple[bytes, memoryview]:
    (length,) = _LENGTH.unpack_from(answer)
    return answer[_LENGTH.size : _LENGTH.size + length], memoryview(answer)[_LENGTH.size + length :]


def head_of(answer: bytes) -> bytes:
    """The part of an answer that travels to whoever asked."""
    return _parted(answer)[0]


def read_head(content: bytes) -> Head:
    """What `head_of` gives."""
    said = json.loads(content.decode("utf-8", "surrogateescape"))
    findings = [Finding(**finding) for finding in said["findings"]]
    keys = [Key(*key) for key in said["keys"]]
    return Head(said["rows"], findings, keys, said["probe"], said.get("problem", ""))


def _probe() -> str:
    import polars as pl

    frame = pl.DataFrame({"a": [1, None, -7], "b": ["x", "é", None], "c": [0.5, None, 2.0]})
    numbers = [*hashed(frame), *(value for name in frame.columns for value in hashed(frame.select(name)))]
    return f"git-mlops {__version__}, {sum(numbers) % 2**64:x}"


def _alone(schema: Schema) -> Schema:
    """The same without what is about several partitions."""
    built: Any = copy.deepcopy(schema.built)
    for column in built.columns.values():
        column.unique = False
    built.unique = None
    return schema._replace(built=built)


def _uniques(file: Path, form: Form, schema: Schema) -> Iterator[Unique]:
    """What the schema declares, of the columns that the partition has; what lacks is said elsewhere."""
    built: Any = schema.built
    if not built.unique and not any(column.unique for column in built.columns.values()):
        return
    names = _names(file, form)
    for pattern, column in built.columns.items():
        if column.unique:
            for name in names if column.regex else [n for n in names if n == pattern]:
                if not column.regex or name in column.get_regex_columns_names(names):
                    yield Unique(name, (name,), column.report_duplicates)
    if built.unique:
        columns = (built.unique,) if isinstance(built.unique, str) else tuple(built.unique)
        yield Unique(None, columns, built.report_duplicates)


def _names(file: Path, form: Form) -> list[str]:
    if form.kind == "parquet":
        return list(batches.labels(file).names)
    return list(tables.header(file, form).names if _plain(form) else tables.read(file, form).cells)


def _plain(form: Form) -> bool:
    """Whether it is a CSV that can be read in pieces."""
    return form.kind in ("csv", "tsv") and getattr(form, "dialect", None) is None


def _hashes(file: Path, form: Form, schema: Schema, unique: Unique) -> tuple[Key, list[bytes]]:
    key = Key(unique.column, unique.report)
    found: list[bytes] = []
    count = nulls = 0
    try:
        for block in _blocks(file, form, schema, unique):
            kept = block.cases()
            nulls += block.nulls()
            count += len(kept)
            found.append(hashed(kept).to_numpy().tobytes())
            key = key._replace(family=block.family)
    except UncomparableError as error:
        return key._replace(problem=str(error)), []
    return key._replace(hashes=count, nulls=nulls), found


class _Block(NamedTuple):
    """Some rows of a key, in their order."""

    frame: "pl.DataFrame"
    """Its columns, each in the one type of its family."""
    wrong: frozenset[int]
    """Rows of a single column whose cells are of another type; they are null in `frame`."""
    family: str

    def cases(self) -> "pl.DataFrame":
        """Rows that can repeat: nulls of a single column are no cases to pandera, those of several are."""
        return self.frame.drop_nulls() if self.frame.width == 1 else self.frame

    def nulls(self) -> int:
        return self.frame.null_count().row(0)[0] - len(self.wrong) if self.frame.width == 1 else 0


def _blocks(file: Path, form: Form, schema: Schema, unique: Unique) -> Iterator[_Block]:
    import polars as pl
    import pyarrow as pa

    names = _names(file, form)
    missing = [name for name in unique.columns if name not in names]
    if missing:
        raise UncomparableError(f"it has no column `{missing[0]}`")
    wanted = pandera.wanted(schema.built, schema.document, names)
    try:
        if form.kind == "parquet" and not _recast(file, unique, wanted):
            yield from (_block(frame, {}, unique, wanted) for frame in _of_parquet(file, unique))
        elif _plain(form):
            _declared(unique, wanted)
            source = batches.source(file, form, _LIMITS.block)
            yield from (_of_texts(batch, source, unique, wanted) for batch in batches.texts(source))
        else:
            yield _of_whole(file, form, unique, wanted)
    except (pa.ArrowException, pl.exceptions.PolarsError, UnreadableError, OSError, ValueError) as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UncomparableError(f"its keys cannot be read: {said}") from error


def _declared(unique: Unique, wanted: Mapping[str, Wanted]) -> None:
    loose = [name for name in unique.columns if name not in wanted]
    if loose:
        raise UncomparableError(f"`{loose[0]}` has no `dtype`, so that text tells nothing of its values")


def _of_parquet(file: Path, unique: Unique) -> "Iterator[pl.DataFrame]":
    import polars as pl

    frame = pl.scan_parquet(file, glob=False, hive_partitioning=False).select(unique.columns)
    yield from frame.collect_batches(engine="streaming")


def _recast(file: Path, unique: Unique, wanted: Mapping[str, Wanted]) -> bool:
    """Whether a column of a Parquet file becomes something of another sort, which pandas does."""
    import polars as pl

    found = pl.scan_parquet(file, glob=False, hive_partitioning=False).collect_schema()
    for name in unique.columns:
        want = wanted.get(name)
        if want is None or not want.coerce:
            continue
        same = {"int": found[name].is_integer(), "float": found[name].is_numeric(),
                "string": found[name] == pl.String, "bool": found[name] == pl.Boolean,
                "datetime": found[name].is_temporal()}  # fmt: skip
        if not same.get(want.sort, want.sort == "category"):
            return True
    return False


def _of_texts(batch: Any, source: batches.Source, unique: Unique, wanted: Mapping[str, Wanted]) -> _Block:
    import polars as pl

    columns, wrong = [], {}
    for name in unique.columns:
        cells, want = batch.column(source.header.names.index(name)), wanted[name]
        if want.sort not in ("string", "category"):
            import pyarrow as pa

            cells, wrong[name] = tables.text_cells(pa.chunked_array([cells]), want)
        columns.append(pl.Series(name, cells))
    return _block(pl.DataFrame(columns), wrong, unique, wanted)


def _of_whole(file: Path, form: Form, unique: Unique, wanted: Mapping[str, Wanted]) -> _Block:
    import polars as pl
    import pyarrow as pa

    typed = tables.typed(tables.read(file, form), wanted)
    columns = [pl.Series(name, pa.array(typed.frame[name], from_pandas=True)) for name in unique.columns]
    return _block(pl.DataFrame(columns), typed.bad, unique, wanted)


def _block(
    frame: "pl.DataFrame", wrong: Mapping[str, Sequence[int]], unique: Unique, wanted: Mapping[str, Wanted]
) -> _Block:
    pairs = [_family(name, frame.schema[name], wanted.get(name)) for name in unique.columns]
    bad = frozenset(wrong.get(unique.column, ())) if unique.column is not None else frozenset[int]()
    return _Block(frame.select(cast for cast, _ in pairs), bad, ", ".join(family for _, family in pairs))


def _family(name: str, dtype: "pl.DataType", want: Wanted | None) -> "tuple[pl.Expr, str]":
    """A column in a type in which equal values have equal hashes, and the name of that type."""
    import polars as pl

    cell = pl.col(name)
    if want is not None and want.sort == "float" and dtype.is_numeric():
        return _fraction(cell), "float"
    if dtype.is_integer():  # of any width: the hashes are the same
        return cell, "int"
    if dtype.is_float():
        return _fraction(cell), "float"
    if dtype == pl.Boolean:
        return cell, "bool"
    if dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum):
        return cell.cast(pl.String), "text"
    if isinstance(dtype, pl.Datetime | pl.Date):
        unit: Any = "ns" if "ns" in f"{want.dtype if want else dtype}" else "us"
        zone = "UTC" if isinstance(dtype, pl.Datetime) and dtype.time_zone else None
        return cell.cast(pl.Datetime(unit, zone)).dt.epoch(unit), f"time in {unit}{zone or ''}"
    if dtype == pl.Null:
        return cell.cast(pl.Int64), ""
    raise UncomparableError(f"`{name}` is {dtype}")


def _fraction(cell: "pl.Expr") -> "pl.Expr":
    import polars as pl

    number = cell.cast(pl.Float64).fill_nan(None)
    return pl.when(number == 0).then(pl.lit(0.0)).otherwise(number).alias(cell.meta.output_name())  # -0 is 0


def split(answer: bytes, spec: bytes) -> bytes:
    """The hashes of one key that fall into one range, in the order of their rows."""
    import numpy as np

    column, number, many = json.loads(spec)
    head, rest = _parted(answer)
    start = 0
    for key in read_head(head).keys:
        if key.column == column:
            values = np.frombuffer(rest, dtype=np.uint64, count=key.hashes, offset=8 * start)
            if many == 1:
                return values.tobytes()
            places = ((values >> np.uint64(32)) * np.uint64(many)) >> np.uint64(32)
            return bytes(values[places == number].tobytes())
        start += key.hashes
    return b""


def repeats(spec: bytes, parts: Sequence[bytes]) -> bytes:
    """What repeats in a range: how many rows fail, and where the first of them are.

    A place is [partition, hash, how many of that hash come before in the partition].
    """
    import numpy as np

    arrays = [np.frombuffer(part, dtype=np.uint64) for part in parts]
    hashes = np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.uint64)
    ordered = np.sort(hashes)
    if not (ordered[1:] == ordered[:-1]).any():
        return json.dumps({"rows": 0, "first": []}).encode()
    order = np.argsort(hashes, kind="stable")
    same = ordered[1:] == ordered[:-1]
    fails = np.zeros(len(hashes), dtype=bool)
    report = json.loads(spec)
    if report != "exclude_first":
        fails[order[:-1][same]] = True
    if report != "exclude_last":
        fails[order[1:][same]] = True
    starts = np.cumsum([0, *(len(array) for array in arrays)])
    first = []
    for place in np.flatnonzero(fails)[:EXAMPLES]:
        part = int(np.searchsorted(starts, place, side="right")) - 1
        before = hashes[starts[part] : place] == hashes[place]
        first.append([part, int(hashes[place]), int(before.sum())])
    return json.dumps({"rows": int(fails.sum()), "first": first}).encode()


def located(file: Path, name: str, schema: Schema, spec: bytes) -> bytes:
    """The rows of places in a partition: for each its example, its number and its key.

    Args:
        spec: JSON: the column (None: the table's key), and pairs of hash and how many come before.
    """
    column, wanted = json.loads(spec)
    form = form_of(name)
    assert form is not None  # it had hashes
    unique = next(one for one in _uniques(file, form, schema) if one.column == column)
    rows = _rows(file, form, schema, unique, {(value, nth) for value, nth in wanted})
    table, places = _picked(file, form, sorted(row for row, _key in rows.values()))
    lines = tables.lines(table._replace(rows=max(places) + 1), places)
    found = []
    for (value, nth), (row, key) in rows.items():
        at: dict[str, object] = {"line": lines[row]} if row in lines else {"row": row + 1}
        if column is not None:
            at["value"] = plain(table.value(column, places[row]))
        found.append({"hash": value, "nth": nth, "row": row, "key": key, "example": at})
    return json.dumps(found).encode()


def _rows(
    file: Path, form: Form, schema: Schema, unique: Unique, wanted: set[tuple[int, int]]
) -> dict[tuple[int, int], tuple[int, str]]:
    """(hash, how many before) → its row, and its key as text."""
    import polars as pl

    found: dict[tuple[int, int], tuple[int, str]] = {}
    seen: dict[int, int] = {}
    values = pl.Series([value for value, _nth in wanted], dtype=pl.UInt64)
    start = 0
    for block in _blocks(file, form, schema, unique):
        marked = block.frame.with_columns(hashed(block.frame).alias("\0hash")).with_row_index("\0row")
        cases = marked.drop_nulls() if block.frame.width == 1 else marked
        for row in cases.filter(pl.col("\0hash").is_in(values.implode())).iter_rows():
            number, *cells, value = row
            place = (value, seen.get(value, 0))
            seen[value] = place[1] + 1
            if place in wanted:
                found[place] = (start + number, repr(cells))
        if len(found) == len(wanted):
            break
        start += block.frame.height
    return found


def _picked(file: Path, form: Form, rows: Sequence[int]) -> tuple[Table, dict[int, int]]:
    """Some rows of a file, and where each is in what is given."""
    if form.kind == "parquet":
        return batches.parquet_table(file, form, rows), {row: at for at, row in enumerate(rows)}
    if not _plain(form):
        return tables.read(file, form), {row: row for row in rows}
    source = batches.source(file, form, _LIMITS.block)
    taken, start = [], 0
    for batch in batches.texts(source):
        taken.append(batch.take([row - start for row in rows if start <= row < start + batch.num_rows]))
        start += batch.num_rows
        if rows[-1] < start:
            break
    return batches.csv_table(source, taken), {row: at for at, row in enumerate(rows)}
