"""The `data:` section of mlops.yaml."""

from typing import NamedTuple

from git_mlops.decode import Size


class Settings(NamedTuple):
    """What is data, and how much of it plain git may hold."""

    track: tuple[str, ...] = ()
    """Patterns (as in .gitignore) of files that a commit turns into pointers by itself."""
    allow: tuple[str, ...] = ()
    """Patterns of files that plain git may hold at any size."""
    size_limit: Size = Size(1024 * 1024)
    """The largest file that plain git may hold otherwise."""
    remote: str | None = None
    """The DVC remote to use; default: DVC's own default remote."""
