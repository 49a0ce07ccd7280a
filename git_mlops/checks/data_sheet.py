"""Every pointer says of its data what `governance.require` asks for, in words that mean something."""

import shlex
from collections.abc import Iterator

from git_mlops.checks import sheets
from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.findings import Finding
from git_mlops.governance.fields import FIELDS, problems

SUMMARY = "data sheets say what `governance.require` asks for"
KINDS = EVERYWHERE
RULE = "data-sheet"


def check(context: Context) -> Iterator[Finding]:
    """One finding for each pointer that lacks something, and for each value that means nothing."""
    for out, pointer, sheet in sheets.found(context):
        lacking = [name for name in context.config.governance.require if name not in sheet]
        if lacking:
            said = ", ".join(f"`{name}` ({FIELDS[name]})" for name in lacking)
            words = " ".join(f"--set {name}=…" for name in lacking)
            hint = f"`git mlops sheet {shlex.quote(out.path)} {words}`"
            data = {"missing": lacking, "pointer": pointer}
            yield Finding(RULE, "error", f"its data sheet lacks {said}", out.path, hint=hint, data=data)
        for message, hint in problems(sheet):
            yield Finding(RULE, "error", message, pointer, hint=f"`git mlops sheet`: {hint}")
