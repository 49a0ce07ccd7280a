"""Groups whose commands are imported when they are asked for."""

import importlib
from collections.abc import Mapping
from typing import Any

import click

from git_mlops.decode import unknown


class LazyGroup(click.Group):
    """A group over a table: command → module of this package, its name there, the first line of its help."""

    def __init__(self, *args: Any, table: Mapping[str, tuple[str, str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, without importing any."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the one that is asked for."""
        entry = self.table.get(cmd_name)
        if entry is None:
            return None
        command = getattr(importlib.import_module(f"git_mlops.cli.{entry[0]}"), entry[1])
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with "did you mean"."""
        if args and args[0] not in self.table and not args[0].startswith("-"):
            raise click.UsageError(f"no command `{args[0]}`; {unknown(args[0], self.table, '').hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_module, _attribute, line) in self.table.items()])
