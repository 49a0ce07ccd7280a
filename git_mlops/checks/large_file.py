"""No blob over `data.size_limit` enters git's history, where it would stay for ever."""

import shlex
from collections.abc import Iterator

from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.checks.scope import File
from git_mlops.findings import Finding
from git_mlops.git import objects
from git_mlops.patterns import matches

SUMMARY = "no large file enters git's history"
KINDS = EVERYWHERE


def check(context: Context) -> Iterator[Finding]:
    """Over a range every commit counts, also where a later one removes the file again."""
    settings = context.config.data
    files = [file for file in context.scope.introduced() if not matches(file.path, settings.allow)]
    known = _sizes(context, files)
    for file in files:
        size = known.get(file, 0)
        if size > settings.size_limit:
            yield _finding(context, file, size)


def _sizes(context: Context, files: list[File]) -> dict[File, int]:
    if context.scope.kind == "workspace":
        return {file: (context.scope.repo.root / file.path).stat().st_size for file in files}
    by_oid = objects.sizes(context.scope.repo, {file.oid for file in files})
    return {file: by_oid[file.oid] for file in files if file.oid in by_oid}


def _finding(context: Context, file: File, size: int) -> Finding:
    limit = context.config.data.size_limit
    message = f"{human(size)} in plain git, over the limit of {human(limit)}"
    if context.scope.kind == "range" and file.path not in context.scope.paths:
        hint = "a later commit removes it, but history keeps it: rebase it away before merging"
    else:
        hint = f"`git mlops add {shlex.quote(file.path)}`, or list it under `data.allow` in mlops.yaml"
    return Finding("large-file", "error", message, file.path, hint=hint, data={"size": size, "limit": limit})


def human(size: int) -> str:
    """Bytes for people: `3.0 MiB`."""
    number = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"
