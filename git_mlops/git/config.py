"""git config, read in one process. Writing is the repository's own file only, never `--global`."""

from collections.abc import Mapping
from typing import NamedTuple

from git_mlops.git.repo import Repo


class Setting(NamedTuple):
    """A value and where git found it (`local`, `global`, `worktree`, `command`, `system`)."""

    value: str
    scope: str


def read(repo: Repo, pattern: str) -> dict[str, Setting]:
    """Every key that matches git's regular expression, in git's lower case; the last value wins."""
    output = repo.git("config", "--show-scope", "-z", "--get-regexp", pattern, ok=(0, 1))
    found: dict[str, Setting] = {}
    records = output.decode("utf-8", "surrogateescape").split("\0")
    for scope, pair in zip(records[::2], records[1::2], strict=False):
        key, _, value = pair.partition("\n")
        found[key] = Setting(value, scope)
    return found


def write(repo: Repo, values: Mapping[str, str | None]) -> None:
    """Set keys in the repository's own config (None: unset all of a key)."""
    for key, value in values.items():
        if value is None:
            repo.git("config", "--local", "--unset-all", key, ok=(0, 5))
        else:
            repo.git("config", "--local", "--replace-all", key, value)
