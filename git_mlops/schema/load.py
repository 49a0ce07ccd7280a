"""A schema file against the closed grammar of pandera's YAML, before pandera sees it.

pandera ignores keys that it does not know, validates everything with an empty file and writes a check it
cannot express as `checks: null`; each of these would be a schema that looks strict and checks nothing.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, NoReturn

from git_mlops.decode import unknown
from git_mlops.errors import MlopsError
from git_mlops.schema import pandera
from git_mlops.schema.document import Document, Key, parse

Plain = dict[str, object]


class Schema(NamedTuple):
    """A schema that is known to check something."""

    path: str
    """Repository path, for messages."""
    document: Plain
    """Pandera's serialized form, normalized: every check in a `checks:` list."""
    built: object
    """pandera's `DataFrameSchema`."""


class _Check(NamedTuple):
    """One built-in check: its arguments in order, and how many of them must be there."""

    arguments: tuple[str, ...]
    required: int = 1


_UNARY = {
    "equal_to": "value", "not_equal_to": "value", "greater_than": "min_value",
    "greater_than_or_equal_to": "min_value", "less_than": "max_value", "less_than_or_equal_to": "max_value",
    "isin": "allowed_values", "notin": "forbidden_values", "str_matches": "pattern",
    "str_contains": "pattern", "str_startswith": "string", "str_endswith": "string",
    "unique_values_eq": "values", "eq": "value", "ne": "value", "gt": "min_value", "ge": "min_value",
    "lt": "max_value", "le": "max_value",
}  # fmt: skip
_RANGE = _Check(("min_value", "max_value", "include_min", "include_max"), 2)
CHECKS: dict[str, _Check] = {name: _Check((argument,)) for name, argument in _UNARY.items()}
CHECKS |= {
    "in_range": _RANGE,
    "between": _RANGE,
    "str_length": _Check(("min_value", "max_value", "exact_value"), 0),
}

_LISTS = ("isin", "notin", "unique_values_eq")
_PATTERNS = ("str_matches", "str_contains")
_TEXTS = ("str", "string", "string[pyarrow]", "string[python]", "object")
_ENDS = ("str_startswith", "str_endswith")

_BOOL, _TEXT, _UNIQUE, _ANY = (bool,), (str, type(None)), (str, list, type(None)), (object,)
_REPORT = ("all", "exclude_first", "exclude_last")
_OPTIONS: dict[str, tuple[type, ...]] = {
    "check_name": (str,), "ignore_na": _BOOL, "raise_warning": _BOOL, "n_failure_cases": (int, type(None)),
    "error": _TEXT, "name": _TEXT, "title": _TEXT, "description": _TEXT,
}  # fmt: skip
_COMPONENT: dict[str, tuple[type, ...]] = {
    "title": _TEXT, "description": _TEXT, "dtype": _TEXT, "nullable": _BOOL, "checks": (dict, list),
    "name": _TEXT, "unique": _BOOL, "coerce": _BOOL, "required": _BOOL, "regex": _BOOL, "default": _ANY,
    "report_duplicates": (str,), "drop_invalid_rows": _BOOL,
}  # fmt: skip
_FRAME: dict[str, tuple[type, ...]] = {
    "schema_type": (str,), "version": _ANY, "api": (str,), "dataframe_library": _TEXT,
    "columns": (dict, list, type(None)), "checks": (dict, list), "index": (list, type(None)),
    "multiindex": (dict,), "dtype": _TEXT, "coerce": _BOOL, "strict": (bool, str), "name": _TEXT,
    "ordered": _BOOL, "unique": _UNIQUE, "report_duplicates": (str,), "unique_column_names": _BOOL,
    "add_missing_columns": _BOOL, "title": _TEXT, "description": _TEXT, "metadata": (dict, type(None)),
    "drop_invalid_rows": _BOOL,
}  # fmt: skip


def load(content: bytes, path: str) -> Schema:
    """The schema of a file that `pandera.io` reads the same way.

    Raises:
        MlopsError: no YAML, an unknown key, check, argument or type, a bad regular expression, or nothing
            that would be checked; names file, line and key.
    """
    reader = _Reader(parse(content, path), path)
    document = reader.frame()
    try:
        built = pandera.build(document)
    except pandera.BuildError as error:
        reader.fail(error.key, str(error))
    return Schema(path, document, built)


def grammar(content: bytes, path: str) -> Plain:
    """What `load` knows of a file before pandera builds it: quick, and refused for the same slips of grammar.

    Raises:
        MlopsError: as `load`, but for what pandera alone finds.
    """
    return _Reader(parse(content, path), path).frame()


class _Reader:
    """Walks one document; holds only what every message needs."""

    def __init__(self, document: Document, path: str) -> None:
        self._value, self._lines = document
        self._path = path

    def fail(self, key: Key, message: str, hint: str | None = None) -> NoReturn:
        """Stop, at the line of the key or of what holds it."""
        at: Key = key
        while at and at not in self._lines:
            at = at[:-1]
        line = self._lines.get(at)
        where = f"{self._path}:{line}" if line else self._path
        shown = ".".join(map(str, key))
        raise MlopsError(f"{where}: `{shown}`: {message}" if shown else f"{where}: {message}", hint=hint)

    def frame(self) -> Plain:
        """The whole file."""
        if self._value is None or self._value == {}:
            self._nothing()
        given = self._mapping(self._value, ())
        self._typed(given, _FRAME, ())
        self._frame_values(given)
        columns = self._columns(given.get("columns"))
        index = [self._component(part, ("index", i)) for i, part in enumerate(self._sequence(given, "index"))]
        checks = self._checks(given, (), given.get("dtype"))
        if not (columns or index or checks or given.get("unique")):
            self._nothing()
        kept = {key: value for key, value in given.items() if key not in ("columns", "index", "checks")}
        parts = {"columns": columns, "index": index or None, "checks": checks or None}
        return kept | {key: value for key, value in parts.items() if value is not None}

    def _nothing(self) -> NoReturn:
        self.fail((), "checks nothing: no columns and no checks", "`git mlops schema infer PATH` writes one")

    def _frame_values(self, given: Plain) -> None:
        for key, allowed in (
            ("schema_type", ("dataframe",)),
            ("api", ("pandas",)),
            ("dataframe_library", ("pandas", None)),
            ("strict", (True, False, "filter")),
            ("report_duplicates", _REPORT),
        ):
            if key in given and given[key] not in allowed:
                self.fail((key,), f"expected {' or '.join(map(str, allowed))}, not {_told(given[key])}")
        self._dropping(given, ())

    def _dropping(self, given: Plain, key: Key) -> None:
        if given.get("drop_invalid_rows"):
            message = "would drop the bad rows in silence instead of reporting them"
            self.fail((*key, "drop_invalid_rows"), message, "delete the line")

    def _columns(self, value: object) -> dict[str, Plain]:
        parts: list[tuple[Key, object, object]]
        if isinstance(value, list):
            named = [self._mapping(part, ("columns", i)) for i, part in enumerate(value)]
            parts = [(("columns", i), part.get("name"), part) for i, part in enumerate(named)]
        else:
            given = value if isinstance(value, dict) else {}
            parts = [(("columns", str(name)), name, part) for name, part in given.items()]
        found: dict[str, Plain] = {}
        for key, name, part in parts:
            if not isinstance(name, str):
                self.fail(key, f"the column name {_told(name)} is not text", f'quote it: `"{name}"`')
            if name in found:
                self.fail(key, f"the column `{name}` stands twice")
            found[name] = self._component(part, key)
            if found[name].get("regex"):
                self._regex(name, key)
            found[name].pop("name", None)
        return found

    def _component(self, value: object, key: Key) -> Plain:
        given = self._mapping(value, key)
        flat = {name: given[name] for name in given if name in CHECKS}
        plain = {name: value for name, value in given.items() if name not in CHECKS}
        self._typed(plain, _COMPONENT, key, also=CHECKS)
        if plain.get("report_duplicates", "all") not in _REPORT:
            self.fail((*key, "report_duplicates"), f"expected one of {', '.join(_REPORT)}")
        self._dropping(plain, key)
        if flat and plain.get("checks"):
            self.fail((*key, next(iter(flat))), "stands beside `checks:`, where pandera ignores it")
        dtype = plain.get("dtype")
        checks = [self._entry(n, v, (*key, n), dtype, flat=True) for n, v in flat.items()]
        checks += self._checks(plain, key, dtype)
        plain.pop("checks", None)
        return {**plain, "checks": checks} if checks else plain

    def _checks(self, given: Plain, key: Key, dtype: object) -> list[Plain]:
        value = given.get("checks")
        if isinstance(value, dict):
            return [self._entry(str(n), v, (*key, "checks", str(n)), dtype) for n, v in value.items()]
        entries = []
        for number, item in enumerate(value if isinstance(value, list) else []):
            at = (*key, "checks", number)
            entry = self._mapping(item, at)
            name = self._mapping(entry.get("options"), (*at, "options")).get("check_name")
            if not isinstance(name, str):
                self.fail(at, "`options.check_name` is missing: which check is it?")
            entries.append(self._entry(name, entry, at, dtype))
        return entries

    def _entry(self, name: str, value: object, key: Key, dtype: object, *, flat: bool = False) -> Plain:
        """One check in pandera's list form: its arguments, and `options` with its name."""
        check = CHECKS.get(name)
        if check is None:
            self.fail(key, f"no check `{name}`", unknown(name, CHECKS, "").hint)
        stats, options = self._split(value, key, flat=flat)
        if "value" in stats and "value" not in check.arguments:
            if len(check.arguments) > 1:
                self.fail(key, f"expected a mapping of {', '.join(check.arguments)}")
            stats[check.arguments[0]] = stats.pop("value")
        for argument in stats:
            if argument not in check.arguments:
                self.fail((*key, argument), "no such argument", unknown(argument, check.arguments, "").hint)
        missing = [a for a in check.arguments[: check.required] if stats.get(a) is None]
        if missing or not any(value is not None for value in stats.values()):
            self.fail(key, f"`{missing[0] if missing else check.arguments[0]}` is missing")
        self._arguments(name, stats, key, dtype)
        options = {k: v for k, v in options.items() if k != "n_failure_cases"}  # our own caps apply
        return {**stats, "options": {**options, "check_name": name}}

    def _split(self, value: object, key: Key, *, flat: bool) -> tuple[Plain, Plain]:
        if not isinstance(value, dict):
            return {"value": value}, {}
        if flat:
            options = {k: v for k, v in value.items() if k in _OPTIONS}
            stats = {str(k): v for k, v in value.items() if k not in _OPTIONS}
        else:
            options = self._mapping(value.get("options"), (*key, "options")) if "options" in value else {}
            stats = {str(k): v for k, v in value.items() if k != "options"}
        if {"groupby", "groups"} & {*stats, *options}:
            self.fail(key, "checks by groups cannot be written for a built-in check")
        self._typed(options, _OPTIONS, key if flat else (*key, "options"))
        return stats, options

    def _arguments(self, name: str, stats: Plain, key: Key, dtype: object) -> None:
        value = next(iter(stats.values()))
        if name in _LISTS:
            if not isinstance(value, list) or not value:
                self.fail(key, f"expected a list of values, not {_told(value)}")
            if any(isinstance(item, dict | list) or item is None for item in value):
                self.fail(key, "expected a list of plain values")
        if name in _PATTERNS:
            self._regex(value, key)
        if name in _ENDS and not isinstance(value, str):
            self.fail(key, f"expected text, not {_told(value)}")
        if name == "str_length" and any(
            number is not None and type(number) is not int for number in stats.values()
        ):
            self.fail(key, "expected whole numbers")
        if name in (*_LISTS, "equal_to", "not_equal_to", "eq", "ne") and dtype in _TEXTS[:-1]:
            for item in value if isinstance(value, list) else [value]:
                if not isinstance(item, str):
                    # YAML reads a bare yes, no, on, off, 007, 2024-01-01 as something else
                    self.fail(key, f"{_told(item)} is not text, but the column is", "quote it")

    def _regex(self, pattern: object, key: Key) -> None:
        try:
            if not isinstance(pattern, str):
                self.fail(key, f"expected a regular expression, not {_told(pattern)}")
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            self.fail(key, f"not a regular expression: {error}")

    def _typed(
        self, given: Plain, known: Mapping[str, tuple[type, ...]], key: Key, *, also: Iterable[str] = ()
    ) -> None:
        for name, value in given.items():
            at = (*key, name)
            if name not in known:
                self.fail(at, "unknown key", unknown(name, [*known, *also], "").hint)
            if name == "checks" and value is None:
                hint = "write the check as YAML, or delete the line if none is meant"
                self.fail(at, "is null, which is what pandera writes for a check it cannot (a lambda)", hint)
            if not isinstance(value, known[name]):
                self.fail(at, f"expected {_kinds(known[name])}, not {_told(value)}")

    def _mapping(self, value: object, key: Key) -> Plain:
        if not isinstance(value, dict):
            self.fail(key, f"expected a mapping, not {_told(value)}")
        return {str(name): inner for name, inner in value.items()}

    def _sequence(self, given: Plain, key: str) -> list[object]:
        value = given.get(key)
        return value if isinstance(value, list) else []


def _told(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 40 else text[:37] + "…"


_NAMES: dict[type, str] = {
    bool: "true or false", str: "text", dict: "a mapping", list: "a list", int: "a number",
}  # fmt: skip


def _kinds(kinds: tuple[type, ...]) -> str:
    return " or ".join(_NAMES[kind] for kind in kinds if kind in _NAMES)
