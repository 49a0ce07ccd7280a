"""Columns of text, aligned by what a terminal shows."""

import unicodedata
from collections import deque
from collections.abc import Sequence
from itertools import repeat


def column(cells: Sequence[str]) -> list[str]:
    """One column, the heading first: a whole one at once, because a table may have 100,000 rows."""
    right = _numbers(cells[1:])
    if "".join(cells).isascii():
        widest = max(map(len, cells))
        return list(map(str.rjust if right else str.ljust, cells, repeat(widest)))
    widths = list(map(width, cells))
    widest = max(widths)
    if right:
        return [" " * (widest - wide) + cell for cell, wide in zip(cells, widths, strict=True)]
    return [cell + " " * (widest - wide) for cell, wide in zip(cells, widths, strict=True)]


def width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text
    )


def _numbers(cells: Sequence[str]) -> bool:
    try:
        deque(map(float, cells), 0)  # of 100,000 numbers this is the quick way to see that they are
    except ValueError:
        return all(map(_numeric, cells))
    return True


def _numeric(text: str) -> bool:
    try:
        float(text.rstrip("%") or 0)
    except ValueError:
        return text in {"-", ""}
    return True
