"""What git calls, by name; each module is imported alone."""

import importlib
from collections.abc import Sequence
from typing import Protocol

from git_mlops import ui


class Hook(Protocol):
    """A module of this package that git starts."""

    def run(self, name: str, arguments: Sequence[str]) -> int:
        """Do the work; the status is git's."""


HOOKS = {
    "pre-commit": "pre_commit",
    "pre-merge-commit": "pre_commit",
    "pre-push": "pre_push",
    "post-checkout": "follow_data",
    "post-index-change": "follow_data",
    "post-merge": "follow_data",
    "post-applypatch": "follow_data",
    "commit-msg": "landing",
    "diff-pointer": "show_pointer",
    "merge-pointer": "merge_pointer",
}
"""What git calls → the module that does it, imported alone."""


def run(words: Sequence[str]) -> int:
    """Run one of `HOOKS`."""
    name, *arguments = words
    return ui.guard(lambda: _module(name).run(name, arguments))


def _module(name: str) -> Hook:
    module: Hook = importlib.import_module(f"git_mlops.hooks.{HOOKS[name]}")
    return module
