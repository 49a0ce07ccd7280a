"""`git mlops exp verify | repeat`: run what was recorded again, and compare."""

import click

from git_mlops import ui
from git_mlops.cli.common import json_option, open_repo
from git_mlops.cli.completion import experiments
from git_mlops.errors import CANNOT_EVALUATE, FINDINGS, OK
from git_mlops.experiments import present, read, select
from git_mlops.experiments import verify as verifying
from git_mlops.experiments.verify import Verdict, Want


@click.command()
@click.argument("names", nargs=-1, required=True, shell_complete=experiments)
@click.option(
    "--env", "rebuild", is_flag=True, help="In the recorded environment, rebuilt: packages are downloaded."
)
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME", help="Compare only this one (repeatable)."
)
@json_option
def verify(names: tuple[str, ...], *, rebuild: bool, metrics: tuple[str, ...], as_json: bool) -> int:
    """Run experiments again and compare their metrics

    Runs the recorded command or pipeline on the recorded tree and data, in a worktree of its own. A metric is
    the same within the tolerance that mlops.yaml declares, or that `exp repeat` measured. The verdict is
    recorded. Exit codes: 0 reproduced, 1 differs, 3 not comparable.
    """
    repo, config = open_repo()
    found = [
        verifying.verify(repo, ref, config.experiments, config.data, Want(rebuild, metrics))
        for ref in select.pick(repo, names, config.experiments)
    ]
    if as_json:
        ui.emit("verdicts", [verifying.plain(one) for one in found])
    else:
        for one in found:
            _show(one)
    codes = {one.exit_code for one in found}
    return FINDINGS if FINDINGS in codes else CANNOT_EVALUATE if CANNOT_EVALUATE in codes else OK


def _show(verdict: Verdict) -> None:
    rows = [
        (
            one.name,
            present.cell(one.old),
            present.cell(one.new),
            one.tolerance or "",
            "" if one.same else "differs",
        )
        for one in verdict.metrics
    ]
    ui.table(("metric", "recorded", "now", "tolerance", ""), rows)
    said = f"{verdict.name}: {verdict.outcome}" + (f": {verdict.reason}" if verdict.reason else "")
    ui.note(said + (f"\nhint: {verdict.hint}" if verdict.hint else ""))
    if verdict.packages and verdict.outcome == "reproduced":
        ui.note(f"in another environment: {ui.few(verdict.packages)}")


@click.command()
@click.argument("name", required=False, shell_complete=experiments)
@click.option(
    "-n", "--times", default=5, show_default=True, type=click.IntRange(min=1), help="How many runs."
)
@json_option
def repeat(name: str | None, *, times: int, as_json: bool) -> int:
    """Run an experiment several times to measure noise

    Without NAME: the one recorded last. How far apart the results lie is the tolerance of later `exp verify`
    where mlops.yaml declares none.
    """
    repo, config = open_repo()
    ref = select.pick(repo, [name], config.experiments)[0] if name else read.last(repo)
    done = verifying.repeat(repo, ref, config.experiments, config.data, times)
    if as_json:
        ui.emit("noise", {**done._asdict(), "noise": [one._asdict() for one in done.noise]})
        return OK
    header = ("metric", "recorded", "mean", "std", "min", "max")
    ui.table(header, [(one.name, *(present.cell(value) for value in one[1:])) for one in done.noise])
    ui.note(f"{done.name}: {ui.count(done.runs, 'run')}" + (f", {done.failed} failed" if done.failed else ""))
    return OK
