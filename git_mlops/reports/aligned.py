"""Columns of text, aligned by what a terminal shows."""

import unicodedata
from collections.abc import Sequence


def column(cells: Sequence[str]) -> list[str]:
    """One column, the heading first: a whole one at once, because a table may have 100,000 rows."""
    right = all(map(_numeric, cells[1:]))
    widths = list(map(len, cells)) if "".join(cells).isascii() else list(map(width, cells))
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


def _numeric(text: str) -> bool:
    try:
        float(text.rstrip("%") or 0)
    except ValueError:
        return text in {"-", ""}
    return True
