"""`git mlops schema`: infer schemas and check the workspace's data against them."""

import shlex

import click

from git_mlops import ui
from git_mlops.cli.common import json_option, open_repo
from git_mlops.findings import exit_code
from git_mlops.reports.formats import FORMATS
from git_mlops.schema import workspace


@click.group()
def schema() -> None:
    """Infer and check schemas of data"""


@schema.command()
@click.argument("path")
@click.option("-o", "--output", metavar="FILE", help="Write there.  [default: schemas/NAME.yaml]")
@click.option("--force", is_flag=True, help="Replace a schema that is there.")
@json_option
def infer(path: str, *, output: str | None, force: bool, as_json: bool) -> None:
    """Write a schema of a file and bind it in mlops.yaml

    A first draft in pandera's own YAML: types, nulls, ranges, categories. Read it, then commit it.
    """
    repo, _config = open_repo()
    done = workspace.write(repo, path, output=output, force=force)
    if as_json:
        ui.emit("schema", done._asdict())
        return
    ui.out(done.schema_path)
    ui.note(f"{'bound' if done.bound else 'already bound'} to {done.path} in mlops.yaml")
    ui.note(f"read it, then `git add mlops.yaml {shlex.quote(done.schema_path)}`: what is staged counts")


@schema.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@json_option
def check(paths: tuple[str, ...], *, as_json: bool) -> int:
    """Check data of the workspace against its schemas

    Without a path everything that mlops.yaml binds is checked. Exit codes: 0 all hold, 1 findings,
    2 usage or configuration, 3 something could not be evaluated.
    """
    repo, config = open_repo()
    found, checked = workspace.check(repo, config.schemas, paths)
    title = f"{checked} file{'' if checked == 1 else 's'} against schemas"
    ui.write(FORMATS["json" if as_json else "text"].render(found, title=title))
    return exit_code(found)
