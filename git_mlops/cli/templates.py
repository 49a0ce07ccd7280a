"""`git mlops templates`: what a project can start from."""

import click

from git_mlops import ui
from git_mlops.cli.common import json_option
from git_mlops.scaffold import templates as known


@click.command()
@click.argument("template", metavar="[TEMPLATE]", required=False)
@json_option
def templates(*, template: str | None, as_json: bool) -> None:
    """List the templates of projects

    With TEMPLATE, what it asks: the keys for `git mlops new … --data KEY=VALUE`, their choices and defaults.
    """
    names = list(known.TEMPLATES) if template is None else [template]
    if as_json:
        ui.emit("templates", [known.plain(name) for name in names])
    elif template is None:
        ui.table(("template", "what"), [(name, known.TEMPLATES[name].summary) for name in names])
    else:
        ui.table(("key", "question", "choices", "default"), known.rows(template))
