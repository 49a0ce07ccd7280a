"""`git mlops lineage`: what a thing came from, and what came from it."""

import click

from git_mlops import ui
from git_mlops.cli.common import json_option, open_repo
from git_mlops.lineage import build, find, show, sources, taints
from git_mlops.lineage.graph import part

_FORMATS = ("text", "json", "dot", "mermaid")


@click.command()
@click.argument("subject", metavar="MODEL|EXPERIMENT|FILE|HASH|COMMIT")
@click.option("--up", "only", flag_value="up", help="Only what it came from.")
@click.option("--down", "only", flag_value="down", help="Only what came from it.")
@click.option("--format", "format_", type=click.Choice(_FORMATS), default="text", show_default=True)
@json_option
def lineage(*, subject: str, only: str | None, format_: str, as_json: bool) -> None:
    """Show what came from what

    Which data, schemas, code, people and experiments made a model; which experiments, models and stages used
    some data. SUBJECT is `NAME[@VERSION|#STAGE]`, an experiment, a tracked file (also `REV:PATH`), the
    beginning of an object's hash, or a commit.
    """
    repo, _config = open_repo()
    found = sources.gather(repo)
    start = find.node(repo, found, subject)
    up, down = only != "down", only != "up"
    whole = build.around(repo, found, start)
    taints.mark(repo, whole)
    if len(whole.nodes) == 1:
        ui.note(f"nothing in this clone names `{subject}`")
    graph = part(whole, start, up=up, down=down)
    if as_json or format_ == "json":
        ui.emit("lineage", show.plain(graph, start))
    elif format_ == "text":
        ui.out("\n".join(show.text(graph, start, up=up, down=down)))
    else:
        ui.out(show.dot(graph) if format_ == "dot" else show.mermaid(graph))
