"""When data came into a repository: the first commit that had its pointer."""

import datetime as dt
from collections.abc import Sequence

from git_mlops.data import pointers
from git_mlops.git.repo import Repo, head

_MOST_SPECS = 500
"""More paths than that are no command line."""


def first_seen(repo: Repo, names: Sequence[str]) -> dict[str, dt.date]:
    """Pointer → the day of the first commit that added it, from one walk through the history of HEAD.

    A shallow clone knows no earlier commit than it has: there data looks younger than it is.
    """
    if not names or head(repo) is None:
        return {}
    wanted = set(names)
    specs = [f":(literal){name}" for name in sorted(wanted)]
    specs = specs if len(specs) <= _MOST_SPECS else [*pointers.PATHSPECS]
    options = ("--diff-filter=A", "--no-renames", "--format=%x00%x01%as", "--name-only", "-z")
    day, found = "", dict[str, dt.date]()
    for record in repo.paths("log", *options, "--no-show-signature", "HEAD", "--", *specs):
        if record.startswith("\x01"):
            day = record[1:].rstrip("\n")
        elif (name := record.lstrip("\n")) in wanted:
            found[name] = dt.date.fromisoformat(day)  # the oldest is the last
    return found
