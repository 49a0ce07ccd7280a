"""mlops.yaml is valid: known keys, right types, a version that this git-mlops reads, names that exist."""

from collections.abc import Iterator

from git_mlops.checks import config_names
from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.findings import Finding

SUMMARY = "mlops.yaml is valid"
KINDS = EVERYWHERE
FILE = "mlops.yaml"


def check(context: Context) -> Iterator[Finding]:
    """Only when the file is new in the scope: what was committed stays readable."""
    if FILE in context.scope.paths:
        for content in context.scope.read([FILE]).values():
            yield from context.problems(content)
    if FILE in context.scope.paths or context.scope.kind == "workspace":
        yield from config_names.check(context)
