"""`git mlops scaffold`: a template into a repository that exists."""

import click

from git_mlops import ui
from git_mlops.cli.templating import answers, asking, data_option, defaults_option, told
from git_mlops.git.repo import discover
from git_mlops.scaffold import update
from git_mlops.scaffold.templates import TEMPLATES


@click.command()
@click.argument("template", metavar="TEMPLATE")
@data_option
@defaults_option
def scaffold(*, template: str, data: tuple[str, ...], defaults: bool) -> int:
    """Merge a template into this repository

    The template becomes a commit of its own history, and git merges it into the current branch. Files that
    both have are ordinary conflicts; nothing of yours is overwritten, and `git merge --abort` or `git reset`
    undoes it. Exit codes: 0 merged, 1 there are conflicts to mend.
    """
    merged = update.scaffold(discover(), template, answers(data), ask=asking(defaults=defaults))
    if not merged.conflicts:
        ui.note(f"merged the template {template}. Next, as its README says:")
    return told(merged, then=TEMPLATES[template].first)
