"""`git mlops config`: the settings in force and where each comes from."""

import json

import click

from git_mlops import config as settings
from git_mlops import ui
from git_mlops.cli.common import json_option
from git_mlops.git.repo import discover


@click.command()
@click.option("--schema", is_flag=True, help="Print the JSON Schema of mlops.yaml, for editors.")
@json_option
def config(*, schema: bool, as_json: bool) -> None:
    """Show the settings in force and their source"""
    if schema:
        ui.out(json.dumps(settings.schema(), indent=2))
        return
    rows = settings.shown(settings.load(discover()))
    if as_json:
        ui.emit("config", [dict(zip(("key", "value", "source"), row, strict=True)) for row in rows])
    else:
        ui.table(
            ("key", "value", "source"), [(key, json.dumps(value), source) for key, value, source in rows]
        )
