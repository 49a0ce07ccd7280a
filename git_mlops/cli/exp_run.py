"""`git mlops exp run`: in place, in a worktree of its own, or later."""

from functools import partial
from typing import NamedTuple, TypedDict, Unpack

import click

from git_mlops import ui
from git_mlops.cli import exp_output as output
from git_mlops.cli import exp_queue_output
from git_mlops.cli.common import json_option, open_repo
from git_mlops.cli.exp_options import message_option, name_option
from git_mlops.config import Config
from git_mlops.experiments import queue as queues
from git_mlops.experiments import resume as resuming
from git_mlops.experiments import run as running
from git_mlops.experiments import start as starting
from git_mlops.experiments import temp as elsewhere
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Ended, Known, Plan
from git_mlops.experiments.start import Start
from git_mlops.git.repo import Repo


class _Options(TypedDict):
    name: str | None
    message: str
    overrides: tuple[str, ...]
    temp: bool
    queue: bool
    resume: str | None
    retry: str | None
    force: bool
    as_json: bool
    command: tuple[str, ...]


class _Asked(NamedTuple):
    repo: Repo
    config: Config
    request: Request
    options: _Options


@click.command()
@name_option
@message_option
@click.option(
    "-S", "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a parameter first."
)
@click.option("--temp", is_flag=True, help="In a worktree of its own; yours stays as it is.")
@click.option("--queue", is_flag=True, help="Later: `git mlops exp queue start` runs it.")
@click.option("--resume", metavar="NAME", help="Go on with a failed or interrupted run.")
@click.option("--retry", metavar="NAME", help="Run an experiment again from its beginning, as --temp does.")
@click.option("--force", is_flag=True, help="Run although it is recorded; replace the experiment NAME.")
@json_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def run(**options: Unpack[_Options]) -> int:
    """Run a command or the pipeline and record it

    Without COMMAND the pipeline of dvc.yaml is reproduced. Exit codes: 0 finished (or already recorded),
    1 failed, 130 interrupted; failed and interrupted runs are recorded as such.
    """
    _refuse(options)
    repo, config = open_repo()
    request = Request(options["name"], options["message"], options["force"])
    asked = _Asked(repo, config, request, options)
    return _elsewhere(asked) if options["temp"] or options["queue"] or options["retry"] else _here(asked)


def _refuse(options: _Options) -> None:
    if options["temp"] and options["queue"]:
        raise click.UsageError("`--queue` runs are in a worktree of their own: `--temp` says nothing more")
    earlier = "--resume" if options["resume"] else "--retry" if options["retry"] else None
    if options["resume"] and options["retry"]:
        raise click.UsageError("`--resume` goes on, `--retry` begins again: choose one")
    if earlier and (options["command"] or options["overrides"]):
        raise click.UsageError(f"`{earlier}` takes the command and the parameters from the experiment")


def _here(asked: _Asked) -> int:
    repo, config, request, options = asked
    plan = Plan(options["command"], options["overrides"])
    if options["resume"]:
        plan, done = resuming.in_place(repo, options["resume"], config.experiments, config.data)
        output.applied(done, as_json=False)
    told: set[str] = set()
    result = running.run(
        repo,
        plan,
        request,
        config.experiments,
        config.data,
        started=lambda subject: told.update(output.stale(subject.dirty, pipeline=not plan.command)),
    )
    if isinstance(result, Ended) and result.recorded.status != "finished":
        output.kept_overrides(plan.overrides)
    _warn_of_taints(repo, result)
    return output.ran(result, as_json=options["as_json"], asked=request.name, told=told)


def _elsewhere(asked: _Asked) -> int:
    repo, config, request, options = asked
    start = _start(asked)
    exp_queue_output.differences(start)
    if options["queue"]:
        return exp_queue_output.queued(queues.add(repo, start, request), as_json=options["as_json"])
    told = partial(exp_queue_output.missing, repo)
    result = elsewhere.run(repo, start, request, config.experiments, config.data, missing=told)
    _warn_of_taints(repo, result)
    return output.ran(result, as_json=options["as_json"], asked=request.name)


def _warn_of_taints(repo: Repo, result: Ended | Known) -> None:
    """What is not run again may rest on what must not be used any more."""
    if isinstance(result, Known):
        from git_mlops.lineage import taints

        name, node = result.experiment.name, f"experiment:{result.experiment.ref}"
        for one in taints.of(repo, node)[:1]:
            source = "" if one.node == node else f" came from `{one.label}`, which"
            ui.warn(
                f"`{name}`{source} is tainted: {one.words[-1].why}",
                hint=f"`git mlops lineage {name}` shows how",
            )


def _start(asked: _Asked) -> Start:
    repo, config, _request, options = asked
    if options["resume"]:
        return resuming.start(repo, options["resume"], "resumes", config.experiments)
    if options["retry"]:
        return resuming.start(repo, options["retry"], "retries", config.experiments)
    return starting.workspace(repo, Plan(options["command"], options["overrides"]), config.data)
