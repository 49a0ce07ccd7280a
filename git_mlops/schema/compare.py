"""What a change of a schema means for data: compatible, widening, narrowing or breaking, by column and check.

Widening: all that was valid stays valid, and more is. Narrowing: what was valid may be refused. Breaking:
it certainly is, or who reads the data no longer finds what was there.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from git_mlops.schema.load import Schema

Meaning = Literal["compatible", "widening", "narrowing", "breaking"]
MEANINGS: tuple[Meaning, ...] = ("compatible", "widening", "narrowing", "breaking")

Plain = Mapping[str, object]


class Change(NamedTuple):
    """One difference."""

    meaning: Meaning
    column: str | None
    """None for the table."""
    part: str
    """`dtype`, `nullable`, `in_range`, …"""
    message: str
    old: object = None
    new: object = None


def compare(old: Schema, new: Schema) -> list[Change]:
    """Every difference, worst first; none when both say the same."""
    found = [*_frame(old.document, new.document), *_columns(old.document, new.document)]
    return sorted(found, key=lambda c: (-MEANINGS.index(c.meaning), c.column or "", c.part, c.message))


def worst(changes: Iterable[Change]) -> Meaning:
    """What the whole change is."""
    return max((change.meaning for change in changes), key=MEANINGS.index, default="compatible")


def _frame(old: Plain, new: Plain) -> Iterator[Change]:
    if (pair := (_strict(old), _strict(new))) in ((True, False), (False, True)):
        yield _flag(None, "strict", *pair, looser=False)
    yield from _flags(None, old, new, _FRAME_FLAGS)
    yield from _dtype(None, old.get("dtype"), new.get("dtype"))
    yield from _uniques(_names(old.get("unique")), _names(new.get("unique")))
    yield from _checks(None, old, new)
    if old.get("ordered") and new.get("ordered"):
        before, after = list(_part(old, "columns")), list(_part(new, "columns"))
        both = set(before) & set(after)
        if [n for n in before if n in both] != [n for n in after if n in both]:
            yield Change("breaking", None, "ordered", "the columns stand in another order", before, after)
    if old.get("index") != new.get("index"):
        yield Change("narrowing", None, "index", "the row labels are described otherwise")
    yield from _words(None, old, new, ("name", "title", "description", "metadata"))


_FRAME_FLAGS = {"ordered": False, "coerce": True, "unique_column_names": False, "add_missing_columns": True}
_COLUMN_FLAGS = {"nullable": True, "unique": False, "coerce": True, "required": False}
"""Flag → whether it lets more pass when it is set."""
_DEFAULTS = {"required": True}


def _strict(frame: Plain) -> bool:
    return frame.get("strict") is True  # `filter` drops what is not in the schema, and refuses nothing


def _flags(column: str | None, old: Plain, new: Plain, flags: Mapping[str, bool]) -> Iterator[Change]:
    for name, looser in flags.items():
        default = _DEFAULTS.get(name, False)
        before, after = bool(old.get(name, default)), bool(new.get(name, default))
        if before != after:
            yield _flag(column, name, before, after, looser=looser)


def _flag(column: str | None, name: str, old: bool, new: bool, *, looser: bool) -> Change:  # noqa: FBT001  # values
    meaning: Meaning = "widening" if new == looser else "narrowing"
    said = f"`{name}` is {str(new).lower()}, was {str(old).lower()}"
    return Change(meaning, column, name, said, old, new)


def _words(column: str | None, old: Plain, new: Plain, names: Sequence[str]) -> Iterator[Change]:
    for name in names:
        if old.get(name) != new.get(name):
            yield Change("compatible", column, name, f"`{name}` is worded otherwise")


def _names(value: object) -> frozenset[str]:
    return frozenset([value] if isinstance(value, str) else value if isinstance(value, list) else [])


def _uniques(old: frozenset[str], new: frozenset[str]) -> Iterator[Change]:
    """A key of more columns repeats less often."""
    if old == new:
        return
    wider = not new or (old and old < new)
    said = f"rows must be unique by {_listed(new)}, were by {_listed(old)}"
    yield Change("widening" if wider else "narrowing", None, "unique", said, sorted(old), sorted(new))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "nothing"


def _part(frame: Plain, name: str) -> Mapping[str, Plain]:
    value = frame.get(name)
    return value if isinstance(value, dict) else {}


def _columns(old: Plain, new: Plain) -> Iterator[Change]:
    before, after = _part(old, "columns"), _part(new, "columns")
    for name in before.keys() - after.keys():
        yield Change("breaking", name, "column", "the column is gone")
    for name in after.keys() - before.keys():
        if after[name].get("required", True) and not new.get("add_missing_columns"):
            yield Change("breaking", name, "column", "the column is new, and data that is there lacks it")
        else:
            said = "the column is new, and may be missing"
            yield Change("widening" if _strict(old) else "narrowing", name, "column", said)
    for name in before.keys() & after.keys():
        yield from _column(name, before[name], after[name])


def _column(name: str, old: Plain, new: Plain) -> Iterator[Change]:
    if bool(old.get("regex")) != bool(new.get("regex")):
        yield Change("breaking", name, "regex", "its name is read as a pattern in one of the two")
    yield from _dtype(name, old.get("dtype"), new.get("dtype"))
    yield from _flags(name, old, new, _COLUMN_FLAGS)
    yield from _checks(name, old, new)
    yield from _words(name, old, new, ("title", "description"))
    if old.get("default") != new.get("default"):
        yield Change("compatible", name, "default", "another default", old.get("default"), new.get("default"))


def _dtype(column: str | None, old: object, new: object) -> Iterator[Change]:
    if old == new:
        return
    if old is None or new is None:
        meaning: Meaning = "widening" if new is None else "narrowing"
    else:
        meaning = _of_types(str(old), str(new))
    yield Change(meaning, column, "dtype", f"the type is {new or 'open'}, was {old or 'open'}", old, new)


def _of_types(old: str, new: str) -> Meaning:
    """Integers and floats by their size; a type that can hold nulls is wider than one that cannot."""
    texts = ("str", "string", "string[python]", "string[pyarrow]", "object")
    if old in texts and new in texts:
        return "compatible"
    before, after = _NUMBER.fullmatch(old), _NUMBER.fullmatch(new)
    if before is None or after is None:
        return "breaking"
    kinds = (before[1].lower(), after[1].lower())
    wider, narrower = _holds(after, before), _holds(before, after)
    if kinds[0] != kinds[1] and "float" in kinds:
        return "breaking"  # readers of whole numbers meet fractions, or fractions are refused
    if wider:
        return "compatible" if narrower else "widening"
    return "narrowing"


_NUMBER = re.compile(r"(int|uint|float|Int|UInt|Float)(8|16|32|64)")


def _holds(one: re.Match[str], other: re.Match[str]) -> bool:
    """Whether a type holds every value of the other, null included."""
    nulls = one[1][0].isupper() or not other[1][0].isupper() or one[1].lower() == "float"
    signs = one[1].lower() == other[1].lower()
    if not signs:  # unsigned into signed needs one size more
        return nulls and other[1].lower() == "uint" and int(one[2]) > int(other[2])
    return nulls and int(one[2]) >= int(other[2])


class _Interval(NamedTuple):
    """Numbers, dates or texts between two ends; None is no end."""

    low: object = None
    low_open: bool = False
    high: object = None
    high_open: bool = False


_BOUNDS = {
    "greater_than": ("low", True), "gt": ("low", True), "greater_than_or_equal_to": ("low", False),
    "ge": ("low", False), "less_than": ("high", True), "lt": ("high", True),
    "less_than_or_equal_to": ("high", False), "le": ("high", False),
}  # fmt: skip
_RANGES = ("in_range", "between")


def _checks(column: str | None, old: Plain, new: Plain) -> Iterator[Change]:
    before, after = _entries(old), _entries(new)
    yield from _intervals(column, before, after)
    rest = ({k: v for k, v in entries.items() if not _bound(k)} for entries in (before, after))
    first, second = rest
    for key in sorted(first.keys() | second.keys()):
        one, other = first.get(key), second.get(key)
        if one is None and other is not None:
            yield Change("narrowing", column, key, f"`{key}` is new", None, _shown(other))
        elif other is None and one is not None:
            yield Change("widening", column, key, f"`{key}` is gone", _shown(one), None)
        elif one is not None and other is not None and one != other:
            yield from _changed(column, key, one, other)


def _entries(part: Plain) -> dict[str, Plain]:
    """Check → its arguments and options; a second one of the same name gets a number."""
    found: dict[str, Plain] = {}
    checks = part.get("checks")
    for entry in checks if isinstance(checks, list) else []:
        name = str(entry["options"]["check_name"])
        key, number = name, 1
        while key in found:
            number += 1
            key = f"{name} {number}"
        found[key] = entry
    return found


def _bound(key: str) -> bool:
    return key.split(" ", maxsplit=1)[0] in (*_BOUNDS, *_RANGES)


def _options(entry: Plain) -> tuple[bool, bool]:
    options = entry["options"]
    assert isinstance(options, dict)
    return bool(options.get("raise_warning")), bool(options.get("ignore_na", True))


def _shown(entry: Plain) -> object:
    given = {key: value for key, value in entry.items() if key != "options"}
    return next(iter(given.values())) if len(given) == 1 else given


def _intervals(column: str | None, old: Mapping[str, Plain], new: Mapping[str, Plain]) -> Iterator[Change]:
    """All bounds of a column are one interval, however they are written."""
    before, after = _interval(old), _interval(new)
    part = next((key.split(" ")[0] for key in (*new, *old) if _bound(key)), "in_range")
    pair = [{k: _options(v) for k, v in entries.items() if _bound(k)} for entries in (old, new)]
    if before != after:
        wider, narrower = _inside(before, after), _inside(after, before)
        meaning: Meaning = "widening" if wider else "narrowing"
        if not wider and not narrower and _apart(before, after):
            meaning = "breaking"
        said = f"values must be {_told(after)}, were {_told(before)}"
        yield Change(meaning, column, part, said, _told(before), _told(after))
    elif pair[0].keys() == pair[1].keys():
        for key in pair[0]:
            yield from _other_options(column, key, old[key], new[key])


def _interval(entries: Mapping[str, Plain]) -> _Interval:
    found = _Interval()
    for key, entry in entries.items():
        name = key.split(" ")[0]
        if name in _RANGES:
            low_open, high_open = not entry.get("include_min", True), not entry.get("include_max", True)
            found = _cut(found, _Interval(entry["min_value"], low_open, entry["max_value"], high_open))
        elif name in _BOUNDS:
            side, is_open = _BOUNDS[name]
            value = _shown(entry)
            low = _Interval(low=value, low_open=is_open)
            found = _cut(found, low if side == "low" else _Interval(high=value, high_open=is_open))
    return found


def _cut(one: _Interval, other: _Interval) -> _Interval:
    low = other if one.low is None or (other.low is not None and _above(other, one)) else one
    high = other if one.high is None or (other.high is not None and _below(other, one)) else one
    return _Interval(low.low, low.low_open, high.high, high.high_open)


def _above(one: _Interval, other: _Interval) -> bool:
    """Whether the lower end of one is the stricter."""
    return _less(other.low, one.low) or (one.low == other.low and one.low_open and not other.low_open)


def _below(one: _Interval, other: _Interval) -> bool:
    return _less(one.high, other.high) or (one.high == other.high and one.high_open and not other.high_open)


def _less(one: object, other: object) -> bool:
    try:
        return bool(one < other)  # type: ignore[operator]  # what cannot be compared is said to be stricter
    except TypeError:
        return True


def _inside(one: _Interval, other: _Interval) -> bool:
    """Whether every value of one is in the other."""
    low = other.low is None or (one.low is not None and not _above(other, one))
    high = other.high is None or (one.high is not None and not _below(other, one))
    return low and high


def _apart(one: _Interval, other: _Interval) -> bool:
    """Whether they have no value in common."""
    return any(
        left.high is not None and right.low is not None
        and (_less(left.high, right.low) or (left.high == right.low and (left.high_open or right.low_open)))
        for left, right in ((one, other), (other, one))
    )  # fmt: skip


def _told(interval: _Interval) -> str:
    ends = []
    if interval.low is not None:
        ends.append(f"{'>' if interval.low_open else '>='} {interval.low}")
    if interval.high is not None:
        ends.append(f"{'<' if interval.high_open else '<='} {interval.high}")
    return " and ".join(ends) or "any"


def _changed(column: str | None, key: str, old: Plain, new: Plain) -> Iterator[Change]:
    before, after = _shown(old), _shown(new)
    name = key.split(" ", maxsplit=1)[0]
    if before != after:
        if (
            name in ("isin", "notin", "unique_values_eq")
            and isinstance(before, list)
            and isinstance(after, list)
        ):
            yield _sets(column, key, before, after)
        elif name == "str_length":
            yield _lengths(column, key, old, new)
        else:
            said = f"`{key}` is {after!r}, was {before!r}"
            # two patterns cannot be compared; two different values exclude each other
            meaning: Meaning = "breaking" if name in ("equal_to", "eq") else "narrowing"
            yield Change(meaning, column, key, said, before, after)
    yield from _other_options(column, key, old, new)


def _sets(column: str | None, key: str, old: list[object], new: list[object]) -> Change:
    added = [value for value in new if value not in old]
    removed = [value for value in old if value not in new]
    looser, stricter = (removed, added) if key.startswith("notin") else (added, removed)
    meaning: Meaning = "narrowing" if stricter else "widening" if looser else "compatible"
    if key.startswith("unique_values_eq") and (added or removed):
        meaning = "breaking"
    if key.startswith("isin") and stricter and len(stricter) == len(old):
        meaning = "breaking"
    parts = [f"{verb} {_values(values)}" for verb, values in (("adds", added), ("drops", removed)) if values]
    said = f"`{key}` {' and '.join(parts) or 'lists the same otherwise'}"
    return Change(meaning, column, key, said, old, new)


def _values(values: Sequence[object]) -> str:
    shown = ", ".join(f"`{value}`" for value in values[:5])
    return f"{shown} and {len(values) - 5} more" if len(values) > 5 else shown


def _lengths(column: str | None, key: str, old: Plain, new: Plain) -> Change:
    spans = []
    for entry in (old, new):
        exact = entry.get("exact_value")
        low = entry.get("min_value") if exact is None else exact
        high = entry.get("max_value") if exact is None else exact
        spans.append((low if isinstance(low, int) else 0, high if isinstance(high, int) else math.inf))
    (low, high), (new_low, new_high) = spans
    meaning: Meaning = "widening" if new_low <= low and new_high >= high else "narrowing"
    if new_low > high or new_high < low:
        meaning = "breaking"
    said = f"texts have {new_low} to {new_high} characters, had {low} to {high}"
    return Change(meaning, column, key, said, _shown(old), _shown(new))


def _other_options(column: str | None, key: str, old: Plain, new: Plain) -> Iterator[Change]:
    (warned, ignored), (warns, ignores) = _options(old), _options(new)
    if warned != warns:
        said = f"`{key}` {'only warns now' if warns else 'refuses now, and only warned'}"
        yield Change("widening" if warns else "narrowing", column, key, said, warned, warns)
    if ignored != ignores:
        said = f"`{key}` {'passes nulls now' if ignores else 'refuses nulls now'}"
        yield Change("widening" if ignores else "narrowing", column, key, said, ignored, ignores)
