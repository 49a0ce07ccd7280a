"""Tables for programs and documents: CSV and Markdown."""

import csv as writer
import io
from collections.abc import Iterable, Sequence

from git_mlops.reports.markdown import escape


def csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Comma-separated, lines end with a line feed; what is not there is empty."""
    text = io.StringIO()
    lines = writer.writer(text, lineterminator="\n")
    lines.writerow(header)
    lines.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return text.getvalue()


def markdown(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as forges show it."""
    lines = [header, ["---"] * len(header), *([str(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(map(escape, line))} |\n" for line in lines)
