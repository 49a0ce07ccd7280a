"""What `add` and `sheet` say of sensitive data."""

import shlex
from collections.abc import Iterable

from git_mlops import ui
from git_mlops.git.repo import Repo
from git_mlops.governance import sheets


def warn_of_values(repo: Repo, names: Iterable[str]) -> None:
    """A profile in a pointer goes wherever git goes."""
    for name in sheets.quoting(repo, names):
        data = name.removesuffix(".dvc")
        setting = f"data: {{profile: {{{data}: counts-only}}}}"
        hint = f"mlops.yaml: `{setting}`, then `git mlops add {shlex.quote(data)}`"
        ui.warn(f"the profile in `{name}` has values of data that is sensitive", hint=hint)
