"""`git mlops monitor`: what is served against what it was trained on, or any data against any other."""

import click

from git_mlops.cli.lazy import LazyGroup

COMMANDS: dict[str, tuple[str, str, str]] = {
    "run": ("monitor_run", "run", "Compare data, and say what moved"),
    "history": ("monitor_run", "history", "Show how a model did over time"),
    "push": ("monitor_run", "push", "Share the history of a model"),
    "pull": ("monitor_run", "pull", "Bring the history of a model"),
}
"""Command → module of this package, its name there, the first line of its help."""


class _Monitor(LazyGroup):
    """Without the name of a command it is `run`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.table and args[0] not in ("-h", "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.command(cls=_Monitor, table=COMMANDS)
def monitor() -> None:
    """Watch what is served for drift and decay

    `git mlops monitor …` alone is `git mlops monitor run …`.
    """
