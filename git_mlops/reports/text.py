"""For a terminal: one line per finding, the hint below it, a summary last."""

from collections import Counter
from collections.abc import Sequence

from git_mlops.findings import LEVELS, Finding

_MOST = 200


def render(findings: Sequence[Finding], *, title: str) -> str:
    """`path:line: level: message [rule]`, as compilers print it, so that editors can follow it."""
    lines = [line for finding in findings[:_MOST] for line in _lines(finding)]
    if len(findings) > _MOST:
        lines.append(f"… and {len(findings) - _MOST} more (`--format json` has all)")
    return "\n".join([*lines, summary(findings, title)])


def _lines(finding: Finding) -> list[str]:
    place = (
        f"{finding.path}:{finding.line}: " if finding.line else f"{finding.path}: " if finding.path else ""
    )
    first = f"{place}{finding.level}: {finding.message} [{finding.rule}]"
    return [first, *([f"  hint: {finding.hint}"] if finding.hint else [])]


def summary(findings: Sequence[Finding], title: str) -> str:
    """One line, for every format: `2 errors, 1 warning (staged changes)`."""
    counts = Counter(finding.level for finding in findings)
    words = [_counted(counts[level], level) for level in LEVELS if counts[level]]
    return f"{', '.join(words) or 'ok'} ({title})"


def _counted(number: int, level: str) -> str:
    name = {"unknown": "not evaluated"}.get(level, level if number == 1 else f"{level}s")
    return f"{number} {name}"
