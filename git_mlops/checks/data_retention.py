"""Data is not kept longer than its sheet allows (`retention`): a date, or a time since it was collected."""

import datetime as dt
import shlex
from collections.abc import Iterator

from git_mlops.checks import sheets
from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.data import purges
from git_mlops.findings import Finding, Level
from git_mlops.governance import ages
from git_mlops.governance.fields import duration, ends

SUMMARY = "data is not kept longer than its sheet allows"
KINDS = EVERYWHERE
RULE = "data-retention"


def check(context: Context) -> Iterator[Finding]:
    """An error after the last day, a warning so long before it (`governance.remind`)."""
    repo = context.scope.repo
    found = [one for one in sheets.found(context) if "retention" in one.sheet]
    if not found:
        return
    gone = purges.of_outs(repo, [one.out for one in found])
    added = ages.first_seen(repo, [one.pointer for one in found if "collected" not in one.sheet])
    today = dt.datetime.now(dt.UTC).date()
    remind = duration(context.config.governance.remind)
    for out, pointer, sheet in found:
        last = ends(sheet, added.get(pointer, today))
        if last is None or out in gone or (remind and today < remind.before(last)):
            continue
        over = today > last
        level: Level = "error" if over else "warning"
        message = f"its retention {'ended' if over else 'ends'} on {last} (`retention: {sheet['retention']}`)"
        hint = f"`git mlops purge {shlex.quote(out.path)} --history -m 'retention ended'`, or a new sheet"
        data = {"ends": str(last), "pointer": pointer}
        yield Finding(RULE, level, message, out.path, hint=hint, data=data)
