"""A schema as Polars expressions: what fails, counted over a table of any size in one streaming pass.

The expressions are pandera's own: every built-in check of its Polars backend hands a frame an expression, and
a recorder in the place of the frame keeps it. pandera on pandas stays the law, so whatever could mean
something else there (other types, other regular expressions, checks over whole columns) is not compiled:
`plan` then says why, and the table is judged as a whole. Nothing is ever left out of a plan in silence.
"""

import datetime as dt
import math
import re
import struct
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from git_mlops.schema import pandera
from git_mlops.schema.regexes import UntranslatableError, translated
from git_mlops.schema.tables import Wanted

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["null", "type", "check", "unique"]
Family = Literal["int", "float", "bool", "string", "datetime", "category", "other"]

_COMPARED = ("equal_to", "not_equal_to", "greater_than", "greater_than_or_equal_to", "less_than",
             "less_than_or_equal_to", "in_range")  # fmt: skip
_LISTED = ("isin", "notin")
_TEXTUAL = ("str_matches", "str_contains", "str_startswith", "str_endswith", "str_length")
_PATTERNS = ("str_matches", "str_contains")
_FITTING: dict[Family, tuple[str, ...]] = {
    "int": (*_COMPARED, *_LISTED),
    "float": (*_COMPARED, *_LISTED),
    "bool": ("equal_to", "not_equal_to", *_LISTED),
    "string": (*_COMPARED, *_LISTED, *_TEXTUAL),
    "datetime": _COMPARED,
    "category": _LISTED,
    "other": (),
}
_NANOSECONDS = 2**63 // 1000 - 1  # microseconds around 1970 that nanoseconds in 64 bits reach
_WHOLE = 2**52  # up to here whole numbers and fractions compare the same in every engine


class NotCompiledError(Exception):
    """Why a schema, over this table, is left to pandera on pandas."""


class Key(NamedTuple):
    """What a count is of; the finding of the same name says it."""

    column: str | None
    kind: Kind
    check: str = ""
    """As pandera writes it: `in_range(0, 120)`."""


class Rule(NamedTuple):
    """One rule over the rows of a table."""

    key: Key
    fails: "pl.Expr"
    """True in every row that fails; null or false in the others."""
    doubt: "pl.Expr | None" = None
    """True in a failing row where Python's regular expressions may see it otherwise."""


class Unique(NamedTuple):
    """Columns that together may not repeat."""

    key: Key
    columns: tuple[str, ...]
    all_reported: bool
    """Whether every one of equal rows counts as failing (pandera's default)."""


class Plan(NamedTuple):
    """A schema over one table."""

    columns: tuple[str, ...]
    """Those that are read; never empty."""
    casts: tuple["pl.Expr", ...]
    """Applied before the rules."""
    rules: tuple[Rule, ...]
    unique: tuple[Unique, ...]


class Column(NamedTuple):
    """A column of the table, as the law will see it."""

    dtype: "pl.DataType"
    wanted: Wanted | None
    plain: bool = True
    """False when pandas makes something of it that the type alone does not tell: only nulls count then."""


def plan(schema: Any, columns: Mapping[str, Column]) -> Plan:
    """The schema over these columns.

    Raises:
        NotCompiledError: pandera has to judge the table as a whole.
    """
    _frame_level(schema)
    casts: list[pl.Expr] = []
    rules: list[Rule] = []
    unique: list[Unique] = []
    judged: dict[str, str] = {}
    for pattern, part in schema.columns.items():
        for name in _named(pattern, columns, regex=part.regex):
            if name in judged:
                raise NotCompiledError(f"`{name}` is described by `{judged[name]}` and `{pattern}`")
            judged[name] = pattern
            one = _Column(name, columns[name], part)
            casts += one.casts()
            rules += one.rules()
            if part.unique:
                unique.append(one.unique())
    if not judged:
        raise NotCompiledError("the table has none of its columns")
    if schema.unique:
        unique.append(_key(schema, columns, judged))
    _tell_apart([*(rule.key for rule in rules), *(key.key for key in unique)])
    return Plan(tuple(judged), tuple(casts), tuple(rules), tuple(unique))


def _tell_apart(keys: list[Key]) -> None:
    if len(set(keys)) < len(keys):
        raise NotCompiledError("two checks have the same name")


def _frame_level(schema: Any) -> None:
    """What stands beside the columns; anything unknown is a reason."""
    for part in ("checks", "parsers", "index", "dtype", "add_missing_columns", "drop_invalid_rows"):
        if getattr(schema, part):
            raise NotCompiledError(f"the schema has `{part}`")
    if not schema.columns:
        raise NotCompiledError("the schema has no columns")


def _named(pattern: str, names: Iterable[str], *, regex: bool) -> list[str]:
    """The columns of the table that a part is about; that there are none is for pandera to say."""
    return [name for name in names if (re.match(pattern, name) if regex else name == pattern)]


def _key(schema: Any, columns: Mapping[str, Column], judged: Mapping[str, str]) -> Unique:
    names = tuple(schema.unique)
    for name in names:
        column = columns.get(name)
        if column is None or name not in judged or not column.plain or family(column.dtype) == "other":
            raise NotCompiledError(f"`{name}` of `unique:` is no plain column of the schema")
    return Unique(Key(None, "unique"), names, schema.report_duplicates == "all")


def family(dtype: "pl.DataType") -> Family:
    """What the values of a type are compared as."""
    import polars as pl

    if dtype.is_integer() and dtype != pl.Int128:
        return "int"
    if dtype in (pl.Float32, pl.Float64):
        return "float"
    if isinstance(dtype, pl.Datetime):
        return "datetime" if dtype.time_zone is None and dtype.time_unit in ("ns", "us") else "other"
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return "category"
    return "bool" if dtype == pl.Boolean else "string" if dtype == pl.String else "other"


class _Column:
    """One column of a table under one part of a schema."""

    def __init__(self, name: str, column: Column, part: Any) -> None:
        self._name, self._column, self._part = name, column, part
        self._family = family(column.dtype)
        if column.wanted is not None and column.wanted.sort == "category" and self._family == "string":
            self._family = "category"
        if part.default is not None or part.parsers or part.drop_invalid_rows:
            raise NotCompiledError(f"`{name}` has a default")
        if not column.plain and (part.checks or part.unique or part.coerce):
            raise NotCompiledError(f"`{name}` is read by pandas as something of its own")
        self._target = self._widened(self._coerced())

    def casts(self) -> "Iterable[pl.Expr]":
        """To the type that the law compares in."""
        import polars as pl

        if self._target != self._column.dtype:
            yield pl.col(self._name).cast(self._target)

    def _widened(self, dtype: "pl.DataType") -> "pl.DataType":
        import polars as pl

        if family(dtype) == "category":
            return pl.String()
        narrow = family(dtype) == "int" and dtype != pl.UInt64
        return pl.Int64() if narrow else dtype  # no literal is too large for it

    def _coerced(self) -> "pl.DataType":
        """The type after `coerce: true`; only coercions that change no value are compiled."""
        import polars as pl

        dtype, want = self._column.dtype, self._column.wanted
        if want is None or not want.coerce:
            self._declared(want)
            return dtype
        target = _TYPES.get(want.dtype.lower().removesuffix("[pyarrow]").partition("[")[0])
        if want.dtype.startswith("datetime64[") and "," not in want.dtype:
            unit = want.dtype.removeprefix("datetime64[").rstrip("]")
            if (str(dtype), unit) in _TIMES:
                return dtype  # nanoseconds are the same times: `rules` asks whether they reach all of them
        elif want.sort == "category" and self._family == "category":
            return dtype
        elif target is not None and (str(dtype), target) in _LOSSLESS:
            lossless: pl.DataType = getattr(pl, target)()
            return lossless
        raise NotCompiledError(f"`{self._name}` is coerced from {dtype} to {want.dtype}")

    def _declared(self, want: Wanted | None) -> None:
        """Without coercion the family must be the declared one: pandera then compares the very values."""
        fits = want is None or want.sort == self._family
        if not fits and (self._part.checks or self._part.unique):
            raise NotCompiledError(f"`{self._name}` is {self._column.dtype}, not {want and want.dtype}")
        if want is not None and want.dtype.startswith("Float"):
            raise NotCompiledError(f"`{self._name}` is {want.dtype}, which tells NaN from null")

    def unique(self) -> Unique:
        """The column as a key of its own."""
        if self._family == "other":
            raise NotCompiledError(f"`{self._name}` is unique, but {self._column.dtype}")
        every = self._part.report_duplicates == "all"
        return Unique(Key(self._name, "unique"), (self._name,), every)

    def rules(self) -> Iterable[Rule]:
        """Nulls where they are not allowed, values outside of the coerced type, and every check."""
        import polars as pl

        want, cell = self._column.wanted, pl.col(self._name)
        cannot = want is not None and want.sort in ("int", "bool") and want.dtype == want.dtype.lower()
        if not self._part.nullable or cannot:
            nulls = cell.is_null()
            if self._family == "float":
                nulls = nulls | cell.is_nan().fill_null(value=False)
            yield Rule(Key(self._name, "null"), nulls)
        if (
            want is not None
            and want.coerce
            and want.dtype == "datetime64[ns]"
            and self._target == pl.Datetime("us")
        ):
            yield Rule(
                Key(self._name, "type"), cell.dt.epoch("us").is_between(-_NANOSECONDS, _NANOSECONDS).not_()
            )
        for check in self._part.checks:
            yield self._check(check)

    def _check(self, check: Any) -> Rule:
        import polars as pl

        if check.groupby is not None or check.element_wise or not check.ignore_na or check.raise_warning:
            raise NotCompiledError(f"`{check.name}` of `{self._name}` has options of its own")
        if check.name not in _FITTING[self._family if self._target != pl.Float64 else "float"]:
            raise NotCompiledError(f"`{check.name}` over {self._column.dtype} in `{self._name}`")
        given = {k: v for k, v in check._check_kwargs.items() if v is not None}  # noqa: SLF001  # no other way to them
        cell, doubt = pl.col(self._name), None
        if check.name in _PATTERNS:
            given, doubt = self._pattern(check.name, given["pattern"])
        elif check.name in _LISTED:
            given = {k: self._list(v) for k, v in given.items()}
        elif check.name in _COMPARED:
            given = {k: self._literal(v) if k not in _FLAGS else v for k, v in given.items()}
        holds = _recorded(check.name, self._name, given)
        fails = holds.not_() & cell.is_not_nan() if self._target.is_float() else holds.not_()
        return Rule(Key(self._name, "check", pandera.text_of(check)), fails, doubt)

    def _pattern(self, name: str, pattern: object) -> tuple[dict[str, Any], "pl.Expr"]:
        import polars as pl

        try:
            text = translated(str(pattern), at_start=name == "str_matches")
        except UntranslatableError as error:
            raise NotCompiledError(f"the pattern of `{self._name}` {error}") from error
        cell = pl.col(self._name)
        ascii_ = cell.str.len_bytes() == cell.str.len_chars()
        return {"pattern": text}, ascii_.not_() | cell.str.contains("\n", literal=True)

    def _literal(self, value: Any) -> Any:
        """The argument of a check, if it means the same to both engines."""
        taken = self._time(value) if self._family == "datetime" else self._plain(value)
        if taken is None:
            raise NotCompiledError(f"{value!r} is compared with {self._column.dtype} in `{self._name}`")
        return taken

    def _plain(self, value: Any) -> Any:
        import polars as pl

        kind: type = type(value)
        if self._family in ("string", "category", "bool"):
            return value if kind is (bool if self._family == "bool" else str) else None
        if kind not in (int, float) or (kind is float and math.isnan(value)):
            return None
        if not (abs(value) <= _WHOLE or math.isinf(value)):
            return None  # beyond, engines round differently
        if self._target == pl.UInt64 and (kind is float or value < 0):
            return None
        if self._target == pl.Float32 and struct.unpack("f", struct.pack("f", value))[0] != value:
            return None  # pandas rounds it to 32 bits first
        return value

    def _list(self, values: Iterable[Any]) -> list[Any]:
        """The allowed or forbidden values, all of the column's own kind."""
        import polars as pl

        found = [self._literal(value) for value in values]
        if self._target == pl.Float64:
            return [float(value) for value in found]
        if self._family not in ("string", "bool") and (
            self._target != pl.Int64 or any(type(v) is float for v in found)
        ):
            raise NotCompiledError(f"a list of values of several kinds for `{self._name}`")
        return found

    def _time(self, value: Any) -> "pl.Expr | None":
        """A time in the column's own unit."""
        import polars as pl

        if isinstance(value, str) and _ISO.fullmatch(value):
            microseconds = (dt.datetime.fromisoformat(value) - dt.datetime(1970, 1, 1)) // _MICROSECOND  # noqa: DTZ001  # no zone
            nanoseconds = 1000 * microseconds
        elif type(value).__name__ == "Timestamp" and value.tzinfo is None:
            nanoseconds = value.as_unit("ns").value
        else:
            return None
        if abs(nanoseconds) >= 2**63:
            return None
        if self._target == pl.Datetime("ns"):
            return pl.lit(nanoseconds, pl.Int64).cast(pl.Datetime("ns"))
        if nanoseconds % 1000:
            return None
        return pl.lit(nanoseconds // 1000, pl.Int64).cast(pl.Datetime("us"))


_TIMES = (
    ("Datetime(time_unit='us', time_zone=None)", "us"),
    ("Datetime(time_unit='us', time_zone=None)", "ns"),
    ("Datetime(time_unit='ns', time_zone=None)", "ns"),
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?", re.ASCII)
_MICROSECOND = dt.timedelta(microseconds=1)
_FLAGS = ("include_min", "include_max")
_TYPES = {
    **{f"int{bits}": f"Int{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"UInt{bits}" for bits in (8, 16, 32, 64)},
    "float32": "Float32", "float64": "Float64", "bool": "Boolean", "boolean": "Boolean",
    "str": "String", "string": "String",
}  # fmt: skip
_LOSSLESS = {
    *((name, name) for name in _TYPES.values()),
    *((f"Int{narrow}", f"Int{wide}") for narrow in (8, 16, 32) for wide in (16, 32, 64) if narrow < wide),
    *((f"UInt{narrow}", f"UInt{wide}") for narrow in (8, 16, 32) for wide in (16, 32, 64) if narrow < wide),
    *((f"{sign}{bits}", "Float64") for sign in ("Int", "UInt") for bits in (8, 16, 32)),
    ("Float32", "Float64"),
}
"""Coercions after which every value is what it was."""


class _Recorder:
    """Stands for a frame; keeps the expression that a check would select from it."""

    def __init__(self) -> None:
        self.expressions: list[pl.Expr] = []

    def select(self, *expressions: "pl.Expr") -> "_Recorder":
        self.expressions += expressions
        return self


def _recorded(name: str, column: str, given: Mapping[str, Any]) -> "pl.Expr":
    """pandera's own expression for a built-in check: true where it holds, null where the cell is null."""
    check, data = pandera.polars_check(name)
    recorder = _Recorder()
    try:
        check(data(recorder, column), **given)  # all that a check does is to select
    except Exception as error:  # another pandera may do more with the frame
        raise NotCompiledError(f"`{name}` cannot be recorded: {error}") from error
    if len(recorder.expressions) != 1:
        raise NotCompiledError(f"`{name}` is no single expression")
    return recorder.expressions[0]
