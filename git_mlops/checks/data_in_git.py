"""Files that match `data.track` are pointers, not plain blobs."""

import shlex
from collections.abc import Iterator

from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.data import pointers
from git_mlops.findings import Finding
from git_mlops.patterns import matches

SUMMARY = "files that `data.track` names are pointers"
KINDS = EVERYWHERE


def check(context: Context) -> Iterator[Finding]:
    """The commit hook turns them into pointers by itself; here is caught what came around it."""
    settings = context.config.data
    for path in sorted(context.scope.paths):
        if pointers.never_data(path) or matches(path, settings.allow) or not matches(path, settings.track):
            continue
        hint = f"`git mlops add {shlex.quote(path)}`"
        yield Finding(
            "data-in-git", "error", "`data.track` names it, but it is a plain file of git", path, hint=hint
        )
