"""`git mlops init`: arm a clone."""

from pathlib import Path

import click

from git_mlops import ui
from git_mlops.hooks import arm


@click.command()
@click.argument("directory", required=False, type=click.Path(file_okay=False, path_type=Path))
def init(directory: Path | None) -> None:
    """Arm this clone: configuration, hooks, drivers

    With DIRECTORY, a git repository is made there if there is none. Whatever exists is kept, and a second
    run changes nothing. `git mlops hooks remove` takes hooks and drivers away again.
    """
    repo, done = arm.init(directory)
    for line in done:
        ui.note(line)
    ui.note(f"{repo.root} is armed" if done else f"{repo.root} is armed: everything was in place")
