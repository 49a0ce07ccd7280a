"""What a recorder added to an experiment's tree does not belong on a branch."""

from collections.abc import Iterator

from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.experiments.layout import RUN
from git_mlops.findings import Finding

SUMMARY = "`.mlops/run/` of an experiment is not on a branch"
KINDS = EVERYWHERE


def check(context: Context) -> Iterator[Finding]:
    """`dvc exp apply` brings the folder into the workspace; once committed, every later experiment has it."""
    found = sorted(path for path in context.scope.paths if path.startswith(RUN))
    if found:
        message = f"{RUN} is the record of one experiment: later ones would be taken for it"
        yield Finding("run-files", "error", message, found[0], hint=f"`git rm -r -q --cached {RUN[:-1]}`")
