"""Data in the workspace is what the pointers say: nobody commits a pointer and forgets the data beside it."""

import shlex
from collections.abc import Iterator

from git_mlops.checks.context import Context
from git_mlops.checks.scope import Kind
from git_mlops.data import workspace
from git_mlops.data.workspace import Differing
from git_mlops.findings import Finding

SUMMARY = "changed data has been added"
KINDS: frozenset[Kind] = frozenset(("staged", "workspace"))


def check(context: Context) -> Iterator[Finding]:
    """One finding per output whose bytes differ from its pointer, with the command that mends it."""
    for modified in workspace.modified(context.scope.repo):
        message = "changed since it was added; the pointer is old"
        if modified.state == "diverged":
            message = "changed here, and its pointer by somebody else since"
        yield Finding("data-added", "error", message, modified.path, hint=_hint(modified))


def _hint(modified: Differing) -> str:
    path = shlex.quote(modified.path)
    if not modified.pointer.endswith(".dvc"):
        return f"`dvc commit {path}` keeps it, `git mlops pull {path}` brings back what the pointer names"
    if modified.state == "diverged":
        return f"`git mlops add --force {path}` puts yours over it; or move it away, `git mlops pull {path}`"
    return f"`git mlops add {path}`, or commit without it: `MLOPS_SKIP=data-added`"
