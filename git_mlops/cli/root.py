"""`git mlops` itself: options for every command, and commands loaded one at a time."""

import importlib
import os

import click

from git_mlops import __version__
from git_mlops.cli import COMMANDS, overview
from git_mlops.decode import unknown


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, without importing any."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the one that is asked for: `cli/<module>.py` holds it under its own name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = getattr(importlib.import_module(f"git_mlops.cli.{entry[0]}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with "did you mean"."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"no command `{args[0]}`; {unknown(args[0], COMMANDS, '').hint}")
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The same overview that is shown without click."""
        formatter.write(overview() + "\n")


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-C", "directory", type=click.Path(exists=True, file_okay=False), help="Run as if started there."
)
@click.version_option(__version__, prog_name="git-mlops", message="%(prog)s %(version)s")
def root(directory: str | None) -> None:
    """Any clone of a repository is the whole ML platform, with no server."""
    if directory:
        os.chdir(directory)
