"""What the rules on data sheets share: the new pointers of a state, with their sheets."""

from collections.abc import Iterator
from typing import NamedTuple

from git_mlops.checks.context import Context
from git_mlops.data import listing, pointers
from git_mlops.data.pointers import Out
from git_mlops.governance import sheets


class Described(NamedTuple):
    """One output of a pointer, and what is said of it."""

    out: Out
    pointer: str
    sheet: dict[str, str]


def found(context: Context) -> Iterator[Described]:
    """Of `.dvc` files: a `dvc.lock` has no place for a sheet; what a stage made came from data that has."""
    config = context.scope.kind != "workspace" and "mlops.yaml" in context.scope.paths
    files = context.scope.all_files() if config else context.scope.files
    names = [file.path for file in files if pointers.is_pointer(file.path) and file.path.endswith(".dvc")]
    contents = context.scope.read(names)
    for out, name in listing.outs(contents).items():
        if out.cache:
            yield Described(out, name, sheets.read(name, contents[name]))
