"""Where git looks for hooks, and how we get there without touching what others set.

`core.hooksPath` may come from the repository, a worktree, or the user's or the company's own configuration.
We never change that value and never write into that directory: a file of ours, included at the end of the
repository's configuration, names our directory instead, and our hooks run the former ones. A tool that sets
`core.hooksPath` again (husky does on every install) then meets its own line as it left it.
"""

import os
from pathlib import Path
from typing import NamedTuple

from git_mlops.git import config as git_config
from git_mlops.git.repo import Repo


class Place(NamedTuple):
    """One directory that hooks of ours may be in."""

    folder: Path
    former: str
    """What `core.hooksPath` says without us; "" where it is not set."""
    config: Path
    """git's configuration file that includes ours."""
    included: Path
    """Our configuration file, beside it."""


def wanted(repo: Repo) -> Place:
    """Where our hooks belong as the configuration is now."""
    values = [(scope, value) for scope, value in hooks_paths(repo) if not _own(repo, value)]
    if not values or _same(repo, values[-1][1], repo.common_dir / "hooks"):
        return plain(repo)
    scope, former = values[-1]
    return beside(repo, former) if scope != "worktree" else here(repo, former)


def plain(repo: Repo) -> Place:
    """git's own directory, shared by all worktrees."""
    config = repo.common_dir / "config"
    return Place(repo.common_dir / "hooks", "", config, repo.common_dir / "mlops-config")


def beside(repo: Repo, former: str = "") -> Place:
    """Our directory, in place of one that `core.hooksPath` names for the whole repository."""
    return plain(repo)._replace(folder=repo.common_dir / "mlops-hooks", former=former)


def here(repo: Repo, former: str = "") -> Place:
    """The same for one worktree alone (`git config --worktree`)."""
    config = repo.git_dir / "config.worktree"
    return Place(repo.git_dir / "mlops-hooks-here", former, config, repo.git_dir / "mlops-config-here")


def others(repo: Repo, chosen: Place) -> list[Place]:
    """Where hooks of ours may be left from an earlier configuration.

    A worktree with a `core.hooksPath` of its own has no say in what the others use.
    """
    shared = [place for place in (plain(repo), beside(repo)) if place.folder != chosen.folder]
    return [] if chosen.folder == here(repo).folder else [*shared, here(repo)]


def everywhere(repo: Repo) -> list[Place]:
    """All places that `remove` clears."""
    return [plain(repo), beside(repo), here(repo)]


def in_force(repo: Repo) -> Path:
    """The directory that git runs hooks from now."""
    values = hooks_paths(repo)
    return _absolute(repo, values[-1][1]) if values else repo.common_dir / "hooks"


def hooks_paths(repo: Repo) -> list[tuple[str, str]]:
    """Every `core.hooksPath`, the strongest last, as (scope, path); one given for a single command is not."""
    found = git_config.read_all(repo, "core.hooksPath", "--type=path")
    return [(setting.scope, setting.value) for setting in found if setting.scope != "command"]


def _own(repo: Repo, value: str) -> bool:
    return any(_same(repo, value, place.folder) for place in (beside(repo), here(repo)))


def _same(repo: Repo, value: str, folder: Path) -> bool:
    return os.path.realpath(_absolute(repo, value)) == os.path.realpath(folder)


def _absolute(repo: Repo, value: str) -> Path:
    return repo.root / value
