"""How far the columns of a table moved, told from two profiles alone: no data is needed. Pure.

A score is comparable between columns: 0 nothing moved; 1 one standard deviation, or every row. It ranks what
people should look at; it is no test of significance.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from git_mlops.data.profile import Column, Profile

_QUANTILES = ("p05", "p25", "p50", "p75", "p95")
_MOST = 9.99


class Shift(NamedTuple):
    """One column that moved."""

    column: str
    score: float
    said: str
    """What moved most, for people: `mean 42.3 → 47.1 (0.30 std)`."""


def shifts(old: Profile, new: Profile, least: float = 0.01) -> list[Shift]:
    """The columns of both sides that moved by at least so much, the furthest first."""
    found = []
    for name, column in new.columns.items():
        if name not in old.columns or name in (*old.key, *new.key):
            continue  # a new column has not moved, and a key tells rows apart, nothing else
        moved = max(_moves(old.columns[name], column, old.rows, new.rows), default=None)
        if moved is not None and moved[0] >= least:
            found.append(Shift(name, *moved))
    return sorted(found, key=lambda one: -one.score)


def _moves(a: Column, b: Column, before: int, after: int) -> Iterator[tuple[float, str]]:
    if a.get("type") != b.get("type"):
        yield _MOST, f"type {a.get('type')} → {b.get('type')}"
        return
    if before and after:
        yield from _nulls(a, b, before, after)
        yield from _classes(a, b, before, after)
    yield from _numbers(a, b)


def _nulls(a: Column, b: Column, before: int, after: int) -> Iterator[tuple[float, str]]:
    old, new = _number(a, "nulls"), _number(b, "nulls")
    if old is not None and new is not None:
        p, q = old / before, new / after
        yield min(abs(p - q), 1.0), f"nulls {_percent(p)} → {_percent(q)}"


def _numbers(a: Column, b: Column) -> Iterator[tuple[float, str]]:
    """Mean or a quantile, in units of the old spread: the mean, unless a quantile moved clearly further."""
    spread = _number(a, "std") or _span(a)
    found = []
    for name in ("mean", *_QUANTILES):
        old, new = _number(a, name), _number(b, name)
        if old is not None and new is not None and old != new:
            moved = min(abs(new - old) / spread, _MOST) if spread else _MOST
            weight = moved if name == "mean" else moved / _CLEARLY
            found.append((weight, moved, f"{name} {old:.4g} → {new:.4g} ({_deviations(moved)})"))
    if found:
        _weight, moved, said = max(found, key=lambda one: one[0])
        yield moved, said


_CLEARLY = 1.25


def _span(column: Column) -> float | None:
    low, high = _number(column, "p05"), _number(column, "p95")
    return (high - low) / 3.29 if low is not None and high is not None and high > low else None


def _deviations(moved: float) -> str:
    return f"{moved:.2f} std" if moved < _MOST else "many std"


def _classes(a: Column, b: Column, before: int, after: int) -> Iterator[tuple[float, str]]:
    """The share of rows that would have to change their value, as far as the counted values tell."""
    old, new = _shares(a, before), _shares(b, after)
    if not old or not new:
        return
    moved = {name: new.get(name, 0.0) - old.get(name, 0.0) for name in {*old, *new}}
    rest = sum(new.values()) - sum(old.values())
    score = (sum(map(abs, moved.values())) + abs(rest)) / 2
    name = max(sorted(moved), key=lambda one: abs(moved[one]))
    yield min(score, 1.0), f"`{name}` {_percent(old.get(name, 0.0))} → {_percent(new.get(name, 0.0))}"


def _shares(column: Column, rows: int) -> dict[str, float]:
    top = column.get("top")
    if not isinstance(top, Mapping):
        return {}
    return {str(name): count / rows for name, count in top.items() if isinstance(count, int)}


def _number(column: Mapping[str, Any], name: str) -> float | None:
    value = column.get(name)
    numeric = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if numeric else None  # type: ignore[arg-type]  # it is a number


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
