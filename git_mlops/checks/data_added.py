"""Data in the workspace is what the pointers say: nobody commits a pointer and forgets the data beside it."""

import shlex
from collections.abc import Iterator

from git_mlops.checks.context import Context
from git_mlops.checks.scope import Kind
from git_mlops.data import workspace
from git_mlops.findings import Finding

SUMMARY = "changed data has been added"
KINDS: frozenset[Kind] = frozenset(("staged", "workspace"))


def check(context: Context) -> Iterator[Finding]:
    """One finding per output whose bytes differ from its pointer, with the command that mends it."""
    for modified in workspace.modified(context.scope.repo):
        hint = f"`git mlops add {shlex.quote(modified.path)}`, or commit without it: `MLOPS_SKIP=data-added`"
        yield Finding(
            "data-added", "error", "changed since it was added; the pointer is old", modified.path, hint=hint
        )
