"""What the commands share: the repository, its settings, `--json`, the warning for an unarmed clone."""

import click

from git_mlops.cli import opened
from git_mlops.config import Config
from git_mlops.git.repo import Repo

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def open_repo() -> tuple[Repo, Config]:
    """The repository the user stands in, and its settings; warns when the clone is not armed."""
    return opened.open_repo(_words())


def find_repo() -> Repo:
    """The repository alone, for commands that must work with a mlops.yaml that is wrong."""
    return opened.find_repo(_words())


def warn_unarmed(repo: Repo) -> None:
    """Say, once per command, that git runs none of our hooks here: no commit would be checked."""
    opened.warn_unarmed(repo, _words())


def _words() -> list[str]:
    context = click.get_current_context(silent=True)
    return context.command_path.split() if context else []
