"""`git mlops ci`: workflows compiled from mlops.yaml."""

import click

from git_mlops import errors, ui
from git_mlops.cli.common import open_repo
from git_mlops.reports import text
from git_mlops.scaffold import ci as workflows


@click.group()
def ci() -> None:
    """Generate CI workflows"""


@ci.command()
@click.argument("provider", type=click.Choice(list(workflows.PROVIDERS)))
@click.option("--check", is_flag=True, help="Write nothing; fail with the difference when the file drifted.")
@click.option("--force", is_flag=True, help="Overwrite a file that was edited by hand.")
def generate(*, provider: str, check: bool, force: bool) -> int:
    """Write the workflow that mlops.yaml describes

    It checks every pull request with the same rules as the commit hook. Exit codes of --check: 0 the file
    is what would be written, 1 it is not.
    """
    repo, config = open_repo()
    path = workflows.PROVIDERS[provider].path
    if not check:
        changed = workflows.generate(repo, provider, config.ci, force=force)
        ui.note(f"wrote `{path}`" if changed else f"`{path}` is up to date")
        return errors.OK
    found = workflows.drift(repo, provider, config.ci)
    if found is None:
        ui.note(f"`{path}` is up to date")
        return errors.OK
    ui.out(str(found.data["diff"]))
    ui.note(text.render([found], title="ci"))
    return errors.FINDINGS
