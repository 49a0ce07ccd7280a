"""`git mlops clone`: a repository with its experiments and data."""

import click

from git_mlops import ui
from git_mlops.errors import CANNOT_EVALUATE
from git_mlops.hooks import clone as cloning


@click.command()
@click.argument("url")
@click.argument("directory", required=False)
@click.option("-b", "--branch", help="Check out this branch instead of the remote's own.")
@click.option("--depth", type=click.IntRange(min=1), help="Fetch only that many commits of history.")
def clone(*, url: str, directory: str | None, branch: str | None, depth: int | None) -> int:
    """Clone a repository with its experiments and data

    Installs hooks and drivers in the clone. Nothing of the cloned content is run.
    """
    options = {name: str(value) for name, value in (("branch", branch), ("depth", depth)) if value}
    done = cloning.clone(url, directory, options)
    ui.note(f"armed; experiments: {done.experiments}; data: {done.files}")
    if done.experiments:
        ui.note("the data of experiments comes with `git mlops exp pull --all`")
    return 0 if done.complete else CANNOT_EVALUATE
