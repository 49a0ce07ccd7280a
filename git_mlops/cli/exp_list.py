"""`git mlops exp list`: choose experiments, and show them as a table or for programs."""

from pathlib import Path
from typing import TypedDict, Unpack

import click

from git_mlops.cli import exp_listing
from git_mlops.cli.common import json_option
from git_mlops.cli.exp_listing import View
from git_mlops.experiments.select import Options


class _Chosen(TypedDict):
    everything: bool
    baseline: str | None
    snapshots: bool
    where: str | None
    since: str | None
    pareto: str | None
    sort: str | None
    limit: int | None


@click.command("list")
@click.option("--all", "everything", is_flag=True, help="Those of every commit, grouped by it.")
@click.option("--baseline", metavar="REV", help="Those of another revision than HEAD.")
@click.option("--snapshots", is_flag=True, help="Also what `exp apply` saved before it replaced it.")
@click.option(
    "--where", metavar="EXPR", help="Only those it is true of: `metrics.auc > 0.9 and params.lr < 1`."
)
@click.option("--since", metavar="DATE", help="Only those since then: `2w`, `2026-01-31`, `yesterday`.")
@click.option("--pareto", metavar="LIST", help="Only those none beats in all of `auc:max,loss:min`.")
@click.option("--sort", metavar="METRIC", help="By a metric (the best first) or a parameter.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The first N only.")
@click.option("--columns", metavar="LIST", help="Show these: `name,metrics.*,params.lr,wall`.")
@click.option("--only-changed", is_flag=True, help="No metrics and parameters that are the same in all.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with full names and values.")
@click.option("--md", "as_md", is_flag=True, help="Print a Markdown table.")
@click.option("--parquet", type=click.Path(dir_okay=False, path_type=Path), help="Write a Parquet file.")
@json_option
@click.option("--no-pager", is_flag=True, help="Never through git's pager.")
def list_(  # noqa: PLR0913  # one parameter per option
    columns: str | None,
    *,
    only_changed: bool,
    as_csv: bool,
    as_md: bool,
    parquet: Path | None,
    as_json: bool,
    no_pager: bool,
    **chosen: Unpack[_Chosen],
) -> None:
    """List the experiments of HEAD

    Also those of its content, when it was amended, rebased or squashed; `belongs` says how they were found.
    EXPR knows `name`, `status`, `metrics.…`, `params.…`; `== != < <= > >=`, `~` (holds the text), `in (…)`,
    `and`, `or`, `not` and parentheses. A comparison with a value that is not there is false.
    """
    form = _form(csv=as_csv, md=as_md, parquet=parquet is not None, json=as_json)
    exp_listing.run(Options(**chosen), View(columns, only_changed, form, not no_pager, parquet))


def _form(**asked: bool) -> str:
    forms = [name for name, wanted in asked.items() if wanted]
    if len(forms) > 1:
        raise click.UsageError(f"either `--{forms[0]}` or `--{forms[1]}`, not both")
    return forms[0] if forms else "table"
