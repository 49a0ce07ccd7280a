"""pandera's side of a check: build its schema, run it, say what failed; the one file that imports it.

The verdict is pandera's. What is ours is the cap on what it collects: by itself it puts every failing value
into a message (17 MB for 2M failures).
"""

import copy
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from git_mlops.schema.tables import Sort, Wanted

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES = 5
"""Failing rows that are shown of one check."""

Key = tuple[str | int, ...]
Plain = Mapping[str, Any]


class BuildError(Exception):
    """pandera refuses a schema; `key` is the part it refuses."""

    def __init__(self, key: Key, message: str) -> None:
        super().__init__(message)
        self.key = key


class Broken(NamedTuple):
    """One check that did not hold."""

    column: str | None
    reason: str
    """pandera's reason code, in lower case: `series_contains_nulls`."""
    check: str
    """What was checked, as pandera writes it: `in_range(0, 120)`."""
    failures: int | None
    """How many rows fail; None when it is not about rows."""
    rows: tuple[int, ...]
    """The first failing rows, from 0."""
    detail: str
    """What pandera says of a failure that is not about rows."""
    warning: bool = False


def build(document: Plain) -> object:
    """pandera's schema of a serialized form whose grammar is known to be right.

    Raises:
        BuildError: a type, an argument or a combination that pandera does not take.
    """
    from pandera.io import pandas_io

    def attempt(part: Plain) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pandas_io.deserialize_schema(copy.deepcopy(dict(part)))

    try:
        return attempt(document)
    except Exception as error:  # pandera raises what its parts raise
        for key, part in _parts(document):
            try:
                attempt(part)
            except Exception as inner:
                raise BuildError(key, _said(inner, key)) from inner
        raise BuildError((), _said(error, ())) from error


def _parts(document: Plain) -> Iterator[tuple[Key, Plain]]:
    """Ever smaller schemas: the first that fails says where the fault is."""
    if document.get("dtype"):
        yield ("dtype",), {"columns": {"x": {"dtype": document["dtype"]}}}
    for name, column in document["columns"].items():
        yield ("columns", name, "dtype"), {"columns": {name: {"dtype": column.get("dtype")}}}
        for number, check in enumerate(column.get("checks", ())):
            single = {"dtype": column.get("dtype"), "checks": [check]}
            yield ("columns", name, "checks", number), {"columns": {name: single}}
        yield ("columns", name), {"columns": {name: column}}


def _said(error: BaseException, key: Key) -> str:
    text = (str(error).splitlines() or [type(error).__name__])[0]
    return f"no type that pandera knows: {text}" if key[-1:] == ("dtype",) else text


def wanted(schema: Any, document: Plain, names: Iterable[str]) -> dict[str, Wanted]:
    """What the schema declares of each column that is there, patterns (`regex: true`) applied."""
    patterns = [(re.compile(key), key) for key, column in schema.columns.items() if column.regex]
    found: dict[str, Wanted] = {}
    for name in names:
        exact = name in schema.columns and not schema.columns[name].regex
        key = name if exact else next((key for pattern, key in patterns if pattern.match(name)), None)
        if key is None:
            continue
        column = schema.columns[key]
        dtype = _engine(schema.dtype) if schema.dtype is not None else column.dtype
        if dtype is not None:
            declared = str(document.get("dtype") or document["columns"][key].get("dtype"))
            coerce = bool(column.coerce or schema.coerce)
            found[name] = Wanted(_sort(dtype), str(dtype), coerce, declared)
    return found


def _engine(dtype: Any) -> Any:
    from pandera.engines import pandas_engine

    return pandas_engine.Engine.dtype(dtype)


def _sort(dtype: Any) -> Sort:
    from pandera import dtypes

    questions: tuple[tuple[Any, Sort], ...] = (
        (dtypes.is_category, "category"), (dtypes.is_bool, "bool"), (dtypes.is_datetime, "datetime"),
        (dtypes.is_timedelta, "timedelta"), (dtypes.is_int, "int"), (dtypes.is_float, "float"),
        (dtypes.is_string, "string"),
    )  # fmt: skip
    if re.fullmatch(r"(?i)u?int\d+(\[pyarrow\])?", str(dtype)):
        return "int"
    if "decimal" in str(dtype).lower() or str(dtype).startswith("date32"):
        return "other"
    return next((sort for question, sort in questions if question(dtype)), "other")


def labelled(schema: Any) -> bool:
    """Whether the schema says something about row labels (`index:`)."""
    return schema.index is not None


def by_row(schema: Any) -> bool:
    """Whether each row is judged by itself, but for uniqueness: so that a part tells of the whole."""
    import pandera.pandas as pa
    from pandera.api.function_dispatch import Dispatcher

    parts = (schema, *schema.columns.values())
    return all(
        type(check) is pa.Check
        and check.groupby is None
        and (check.element_wise or isinstance(check._check_fn, Dispatcher))  # noqa: SLF001  # a name can be taken
        for part in parts
        for check in part.checks
    ) and not any(part.parsers for part in parts)


def names_of(schema: Any) -> list[str]:
    """The columns that the schema names, patterns left out."""
    return [name for name, column in schema.columns.items() if not column.regex]


def broken(schema: Any, frame: "pd.DataFrame") -> list[Broken]:
    """Every check that does not hold on the frame, in pandera's order."""
    import pandera.pandas as pa
    from pandera.config import ValidationDepth, config_context

    capped = _capped(schema)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        # whatever PANDERA_* says in the environment: a gate that validates nothing must not pass
        with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
            try:
                if len(schema.columns) >= WIDE:
                    _lighten(capped, frame)
                capped.validate(frame, lazy=True)
                found = []
            except pa.errors.SchemaErrors as error:
                found = [_broken(part, frame) for part in error.schema_errors]
            except Exception as error:  # noqa: BLE001  # what pandera's own rules raise on values they do not expect
                detail = _short(f"{type(error).__name__}: {error}", 200)
                found = [Broken(None, "not_applicable", "schema", None, (), detail)]
    notes = [w for w in said if issubclass(w.category, pa.errors.SchemaWarning)]
    return [*found, *(_warned(str(w.message)) for w in notes)]


def _capped(schema: Any) -> Any:
    """A copy that collects a few failing values of each check; the counts come from elsewhere."""
    same = copy.deepcopy(schema)
    for part in (same, *same.columns.values()):
        for check in part.checks:
            check.n_failure_cases = EXAMPLES
    return same


WIDE = 200
"""Columns from which on it is asked first what certainly holds."""


def _lighten(schema: Any, frame: "pd.DataFrame") -> None:
    """Take out of a schema what holds on a frame: the frames that pandera makes for each column cost more.

    Its own types and checks say so, asked without them. What is not plain, or does not hold, stays.
    """
    from pandera.backends.pandas import builtin_checks  # noqa: F401  # the checks are known from here on

    if schema.dtype is not None or schema.coerce or schema.parsers or not frame.columns.is_unique:
        return
    types: dict[tuple[str, str], bool] = {}
    for name, part in schema.columns.items():
        if name in frame.columns and part.name == name and _plain(part) and _holds(part, frame[name], types):
            part.dtype, part.checks, part.nullable = None, [], True


def _plain(part: Any) -> bool:
    """Whether a column is judged value by value, by nothing but built-in checks."""
    import pandera.pandas as pa
    from pandera.api.function_dispatch import Dispatcher

    odd = part.regex or part.coerce or part.unique or part.parsers or part.drop_invalid_rows
    return (
        not odd
        and part.default is None
        and all(
            type(check) is pa.Check
            and isinstance(check._check_fn, Dispatcher)  # noqa: SLF001  # a name can be taken
            and check.groupby is None
            and not check.element_wise
            and check.ignore_na
            for check in part.checks
        )
    )


def _holds(part: Any, values: "pd.Series[Any]", types: dict[tuple[str, str], bool]) -> bool:
    """Whether a column is as it should be; False, too, where that cannot be told.

    Args:
        types: what was said of types, for numbers, of which the values say nothing more.
    """
    import numpy as np
    import pandera.pandas as pa

    try:
        nulls = values.hasnans
        if nulls and not part.nullable:
            return False
        if part.dtype is not None:
            key = (str(part.dtype), str(values.dtype))
            if types.get(key, False) is False and not _of_type(part.dtype, values):
                return False
            types[key] = isinstance(values.dtype, np.dtype) and values.dtype.kind in "iufb"
        present = values.dropna() if nulls else values
        for check in part.checks:
            name = check._check_fn.__name__  # noqa: SLF001  # as pandera finds it
            output = pa.Check.get_builtin_check_fn(name)(present, **check._check_kwargs)  # noqa: SLF001  # no other way
            if str(output.dtype) not in ("bool", "boolean", "bool[pyarrow]") or not bool(output.all()):
                return False
    except Exception:  # noqa: BLE001  # pandera says what is wrong
        return False
    return True


def _of_type(dtype: Any, values: "pd.Series[Any]") -> bool:
    answer = dtype.check(_engine(values.dtype), values)
    return answer if isinstance(answer, bool) else bool(answer.all())


def _warned(message: str) -> Broken:
    return Broken(None, "warning", "raise_warning", None, (), _short(message, 300), warning=True)


def _broken(error: Any, frame: "pd.DataFrame") -> Broken:
    reason = error.reason_code.value if error.reason_code is not None else "dataframe_check"
    column = error.column_name if getattr(error, "column_name", None) is not None else error.schema.name
    if error.schema.__class__.__name__ == "DataFrameSchema":
        column = None
    check = text_of(error.check)
    rows = _rows(error, frame)
    if rows is None:
        detail = _short(str(error.failure_cases if error.failure_cases is not None else error), 200)
        return Broken(column, reason, check, None, (), detail)
    return Broken(column, reason, check, len(rows), tuple(int(r) for r in rows[:EXAMPLES]), "")


def text_of(check: Any) -> str:
    """A check as findings name it: `in_range(0, 120)`."""
    if check is None or isinstance(check, str):
        return _short(str(check or ""), 120)
    return _short(str(check.error or check.name or check), 120)


def polars_check(name: str) -> tuple[Any, Any]:
    """A built-in check of pandera's Polars backend, and the pair of frame and column that it takes."""
    from pandera.api.polars.types import PolarsData
    from pandera.backends.polars import builtin_checks

    return getattr(builtin_checks, name), PolarsData


def _rows(error: Any, frame: "pd.DataFrame") -> Any:
    """Positions of all failing rows, from what pandera computed anyway; None when it is not about rows."""
    import numpy as np

    output = error.check_output
    if hasattr(output, "to_numpy") and len(output) == len(frame) and not _scalar(error):
        values = output.to_numpy(dtype=bool)
        passed = values if values.ndim == 1 else values.all(axis=1)
        return np.flatnonzero(~passed)
    if hasattr(output, "index") and not _scalar(error) and frame.index.is_unique and output.ndim == 1:
        # without the nulls, which pandera drops first: the labels tell the rows
        return np.sort(frame.index.get_indexer(output.index[~output.to_numpy(dtype=bool)]))
    cases = error.failure_cases
    if not hasattr(cases, "columns") or "index" not in cases.columns:
        return None
    labels = cases["index"].dropna()
    if labels.empty:
        return None
    return np.flatnonzero(frame.index.isin(labels.unique()))


def _scalar(error: Any) -> bool:
    return isinstance(error.failure_cases, bool | str) or error.check_output is None


def _short(text: str, most: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def versions() -> dict[str, str]:
    """What checked the data, for the record."""
    import pandera

    return {"pandera": pandera.__version__}
