"""GitLab's code quality report: findings in the merge request's widget and beside the changed lines."""

import hashlib
import json
from collections.abc import Sequence

from git_mlops.findings import Finding

_SEVERITIES = {"error": "critical", "unknown": "major", "warning": "minor", "note": "info"}


def render(findings: Sequence[Finding], *, title: str) -> str:  # noqa: ARG001  # as every format
    """A JSON array, one element per finding; equal findings of two pipelines have equal fingerprints."""
    return json.dumps([_issue(finding) for finding in findings], indent=2)


def _issue(finding: Finding) -> dict[str, object]:
    text = f"{finding.message} (hint: {finding.hint})" if finding.hint else finding.message
    identity = "\0".join((finding.rule, finding.path or "", finding.message))
    return {
        "description": text,
        "check_name": finding.rule,
        "fingerprint": hashlib.sha256(identity.encode("utf-8", "backslashreplace")).hexdigest(),
        "severity": _SEVERITIES[finding.level],
        "location": {"path": finding.path or "mlops.yaml", "lines": {"begin": finding.line or 1}},
    }
