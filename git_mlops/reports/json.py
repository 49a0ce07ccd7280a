"""For programs: the `--json` envelope with every finding, whole."""

from __future__ import annotations

import json
from collections.abc import Sequence

from git_mlops.findings import Finding, exit_code


def render(findings: Sequence[Finding], *, title: str) -> str:
    """`{"mlops": 1, "kind": "findings", "data": {"title", "exit_code", "findings"}}`."""
    data = {"title": title, "exit_code": exit_code(findings), "findings": [f.to_json() for f in findings]}
    return json.dumps(
        {"mlops": 1, "kind": "findings", "data": data}, indent=2, ensure_ascii=False, default=str
    )
