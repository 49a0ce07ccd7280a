"""`git mlops exp run`: in place, in a worktree of its own, or later."""

import click

from git_mlops.cli import exp_output as output
from git_mlops.cli.common import json_option, open_repo
from git_mlops.experiments import run as running
from git_mlops.experiments import temp as elsewhere
from git_mlops.experiments.recording import Request

name_option = click.option("-n", "--name", metavar="NAME", help="Its name; default: one is made up.")
message_option = click.option("-m", "--message", default="", metavar="MSG", help="A note to keep with it.")


@click.command()
@name_option
@message_option
@click.option(
    "-S", "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a parameter first."
)
@click.option("--temp", is_flag=True, help="In a worktree of its own; yours stays as it is.")
@click.option("--force", is_flag=True, help="Run although it is recorded; replace the experiment NAME.")
@json_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def run(  # noqa: PLR0913  # one parameter per option
    *,
    name: str | None,
    message: str,
    overrides: tuple[str, ...],
    temp: bool,
    force: bool,
    as_json: bool,
    command: tuple[str, ...],
) -> int:
    """Run a command or the pipeline and record it

    Without COMMAND the pipeline of dvc.yaml is reproduced. Exit codes: 0 finished (or already recorded),
    1 failed, 130 interrupted; failed and interrupted runs are recorded as such.
    """
    repo, config = open_repo()
    plan, request = running.Plan(command, overrides), Request(name, message, force)
    if temp:
        told = output.elsewhere
        result = elsewhere.run(repo, plan, request, config.experiments, config.data, told=told)
        return output.ran(result, as_json=as_json)
    result = running.run(
        repo,
        plan,
        request,
        config.experiments,
        config.data,
        started=lambda subject: output.stale(subject.dirty, pipeline=not command),
    )
    return output.ran(result, as_json=as_json)
