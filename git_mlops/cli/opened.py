"""The repository that a command works in, its settings, a warning where nothing is armed. Without click."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from git_mlops import CONFIG, env, ui
from git_mlops.git.repo import Repo, discover

if TYPE_CHECKING:
    from git_mlops.config import Config


def open_repo(words: Collection[str] = ()) -> tuple[Repo, Config]:
    """The repository the user stands in, and its settings; warns when the clone is not armed.

    Args:
        words: of the command: those that arm a clone, or ask for nothing that a hook does, do not warn.
    """
    from git_mlops import config  # 25 ms

    repo = find_repo(words)
    return repo, config.load(repo).config


def find_repo(words: Collection[str] = ()) -> Repo:
    """The repository alone, for commands that must work with a mlops.yaml that is wrong."""
    repo = discover()
    warn_unarmed(repo, words)
    return repo


def warn_unarmed(repo: Repo, words: Collection[str] = ()) -> None:
    """Say, once per command, that git runs none of our hooks here: no commit would be checked."""
    in_ci = env.in_ci() or env.get("PRE_COMMIT") == "1"
    if in_ci or not _ARMING.isdisjoint(words) or not (repo.root / CONFIG).exists():
        return
    from git_mlops.hooks import install

    if not install.armed(repo):
        ui.warn(
            "this clone is not armed: git runs no checks, and data does not follow", hint="`git mlops init`"
        )


_ARMING = frozenset(("init", "hooks", "clone", "ci"))
