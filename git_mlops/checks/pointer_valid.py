"""Every pointer (`*.dvc`, `dvc.lock`) can be read and names data inside the repository."""

from collections.abc import Iterator

from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.data import pointers
from git_mlops.data.pointers import PointerError
from git_mlops.findings import Finding

SUMMARY = "pointers can be read and stay inside the repository"
KINDS = EVERYWHERE


def check(context: Context) -> Iterator[Finding]:
    """A pointer that DVC could not read, or that would reach outside, never enters history."""
    changed = [path for path in context.scope.paths if pointers.is_pointer(path)]
    for path, content in context.scope.read(changed).items():
        try:
            pointers.parse(path, content)
        except PointerError as error:
            yield Finding("pointer-valid", "error", str(error), path, error.line, error.hint)
