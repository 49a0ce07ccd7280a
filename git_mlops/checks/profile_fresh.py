"""A profile in a pointer describes the data that the pointer names, so that nobody reads old figures."""

import shlex
from collections.abc import Iterator

from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.data import pointers, profile
from git_mlops.findings import Finding

SUMMARY = "profiles in pointers describe their data"
KINDS = EVERYWHERE


def check(context: Context) -> Iterator[Finding]:
    """A pointer that DVC alone moved on keeps the old profile: said, because its figures mislead."""
    changed = [path for path in context.scope.paths if pointers.is_pointer(path) and path.endswith(".dvc")]
    for path, content in context.scope.read(changed).items():
        if profile.stale(content):
            data = path.removesuffix(".dvc")
            yield Finding(
                "profile-fresh",
                "warning",
                "its profile is of other data than it names",
                path,
                hint=f"`git mlops add {shlex.quote(data)}` writes the profile anew",
            )
