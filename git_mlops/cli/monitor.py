"""`git mlops monitor`: what is served against what it was trained on, or any data against any other."""

from pathlib import Path
from typing import Any

import click

from git_mlops import config, ui
from git_mlops.cli import monitor_output as output
from git_mlops.cli.completion import models
from git_mlops.config import Config
from git_mlops.errors import MlopsError
from git_mlops.findings import exit_code
from git_mlops.git.repo import Repo, discover
from git_mlops.monitor import history as histories
from git_mlops.monitor import watch
from git_mlops.monitor.observed import Observation

_PATH = click.Path(path_type=Path)


class _Monitor(click.Group):
    """Without the name of a command it is `run`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Monitor)
def monitor() -> None:
    """Watch what is served for drift and decay

    `git mlops monitor …` alone is `git mlops monitor run …`.
    """


@monitor.command()
@click.argument("words", nargs=-1, metavar="[MODEL[@V|#STAGE] | A..B [PATH]...]", shell_complete=models)
@click.option("--reference", type=_PATH, help="The data to compare with: a table, or a directory of tables.")
@click.option("--current", type=_PATH, help="The data that is judged.")
@click.option("--name", help="Record the run of two files under this name.")
@click.option("--format", "format_", type=click.Choice(output.FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as `--format json`: every figure.")
@click.option(
    "-o", "--output", "file", type=click.Path(dir_okay=False), help="Write the report to a file instead."
)
def run(*, words: tuple[str, ...], format_: str, as_json: bool, file: str | None, **options: Any) -> int:
    """Compare data, and say what moved

    Exit codes: 0 nothing moved, 1 drift or another finding, 2 usage or configuration, 3 it could not be
    evaluated, such as with too few rows.
    """
    repo, settings = _opened()
    shown = "json" if as_json else format_
    one = _observed(repo, settings, words, draw=shown in output.DRAWN, **options)
    if options["name"] and repo is not None:
        histories.record(repo, one)
    ui.write(output.rendered(one, shown), file)
    return exit_code(one.findings)


def _opened() -> tuple[Repo | None, Config]:
    """Two files can be compared anywhere."""
    try:
        repo = discover()
    except MlopsError:
        return None, Config()
    return repo, config.load(repo).config


def _observed(
    repo: Repo | None, settings: Config, words: tuple[str, ...], *, draw: bool, **options: Any
) -> Observation:
    reference, current = options["reference"], options["current"]
    if repo is None and words:
        discover()
    if not words and reference and current:
        name = options["name"] or "files"
        return watch.files(watch.side(reference), watch.side(current), settings.monitor, name=name, draw=draw)
    raise click.UsageError("name two files: `--reference FILE --current FILE`")
