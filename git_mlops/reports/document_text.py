"""A document for a terminal."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from git_mlops.reports import aligned
from git_mlops.reports.document import WORDS, Document, Table, cells

_WIDEST = 100
_MOST_LINES = 6
"""Of one cell: a finding and its hint have room, no cell fills the screen."""


def render(document: Document) -> str:
    """Plain text; tables are aligned by what a terminal shows."""
    word = f"{WORDS[document.outcome]}: " if WORDS[document.outcome] else ""
    lines = [f"{word}{_plain(document.title)}", _plain(document.verdict)]
    for section in document.sections:
        lines += ["", _plain(section.title)]
        for table in section.tables:
            lines += [f"  {line}" for line in _table(table)]
        lines += [f"  {_plain(note)}" for note in section.notes]
        lines += [f"  {_plain(picture.name)}  {_plain(picture.text)}" for picture in section.pictures]
    return "\n".join(lines) + "\n"


def _table(table: Table) -> Iterator[str]:
    if table.caption:
        yield _plain(table.caption)
    rows = [_lines([f"{_MARKS[one.outcome]}{one.text}" for one in row]) for row in cells(table)]
    texts = [*_lines(table.header), *(line for row in rows for line in row)]
    columns = [aligned.column(column) for column in zip(*texts, strict=True)]
    lines = ("  ".join(line).rstrip() for line in zip(*columns, strict=True))
    if not any(table.header):
        next(lines, None)
    yield from lines


_MARKS = {"pass": "ok ", "fail": "FAIL ", "unknown": "? ", "none": ""}


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _lines(row: Sequence[str]) -> list[tuple[str, ...]]:
    """A row, and below it what has no room in its cells."""
    return [*zip_longest(*map(_wrapped, row), fillvalue="")] or [("",) * len(row)]


def _wrapped(text: str) -> list[str]:
    plain = _plain(text)
    if len(plain) <= _WIDEST:
        return [plain]
    return textwrap.wrap(
        plain, _WIDEST, max_lines=_MOST_LINES, placeholder=" …", break_on_hyphens=False, drop_whitespace=True
    )
