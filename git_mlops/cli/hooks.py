"""`git mlops hooks`: the git hooks of this clone."""

import click

from git_mlops import ui
from git_mlops.cli.common import json_option
from git_mlops.errors import FINDINGS
from git_mlops.git.repo import discover
from git_mlops.hooks import install as installed


@click.group()
def hooks() -> None:
    """Show, install or remove the git hooks"""


@hooks.command()
@json_option
def status(*, as_json: bool) -> int:
    """Show which hooks git runs, and from where

    Exit code 1 when one is missing, outdated, or somebody else's alone.
    """
    rows = installed.status(discover())
    if as_json:
        ui.emit("hooks", [row._asdict() for row in rows])
    else:
        ui.table(("hook", "state", "path", "runs also"), rows)
    return 0 if all(row.state == "installed" for row in rows) else FINDINGS


@hooks.command()
def install() -> None:
    """Install the hooks and register the drivers

    Hooks that are there already are kept and run first; `core.hooksPath` is honoured.
    """
    repo = discover()
    for line in installed.told(repo, installed.install(repo)) or ["everything is in place"]:
        ui.note(line)


@hooks.command()
def remove() -> None:
    """Remove the hooks and the drivers

    What was there before comes back to the byte. Tracked files are not touched.
    """
    repo = discover()
    for line in installed.told(repo, installed.remove(repo)) or ["nothing of ours is here"]:
        ui.note(line)
