"""What a model takes, and whether rows fit it: columns by name and type, before the model sees them.

Types are MLflow's. Values may get wider (a whole number where a `double` is wanted), never another meaning:
text is no number, except in a CSV, where all is text.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from git_mlops.errors import FINDINGS, MlopsError
from git_mlops.models.contract import Contract

Extra = Literal["refuse", "ignore"]
"""What is done with columns that the model does not take."""

_MOST, _FEW, _SHOWN, _WIDEST = 20, 5, 3, 60


class Column(NamedTuple):
    """One column."""

    name: str
    type: str | None = None
    """MLflow's; None: anything."""
    required: bool = True
    """Whether it must be there, and without nulls."""


class Takes(NamedTuple):
    """What a model takes."""

    columns: tuple[Column, ...] = ()
    """In its order; nothing: it does not say."""
    shape: tuple[int, ...] | None = None
    """Of an array without names, -1 for any; instead of columns."""
    dtype: str | None = None
    """NumPy's, of the array."""


class Problem(NamedTuple):
    """One thing that does not fit."""

    column: str | None
    reason: Literal["missing", "extra", "type", "null", "shape"]
    message: str
    rows: tuple[tuple[int, str], ...] = ()
    """Examples: the number of the row (the first is 1), and what stands there."""


class ContractError(MlopsError):
    """Rows that a model cannot take."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        odd = [problem for problem in problems if problem.message == _odd(problem.column)]
        others = [problem for problem in problems if problem not in odd]
        shown = [_told(problem) for problem in others[:_MOST]]
        more = [f"and {len(others) - _MOST} more"] if len(others) > _MOST else []
        super().__init__("; ".join([*shown, *more, *_all_odd(odd)]), exit_code=FINDINGS)
        self.problems = tuple(problems[:_MOST])


def _odd(name: str | None) -> str:
    return f"the model takes no column {_cut(name or '')}"


def _all_odd(odd: Sequence[Problem]) -> list[str]:
    """One sentence for all: a file often has many more columns than a model takes."""
    if len(odd) < _FEW:
        return [problem.message for problem in odd]
    names = ", ".join(_cut(problem.column or "") for problem in odd[:_FEW])
    return [f"the model takes none of {len(odd)} columns: {names}{' …' if len(odd) > _FEW else ''}"]


def _told(problem: Problem) -> str:
    rows = ", ".join(f"row {number}: {value}" for number, value in problem.rows)
    return f"{problem.message} ({rows})" if rows else problem.message


def of_contract(contract: Contract | None) -> Takes:
    """From a signature."""
    if contract is None or not contract.inputs:
        return Takes()
    first = contract.inputs[0]
    if len(contract.inputs) == 1 and "name" not in first and first.get("type") == "tensor":
        spec = first.get("tensor-spec")
        spec = spec if isinstance(spec, Mapping) else {}
        shape = spec.get("shape")
        dims = tuple(int(n) for n in shape if isinstance(n, int)) if isinstance(shape, list) else None
        return Takes(shape=dims, dtype=str(spec.get("dtype")) if spec.get("dtype") else None)
    if not all("name" in column for column in contract.inputs):
        return Takes()
    return Takes(tuple(_column(column) for column in contract.inputs))


def _column(said: Mapping[str, object]) -> Column:
    kind = said.get("type")
    required = said.get("required", not said.get("optional", False)) is not False
    return Column(str(said["name"]), str(kind) if kind in _ARROW else None, required)


def of_names(names: Sequence[str]) -> Takes:
    """Of a model that knows the names of its features, and no more."""
    return Takes(tuple(Column(name, None, required=True) for name in names))


_ARROW = {
    "boolean": "bool_", "integer": "int32", "long": "int64", "float": "float32", "double": "float64",
    "string": "string", "binary": "binary", "datetime": "timestamp",
}  # fmt: skip


def _arrow(kind: str) -> Any:
    import pyarrow as pa

    return pa.timestamp("us") if kind == "datetime" else getattr(pa, _ARROW[kind])()


# names


def missing(takes: Takes, names: Sequence[str], extra: Extra) -> list[Problem]:
    """What is wrong with the names of some columns."""
    if not takes.columns:
        return []
    wanted = {column.name for column in takes.columns}
    odd = [name for name in dict.fromkeys(names) if name not in wanted]
    found = []
    for column in takes.columns:
        if column.name in names or not column.required:
            continue
        close = _close(column.name, odd)
        meant = f"; is it `{close}`?" if close else ""
        found.append(Problem(column.name, "missing", f"the column `{column.name}` is missing{meant}"))
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    found += [Problem(name, "extra", f"the column `{name}` is there twice") for name in twice]
    if extra == "refuse":
        found += [Problem(name, "extra", _odd(name)) for name in odd]
    return found


def _close(name: str, others: Sequence[str]) -> str | None:
    folded = {other.casefold().replace("_", "").replace(" ", ""): other for other in others}
    close = difflib.get_close_matches(name.casefold().replace("_", ""), folded, n=1, cutoff=0.75)
    return folded[close[0]] if close else None


# values


def records(takes: Takes, values: Mapping[str, Sequence[object]], extra: Extra) -> Any:
    """Columns of plain Python values, as JSON has them, as an Arrow table in the model's order.

    Raises:
        ContractError: they do not fit.
    """
    import pyarrow as pa

    problems = missing(takes, [*values], extra)
    arrays = {}
    wanted = takes.columns or tuple(Column(name, None, required=False) for name in values)
    for column in wanted:
        if column.name in values:
            made = _of_python(column, values[column.name])
            problems += made if isinstance(made, list) else []
            arrays[column.name] = made
    if problems:
        raise ContractError(problems)
    return _whole_table(takes, pa.table(arrays))


def _whole_table(takes: Takes, fitting: Any) -> Any:
    """Optional columns that are absent are there, and null: most models want as many columns as ever."""
    import pyarrow as pa

    absent = {
        column.name: pa.nulls(fitting.num_rows, _arrow(column.type))
        for column in takes.columns
        if column.type is not None and column.name not in fitting.column_names
    }
    if not absent:
        return fitting
    names = [column.name for column in takes.columns]
    whole = {name: fitting.column(name) for name in fitting.column_names} | absent
    return pa.table({name: whole[name] for name in names if name in whole})


_PYTHON: dict[str, tuple[type, ...]] = {
    "boolean": (bool,), "integer": (int,), "long": (int,), "float": (float, int), "double": (float, int),
    "string": (str,), "binary": (str,), "datetime": (str,),
}  # fmt: skip


def _of_python(column: Column, values: Sequence[object]) -> Any:
    """An Arrow array, or a list of problems."""
    import pyarrow as pa

    kinds = set(map(type, values))
    found: list[Problem] = []
    if type(None) in kinds and column.required and column.type is not None:
        found.append(_nulls(column, (n for n, value in enumerate(values) if value is None)))
    kinds.discard(type(None))
    if column.type is None:
        return found or _untyped(column, values)
    fitting = _PYTHON[column.type]
    if not kinds <= set(fitting):
        values = _whole(values) if column.type in ("integer", "long") else values
        bad = (n for n, value in enumerate(values) if value is not None and type(value) not in fitting)
        if problem := _mistyped(column, values, bad):
            return [*found, problem]
    if found:
        return found
    try:
        if column.type in ("binary", "datetime"):
            return _parsed(column, values)
        return pa.array(values, type=_arrow(column.type))
    except (pa.ArrowException, OverflowError, ValueError):
        bad = (n for n, value in enumerate(values) if value is not None and not _fits(column, value))
        problem = _mistyped(column, values, bad)
        return [problem or Problem(column.name, "type", f"`{column.name}` is not of type {column.type}")]


def _untyped(column: Column, values: Sequence[object]) -> Any:
    import pyarrow as pa

    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError, ValueError):
        return [Problem(column.name, "type", f"the values of `{column.name}` are of several types")]


def _whole(values: Sequence[object]) -> list[object]:
    """`3.0` is a whole number, too."""
    return [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]


def _fits(column: Column, value: object) -> bool:
    import pyarrow as pa

    try:
        if column.type in ("binary", "datetime"):
            _parsed(column, [value])
        else:
            pa.array([value], type=_arrow(str(column.type)))
    except (pa.ArrowException, OverflowError, ValueError):
        return False
    return True


def _parsed(column: Column, values: Sequence[object]) -> Any:
    """Base64 and ISO 8601."""
    import base64
    import datetime as dt

    import pyarrow as pa

    if column.type == "binary":
        made = [None if v is None else base64.b64decode(str(v), validate=True) for v in values]
        return pa.array(made, type=pa.binary())
    times = [None if v is None else dt.datetime.fromisoformat(str(v)) for v in values]
    utc = [t.astimezone(dt.UTC).replace(tzinfo=None) if t is not None and t.tzinfo else t for t in times]
    return pa.array(utc, type=pa.timestamp("us"))


def table(takes: Takes, found: Any, extra: Extra, *, texts: bool = False, first: int = 0) -> Any:
    """An Arrow table with the model's columns, in its order and of its types.

    Args:
        texts: whether every cell is text (a CSV).
        first: how many rows were before these, for messages.

    Raises:
        ContractError: it does not fit.
    """
    import pyarrow as pa

    problems = missing(takes, found.column_names, extra)
    if not takes.columns:
        return _guessed(found) if texts else found
    arrays = {}
    for column in takes.columns:
        if found.column_names.count(column.name) == 1:
            array = found.column(column.name)
            array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
            made = _of_arrow(column, array, texts=texts)
            if isinstance(made, list):
                problems += [p._replace(rows=tuple((n + first, v) for n, v in p.rows)) for p in made]
            arrays[column.name] = made
    if problems:
        raise ContractError(problems)
    return _whole_table(takes, pa.table(arrays))


def _guessed(found: Any) -> Any:
    """Numbers where a CSV's column holds nothing else: nobody says what the model takes."""
    import pyarrow as pa

    return pa.table({name: _guess(found.column(name)) for name in found.column_names})


def _guess(array: Any) -> Any:
    import pyarrow as pa

    array = array.cast(pa.string()) if _text(array.type) else array
    for kind in (pa.int64(), pa.float64()):
        try:
            return array.cast(kind)
        except pa.ArrowException:
            continue
    return array


def _of_arrow(column: Column, array: Any, *, texts: bool) -> Any:
    """An Arrow array, or a list of problems."""
    import pyarrow as pa

    array = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    array = array.cast(pa.string()) if _text(array.type) else array
    if array.null_count and column.required and column.type is not None:
        bad = (n for n, ok in enumerate(array.is_valid().to_pylist()) if not ok)
        return [_nulls(column, bad)]
    if column.type is None:
        return _guess(array) if texts else array
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), _arrow(column.type))
    if not _castable(array.type, column.type, texts=texts):
        shown = [(n + 1, _cut(v)) for n, v in enumerate(array.slice(0, _SHOWN).to_pylist())]
        message = f"`{column.name}` must be of type {column.type}, it is {array.type}"
        return [Problem(column.name, "type", message, tuple(shown))]
    try:
        return _cast(array, column.type)
    except pa.ArrowException:
        problem = _mistyped(column, array.to_pylist(), _uncastable(array, column.type))
        return [problem or Problem(column.name, "type", f"`{column.name}` is not of type {column.type}")]


def _castable(have: Any, want: str, *, texts: bool) -> bool:
    from pyarrow import types

    text = _text(have)
    number = types.is_integer(have) or types.is_floating(have) or types.is_decimal(have)
    fitting = {
        "string": text,
        "datetime": types.is_timestamp(have) or types.is_date(have) or (texts and text),
        "boolean": types.is_boolean(have) or (texts and text),
        "binary": types.is_binary(have) or types.is_large_binary(have),
    }
    return bool(fitting.get(want, number or (texts and text)))


def _text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _cast(array: Any, want: str) -> Any:
    """Safely: a value that would change is an error. Times with a zone are those of UTC."""
    import pyarrow as pa
    from pyarrow import compute

    kind = _arrow(want)
    if want == "datetime" and _text(array.type):
        try:
            return array.cast(kind)
        except pa.ArrowException:
            return array.cast(pa.timestamp("us", "UTC")).cast(kind)
    if want in ("float", "double") and pa.types.is_floating(array.type):
        return compute.cast(array, kind, safe=False)  # nearest number
    return array.cast(kind)


def _uncastable(array: Any, want: str) -> Iterator[int]:
    import pyarrow as pa

    for number in range(len(array)):
        try:
            _cast(array.slice(number, 1), want)
        except pa.ArrowException:
            yield number


def _nulls(column: Column, rows: Iterator[int]) -> Problem:
    shown = [(number + 1, "null") for number, _ in zip(rows, range(_SHOWN), strict=False)]
    return Problem(column.name, "null", f"`{column.name}` is null, and must not be", tuple(shown))


def _mistyped(column: Column, values: Sequence[object], rows: Iterator[int]) -> Problem | None:
    shown = [(number + 1, _cut(values[number])) for number, _ in zip(rows, range(_SHOWN), strict=False)]
    message = f"`{column.name}` must be of type {column.type}"
    return Problem(column.name, "type", message, tuple(shown)) if shown else None


def _cut(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    text = text if len(text) <= _WIDEST else f"{text[:_WIDEST]}…"
    return f"`{text}`" if isinstance(value, str) else text


# into the model


def warm() -> None:
    """Import what the first row would have to wait for."""
    import pyarrow as pa

    pa.table({"a": ["b"]}).to_pandas()


def frame(takes: Takes, fitting: Any) -> Any:
    """An Arrow table as the model takes it: a pandas data frame, or an array.

    Raises:
        ContractError: it has not the width of the array.
    """
    import pyarrow as pa

    if takes.shape is None:
        return fitting.to_pandas()
    import numpy as np

    width = takes.shape[1] if len(takes.shape) == 2 else -1
    if len(takes.shape) != 2 or width not in (-1, fitting.num_columns):
        message = (
            f"the model takes an array of shape {_shape(takes.shape)}, not {fitting.num_columns} columns"
        )
        raise ContractError([Problem(None, "shape", message)])
    odd = [f.name for f in fitting.schema if not _castable(f.type, "double", texts=False)]
    if odd:
        raise ContractError([Problem(name, "type", f"`{name}` is not a number") for name in odd])
    stacked = [column.cast(pa.float64(), safe=False).to_numpy() for column in fitting.columns]
    return np.column_stack(stacked).astype(takes.dtype or "float64")


def array(takes: Takes, values: object) -> Any:
    """Nested lists as the array that the model takes.

    Raises:
        ContractError: they are not of its shape, or no numbers.
    """
    import numpy as np

    try:
        made = np.asarray(values)
    except (ValueError, OverflowError) as error:
        raise ContractError([Problem(None, "shape", "the lists are not of the same length")]) from error
    if made.dtype == object or (takes.dtype and made.dtype.kind in "US" and takes.dtype != "str"):
        raise ContractError([Problem(None, "type", "the lists hold other things than numbers")])
    wanted = takes.shape
    if wanted is not None and (
        len(wanted) != made.ndim or any(w not in (-1, h) for w, h in zip(wanted, made.shape, strict=True))
    ):
        message = f"the model takes an array of shape {_shape(wanted)}, not {_shape(made.shape)}"
        raise ContractError([Problem(None, "shape", message)])
    return made.astype(takes.dtype) if takes.dtype else made


def _shape(shape: Sequence[int]) -> str:
    return f"({', '.join('any' if n == -1 else str(n) for n in shape)})"
