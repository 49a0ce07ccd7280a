"""Verdicts that travel: a check of this data under this schema was computed before, here or elsewhere.

`refs/mlops/verdicts` is a commit history whose tree is `<2>/<62 of subject>/<rule>.json`. Reading is on the
path of every commit: one `cat-file --batch`, and neither pandas nor pandera is imported.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Literal, NamedTuple

from git_mlops.findings import LEVELS, Finding, Level
from git_mlops.git import objects
from git_mlops.git.repo import Repo
from git_mlops.schema.settings import Trust
from git_mlops.schema.subjects import ENGINE, REF, RULE, place, subject

_VERSION = 1

__all__ = [
    "ENGINE",
    "REF",
    "RULE",
    "Verdict",
    "blank",
    "lookup",
    "merge",
    "parse",
    "place",
    "record",
    "render",
    "subject",
]

Outcome = Literal["pass", "fail"]


class Verdict(NamedTuple):
    """What a check of one subject came to; a failed one holds its findings, so that no data is needed."""

    subject: str
    outcome: Outcome
    findings: tuple[Finding, ...]
    """Without path: the same data may stand under several names."""
    when: str
    """UTC, ISO 8601."""
    by: Mapping[str, str]
    """Programs and their versions."""
    rule: str = RULE


def lookup(
    repo: Repo, subjects: Iterable[str], rule: str = RULE, trust: Trust | None = None
) -> dict[str, Verdict]:
    """The verdicts that are known; with `trust` only those that somebody trusted has signed."""
    names = {f"{REF}:{place(subject, rule)}": subject for subject in dict.fromkeys(subjects)}
    found = ((names[name], content) for name, content in objects.read_blobs(repo, names).items())
    parsed = ((subject, parse(subject, content, rule)) for subject, content in found)
    known = {subject: verdict for subject, verdict in parsed if verdict is not None}
    if trust is None or not known:
        return known
    from git_mlops.schema import trust as trusting

    good = trusting.vouched(repo, trust, [place(subject, rule) for subject in known])
    return {subject: verdict for subject, verdict in known.items() if place(subject, rule) in good}


def record(repo: Repo, verdicts: Sequence[Verdict]) -> None:
    """Add verdicts as one commit; neither index nor workspace is touched, parallel writers lose nothing.

    A verdict that is there already stays as it is, so that the history holds no noise.
    """
    if not verdicts:
        return
    from git_mlops.git import histories
    from git_mlops.schema import trust

    files = {place(verdict.subject, verdict.rule): render(verdict) for verdict in verdicts}
    new = partial(_unknown, repo, files)
    histories.record(repo, REF, new, _subject_line(verdicts), sign=trust.signs(repo))


def _unknown(repo: Repo, files: Mapping[str, bytes], tip: str | None) -> dict[str, bytes]:
    there = objects.read_blobs(repo, [f"{tip}:{path}" for path in files]) if tip is not None else {}
    known = {name.partition(":")[2] for name, content in there.items() if _readable(content)}
    return {path: content for path, content in files.items() if path not in known}


def merge(repo: Repo, theirs: str) -> list[Finding]:
    """Take another history (a commit that is here, e.g. fetched) into ours: the union of both.

    Where both have a verdict, the failed one stays, of equal ones the older. Equal subjects with different
    outcomes are returned as findings: someone's engine or someone's honesty is not what it should be.
    """
    from git_mlops.git import histories
    from git_mlops.schema import trust

    findings: dict[str, Finding] = {}

    def join(pairs: Mapping[str, tuple[bytes, bytes]]) -> Mapping[str, bytes]:
        files, found = _judged(pairs)
        findings.update({str(one.data["subject"]): one for one in found})
        return files

    histories.merge(repo, REF, theirs, join, sign=trust.signs(repo))
    return [*findings.values()]


def _subject_line(verdicts: Sequence[Verdict]) -> str:
    failed = sum(verdict.outcome == "fail" for verdict in verdicts)
    return f"verdicts: {len(verdicts) - failed} pass, {failed} fail\n"


def _readable(content: bytes) -> bool:
    """Of this version or a later one: ours to keep, not to overwrite."""
    try:
        value = json.loads(content)
    except ValueError:
        return False
    return isinstance(value, dict) and isinstance(value.get("version"), int)


def _judged(pairs: Mapping[str, tuple[bytes, bytes]]) -> tuple[dict[str, bytes], list[Finding]]:
    """Which of two contents stays at each path; both clones that merge decide the same."""
    files: dict[str, bytes] = {}
    findings: list[Finding] = []
    for path, both in pairs.items():
        folder, _, name = path.rpartition("/")
        subject, rule = folder.replace("/", ""), name.removesuffix(".json")
        parsed = [(verdict, content) for content in both if (verdict := parse(subject, content, rule))]
        if not parsed:
            files[path] = min(both)
            continue
        outcomes = {verdict.outcome for verdict, _content in parsed}
        files[path] = min(parsed, key=lambda p: (p[0].outcome != "fail", not blank(p[0]), p[0].when, p[1]))[1]
        if len(outcomes) > 1:
            by = " and ".join(", ".join(f"{k} {v}" for k, v in sorted(v.by.items())) for v, _ in parsed)
            message = f"the verdicts on {subject[:12]} contradict each other (by {by}); the failed one stays"
            findings.append(Finding("verdicts", "error", message, data={"subject": subject}))
    return files, findings


def blank(verdict: Verdict) -> bool:
    """Whether what it found was purged with its data; it stays so where others still have the values."""
    return any(finding.data.get("purged") is True for finding in verdict.findings)


def render(verdict: Verdict) -> bytes:
    """The file of a verdict: stable bytes, one line per key."""
    value = {
        "version": _VERSION,
        "rule": verdict.rule,
        "outcome": verdict.outcome,
        "counts": {level: sum(f.level == level for f in verdict.findings) for level in LEVELS},
        "failures": [_finding(finding) for finding in verdict.findings],
        "when": verdict.when,
        "by": dict(verdict.by),
    }
    return (json.dumps(value, indent=1, sort_keys=True, default=str) + "\n").encode()


def _finding(finding: Finding) -> dict[str, object]:
    value = {"level": finding.level, "message": finding.message, "line": finding.line, "hint": finding.hint}
    return {**{k: v for k, v in value.items() if v is not None}, "data": dict(finding.data)}


def parse(subject: str, content: bytes, rule: str = RULE) -> Verdict | None:
    """A verdict's file; None for what is no verdict, or of a later version: it is computed anew."""
    try:
        value = json.loads(content)
        if value["version"] != _VERSION or value["outcome"] not in ("pass", "fail"):
            return None
        findings = tuple(_parsed(item, rule) for item in value["failures"])
        by = {str(name): str(version) for name, version in value["by"].items()}
        failed = any(finding.level == "error" for finding in findings)
        if failed != (value["outcome"] == "fail"):
            return None
        return Verdict(subject, value["outcome"], findings, str(value["when"]), by, rule)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _parsed(item: Mapping[str, object], rule: str) -> Finding:
    level, line, hint, data = item["level"], item.get("line"), item.get("hint"), item["data"]
    if level not in LEVELS or not isinstance(data, dict) or not isinstance(line, int | None):
        raise ValueError
    known: Level = level
    return Finding(rule, known, str(item["message"]), None, line, None if hint is None else str(hint), data)
