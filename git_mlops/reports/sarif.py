"""SARIF 2.1.0, for code scanning: one result per finding."""

import json
from collections.abc import Sequence
from urllib.parse import quote

from git_mlops import __version__
from git_mlops.findings import Finding, exit_code
from git_mlops.reports.text import summary

_LEVELS = {"error": "error", "unknown": "error", "warning": "warning", "note": "note"}


def render(findings: Sequence[Finding], *, title: str) -> str:
    """A whole log with one run; what could not be evaluated is an error, and says so in its properties."""
    rules = list(dict.fromkeys(finding.rule for finding in findings))
    run = {
        "tool": {
            "driver": {"name": "git-mlops", "version": __version__, "rules": [{"id": rule} for rule in rules]}
        },
        "automationDetails": {"description": {"text": summary(findings, title)}, "id": "git-mlops/check/"},
        "invocations": [{"executionSuccessful": True, "exitCode": exit_code(findings)}],
        "originalUriBaseIds": {"ROOT": {"description": {"text": "The top of the repository."}}},
        "results": [_result(finding, rules) for finding in findings],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(log, indent=2, default=str)


def _result(finding: Finding, rules: list[str]) -> dict[str, object]:
    text = f"{finding.message}\nhint: {finding.hint}" if finding.hint else finding.message
    result: dict[str, object] = {
        "ruleId": finding.rule,
        "ruleIndex": rules.index(finding.rule),
        "level": _LEVELS[finding.level],
        "message": {"text": text},
        "properties": {"evaluated": finding.level != "unknown"},
    }
    if finding.path:
        place: dict[str, object] = {"artifactLocation": {"uri": quote(finding.path), "uriBaseId": "ROOT"}}
        if finding.line:
            place["region"] = {"startLine": finding.line}
        result["locations"] = [{"physicalLocation": place}]
    return result
