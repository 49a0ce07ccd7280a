"""One HTML file that needs no network."""

from collections.abc import Sequence

from git_mlops.findings import Finding, exit_code
from git_mlops.reports import document_html
from git_mlops.reports.document import Cell, Document, Outcome, Section, Table, without_empty
from git_mlops.reports.text import summary

OUTCOMES: dict[int, Outcome] = {0: "pass", 1: "fail", 3: "unknown"}
"""By exit code."""
_LEVELS: dict[str, Outcome] = {"error": "fail", "unknown": "unknown"}


def render(findings: Sequence[Finding], *, title: str) -> str:
    """The findings as a page, light and dark."""
    sections = (section(findings),) if findings else ()
    return document_html.render(
        Document(title, OUTCOMES[exit_code(findings)], summary(findings, title), sections)
    )


def section(findings: Sequence[Finding]) -> Section:
    """Findings as a section of a document."""
    header = ("level", "where", "what", "rule")
    return Section("Checks", (without_empty(Table(header, [_row(finding) for finding in findings])),))


def _row(one: Finding) -> list[str | Cell]:
    place = f"{one.path}:{one.line}" if one.line else one.path or ""
    what = f"{one.message} (hint: {one.hint})" if one.hint else one.message
    level = "not evaluated" if one.level == "unknown" else one.level
    return [Cell(level, _LEVELS.get(one.level, "none")), place, what, one.rule]
