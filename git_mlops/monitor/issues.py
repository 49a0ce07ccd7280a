"""The issues of a watched model: one for each rule that found something, closed once it finds nothing."""

import datetime as dt
from collections.abc import Sequence

from git_mlops.findings import Finding
from git_mlops.forges import Notice
from git_mlops.monitor.document import title
from git_mlops.monitor.judging import RULES
from git_mlops.monitor.observed import Observation, without_values
from git_mlops.reports.markdown import escape

_MOST = 30
"""Findings in one issue."""
_NAMED = 6
_DATA = ("drift", "nulls", "range", "new-category")
_CALLED = {
    "nulls": "gaps",
    "range": "values out of range",
    "skew": "training and serving differ",
    "new-category": "new categories",
    "staleness": "stale",
    "health": "health of the answers",
    "dependency": "other dependencies",
    "data-source": "another source of the data",
    "vulnerability": "vulnerable dependencies",
}


def notices(one: Observation, run: str | None = None) -> list[Notice]:
    """One for each rule with an error, or that could not be evaluated; `gone` for each that found nothing.

    A rule that this run did not look at says nothing: without labels, quality is as it was.

    Args:
        run: the page of the CI's run.
    """
    told = [found for found in one.findings if found.level in ("error", "unknown")]
    judged = _judged(one)
    made = []
    for rule in RULES:
        some = [found for found in told if found.rule == rule]
        if some or rule in judged:
            made.append(_notice(one, rule, some, run))
    return made


def _judged(one: Observation) -> frozenset[str]:
    """The rules of which this run can say that they find nothing; of one that is not here, no run can."""
    unknown = {found.rule for found in one.findings if found.level == "unknown"}
    logged = one.subject.until is not None  # there is a log, and something in it
    rules: set[str] = set()
    if one.drift is not None and "drift" not in unknown:
        rules |= set(_DATA)
        if logged or one.subject.version is None:  # of a model, its requests are replayed too
            rules.add("skew")
    if one.quality is not None and "quality" not in unknown:
        rules |= {"quality", "calibration"} if one.quality.bins else {"quality"}
    if logged:
        rules |= {"staleness", "health"}
    if "per_second" in one.numbers:  # enough requests to tell
        rules |= {"latency", "throughput"}
    return frozenset(rules - unknown)


def _notice(one: Observation, rule: str, some: Sequence[Finding], run: str | None) -> Notice:
    """By model, stage and rule: another version's drift is the same alert."""
    subject = one.subject
    stage = f", {subject.stage}" if subject.stage else ""
    return Notice(
        f"{subject.name}#{subject.stage or ''}:{rule}",
        f"{subject.name}{stage}: {_CALLED.get(rule, rule)}",
        _time(one.time),
        _body(one, some, run),
        _short(some),
        gone=not some,
    )


def _time(text: str) -> str:
    time = dt.datetime.fromisoformat(text)
    time = time if time.tzinfo else time.replace(tzinfo=dt.UTC)
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _body(one: Observation, some: Sequence[Finding], run: str | None) -> str:
    lines = [f"**{_count(some)}**: {escape(title(one))}", ""]
    for found in some[:_MOST]:
        said = without_values(found, one.private)
        hint = f" ({escape(said.hint, 300)})" if said.hint else ""
        lines.append(f"- {found.level}: {escape(said.message, 600)}{hint}")
    if len(some) > _MOST:
        lines += ["", f"… and {len(some) - _MOST} more."]
    link = f" [The run]({run})." if run else ""
    lines += ["", f"Seen {_time(one.time)}.{link} `git mlops monitor history` shows how it did over time."]
    return "\n".join(lines)


def _short(some: Sequence[Finding]) -> str:
    """For the history: how many, and of what."""
    names = dict.fromkeys(str(found.data["column"]) for found in some if found.data.get("column"))
    named = ", ".join([*names][:_NAMED]) + (" …" if len(names) > _NAMED else "")
    return _count(some) + (f": {named}" if named else "")


def _count(some: Sequence[Finding]) -> str:
    return f"{len(some)} finding{'' if len(some) == 1 else 's'}"
