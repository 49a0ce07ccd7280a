"""`git mlops new`: a project from a template."""

import shlex
from pathlib import Path

import click

from git_mlops import ui
from git_mlops.cli.templating import answers, asking, data_option, defaults_option
from git_mlops.scaffold.new import create, surrounding
from git_mlops.scaffold.templates import TEMPLATES

_EPILOG = "Templates: " + "; ".join(f"{name} ({template.summary})" for name, template in TEMPLATES.items())


@click.command(epilog=_EPILOG)
@click.argument("template", metavar="TEMPLATE")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the project; default: the directory's.")
@data_option
@defaults_option
def new(*, template: str, directory: Path, name: str | None, data: tuple[str, ...], defaults: bool) -> None:
    """Start a project from a template

    DIR becomes a git repository with the project's files; its first commit is the template. DIR must be new,
    empty, or a repository without files. At a terminal the template's questions are asked; `git mlops
    templates TEMPLATE` lists them.
    """
    outer = surrounding(directory)
    given = ({} if name is None else {"project_name": name}) | answers(data)
    create(template, directory, given, ask=asking(defaults=defaults))
    if outer is not None:
        ui.warn(
            f"`{directory}` is inside the repository {outer}, and is now a repository of its own",
            hint="move it elsewhere if that is not meant: git does not keep one repository inside another",
        )
    _tell(template, directory)


def _tell(template: str, directory: Path) -> None:
    ui.note(f"started `{directory}`, {TEMPLATES[template].summary}. Next, as its README says:")
    for command in (f"cd {shlex.quote(str(directory))}", *TEMPLATES[template].first):
        ui.note(f"  {command}")
