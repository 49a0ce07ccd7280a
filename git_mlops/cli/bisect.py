"""`git mlops bisect`: the commit that made a metric worse."""

import click

from git_mlops import ui
from git_mlops.cli import exp_output as output
from git_mlops.cli.common import json_option, open_repo
from git_mlops.errors import CANNOT_EVALUATE, OK
from git_mlops.experiments import bisect as searching
from git_mlops.experiments import present
from git_mlops.experiments.bisect import Found, Probe, Question
from git_mlops.experiments.run import Plan


@click.command()
@click.argument("expression", metavar="EXPR")
@click.argument("good")
@click.argument("bad")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--no-run", is_flag=True, help="Answer from what is recorded; run nothing.")
@json_option
def bisect(
    *, expression: str, good: str, bad: str, command: tuple[str, ...], no_run: bool, as_json: bool
) -> int:
    """Find the commit that made a metric worse

    EXPR (as for `exp list --where`) is false for GOOD and true for BAD, such as
    `git mlops bisect 'metrics.auc < 0.82' v1.0 HEAD -- python train.py`. Recorded results are used; a commit
    without one is run in a worktree of its own (the pipeline, without COMMAND) and recorded. Exit codes: 0
    found, 3 some commits cannot be judged.
    """
    repo, config = open_repo()
    question = Question(expression, Plan(command, directory="" if command else None), run=not no_run)
    found = searching.bisect(repo, question, good, bad, config.experiments, config.data, probed=_probed)
    if as_json:
        ui.emit("bisect", _plain(found))
    else:
        _show(found)
    return OK if len(found.commits) == 1 else CANNOT_EVALUATE


def _probed(probe: Probe) -> None:
    verdict = {True: "bad", False: "good", None: "skipped"}[probe.bad]
    values = " ".join(f"{name}={present.cell(value)}" for name, value in probe.values.items())
    source = probe.reason or f"{'ran' if probe.ran else 'recorded'}: {probe.name}"
    ui.note(f"{probe.commit[:10]} {verdict:7} {values} ({source})")


def _show(found: Found) -> None:
    if len(found.commits) == 1:
        ui.out(f"{found.commits[0]} is the first bad commit")
        ui.out(f"{found.author}, {found.date}: {found.subject}\n")
    else:
        ui.out("the first bad commit is one of these; those between could not be judged:")
        for commit in found.commits:
            ui.out(commit)
    if found.difference:
        output.compared(found.difference)


def _plain(found: Found) -> object:
    difference = present.difference_plain(found.difference) if found.difference else None
    probes = [probe._asdict() for probe in found.probes]
    return {**found._asdict(), "probes": probes, "difference": difference}
