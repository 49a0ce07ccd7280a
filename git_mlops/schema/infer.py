"""A first schema of a table, as a person would write it: types, nulls, round ranges, categories, keys."""

import math
import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from git_mlops.errors import FINDINGS, MlopsError
from git_mlops.schema import doubts, quantiles, tables
from git_mlops.schema.tables import Table, Wanted
from git_mlops.schema.text import UnreadableError
from git_mlops.tables.forms import KNOWN, form_of

if TYPE_CHECKING:
    import pandas as pd

MOST_CATEGORIES = 20
MOST_CODES = 5
"""Distinct values up to which a whole-number column is taken for classes, not for amounts."""
_ROWS_PER_CATEGORY = 8
ENOUGH = 50
"""Values from which on their spread says something of those to come."""
_LONGEST_CATEGORY = 60

_TIME = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?$"
_ZONED = r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$"
_WHOLE = r"^[+-]?[0-9]+$"
_PADDED = r"^[+-]?0[0-9]"
_KEY = re.compile(r"(?:^|[_\s.-])(?:id|key|uuid|guid|pk)$|[a-z](?:Id|ID|Key)$", re.IGNORECASE)

Column = dict[str, object]


def infer(file: Path, name: str) -> bytes:
    """pandera's YAML for a file; the same file gives the same bytes, and satisfies them.

    Args:
        file: where the bytes are.
        name: its path in the repository, which tells the form.

    Raises:
        MlopsError: the form is unknown, or the file is not what its name says.
    """
    form = form_of(name)
    if form is None:
        raise MlopsError(f"{name}: its form is not known by its name", hint=f"known: {', '.join(KNOWN)}")
    try:
        table = tables.read(file, form)
    except UnreadableError as error:
        raise MlopsError(f"{name}: cannot be read as {form.name}: {error}", exit_code=1) from error
    if table.repeated:
        raise MlopsError(f"{name}: the column `{table.repeated[0]}` stands more than once")
    if table.rows == 0 or not table.cells:
        raise MlopsError(f"{name}: has no rows to infer a schema from", exit_code=FINDINGS)
    wanted = dict(_declared(table))
    frame = tables.typed(table, wanted).frame
    columns = {str(n): _column(_Seen(str(n), frame[n], table, wanted.get(str(n)))) for n in frame.columns}
    head = (
        f"# Schema of {_comment(name)}, inferred from {table.rows} rows by `git mlops schema infer`.\n"
        "# A first draft: tighten and loosen it by hand. `git mlops schema check` validates.\n"
    )
    head += "".join(f"# {_comment(doubt)}\n" for doubt in doubts.of(frame, wanted.keys()))
    document = {"schema_type": "dataframe", "columns": columns, "strict": True}
    return (head + _dump(document)).encode("utf-8")


def _comment(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


class _Seen(NamedTuple):
    """One column as it was read."""

    name: str
    values: "pd.Series[Any]"
    table: Table
    wanted: Wanted | None
    """What was decided from the text of its cells."""


def _declared(table: Table) -> Iterator[tuple[str, Wanted]]:
    """Text columns that hold times, or codes with leading zeros, which reading as numbers would lose."""
    if table.whole is not None:
        return  # Parquet says its types itself
    for name, cells in table.cells.items():
        wanted = _told_by_text(cells, numbers=table.form.kind not in ("jsonl", "sqlite"))
        if table.form.dialect and name in table.form.dialect.dates:
            zoned = "%z" in table.form.dialect.dates[name]
            wanted = Wanted("datetime", "datetime64[ns, UTC]" if zoned else "datetime64[ns]", coerce=True)
        # a pattern is not enough: 2024-02-30 is no day
        if wanted is not None and not tables.typed(table._replace(cells={name: cells}), {name: wanted}).bad:
            yield name, wanted


def _told_by_text(cells: object, *, numbers: bool) -> Wanted | None:
    """What all cells look like; in a form without types of its own (`numbers`) also codes."""
    if tables.matches(cells, _TIME, whole=True):
        return Wanted("datetime", "datetime64[ns]", coerce=True)
    if tables.matches(cells, _ZONED, whole=True):
        return Wanted("datetime", "datetime64[ns, UTC]", coerce=True)
    if numbers and tables.matches(cells, _WHOLE, whole=True) and tables.matches(cells, _PADDED, whole=False):
        return Wanted("string", "str", coerce=True)
    return None


def _column(seen: _Seen) -> Column:
    values = seen.values
    present = values.dropna()
    nulls = len(present) < len(values)
    sort, dtype = _dtype(present)
    column: Column = {"dtype": dtype} if dtype else {}
    if nulls:
        column["nullable"] = True
    if _must_coerce(seen, dtype, nulls=nulls):
        column["coerce"] = True
    if not nulls and sort in ("int", "string") and _KEY.search(seen.name) and values.is_unique:
        column["unique"] = True
    checks = _checks(sort, present, unique="unique" in column)
    if checks:
        column["checks"] = checks
    return column


def _must_coerce(seen: _Seen, dtype: str | None, *, nulls: bool) -> bool:
    """Where plain pandas would read another type; with it `pandera validate` agrees with us."""
    if seen.wanted is not None:
        return seen.wanted.coerce
    if dtype is None:
        return False
    timed = dtype.startswith(("datetime64[ns, ", "timedelta64"))  # pandera is strict about their unit
    return timed or (nulls and (dtype[:3] in ("Int", "UIn") or dtype == "boolean"))


def _dtype(present: "pd.Series[Any]") -> tuple[str, str | None]:
    """What kind of values, and pandera's name of the type; None where any name would be a guess."""
    text = str(present.dtype)
    if present.empty:
        return "other", None
    if re.fullmatch(r"[uU]?[iI]nt\d+", text):
        return "int", text
    if re.fullmatch(r"float\d+", text):
        return "float", text
    if text in ("bool", "boolean"):
        return "bool", text
    if text.startswith("datetime64["):
        zone = text.partition(",")[2].removesuffix("]").strip()
        return "datetime", f"datetime64[ns, {zone}]" if zone else "datetime64[ns]"
    if text.startswith("timedelta64["):
        return "timedelta", "timedelta64[ns]"
    if text in ("str", "string") or (text == "object" and all(isinstance(v, str) for v in present)):
        return "string", "str" if text != "string" else "string"
    return "other", "category" if text == "category" else None


def _checks(sort: str, present: "pd.Series[Any]", *, unique: bool) -> Mapping[str, object]:
    if sort == "string":
        categories = None if unique else _categories(present, MOST_CATEGORIES)
        return {"isin": _Flow(categories)} if categories else {}
    if sort == "int":
        codes = None if unique else _categories(present, MOST_CODES)
        if codes is not None and len(codes) > 1:
            return {"isin": _Flow(codes)}
        seen = Decimal(int(present.min())), Decimal(int(present.max()))
        plausible = None if unique else _plausible(present, *seen, whole=True)
        return plausible or _range(*seen, whole=True, open_ended=unique)
    if sort == "float":
        low, high = float(present.min()), float(present.max())
        if math.isfinite(low) and math.isfinite(high):
            ends = Decimal(repr(low)), Decimal(repr(high))
            return _plausible(present, *ends, whole=False) or _range(*ends, whole=False, open_ended=False)
    return {}


def _categories(present: "pd.Series[Any]", most: int) -> list[object] | None:
    """The distinct values, sorted, where they are few and each is seen often."""
    head = present.head(10_000)
    if head.nunique() > most:
        return None
    distinct = [value.item() if hasattr(value, "item") else value for value in present.unique()]
    if len(distinct) > most or len(present) < _ROWS_PER_CATEGORY * len(distinct):
        return None
    if any(isinstance(v, str) and len(v) > _LONGEST_CATEGORY for v in distinct):
        return None
    return sorted(distinct)


def _plausible(
    present: "pd.Series[Any]", low: Decimal, high: Decimal, *, whole: bool
) -> Mapping[str, object] | None:
    """The range of values to come: the least and the largest value seen are chance, the bulk is not.

    On each side a third of the bulk's span (98 of 100 values) beyond the bulk, as far as that has the sign of
    what was seen, and all that was seen. None where there are too few values to tell, or most are the same.
    """
    if len(present) < ENOUGH or present.nunique() < MOST_CATEGORIES or max(abs(low), abs(high)) > 2**53:
        return None
    least, most = (Decimal(repr(one)) for one in quantiles.of(present, (0.01, 0.99)))
    room = (most - least) * Decimal("0.3")
    if not room or not room.is_finite():
        return None
    below, above = min(low, least - room), max(high, most + room)
    if low >= 0:
        below = max(below, Decimal(0))
    if high <= 0:
        above = min(above, Decimal(0))
    if not whole and low >= 0 and high <= 1 and high > Decimal("0.5"):
        below, above = Decimal(0), Decimal(1)  # shares
    step = Decimal(1).scaleb((above - below).adjusted())
    step = step / 5 if (above - below) / step < 2 else step
    low_value, high_value = _outward(below, above, step, whole=whole)
    if not (math.isfinite(low_value) and math.isfinite(high_value)):
        return None
    return {"in_range": _FlowMap(min_value=low_value, max_value=high_value)}


def _outward(low: Decimal, high: Decimal, step: Decimal, *, whole: bool) -> tuple[int | float, int | float]:
    """Both ends, rounded to steps."""
    below = (low / step).to_integral_value(ROUND_FLOOR) * step
    above = (high / step).to_integral_value(ROUND_CEILING) * step
    if whole:
        below, above = below.to_integral_value(ROUND_FLOOR), above.to_integral_value(ROUND_CEILING)
    return _number(below, whole=whole), _number(above, whole=whole)


def _range(low: Decimal, high: Decimal, *, whole: bool, open_ended: bool) -> Mapping[str, object]:
    """Outward to one significant step of the span: 4.3 … 7.9 becomes 4 … 8, and 3 … 97 becomes 0 … 100.

    Keys and constants are open above: they are not amounts of which one has seen the span.
    """
    if open_ended or low == high:
        return {"greater_than_or_equal_to": 0} if low >= 0 else {}
    step = Decimal(1).scaleb((high - low).adjusted())
    low_value, high_value = _outward(low, high, step, whole=whole)
    if not (math.isfinite(low_value) and math.isfinite(high_value)):
        return {}  # rounded outward of what a float can hold
    return {"in_range": _FlowMap(min_value=low_value, max_value=high_value)}


def _number(value: Decimal, *, whole: bool) -> int | float:
    short = value == value.to_integral_value() and abs(value) < 10**15
    return int(value) if whole or short else float(value)


class _Flow(list[object]):
    """A list written on one line."""


class _FlowMap(dict[str, object]):
    """A mapping written on one line."""


class _Dumper(yaml.SafeDumper):
    """pandera's layout, with the arguments of a check on one line."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Escaped where a character is no print: PyYAML writes U+0085 plainly and reads it as a line break.

    Quoted where YAML 1.2 would see a number (`008`, `1e5`) and PyYAML, being 1.1, does not.
    """
    style = '"' if not text.isprintable() else "'" if re.fullmatch(r"[-+.]?[0-9][0-9.eE+-]*", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(
    _Flow, lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)
)
_Dumper.add_representer(
    _FlowMap, lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True)
)


def _dump(document: Mapping[str, object]) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
