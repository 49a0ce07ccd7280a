"""For CI systems that show tests: one test case per finding."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from git_mlops.findings import Finding

_OUTCOMES = {"error": "failure", "unknown": "error", "warning": "skipped", "note": "skipped"}


def render(findings: Sequence[Finding], *, title: str) -> str:
    """Errors are failures, the unknown is an error, the rest is skipped; no finding at all is one pass."""
    counts = {
        kind: sum(_OUTCOMES[f.level] == kind for f in findings) for kind in ("failure", "error", "skipped")
    }
    suite = ET.Element(
        "testsuite",
        name=f"git mlops check: {_valid(title)}",
        tests=str(max(1, len(findings))),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        skipped=str(counts["skipped"]),
    )
    for finding in findings:
        _case(suite, finding)
    if not findings:
        ET.SubElement(suite, "testcase", classname="git-mlops", name="all rules")
    document = ET.Element("testsuites")
    document.append(suite)
    ET.indent(document)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(document, encoding="unicode")


def _case(suite: ET.Element, finding: Finding) -> None:
    name = _valid(finding.path or finding.rule)
    case = ET.SubElement(suite, "testcase", classname=finding.rule, name=name)
    if finding.path:
        case.set("file", name)
    if finding.line:
        case.set("line", str(finding.line))
    outcome = ET.SubElement(case, _OUTCOMES[finding.level], message=_valid(finding.message))
    outcome.text = _valid(finding.hint or "")


def _valid(text: str) -> str:
    """XML 1.0 has no control characters and no lone surrogates."""
    return "".join(c if c.isprintable() or c in "\t\n" else "�" for c in text)
