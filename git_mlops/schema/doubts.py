"""What a person should look at in a table before its schema becomes law: outliers, rare categories, keys."""

from collections.abc import Collection, Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

from git_mlops.schema import quantiles

if TYPE_CHECKING:
    import pandas as pd

_ENOUGH = 50
_FAR = 10
"""So many times the width of the middle half away from it."""
_RARE = 0.01
_MOST_CATEGORIES = 20
_MOST_PARTS = 10
"""Columns of which pairs are tried as keys."""
_HEAD = 1000
_SHOWN = 3


def of(frame: "pd.DataFrame", declared: Collection[str] = ()) -> Iterator[str]:
    """One sentence each; the same table gives the same ones.

    Args:
        declared: columns whose text was read as times or codes: neither are amounts.
    """
    if len(frame) < _ENOUGH:
        return
    for name in frame.columns:
        values = frame[name].dropna()
        if str(values.dtype).lower().startswith(("int", "uint", "float")):
            yield from _far(str(name), values)
        elif str(name) not in declared and str(values.dtype) in ("str", "string", "object"):
            yield from _rare(str(name), values)
    yield from _keys(frame)


def _far(name: str, values: "pd.Series[Any]") -> Iterator[str]:
    """A few values that are far from all others: errors, other units, or a number that stands for "none"."""
    numbers = values.astype("float64")
    first, third = quantiles.of(numbers, (0.25, 0.75))
    width = third - first
    if not width > 0:
        return
    plain = numbers.to_numpy()  # a comparison of Series costs more than the whole of this
    outside = plain[(plain < first - _FAR * width) | (plain > third + _FAR * width)].tolist()
    if 0 < len(outside) <= max(1, _RARE * len(numbers)):
        shown = ", ".join(f"{value:g}" for value in sorted(set(outside))[:_SHOWN])
        yield f"Look at `{name}`: {len(outside)} of {len(numbers)} values ({shown}) are far from all others."


def _rare(name: str, values: "pd.Series[Any]") -> Iterator[str]:
    """Categories that are seldom beside others that are frequent: most are misspelt."""
    counts = values.value_counts()
    if not 2 < len(counts) <= _MOST_CATEGORIES:
        return
    rare = sorted(str(value) for value, count in counts.items() if count <= max(1, _RARE * len(values) / 10))
    if rare and len(counts) - len(rare) > 1:
        shown = ", ".join(f"`{value}`" for value in rare[:_SHOWN])
        yield f"Look at `{name}`: {shown} {'is' if len(rare) == 1 else 'are'} seldom."


def _keys(frame: "pd.DataFrame") -> Iterator[str]:
    """Columns, or else pairs, that tell the rows apart."""
    parts = [
        name
        for name in frame.columns
        if not str(frame[name].dtype).lower().startswith(("float", "bool")) and not frame[name].isna().any()
    ]
    single = [str(name) for name in parts if frame[name].is_unique]
    if single:
        shown = ", ".join(f"`{name}`" for name in single[:_SHOWN])
        yield f"Unique in every row, and so perhaps the key: {shown}."
        return
    for pair in combinations(parts[:_MOST_PARTS], 2):
        names = list(pair)
        if not frame[names].head(_HEAD).duplicated().any() and not frame[names].duplicated().any():
            shown = f"`{pair[0]}` and `{pair[1]}`"
            yield f"Unique together, and so perhaps the key of the table (`unique:`): {shown}."
            return
