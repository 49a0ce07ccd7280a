"""`git mlops exp plots`."""

import click

from git_mlops import ui
from git_mlops.cli.common import json_option, open_repo
from git_mlops.cli.completion import experiments
from git_mlops.experiments import plots as plotting
from git_mlops.experiments import select
from git_mlops.experiments.plots import Made, Want


@click.command()
@click.argument("names", nargs=-1, shell_complete=experiments)
@click.option("--all", "everything", is_flag=True, help="Those of every commit, not of HEAD alone.")
@click.option("-o", "--output", metavar="FILE", help="The page; default: in git's own directory.")
@click.option("--svg", metavar="DIR", help="A picture of each metric's curves.")
@click.option("--png", metavar="DIR", help="The same as PNG.")
@json_option
def plots(
    names: tuple[str, ...],
    *,
    everything: bool,
    output: str | None,
    svg: str | None,
    png: str | None,
    as_json: bool,
) -> None:
    """Draw metrics and parameters as one HTML page

    Curves over steps, scatter, parallel coordinates and a table of the experiments NAMES, or of HEAD's. The
    page needs no network: it can be sent to anyone. With --svg or --png alone only pictures are written.
    """
    repo, config = open_repo()
    want = Want(output, svg, png)
    chosen = tuple(select.expanded(repo, names, config.experiments))
    _show(plotting.plots(repo, chosen, config.experiments, want, everything=everything), as_json=as_json)


def _show(made: Made, *, as_json: bool) -> None:
    for note in made.notes:
        ui.warn(note)
    if as_json:
        ui.emit("plots", made._asdict())
        return
    for file in (*([made.page] if made.page else []), *made.pictures):
        ui.out(file)
    if not (made.page or made.pictures):
        ui.note(f"no metric history in {', '.join(made.experiments[:10])}: nothing to draw")
