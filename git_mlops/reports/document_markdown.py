"""A document as a comment of a forge: always under its limit, nothing active in it."""

from collections.abc import Iterator, Sequence

from git_mlops.reports.document import MARKS, WORDS, Document, Section, Table, cells, numeric
from git_mlops.reports.markdown import code, escape

LIMIT = 60_000
"""Characters; forges refuse comments over 65,536, and whoever posts adds some lines."""
_LONGEST_CELL = 300
_SPARE = 600
"""Characters for what says that something was left out."""


def render(
    document: Document, *, limit: int = LIMIT, whole: str = "`git mlops report` prints all of it"
) -> str:
    """Markdown as every forge shows it.

    Args:
        limit: characters; what does not fit is counted and said.
        whole: where the rest is to be had.
    """
    head = f"## {MARKS[document.outcome]} {WORDS[document.outcome]}: {escape(document.title)}".replace(
        "  ", " "
    )
    parts = [f"{head}\n\n**{escape(document.verdict)}**\n"]
    room = limit - len(parts[0]) - _SPARE
    left = False
    # what is folded waits until all else had its room, but stands where it belongs
    texts: dict[int, str] = {}
    order = sorted(range(len(document.sections)), key=lambda n: document.sections[n].folded)
    for number in order:
        text, cut = _section(document.sections[number], room)
        left = left or cut
        room -= len(text)
        texts[number] = text
    parts += [texts[number] for number in range(len(document.sections)) if texts[number]]
    if left:
        parts.append(f"\n_Not all of it fits here: {whole}._\n")
    return "".join(parts)


def _section(section: Section, room: int) -> tuple[str, bool]:
    """As much as fits, and whether anything was cut."""
    title = escape(section.title, 200)
    if section.folded:
        first, last = f"\n<details><summary>{title}</summary>\n", "\n</details>\n"
    else:
        first, last = f"\n### {title}\n", ""
    room -= len(first) + len(last) + 100
    if room < 0:
        return "", True
    body: list[str] = []
    cut = False
    for piece in _pieces(section):
        lines, dropped = _fitting(piece, room)
        body += lines
        room -= sum(len(line) + 1 for line in lines)
        cut = cut or dropped > 0
        if dropped and lines:
            body.append(f"… and {dropped} more")
    if not body:
        return "", cut
    return first + "\n".join(body) + "\n" + last, cut


def _pieces(section: Section) -> Iterator[tuple[list[str], list[str]]]:
    """What must stand together, and what may be cut line by line below it."""
    for table in section.tables:
        yield _table(table)
    if section.notes:
        yield [""], [f"- {escape(note, 1000)}" for note in section.notes]
    if section.pictures:
        yield [""], [f"- {escape(one.name, 200)}: {code(one.text)}" for one in section.pictures]


def _fitting(piece: tuple[list[str], list[str]], room: int) -> tuple[list[str], int]:
    head, lines = piece
    room -= sum(len(line) + 1 for line in head)
    for number, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return (head + lines[:number] if number else []), len(lines) - number
    return head + lines, 0


def _table(table: Table) -> tuple[list[str], list[str]]:
    head = ["", *([escape(table.caption, 300), ""] if table.caption else [])]
    head += [_row([escape(name, 200) for name in table.header])]
    head += [_row(["---:" if number else "---" for number in numeric(table)])]
    return head, [
        _row([f"{MARKS[one.outcome]} {escape(one.text, _LONGEST_CELL)}".strip() for one in row])
        for row in cells(table)
    ]


def _row(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"
