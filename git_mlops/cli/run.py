"""Run the click group under `ui.guard`, so that every problem ends in a message and a documented code."""

import click

from git_mlops import ui
from git_mlops.cli.root import root
from git_mlops.errors import USAGE, MlopsError


def run(words: list[str]) -> int:
    """Parse, run, and return the exit code."""
    return ui.guard(lambda: _run(words))


def _run(words: list[str]) -> int | None:
    variable = "_GIT_MLOPS_COMPLETE"
    try:
        outcome = root.main(args=words, prog_name="git mlops", complete_var=variable, standalone_mode=False)
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as problem:
        if type(problem).__name__ == "NoArgsIsHelpError":  # `git mlops exp`; older clicks print it themselves
            ui.note(problem.format_message())
            return USAGE
        context = getattr(problem, "ctx", None)
        path = context.command_path if context else "git mlops"
        raise MlopsError(
            problem.format_message().rstrip("."), hint=f"`{path} -h` shows the usage"
        ) from problem
    return outcome if isinstance(outcome, int) else None
