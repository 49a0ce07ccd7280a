"""For a GitHub job: workflow commands that annotate the changed lines."""

from collections.abc import Sequence

from git_mlops.findings import Finding
from git_mlops.reports.text import summary

_COMMANDS = {"error": "error", "unknown": "error", "warning": "warning", "note": "notice"}


def render(findings: Sequence[Finding], *, title: str) -> str:
    """One `::error file=…::…` per finding."""
    return "\n".join([*(_annotation(finding) for finding in findings), _data(summary(findings, title))])


def _annotation(finding: Finding) -> str:
    place = {"file": finding.path, "line": finding.line, "title": finding.rule}
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in place.items() if value)
    hint = f"\nhint: {finding.hint}" if finding.hint else ""
    return f"::{_COMMANDS[finding.level]} {properties}::{_data(finding.message + hint)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
