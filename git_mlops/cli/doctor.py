"""`git mlops doctor`: whether what works beside git-mlops finds it."""

import click

from git_mlops import ui
from git_mlops.cli.common import json_option, open_repo
from git_mlops.findings import exit_code
from git_mlops.tracking.doctor import examine


@click.command()
@json_option
def doctor(*, as_json: bool) -> int:
    """Say whether MLflow finds this repository

    Loads MLflow and asks it for the runs here, as a script would: MLflow passes over a plugin that it cannot
    load.
    """
    repo, _config = open_repo()
    found = list(examine(repo))
    if as_json:
        ui.emit("doctor", [one.to_json() for one in found])
    else:
        for one in found:
            {"error": ui.error, "warning": ui.warn}.get(one.level, _note)(one.message, hint=one.hint)
    return exit_code(found)


def _note(message: str, *, hint: str | None = None) -> None:
    ui.out(f"{message}; {hint}" if hint else message)
