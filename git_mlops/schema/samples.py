"""Values for a column of a schema: near every bound it names, of every list, out of every pattern."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from re import _parser  # type: ignore[attr-defined]  # how `re` reads a pattern; typeshed has it not
from typing import Any, NamedTuple

from git_mlops.schema import pandera
from git_mlops.schema.load import Schema

Value = int | float | str | bool | dt.datetime | None
_MANY = 16
_LONGEST = 2000
_DAY = dt.timedelta(days=1)
_WORDS = (
    "a",
    "b",
    "Ghent",
    "x1",
    "0",
    "-1",
    "A-b_c",
    "two words",
    "é",
    "zz9",
    "",
    " ",
    "a@b.io",
    "2024-01-01",
)


class Check(NamedTuple):
    """One check of a column, or of the table for all columns."""

    name: str
    arguments: Mapping[str, Any]
    warns: bool = False
    nulls: bool = True
    """Whether it passes nulls."""
    of_table: bool = False


class Column(NamedTuple):
    """What a schema says of one column."""

    name: str
    sort: str
    dtype: str
    checks: tuple[Check, ...]
    nullable: bool
    unique: bool
    required: bool


def column_of(schema: Schema, name: str) -> Column:
    """A column of the schema that is no pattern."""
    frame: Any = schema.document
    given = frame["columns"][name]
    checks = (*_checks(given), *(check._replace(of_table=True) for check in _checks(frame)))
    wanted = pandera.wanted(schema.built, frame, [name]).get(name)
    return Column(
        name,
        wanted.sort if wanted else _by_arguments(checks),
        wanted.dtype if wanted else "",
        checks,
        bool(given.get("nullable")),
        bool(given.get("unique")) or key_of(frame) == [name],
        given.get("required", True) is not False,
    )


def key_of(frame: Mapping[str, Any]) -> list[str]:
    """The columns by which rows must be unique."""
    key = frame.get("unique") or []
    return [key] if isinstance(key, str) else list(key)


def _checks(part: Mapping[str, Any]) -> Iterator[Check]:
    for entry in part.get("checks") or []:
        options = entry["options"]
        arguments = {name: value for name, value in entry.items() if name != "options"}
        yield Check(
            options["check_name"],
            arguments,
            bool(options.get("raise_warning")),
            options.get("ignore_na", True),
        )


def _by_arguments(checks: Iterable[Check]) -> str:
    """Of a column without a type: what its checks compare with."""
    values = [value for check in checks for value in _values(check)]
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return "float" if numbers and len(numbers) == len(values) else "string"


def _values(check: Check) -> list[Any]:
    found: list[Any] = []
    for name, value in check.arguments.items():
        if name not in ("include_min", "include_max", "pattern", "string") and value is not None:
            found += value if isinstance(value, list) else [value]
    return found


def holds(check: Check, value: Value) -> bool:
    """Whether a value satisfies a check, in pandera's meaning."""
    if value is None:
        return check.nulls
    arguments = list(check.arguments.values())
    try:
        return bool(_MEANINGS[check.name](value, arguments, check.arguments))
    except TypeError:
        return False


def _range(value: Any, _given: list[Any], named: Mapping[str, Any]) -> bool:
    low, high = _alike(named["min_value"], value), _alike(named["max_value"], value)
    above = value >= low if named.get("include_min", True) else value > low
    below = value <= high if named.get("include_max", True) else value < high
    return bool(above and below)


def _length(value: Any, _given: list[Any], named: Mapping[str, Any]) -> bool:
    exact, low, high = (named.get(name) for name in ("exact_value", "min_value", "max_value"))
    size = len(value)
    return (
        (exact is None or size == exact) and (low is None or size >= low) and (high is None or size <= high)
    )


def _alike(bound: Any, value: Any) -> Any:
    """A bound of the value's type: YAML has dates as text or as dates."""
    if not isinstance(value, dt.datetime):
        return bound
    moment = _moment(bound)
    if moment is None:
        return bound
    return moment.replace(tzinfo=value.tzinfo) if moment.tzinfo is None else moment


def _moment(bound: object) -> dt.datetime | None:
    if isinstance(bound, dt.datetime):
        return bound
    if isinstance(bound, dt.date):
        return dt.datetime(bound.year, bound.month, bound.day)  # noqa: DTZ001  # as naive as the bound is
    try:
        return dt.datetime.fromisoformat(bound) if isinstance(bound, str) else None
    except ValueError:
        return None


_MEANINGS: dict[str, Any] = {
    "in_range": _range,
    "between": _range,
    "str_length": _length,
    "isin": lambda value, given, _: value in given[0],
    "notin": lambda value, given, _: value not in given[0],
    "str_matches": lambda value, given, _: re.match(given[0], value) is not None,
    "str_contains": lambda value, given, _: re.search(given[0], value) is not None,
    "str_startswith": lambda value, given, _: value.startswith(given[0]),
    "str_endswith": lambda value, given, _: value.endswith(given[0]),
    "unique_values_eq": lambda value, given, _: value in given[0],
}
for _names, _meaning in (
    (("equal_to", "eq"), lambda value, given, _: value == _alike(given[0], value)),
    (("not_equal_to", "ne"), lambda value, given, _: value != _alike(given[0], value)),
    (("greater_than", "gt"), lambda value, given, _: value > _alike(given[0], value)),
    (("greater_than_or_equal_to", "ge"), lambda value, given, _: value >= _alike(given[0], value)),
    (("less_than", "lt"), lambda value, given, _: value < _alike(given[0], value)),
    (("less_than_or_equal_to", "le"), lambda value, given, _: value <= _alike(given[0], value)),
):
    _MEANINGS |= dict.fromkeys(_names, _meaning)


def candidates(column: Column) -> list[Value]:
    """Values of the column's type, many of them at the edge of what its checks say; each once."""
    made = _OF_SORT.get(column.sort, _texts)(column)
    return list({(type(value), value): value for value in made}.values())


def _numbers(column: Column, step: float) -> Iterator[Any]:
    bounds = [v for check in column.checks for v in _values(check) if isinstance(v, int | float)]
    bounds = [bound for bound in bounds if abs(bound) < 2**62]
    for low, high in zip(sorted(bounds), sorted(bounds)[1:], strict=False):
        yield from (low + (high - low) * part / _MANY for part in range(_MANY))
    for bound in [*bounds, 0]:
        yield from (bound + step * move for move in range(-2, _MANY))
    for bound in bounds:
        yield from (bound - step * move for move in range(_MANY))
    yield from (1, -1, 10**6, -(10**6))


def _integers(column: Column) -> Iterator[Value]:
    match = re.fullmatch(r"(u?)int(\d+)", column.dtype.lower())
    bits, unsigned = (int(match[2]), bool(match[1])) if match else (64, False)
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    yield from (whole for number in _numbers(column, 1) if low <= (whole := int(number)) <= high)


def _floats(column: Column) -> Iterator[Value]:
    yield from (float(number) for number in _numbers(column, 0.5))
    yield from (float(number) for number in _numbers(column, 1))


def _moments(column: Column) -> Iterator[Value]:
    zone = dt.UTC if "UTC" in column.dtype or "," in column.dtype else None
    found = [m for check in column.checks for v in _values(check) if (m := _moment(v)) is not None]
    for bound in [*found, dt.datetime(2024, 1, 1)]:  # noqa: DTZ001  # gets its zone below
        moment = bound.replace(tzinfo=zone) if bound.tzinfo is None else bound
        yield from (moment + move * _DAY for move in range(-_MANY, _MANY))


def _texts(column: Column) -> Iterator[Value]:
    listed = [str(v) for check in column.checks for v in _values(check) if isinstance(v, str)]
    patterns = [c.arguments["pattern"] for c in column.checks if "pattern" in c.arguments]
    starts = [c.arguments["string"] for c in column.checks if c.name == "str_startswith"] or [""]
    ends = [c.arguments["string"] for c in column.checks if c.name == "str_endswith"] or [""]
    sizes = [v for c in column.checks if c.name == "str_length" for v in _values(c) if v <= _LONGEST]
    yield from listed
    for pattern in patterns:
        yield from (text for choice in range(_MANY) if (text := from_pattern(pattern, choice)) is not None)
    inner = [*_WORDS, *(f"value{number:02}" for number in range(_MANY))]
    inner += [f"{number:0{max(0, size + move)}}"[: max(0, size + move)]
              for size in sizes for move in (-1, 0, 1) for number in range(_MANY)]  # fmt: skip
    yield from (f"{start}{text}{end}" for start in starts for text in inner for end in ends)
    yield from inner


def _booleans(_column: Column) -> Iterator[Value]:
    yield from (True, False)


_OF_SORT: dict[str, Any] = {
    "int": _integers, "float": _floats, "bool": _booleans, "datetime": _moments, "string": _texts,
}  # fmt: skip


def from_pattern(pattern: str, choice: int) -> str | None:
    """A text that a regular expression matches, another one for another choice; None where none is easy."""
    try:
        text = "".join(_piece(op, argument, choice) for op, argument in _parser.parse(pattern))
    except (re.error, ValueError, LookupError, RecursionError, OverflowError):
        return None
    return text if re.match(pattern, text) or re.search(pattern, text) else None


def _piece(op: Any, argument: Any, choice: int) -> str:
    name = str(op)
    if name == "LITERAL":
        return chr(argument)
    if name in ("ANY", "NOT_LITERAL"):
        return next(c for c in "abcxyz019" if name == "ANY" or ord(c) != argument)
    if name == "IN":
        return _of_class(argument, choice)
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        low, high, inner = argument
        times = min(low + choice % 3, int(high), 1000)
        return "".join(_piece(o, a, choice + turn) for turn in range(times) for o, a in inner)
    if name == "SUBPATTERN":
        return "".join(_piece(o, a, choice) for o, a in argument[-1])
    if name == "BRANCH":
        branches = argument[1]
        return "".join(_piece(o, a, choice) for o, a in branches[choice % len(branches)])
    if name == "CATEGORY":
        return _of_class([(op, argument)], choice)
    if name == "AT":
        return ""
    raise ValueError(name)


_CLASSES = {"DIGIT": "0123456789", "WORD": "abcdefghij0123456789_", "SPACE": " "}


def _of_class(parts: Any, choice: int) -> str:
    negated = bool(parts) and str(parts[0][0]) == "NEGATE"
    members = "".join(_members(op, argument) for op, argument in parts[1 if negated else 0 :])
    if negated:
        members = "".join(c for c in "abcxyzABC0189 -_." if c not in members)
    return members[choice * 7 % len(members)]


def _members(op: Any, argument: Any) -> str:
    name = str(op)
    if name == "LITERAL":
        return chr(argument)
    if name == "RANGE":
        low, high = argument
        return "".join(map(chr, range(low, min(high, low + 200) + 1)))
    if name == "CATEGORY":
        found = next((chars for key, chars in _CLASSES.items() if str(argument).endswith(f"_{key}")), None)
        if found is not None and "NOT" not in str(argument):
            return found
    raise ValueError(name)
