"""`Finding`: the only result of a check. Renderers show it, the exit code is a function of it."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from git_mlops import errors

Level = Literal["error", "warning", "note", "unknown"]
"""`unknown` means that the rule could not be evaluated: it never passes silently (exit code 3)."""

LEVELS: tuple[Level, ...] = ("error", "unknown", "warning", "note")


class Finding(NamedTuple):
    """One thing a rule has to say about one place."""

    rule: str
    level: Level
    message: str
    path: str | None = None
    """Repository path (POSIX, relative to the top)."""
    line: int | None = None
    """1-based."""
    hint: str | None = None
    """The next command or edit, for a person."""
    data: Mapping[str, object] = MappingProxyType({})
    """Everything else a program may want, JSON-able: counts, examples, columns."""

    def to_json(self) -> dict[str, object]:
        """The keys of `--json`: absent values are null, so that the shape is fixed."""
        return {**self._asdict(), "data": dict(self.data)}


def exit_code(findings: Iterable[Finding]) -> int:
    """0 nothing wrong, 1 at least one error, 3 no error but something could not be evaluated."""
    levels = {finding.level for finding in findings}
    if "error" in levels:
        return errors.FINDINGS
    return errors.CANNOT_EVALUATE if "unknown" in levels else errors.OK


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Worst first, then by place: the same findings always print the same text."""
    return sorted(
        findings, key=lambda f: (LEVELS.index(f.level), f.path or "", f.line or 0, f.rule, f.message)
    )
