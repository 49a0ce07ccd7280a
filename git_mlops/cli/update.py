"""`git mlops update`: the next version of the project's template."""

import click

from git_mlops import __version__, errors, ui
from git_mlops.cli.templating import answers, asking, data_option, told
from git_mlops.git.repo import discover
from git_mlops.scaffold import update as updating


@click.command()
@data_option
@click.option("--ask", is_flag=True, help="Ask the template's questions again.")
@click.option("--base", metavar="COMMIT", help="The template as it came, where the history does not say.")
def update(*, data: tuple[str, ...], ask: bool, base: str | None) -> int:
    """Merge the template's changes into this project

    What this version of git-mlops renders is compared with what was rendered when the project started or was
    last updated, and git merges the difference into the current branch: your edits stay, and what both
    changed are ordinary conflicts. `--data` changes an answer. Exit codes: 0 merged or nothing new, 1 there
    are conflicts to mend.
    """
    merged = updating.update(discover(), answers(data), base=base, ask=ask and asking(defaults=False))
    if merged is None:
        ui.note(f"the template of git-mlops {__version__} has nothing new")
        return errors.OK
    if not merged.conflicts:
        ui.note(f"merged the template {merged.template} {__version__}: `git show -m HEAD` shows it")
    return told(merged)
