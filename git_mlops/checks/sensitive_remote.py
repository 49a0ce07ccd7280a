"""Sensitive data is bound to a DVC remote for such data (`governance.sensitive`), and goes nowhere else."""

import shlex
from collections.abc import Iterator

from git_mlops.checks import sheets
from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.findings import Finding

SUMMARY = "sensitive data is bound to a sensitive remote"
KINDS = EVERYWHERE
RULE = "sensitive-remote"


def check(context: Context) -> Iterator[Finding]:
    """`remote:` of the output binds it for DVC, too; what its sheet does not call sensitive is not asked."""
    allowed = context.config.governance.sensitive
    for out, pointer, sheet in sheets.found(context) if allowed else ():
        if not out.sensitive or not out.push or out.remote in allowed:
            continue
        where = f"the remote `{out.remote}`" if out.remote else "the default remote"
        level = sheet["sensitivity"]
        message = f"`sensitivity: {level}`, and it would go to {where}; allowed: {', '.join(allowed)}"
        hint = f"`git mlops sheet {shlex.quote(out.path)} --set sensitivity={level}` binds it"
        yield Finding(RULE, "error", message, pointer, hint=hint, data={"out": out.path})
