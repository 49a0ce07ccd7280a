"""Files that match `data.track`, or that have a pointer, are no plain blobs."""

import shlex
from collections.abc import Iterable, Iterator

from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.data import pointers
from git_mlops.data.pointers import PointerError
from git_mlops.findings import Finding
from git_mlops.patterns import matches

SUMMARY = "data is not also a plain file of git"
KINDS = EVERYWHERE


def check(context: Context) -> Iterator[Finding]:
    """Files that `data.track` names, where the commit hook did not turn them into pointers; and files that
    have a pointer already (`git add -f`)."""
    settings = context.config.data
    twice = _with_pointer(context)
    for path, pointer in sorted(twice.items()):
        hint = f"`git rm --cached {shlex.quote(path)}` keeps the data and its pointer"
        message = f"`{pointer}` names it as data, and it is a plain file of git, too"
        yield Finding("data-in-git", "error", message, path, hint=hint)
    for path in sorted(context.scope.paths - twice.keys()):
        if pointers.never_data(path) or matches(path, settings.allow) or not matches(path, settings.track):
            continue
        hint = f"`git mlops add {shlex.quote(path)}`"
        yield Finding(
            "data-in-git", "error", "`data.track` names it, but it is a plain file of git", path, hint=hint
        )


def _with_pointer(context: Context) -> dict[str, str]:
    """Files that are, or are inside, the output of a `.dvc` file beside them → that pointer."""
    paths = [path for path in context.scope.paths if not pointers.is_pointer(path)]
    wanted = {path: [f"{place}.dvc" for place in _places(path)] for path in paths}
    names = {name for beside in wanted.values() for name in beside}
    found = _outputs(context, names & context.scope.paths if context.scope.kind == "workspace" else names)
    return {
        path: pointer
        for path, beside in wanted.items()
        for pointer in beside
        if pointer in found and pointer.removesuffix(".dvc") in found[pointer]
    }


def _places(path: str) -> list[str]:
    """The path and the folders it is in."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]


def _outputs(context: Context, names: Iterable[str]) -> dict[str, set[str]]:
    """Pointer → the data that DVC keeps for it."""
    found: dict[str, set[str]] = {}
    for name, content in context.scope.read(sorted(names)).items():
        try:
            found[name] = {out.path for out in pointers.parse(name, content, None).outs if out.cache}
        except PointerError:
            continue  # said by the rule pointer-valid
    return found
