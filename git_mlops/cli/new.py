"""`git mlops new`: a project from a template."""

import shlex
from pathlib import Path

import click

from git_mlops import config, ui
from git_mlops.scaffold import ci
from git_mlops.scaffold.new import TEMPLATES, create, surrounding

_EPILOG = "Templates: " + "; ".join(f"{name} ({template.summary})" for name, template in TEMPLATES.items())


@click.command(epilog=_EPILOG)
@click.argument("template", metavar="TEMPLATE")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the project; default: the directory's.")
@click.option("--data", "-d", multiple=True, metavar="KEY=VALUE", help="Answer a question of the template.")
def new(*, template: str, directory: Path, name: str | None, data: tuple[str, ...]) -> None:
    """Start a project from a template

    DIR becomes a git repository with the project's files; nothing is committed. DIR must be new, empty, or a
    repository without files.
    """
    outer = surrounding(directory)
    repo = create(template, directory, _answers(name, data))
    ci.generate(repo, "github", config.load(repo).config.ci)
    if outer is not None:
        ui.warn(
            f"`{directory}` is inside the repository {outer}, and is now a repository of its own",
            hint="move it elsewhere if that is not meant: git does not keep one repository inside another",
        )
    _tell(template, directory)


def _answers(name: str | None, data: tuple[str, ...]) -> dict[str, str]:
    answers = {} if name is None else {"project_name": name}
    for pair in data:
        key, equals, value = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"`{pair}` is not KEY=VALUE", param_hint="--data")
        answers[key] = value
    return answers


def _tell(template: str, directory: Path) -> None:
    ui.note(f"started `{directory}`, {TEMPLATES[template].summary}. Next, as its README says:")
    for command in (f"cd {shlex.quote(str(directory))}", *TEMPLATES[template].first):
        ui.note(f"  {command}")
