"""`git mlops exp`: run, record, read, compare, apply, share and remove experiments."""

import click

from git_mlops.cli.lazy import LazyGroup

COMMANDS: dict[str, tuple[str, str, str]] = {
    "run": ("exp_run", "run", "Run a command or the pipeline and record it"),
    "queue": ("exp_queue", "queue", "Run what `exp run --queue` has queued"),
    "save": ("exp_show", "save", "Record the workspace as an experiment"),
    "list": ("exp_list", "list_", "List the experiments of HEAD"),
    "show": ("exp_show", "show", "Show everything about one experiment"),
    "diff": ("exp_show", "diff", "Compare two experiments or revisions"),
    "plots": ("exp_plots", "plots", "Draw metrics and parameters as one HTML page"),
    "apply": ("exp_show", "apply", "Bring an experiment into the workspace"),
    "verify": ("exp_verify", "verify", "Run experiments again and compare their metrics"),
    "repeat": ("exp_verify", "repeat", "Run an experiment several times to measure noise"),
    "push": ("exp_sync", "push", "Send experiments and their data to the remotes"),
    "pull": ("exp_sync", "pull", "Get experiments and their data from the remotes"),
    "rm": ("exp_show", "rm", "Remove experiments, keeping a backup"),
    "gc": ("exp_gc", "gc", "Remove experiments that nobody needs"),
    "archive": ("exp_gc", "archive", "Fold experiments under one ref per month"),
    "restore": ("exp_gc", "restore", "Bring archived experiments back"),
}
"""Command → module of this package, its name there, the first line of its help."""


@click.command(cls=LazyGroup, table=COMMANDS)
def exp() -> None:
    """Run, record and compare experiments

    An experiment is a commit under refs/exps/ that holds the whole project as it was run: code, dirty and
    untracked files, parameters, metrics, and pointers to data. `dvc exp list` and `dvc exp show` read it.
    """
