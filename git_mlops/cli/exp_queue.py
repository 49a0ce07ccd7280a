"""`git mlops exp queue`: runs that wait, and those who run them."""

import click

from git_mlops import ui
from git_mlops.cli import exp_queue_output as output
from git_mlops.cli.common import json_option, open_repo
from git_mlops.errors import INTERRUPTED
from git_mlops.executors import EXECUTORS, Where, dask
from git_mlops.experiments import queue as queues
from git_mlops.experiments import queue_start as starting
from git_mlops.experiments.queue_start import Told


@click.group()
def queue() -> None:
    """Run what `exp run --queue` has queued

    A queued run holds the project as it was when it was queued. It runs in a worktree of its own and is
    recorded as `exp run --temp` would record it.
    """


@queue.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List runs that wait or run"""
    repo, _config = open_repo()
    output.waiting(queues.listing(repo), as_json=as_json)


@queue.command()
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Run N at once; default: 1; on a cluster, all it can.",
)
@click.option(
    "--executor", type=click.Choice([*EXECUTORS]), default="local", help="Who runs them; default: local."
)
@click.option("--scheduler", metavar="ADDRESS", help="Of a Dask cluster: tcp://HOST:8786.")
@json_option
def start(*, jobs: int | None, executor: str, scheduler: str | None, as_json: bool) -> int:
    """Run all that is queued, each in its own worktree

    Also what is queued meanwhile. What a run prints goes to its log: `git mlops exp queue logs NAME`. On
    Ctrl-C the runs under way are recorded as interrupted; the others stay queued. Exit codes: 0 all finished,
    1 some did not, 130 interrupted.
    """
    repo, config = open_repo()
    told = Told(output.begun, output.ended)
    address = dask.scheduler(repo, scheduler) if executor == "dask" else scheduler
    where, settings = Where(jobs, address), (config.experiments, config.data)
    done = starting.start(repo, settings, EXECUTORS[executor], where, told)
    output.worked(done, as_json=as_json)
    return INTERRUPTED if done.interrupted else done.exit_code


@queue.command()
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Everything that is queued.")
@json_option
def rm(names: tuple[str, ...], *, everything: bool, as_json: bool) -> None:
    """Take runs out of the queue"""
    if not names and not everything:
        raise click.UsageError("name what shall go, or `--all`")
    repo, _config = open_repo()
    output.dequeued(queues.remove(repo, names, everything=everything), as_json=as_json)


@queue.command()
@click.argument("name")
@click.option("--path", is_flag=True, help="Print where the log is; `tail -f` follows it.")
def logs(name: str, *, path: bool) -> None:
    """Show what a run from the queue printed"""
    repo, _config = open_repo()
    file = queues.log(repo, name)
    ui.out(
        str(file) if path else file.read_text(encoding="utf-8", errors="replace"), end="\n" if path else ""
    )
