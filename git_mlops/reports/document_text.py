"""A document for a terminal."""

from collections.abc import Iterator

from git_mlops.reports import aligned
from git_mlops.reports.document import WORDS, Document, Table, cells

_LONGEST_CELL = 100


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
    texts = [[_short(f"{_MARKS[one.outcome]}{one.text}") for one in row] for row in cells(table)]
    columns = [aligned.column(column) for column in zip(map(_short, table.header), *texts, strict=True)]
    yield from ("  ".join(line).rstrip() for line in zip(*columns, strict=True))


_MARKS = {"pass": "ok ", "fail": "FAIL ", "unknown": "? ", "none": ""}


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _short(text: str) -> str:
    plain = _plain(text)
    return plain if len(plain) <= _LONGEST_CELL else plain[: _LONGEST_CELL - 1] + "…"
