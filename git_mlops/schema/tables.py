"""Tables read so that validation means something; the one file that imports pandas and pyarrow.

CSV has no types, so its cells are read as text and each is then read as what the schema declares: the
failing cells are known, leading zeros stay, and nothing is guessed from the first rows. What counts as null
is what `pandas.read_csv` counts as null. Parquet, JSON lines and databases bring types of their own.
"""

import csv
import warnings
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from git_mlops.schema.text import (
    UnreadableError,
    first_line,
    lines_of_csv,
    not_utf8,
    open_,
    read_objects,
    records,
    repeated,
    unclosed,
    why_no_csv,
)
from git_mlops.tables import databases
from git_mlops.tables.databases import DatabaseError
from git_mlops.tables.dialects import iso_cells, pointed_cells
from git_mlops.tables.forms import Form
from git_mlops.tables.nulls import NULLS
from git_mlops.tables.opened import LARGEST_ROW, arrow_batches, arrow_schema, parse_options, stream, unnamed
from git_mlops.tables.settings import Dialect

if TYPE_CHECKING:
    import pandas as pd

Sort = Literal["int", "float", "bool", "string", "datetime", "timedelta", "category", "other"]

_GLANCE = 1000
"""Rows that are looked at before all of them are."""
_BLOCK = 16 * 1024 * 1024


class Wanted(NamedTuple):
    """What the schema declares of one column."""

    sort: Sort
    dtype: str
    """pandas' name; `str` may be `string[pyarrow]` here."""
    coerce: bool
    declared: str = ""
    """As the schema has it, for messages."""


class Table(NamedTuple):
    """A file as it was read, before any type is applied."""

    path: Path
    form: Form
    rows: int
    repeated: tuple[str, ...]
    """Column names that stand more than once; the first of each is kept."""
    cells: Mapping[str, Any]
    """Column → Arrow array, or list for JSON lines and databases, in the file's order."""
    whole: Any = None
    """Parquet and Arrow: the Arrow table, with pandas' own metadata."""
    line_numbers: tuple[int, ...] | Mapping[int, int] = ()
    """JSON lines: the line of each row."""

    def value(self, column: str, row: int) -> object:
        """One cell as the file has it: the text of a CSV, the typed value otherwise."""
        cell = self.cells[column][row]
        try:
            return cell.as_py() if hasattr(cell, "as_py") else cell
        except (OverflowError, ValueError):  # a time that Python has no word for
            return f"{cell.value} {cell.type}"


class Typed(NamedTuple):
    """A table with the declared types applied."""

    frame: "pd.DataFrame"
    bad: dict[str, list[int]]
    """Column → rows whose cells are not of the declared type; they are null in `frame`."""


def read(path: Path, form: Form) -> Table:
    """Read a file.

    Raises:
        UnreadableError: it is not what its name says: empty, ragged, truncated, not UTF-8.
        OSError: the file itself cannot be read.
    """
    import pyarrow as pa

    if path.stat().st_size == 0:
        raise UnreadableError("it is empty, without even a header")
    try:
        if form.kind == "parquet":
            return _read_parquet(path, form)
        if form.kind == "arrow":
            return _read_arrow(path, form)
        if form.kind == "sqlite":
            return _read_database(path, form)
        return _read_objects(path, form) if form.kind == "jsonl" else _read_csv(path, form)
    except UnicodeError as error:
        raise not_utf8(path, form) from error
    except DatabaseError as error:
        raise UnreadableError(str(error)) from error
    except (EOFError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the file, not what is in it
        what = f"its {form.compression} data is broken: " if form.packed else ""
        raise UnreadableError(f"{what}{first_line(error)}") from error
    except (pa.ArrowException, OverflowError) as error:
        raise UnreadableError(first_line(error)) from error


class Header(NamedTuple):
    """The first record of a CSV."""

    names: tuple[str, ...]
    simple: bool
    """Whether it is the first line, and that alone."""


def header(path: Path, form: Form) -> Header:
    """The names of a CSV's columns.

    Raises:
        UnreadableError: there are none, or it is no CSV as we know it.
    """
    with open_(path, form) as file:
        if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            raise UnreadableError("it is UTF-16; save it as UTF-8, or declare it (`forms` in mlops.yaml)", 1)
    try:
        first = next(records(path, form), None)
    except csv.Error as error:
        raise UnreadableError(str(error)) from error
    if first is None:
        raise UnreadableError("it is empty, without even a header")
    if not form.header:
        return Header(_unnamed(form, len(first[1])), simple=False)
    # a nameless column is what `to_csv` makes of row labels; this is the name that `read_csv` gives it
    names = tuple(name or f"Unnamed: {number}" for number, name in enumerate(first[1]))
    if len(names) == 1 and names[0].count(";") > 0 and form.delimiter == ",":
        message = "its columns are separated by `;`, not by commas; declare it (`forms` in mlops.yaml)"
        raise UnreadableError(message, 1)
    return Header(names, first[0] == 1 and not any("\n" in name or "\r" in name for name in names))


def _unnamed(form: Form, width: int) -> tuple[str, ...]:
    names = unnamed(form, width)
    if len(names) > width:
        raise UnreadableError(f"it has {width} columns, and {len(names)} are declared")
    return tuple(names)


def _read_csv(path: Path, form: Form) -> Table:
    import pyarrow as pa

    names = header(path, form).names
    try:
        table = _arrow_csv(path, form, names, _BLOCK)
    except pa.ArrowInvalid as error:
        if "straddling" in str(error):
            table = _arrow_csv(path, form, names, LARGEST_ROW)
        else:
            raise why_no_csv(path, form, len(names), error) from error
    last = table.column(len(names) - 1)[-1].as_py() if table.num_rows else None
    if last is not None and "\n" in last and unclosed(path, form):
        raise UnreadableError("a quote is opened and never closed")
    return Table(path, form, table.num_rows, repeated(names), by_name(table, names))


def by_name(table: Any, names: Sequence[str]) -> dict[str, Any]:
    """The columns of an Arrow table; of those with the same name the first."""
    cells: dict[str, Any] = {}
    for number, name in enumerate(names):
        cells.setdefault(name, table.column(number))
    return cells


def _arrow_csv(path: Path, form: Form, names: Sequence[str], block: int) -> Any:
    import pyarrow as pa
    from pyarrow import csv as arrow

    # columns are named by position, because a header may say the same name twice
    places = [str(number) for number in range(len(names))]
    with stream(path, form) as source:
        return arrow.read_csv(
            source,
            read_options=arrow.ReadOptions(block_size=block, column_names=places),
            parse_options=parse_options(form, quoted=True),
            convert_options=convert_options(dict.fromkeys(places, pa.string()), form.dialect),
        ).slice(int(form.header))


def convert_options(types: Mapping[str, Any], dialect: Dialect | None = None, *, digits: bool = False) -> Any:
    """What Arrow makes of the cells of a CSV; with `digits`, 0 and 1 are truths."""
    from pyarrow import csv as arrow

    true, false = ["true", "True", "TRUE"], ["false", "False", "FALSE"]
    return arrow.ConvertOptions(
        column_types=types,
        null_values=[*NULLS, *(dialect.nulls if dialect else ())],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        true_values=[*true, "1"] if digits else true,
        false_values=[*false, "0"] if digits else false,
    )


def text_cells(
    cells: Any, want: Wanted, name: str = "", dialect: Dialect | None = None
) -> tuple[Any, list[int]]:
    """Text as what it is declared to be (an Arrow array), and the rows that are something else."""
    import pyarrow as pa

    column, wrong = _written_column(cells, want, name, dialect)
    return pa.array(column, from_pandas=True), wrong


def iso_times(cells: Any, text: str) -> tuple[Any, list[int]]:
    """Times in a declared format, as ISO 8601, and the rows that are in another."""
    import pyarrow.compute as pc

    times = iso_cells(cells, text)
    return times, _rows(pc.and_(pc.is_valid(cells), pc.is_null(times)))


def object_cells(values: Sequence[object], want: Wanted) -> tuple[Any, list[int]]:
    """The same of values that have types of their own."""
    import pyarrow as pa

    if (quick := _alike(values, want)) is not None:
        return quick, []
    column, wrong = _json_column(values, want)
    return pa.array(column, from_pandas=True), wrong


_NONE = type(None)
_ALIKE: dict[str, tuple[set[type], str]] = {
    "str": ({str, _NONE}, "string"),
    "int64": ({int, _NONE}, "int64"),
    "float64": ({float, int, _NONE}, "float64"),
    "bool": ({bool, _NONE}, "bool"),
}


def _alike(values: Sequence[object], want: Wanted) -> Any:
    """The same, quicker, where all values are of the declared type itself; else None."""
    import pyarrow as pa

    kinds, arrow = _ALIKE.get(want.dtype.lower(), (set[type](), ""))
    if not arrow or not kinds >= set(map(type, values)):
        return None
    try:
        return pa.array(values, pa.type_for_alias(arrow), from_pandas=True)
    except (OverflowError, pa.ArrowInvalid):  # a number that is too large for 64 bits, or for a float
        return None


def _read_objects(path: Path, form: Form) -> Table:
    columns, numbers = read_objects(path, form)
    if not numbers:
        raise UnreadableError("it is empty")
    return Table(path, form, len(numbers), (), columns, line_numbers=numbers)


def _read_database(path: Path, form: Form) -> Table:
    names = databases.columns(path, form.table).names
    cells: dict[str, list[object]] = {name: [] for name in names}
    for row in databases.rows(path, form.table):
        for column, cell in zip(cells.values(), row, strict=True):
            column.append(cell)
    return Table(path, form, len(cells[names[0]]), (), cells)


def _read_parquet(path: Path, form: Form) -> Table:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        # not read_table: it would take parts of the path (`year=2024/`) for columns
        with parquet.ParquetFile(path) as file:
            table = file.read()
    except (pa.ArrowException, OSError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UnreadableError(first_line(error)) from error
    return _own(path, form, table)


def _read_arrow(path: Path, form: Form) -> Table:
    import pyarrow as pa

    return _own(path, form, pa.Table.from_batches(arrow_batches(path), arrow_schema(path)))


def _own(path: Path, form: Form, table: Any) -> Table:
    """A table with types of its own."""
    names = table.column_names
    return Table(path, form, table.num_rows, repeated(names), by_name(table, names), table)


def typed(table: Table, wanted: Mapping[str, Wanted], *, index: bool = False) -> Typed:
    """Apply the declared types; a column that is not in `wanted` gets the type that its cells have.

    Args:
        table: what was read.
        wanted: declared columns.
        index: keep the row labels that a Parquet file written by pandas carries.
    """
    import pandas as pd

    bad: dict[str, list[int]] = {}
    whole = _parquet_frame(table, index=index) if table.whole is not None else None
    names = list(table.cells) if whole is None else [str(name) for name in whole.columns]
    columns: dict[str, Any] = {}
    for name in names:
        want = wanted.get(name)
        if table.form.kind in ("jsonl", "sqlite"):
            column, wrong = _json_column(table.cells[name], want)
        elif whole is None:
            column, wrong = _written_column(table.cells[name], want, name, table.form.dialect)
        else:
            column, wrong = _typed_column(table.cells.get(name), whole[name], want)
        columns[name] = column
        if wrong:
            bad[name] = wrong
    labels = pd.RangeIndex(table.rows) if whole is None else whole.index
    return Typed(pd.DataFrame(columns, index=labels), bad)


def _parquet_frame(table: Table, *, index: bool) -> Any:
    frame = table.whole.to_pandas()
    frame.columns = [str(name) for name in frame.columns]
    frame = frame.loc[:, ~frame.columns.duplicated()]
    return frame if index else frame.reset_index(drop=True)


# -- text: one cell, one value ------------------------------------------------------------------------------

_INT = r"^[+-]?[0-9]+$"
_FLOAT = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^[+-]?[iI][nN][fF]([iI][nN][iI][tT][yY])?$"
_BOOL = r"^(true|True|TRUE|false|False|FALSE)$"
_BOOL_COERCED = r"^(true|True|TRUE|false|False|FALSE|0|1)$"


def _written_column(
    cells: Any, want: Wanted | None, name: str, dialect: Dialect | None
) -> tuple[Any, list[int]]:
    """Text as it is declared to be written."""
    import pandas as pd

    if dialect is None:
        return _text_column(cells, want)
    if name in dialect.dates and (want is None or want.sort == "datetime"):
        times, lost = iso_times(cells, dialect.dates[name])
        if want is None:
            return (cells.to_pandas() if lost else _text_times(times, _TIME)[0]), []
        column, wrong = _text_times(times, want)
        return column, sorted({*lost, *wrong})
    if dialect.decimal == "," and (want is None or want.sort in ("int", "float")):
        pointed, dotted = pointed_cells(cells)
        column, wrong = _text_column(pointed, want)
        lost = _rows(dotted)
        if want is None and (lost or not pd.api.types.is_numeric_dtype(column)):
            return (cells.to_pandas() if lost else _guessed(cells)), []
        return column, sorted({*lost, *wrong})
    return _text_column(cells, want)


_TIME = Wanted("datetime", "datetime64[ns]", coerce=True)


def _text_column(cells: Any, want: Wanted | None) -> tuple[Any, list[int]]:
    if want is None:
        return _guessed(cells), []
    match want.sort:
        case "int":
            return _text_ints(cells, want)
        case "float":
            return _text_floats(cells, want)
        case "bool":
            return _text_bools(cells, want)
        case "datetime" | "timedelta":
            return _text_times(cells, want)
        case "string":
            series = cells.to_pandas()
            return series if "str" in (want.dtype, want.declared) else series.astype(want.dtype), []
    series = cells.to_pandas()
    return series.astype(want.dtype if want.dtype in ("object", "category") else series.dtype), []


def _guessed(cells: Any) -> Any:
    """The type that `pandas.read_csv` would give, decided on every cell; integers with nulls stay whole."""
    if cells.null_count == len(cells):
        return cells.to_pandas().astype("float64")
    names = ("Int64", "boolean") if cells.null_count else ("int64", "bool")
    for sort, dtype in (("int", names[0]), ("float", "float64"), ("bool", names[1])):
        want = Wanted(sort, dtype, coerce=False)  # type: ignore[arg-type]  # literals
        if _text_column(cells.slice(0, _GLANCE), want)[1]:
            continue  # most columns are told by their first rows
        column, wrong = _text_column(cells, want)
        if not wrong:
            return column
    return cells.to_pandas()


def _rows(mask: Any) -> list[int]:
    import numpy as np

    return [int(row) for row in np.flatnonzero(mask.to_numpy(zero_copy_only=False))]


def _misfits(cells: Any, pattern: str) -> tuple[Any, list[int]]:
    """Trimmed cells with those that do not match made null, and the rows of these."""
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(cells)
    fits = pc.match_substring_regex(trimmed, pattern=pattern)
    wrong = _rows(pc.fill_null(pc.invert(fits), fill_value=False))
    if wrong:
        trimmed = pc.if_else(fits, trimmed, None)
    return trimmed, wrong


def _text_ints(cells: Any, want: Wanted) -> tuple[Any, list[int]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    fitting, wrong = _misfits(cells, _INT)
    if wrong and want.coerce:  # `2.0` is 2 for a schema that coerces, `2.5` is not
        return _coerced_ints(cells, want)
    unsigned = want.dtype.lower().startswith("u")
    try:
        plain = pc.replace_substring_regex(fitting, pattern=r"^\+", replacement="")
        numbers = pc.cast(plain, pa.uint64() if unsigned else pa.int64())
        column = _ints_to_pandas(numbers, "uint64" if unsigned else "int64")
    except pa.ArrowInvalid:
        column, beyond = _huge_ints(fitting, unsigned=unsigned)
        wrong = sorted({*wrong, *beyond})
    return _narrowed(column, want, wrong)


def _ints_to_pandas(numbers: Any, name: str) -> Any:
    import pandas as pd

    if numbers.null_count == 0:
        return numbers.to_pandas()
    nullable = name.replace("uint", "UInt").replace("int", "Int")
    mask = numbers.is_null().to_numpy()
    values = numbers.fill_null(0).to_numpy()
    kind = pd.arrays.IntegerArray(values, mask)
    return pd.Series(kind, dtype=nullable)


def _huge_ints(cells: Any, *, unsigned: bool) -> tuple[Any, list[int]]:
    """Numbers beyond 64 bits: each cell by itself, which is slow and seldom."""
    import pandas as pd

    low, high = (0, 2**64 - 1) if unsigned else (-(2**63), 2**63 - 1)
    values = [None if cell is None or len(cell) > 30 else int(cell) for cell in cells.to_pylist()]
    fits = [value if value is not None and low <= value <= high else None for value in values]
    wrong = [row for row, cell in enumerate(cells.to_pylist()) if cell is not None and fits[row] is None]
    return pd.Series(pd.array(fits, dtype="UInt64" if unsigned else "Int64")), wrong


def _coerced_ints(cells: Any, want: Wanted) -> tuple[Any, list[int]]:
    column, wrong = _text_floats(cells, Wanted("float", "float64", coerce=True))
    values = column.astype("float64")
    broken = values.notna() & ((values % 1 != 0) | (values.abs() >= 2**63))
    wrong = sorted({*wrong, *_rows(_arrow_mask(broken))})
    whole = values.mask(broken).astype("Int64")
    return _narrowed(whole if whole.isna().any() else whole.astype("int64"), want, wrong)


def _arrow_mask(mask: Any) -> Any:
    import pyarrow as pa

    return pa.array(mask.to_numpy(dtype=bool))


def _narrowed(column: Any, want: Wanted, wrong: list[int]) -> tuple[Any, list[int]]:
    """In the declared width, if all values fit it; a type without nulls becomes what pandas makes of it."""
    import numpy as np

    bits = want.dtype.lower().removesuffix("[pyarrow]")
    limits = np.iinfo(bits)
    outside = (column < int(limits.min)) | (column > int(limits.max))
    outside = outside.fillna(value=False).astype(bool)
    if outside.any():
        wrong = sorted({*wrong, *np.flatnonzero(outside.to_numpy()).tolist()})
        column = column.astype("Int64").mask(outside)
    nulls = column.isna().any()
    if nulls and want.dtype == bits:
        return column.astype("float64"), wrong
    return column.astype(want.dtype), wrong


def _text_floats(cells: Any, want: Wanted) -> tuple[Any, list[int]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    fitting, wrong = _misfits(cells, _FLOAT)
    plain = pc.replace_substring_regex(fitting, pattern=r"^\+", replacement="")
    column = pc.cast(plain, pa.float64()).to_pandas()
    return column.astype(want.dtype), wrong


def _text_bools(cells: Any, want: Wanted) -> tuple[Any, list[int]]:
    import pyarrow.compute as pc

    fitting, wrong = _misfits(cells, _BOOL_COERCED if want.coerce else _BOOL)
    truth = pc.match_substring_regex(fitting, pattern="^([tT]|1)")
    if truth.null_count == 0:
        return truth.to_pandas().astype(want.dtype), wrong
    return _truths(truth.to_pandas().astype("boolean"), want), wrong


def _truths(column: Any, want: Wanted) -> Any:
    """With nulls: nullable where a schema coerces, because coercing an object column makes null true."""
    if want.dtype != "bool":
        return column.astype(want.dtype)
    return column if want.coerce else column.astype(object).where(column.notna(), None)


def _text_times(cells: Any, want: Wanted) -> tuple[Any, list[int]]:
    text = cells.to_pandas().astype(object)
    try:
        column = _times(text, want)
        return column.astype(want.dtype), _rows(_arrow_mask(column.isna() & text.notna()))
    except (TypeError, ValueError):  # times with a zone where none is declared, or mixed ones
        return text, [int(row) for row in range(len(text)) if text.iloc[row] is not None]


def _times(text: Any, want: Wanted) -> Any:
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a format that pandas cannot infer shows as failing cells
        if want.sort == "timedelta":
            return pd.to_timedelta(text, errors="coerce")
        zoned = "," in want.dtype
        column = pd.to_datetime(text, errors="coerce", format="ISO8601", utc=zoned)
        if (column.isna() & text.notna()).all() and text.notna().any():
            column = pd.to_datetime(text, errors="coerce", utc=zoned)
    return column


# -- JSON and Parquet: values have types of their own -------------------------------------------------------


def _json_column(values: Sequence[object], want: Wanted | None) -> tuple[Any, list[int]]:
    import pandas as pd
    import pyarrow as pa

    if want is None:
        return _json_guessed(values), []
    if want.sort in ("datetime", "timedelta", "category") and (texts := texts_alone(values)) is not None:
        return _text_column(pa.chunked_array([texts]), want)
    if want.sort in ("int", "float", "bool", "string"):
        fits = [value if _is(value, want) else None for value in values]
        wrong = [row for row, value in enumerate(values) if not null(value) and fits[row] is None]
        return _json_typed(fits, want, wrong)
    return pd.Series(list(values), dtype=object), []


def texts_alone(values: Sequence[object]) -> Any:
    """An Arrow array of values that are texts or none; None where another one is among them."""
    import pyarrow as pa

    fit = {str, _NONE} >= set(map(type, values))
    return pa.array(values, pa.string()) if fit else None


def null(value: object) -> bool:
    """Whether a value of JSON or of a database is none."""
    return value is None or value != value  # noqa: PLR0124  # NaN, which JSON has no word for but Python writes


def _is(value: object, want: Wanted) -> bool:
    """Whether a JSON value is of the sort; a schema that coerces also takes 2.0 for an integer."""
    if want.sort == "string":
        return isinstance(value, str)
    if isinstance(value, bool) or want.sort == "bool":
        return isinstance(value, bool) and want.sort == "bool"
    if want.sort == "float":
        return isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**1000)
    return isinstance(value, int) or (want.coerce and isinstance(value, float) and value.is_integer())


def _json_typed(fits: list[Any], want: Wanted, wrong: list[int]) -> tuple[Any, list[int]]:
    import pandas as pd
    import pyarrow as pa

    if want.sort == "int":
        low, high = (0, 2**64) if want.dtype.lower().startswith("u") else (-(2**63), 2**63)
        beyond = [row for row, value in enumerate(fits) if value is not None and not low <= value < high]
        for row in beyond:
            fits[row] = None
        column = pd.Series(pd.array(fits, dtype="UInt64" if low == 0 else "Int64"))
        return _narrowed(column, want, sorted({*wrong, *beyond}))
    if want.sort == "float":
        floats: Any = pd.Series(fits, dtype="float64")
        return floats.astype(want.dtype), wrong
    if want.sort == "bool":
        if None not in fits:
            truths: Any = pd.Series(fits, dtype=bool)
            return truths.astype(want.dtype), wrong
        return _truths(pd.Series(fits, dtype="boolean"), want), wrong
    text = pa.chunked_array([pa.array(fits, pa.string())])
    return _text_column(text, want)[0], wrong


def _json_guessed(values: Sequence[object]) -> Any:
    import pandas as pd

    present = [value for value in values if not null(value)]
    names = ("Int64", "boolean") if len(present) < len(values) else ("int64", "bool")
    for sort, dtype in (("bool", names[1]), ("int", names[0]), ("float", "float64"), ("string", "str")):
        want = Wanted(sort, dtype, coerce=False)  # type: ignore[arg-type]  # literals
        if present and all(_is(value, want) for value in present):
            column, wrong = _json_column(values, want)
            if not wrong:  # whole numbers beyond 64 bits are floats, as in a CSV
                return column
    return pd.Series(list(values), dtype=object if present else "float64")


def _typed_column(cells: Any, column: Any, want: Wanted | None) -> tuple[Any, list[int]]:
    """A column of Parquet. Its own type counts; only what pandas would lose on the way is handled."""
    import pyarrow as pa

    if cells is None:
        return column, []
    text = pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)
    if want is None or want.dtype == "boolean" or (want.sort == "bool" and want.coerce and not text):
        return _with_nulls(cells, column), []
    if text and want.coerce and want.sort in ("int", "float", "bool", "datetime", "timedelta"):
        return _text_column(cells.cast(pa.string()), want)  # pandas takes every text for true
    if pa.types.is_integer(cells.type) and cells.null_count and want.sort == "int":
        if not want.coerce and str(cells.type) != want.dtype.lower():
            return column, []
        return _narrowed(_ints_to_pandas(cells, str(cells.type)), want, [])
    if pa.types.is_floating(cells.type) and want.coerce and want.sort == "int":
        broken = column.notna() & ((column % 1 != 0) | (column.abs() >= 2**63))
        return column.mask(broken), _rows(_arrow_mask(broken))  # pandas would cut 1.5 to 1
    return column, []


def _with_nulls(cells: Any, column: Any) -> Any:
    """Whole numbers and truths stay what they are; pandas alone would make floats and objects of them."""
    import pyarrow as pa

    if cells.null_count and pa.types.is_integer(cells.type):
        return _ints_to_pandas(cells, str(cells.type))
    return column.astype("boolean") if cells.null_count and pa.types.is_boolean(cells.type) else column


def lines(table: Table, rows: Iterable[int]) -> dict[int, int]:
    """Row (from 0) → line of the file (from 1, the header counted); empty for a form that has no lines."""
    wanted = set(rows)
    if not table.form.text or not wanted:
        return {}
    if table.form.kind == "jsonl":
        return {row: table.line_numbers[row] for row in wanted}
    return lines_of_csv(table.path, table.form, table.rows, wanted)


def versions() -> dict[str, str]:
    """What read the data, for the record."""
    import pandas as pd

    return {"pandas": pd.__version__}


def matches(cells: Any, pattern: str, *, whole: bool) -> bool:
    """Whether text cells match: all that are not null, or (`whole` false) any of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(cells, list):
        if not any(cells) or not all(cell is None or isinstance(cell, str) for cell in cells):
            return False
        cells = pa.chunked_array([pa.array(cells, pa.string())])
    if not pa.types.is_string(cells.type) or cells.null_count == len(cells):
        return False
    if whole:
        cells = cells.drop_null()
        glance = pc.match_substring_regex(cells.slice(0, _GLANCE), pattern=pattern)
        if not pc.all(glance).as_py():
            return False
    found = pc.match_substring_regex(cells, pattern=pattern)
    return bool((pc.all(found) if whole else pc.any(found)).as_py())
