"""What `new`, `scaffold` and `update` share: answers, questions at a terminal, and what is next."""

import sys

import click

from git_mlops import ui
from git_mlops.scaffold.update import Merged

data_option = click.option(
    "--data", "-d", multiple=True, metavar="KEY=VALUE", help="Answer a question of the template."
)
defaults_option = click.option("--defaults", is_flag=True, help="Ask nothing: take the defaults.")


def answers(data: tuple[str, ...]) -> dict[str, str]:
    """KEY=VALUE, each."""
    found = {}
    for pair in data:
        key, equals, value = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"`{pair}` is not KEY=VALUE", param_hint="--data")
        found[key] = value
    return found


def asking(*, defaults: bool) -> bool:
    """Whether there is somebody to ask."""
    return not defaults and sys.stdin.isatty() and sys.stdout.isatty()


def told(merged: Merged, *, then: tuple[str, ...] = ()) -> int:
    """Say what the merge came to; the exit code: 1 with conflicts, as `git merge`."""
    for why in merged.refused:
        ui.warn(f"{why}", hint="`git mlops ci check` shows the difference")
    if merged.conflicts:
        ui.error(
            f"{ui.count(len(merged.conflicts), 'file')} in conflict: {ui.listed(merged.conflicts, 20)}",
            hint="mend them, `git add` them and `git commit`; `git merge --abort` drops the merge",
        )
        return 1
    for command in then:
        ui.note(f"  {command}")
    return 0
