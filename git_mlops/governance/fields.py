"""What a data sheet says, and what its values mean. Pure; on the path of commits: imports little."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from git_mlops.data.pointers import SENSITIVE

FIELDS = {
    "source": "where it comes from",
    "licence": "under which it may be used",
    "consent": "of those whom it is about",
    "purpose": "for which it was collected",
    "retention": "until when it may be kept: a date, or a time since it was collected",
    "collected": "when",
    "sensitivity": "public, internal, high or personal",
    "contact": "who answers for it",
}
"""Key of `meta: sheet:` → what it says; others are kept and shown, too."""
LEVELS = ("public", "internal", *SENSITIVE)
_DURATION = re.compile(r"(\d{1,4})\s*(d|days?|w|weeks?|mo|months?|y|years?)")


class Duration(NamedTuple):
    """A length of time by the calendar."""

    days: int = 0
    months: int = 0

    def after(self, day: dt.date) -> dt.date:
        """The same day so many months later, or the last one of a shorter month; then the days."""
        month = day.month - 1 + self.months
        year, month = day.year + month // 12, month % 12 + 1
        for number in range(day.day, 27, -1):
            try:
                return dt.date(year, month, number) + dt.timedelta(days=self.days)
            except ValueError:
                continue
        return dt.date(year, month, min(day.day, 28)) + dt.timedelta(days=self.days)

    def before(self, day: dt.date) -> dt.date:
        """Where it ends on a day, roughly when it begins."""
        return day - dt.timedelta(days=self.days + 30 * self.months)


def duration(text: str) -> Duration | None:
    """Of `30 days`, `2w`, `18 months`, `5 years`."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        return None
    number, unit = int(match[1]), match[2]
    if unit[0] in "dw":
        return Duration(days=number * (7 if unit[0] == "w" else 1))
    return Duration(months=number * (12 if unit[0] == "y" else 1))


def date(text: str) -> dt.date | None:
    """A date as ISO 8601 has it."""
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        return None


def ends(sheet: Mapping[str, str], added: dt.date) -> dt.date | None:
    """The last day on which data may be kept; None where that is not said.

    Args:
        added: when it came here; counts where the sheet does not say when it was collected.
    """
    text = sheet.get("retention")
    if text is None:
        return None
    if (day := date(text)) is not None:
        return day
    length = duration(text)
    try:
        return length.after(date(sheet.get("collected", "")) or added) if length else None
    except (OverflowError, ValueError):
        return None


def problems(sheet: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is wrong with values: message, and what helps."""
    level, kept = sheet.get("sensitivity"), sheet.get("retention")
    if level is not None and level not in LEVELS:
        yield f"`sensitivity: {level}` is none of {', '.join(LEVELS)}", "`--set sensitivity=personal`"
    if kept is not None and date(kept) is None and duration(kept) is None:
        yield f"`retention: {kept}` is neither a date nor a length of time", "`2027-01-31`, `5 years`"
    if (day := sheet.get("collected")) is not None and date(day) is None:
        yield f"`collected: {day}` is no date", "`--set collected=2026-01-31`"
