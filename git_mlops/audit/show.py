"""An audit for programs and for a terminal; `document.py` has the other forms."""

from collections.abc import Iterator

from git_mlops.audit.compare import Delta
from git_mlops.audit.dora import Dora
from git_mlops.audit.evidence import Item, day
from git_mlops.audit.principles import SUBJECTS
from git_mlops.audit.run import TITLES, Audit

PARTS = 7
_MOST = 2
"""Pieces of evidence that a terminal shows of one item."""

READINGS = (
    (0.0, "more of a research project than a productionized system"),
    (1.0, "not totally untested, but there may be serious holes in reliability"),
    (2.0, "a first pass at basic productionization, but more is needed"),
    (3.0, "reasonably tested, but more of it could be automated"),
    (5.0, "strong automated testing and monitoring"),
    (7.0, "exceptional"),
)
"""Up to which score Breck et al. say what."""


def reading(score: float) -> str:
    """What a score means, by Breck et al. (2017)."""
    return next(text for most, text in READINGS if score <= most)


def number(value: float) -> str:
    """`0`, `0.5`, `3`."""
    return f"{value:g}"


def plain(audit: Audit) -> dict[str, object]:
    """For `--json`."""
    return {
        "revision": audit.revision,
        "commit": audit.commit,
        "score": audit.score,
        "of": PARTS,
        "reading": reading(audit.score),
        "sections": dict(audit.sections),
        "items": [one.plain() for one in audit.items],
        "levels": {name: one.plain() for name, one in audit.levels.items()},
        "principles": [one._asdict() for one in audit.principles],
        "dora": audit.dora._asdict(),
        "findings": [one.to_json() for one in audit.findings],
        "tainted": list(audit.tainted),
    }


def text(audit: Audit) -> Iterator[str]:
    """Lines for a terminal."""
    yield f"ML Test Score {number(audit.score)} of {PARTS}: {reading(audit.score)}"
    yield "  " + ", ".join(f"{name} {number(points)}" for name, points in audit.sections.items())
    for section, points in audit.sections.items():
        yield ""
        yield f"{TITLES[section]}: {number(points)} of {PARTS}"
        for item in audit.items:
            if item.section == section:
                yield from _item(item)
    yield ""
    yield from _levels(audit)
    yield ""
    yield from _principles(audit)
    yield ""
    yield dora(audit.dora)
    for label in audit.tainted:
        yield f"tainted, and so not counted: {label}"


def _item(item: Item) -> Iterator[str]:
    until = f" (until {day(item.expires)})" if item.expires else ""
    yield f"  {number(item.points):>3}  {item.id:<10} {item.title}{until}"
    for one in item.evidence[:_MOST]:
        yield f"         {'+' if one.points else '-'} {one.what}  [{one.where}]"
    if item.next:
        yield f"         > {item.next}"


def _levels(audit: Audit) -> Iterator[str]:
    for one in audit.levels.values():
        lacking = [each for each in one.criteria if not each.met and each.level == one.level + 1]
        more = (
            f"; level {one.level + 1} lacks: {'; '.join(each.title for each in lacking)}" if lacking else ""
        )
        yield f"{one.title} level {one.level} of {one.of}{more}"


def _principles(audit: Audit) -> Iterator[str]:
    yield f"{'principles':<16}" + "".join(f"{subject:>7}" for subject in SUBJECTS)
    for name in dict.fromkeys(one.principle for one in audit.principles):
        row = [one for one in audit.principles if one.principle == name]
        yield f"  {name:<14}" + "".join(f"{number(one.points):>7}" for one in row)


def dora(found: Dora) -> str:
    """The four metrics in a line."""
    if not found.deployments:
        return f"deployments of models: none in the last {found.days} days"
    parts = [f"{found.deployments} deployments in the last {found.days} days ({found.per_week} a week)"]
    if found.lead_days is not None:
        parts.append(f"{found.lead_days} days from commit to production")
    if found.failure_rate is not None:
        parts.append(f"{100 * found.failure_rate:.0f} % rolled back")
    if found.restore_hours is not None:
        hours = found.restore_hours
        parts.append(f"{hours:g} hours to restore" if hours >= 1 else f"{60 * hours:.0f} minutes to restore")
    return "deployments of models: " + ", ".join(parts)


def changes(delta: Delta) -> Iterator[str]:
    """What lies between two audits, for a terminal."""
    yield delta.verdict
    for one in delta.changes:
        where = f"  [{one.why}]" if one.why else ""
        yield f"  {number(one.before)} → {number(one.after)}  {one.id:<10} {one.title}{where}"
