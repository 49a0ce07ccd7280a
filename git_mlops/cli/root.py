"""`git mlops` itself: options for every command, and commands loaded one at a time."""

import os

import click

from git_mlops import __version__
from git_mlops.cli import COMMANDS, overview
from git_mlops.cli.lazy import LazyGroup


class Root(LazyGroup):
    """Each command is in the module that `COMMANDS` names, under its own name."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The same overview that is shown without click."""
        formatter.write(overview() + "\n")


_TABLE = {name: (module, name.replace("-", "_"), line) for name, (module, line) in COMMANDS.items()}


@click.command(cls=Root, table=_TABLE, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-C", "directory", type=click.Path(exists=True, file_okay=False), help="Run as if started there."
)
@click.version_option(__version__, prog_name="git-mlops", message="%(prog)s %(version)s")
def root(directory: str | None) -> None:
    """Any clone of a repository is the whole ML platform, with no server."""
    if directory:
        os.chdir(directory)
