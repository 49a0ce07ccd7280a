"""Every pointer (`*.dvc`, `dvc.lock`) can be read and names data inside the repository."""

from collections.abc import Iterator

from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.data import listing, pointers
from git_mlops.data.pointers import PointerError
from git_mlops.findings import Finding

SUMMARY = "pointers can be read and stay inside the repository"
KINDS = EVERYWHERE


def check(context: Context) -> Iterator[Finding]:
    """A pointer that DVC could not read, or that would reach outside, never enters history."""
    changed = [path for path in context.scope.paths if pointers.is_pointer(path)]
    contents = context.scope.read([*changed, *(listing.pipeline_of(path) for path in changed)])
    for path in filter(contents.__contains__, changed):
        try:
            # where a stage works, and so where the paths of a dvc.lock lead, stands in dvc.yaml
            pointers.parse(path, contents[path], contents.get(listing.pipeline_of(path)))
        except PointerError as error:
            yield Finding("pointer-valid", "error", str(error), path, error.line, error.hint)
