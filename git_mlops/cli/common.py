"""What the commands share: the repository, its settings, `--json`, the warning for an unarmed clone."""

import click

from git_mlops import config, env, ui
from git_mlops.config import Config
from git_mlops.git.repo import Repo, discover

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def open_repo() -> tuple[Repo, Config]:
    """The repository the user stands in, and its settings; warns when the clone is not armed."""
    repo = find_repo()
    return repo, config.load(repo).config


def find_repo() -> Repo:
    """The repository alone, for commands that must work with a mlops.yaml that is wrong."""
    repo = discover()
    warn_unarmed(repo)
    return repo


def warn_unarmed(repo: Repo) -> None:
    """Say, once per command, that git runs none of our hooks here: no commit would be checked."""
    in_ci = env.in_ci() or env.get("PRE_COMMIT") == "1"
    context = click.get_current_context(silent=True)
    quiet = context is not None and bool(_ARMING & set(context.command_path.split()))
    if in_ci or quiet or not (repo.root / config.FILE).exists():
        return
    from git_mlops.hooks import install

    if not install.armed(repo):
        ui.warn(
            "this clone is not armed: git runs no checks, and data does not follow", hint="`git mlops init`"
        )


_ARMING = frozenset(("init", "hooks", "clone", "ci"))
