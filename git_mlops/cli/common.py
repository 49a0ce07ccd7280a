"""What the commands share: the repository, its settings, `--json`, the warning for an unarmed clone."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from git_mlops import config
from git_mlops.config import Config
from git_mlops.git.repo import Repo, discover

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def open_repo() -> tuple[Repo, Config]:
    """The repository the user stands in, and its settings; warns when the clone is not armed."""
    repo = discover()
    return repo, config.load(repo).config
