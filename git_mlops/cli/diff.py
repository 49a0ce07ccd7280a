"""`git mlops diff`: what changed in the data."""

import click

from git_mlops import ui
from git_mlops.cli import diff_output as output
from git_mlops.cli.common import json_option, open_repo
from git_mlops.cli.paging import paged
from git_mlops.data import compared
from git_mlops.data import diff as work
from git_mlops.errors import FINDINGS, OK
from git_mlops.reports import document_html
from git_mlops.review import changed

_PATHS = "git_mlops.diff.paths"


class _WithPaths(click.Command):
    """click forgets where `--` stood, and behind it a word is a path whatever else it could be."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            ctx.meta[_PATHS] = tuple(args[at + 1 :])
            args = args[:at]
        return super().parse_args(ctx, args)


@click.command(cls=_WithPaths)
@click.argument("words", nargs=-1, metavar="[A [B]] [-- PATH...]")
@click.option("--stat", is_flag=True, help="Only how much changed, a line per path.")
@click.option(
    "--rows", type=click.IntRange(0, 10_000), default=0, metavar="N", help="Show N rows of each sort."
)
@click.option("--md", is_flag=True, help="Print Markdown.")
@click.option(
    "--html", type=click.Path(dir_okay=False), metavar="FILE", help="Write a page that needs no network."
)
@click.option("--exit-code", "as_status", is_flag=True, help="Exit with 1 when anything differs.")
@json_option
def diff(  # noqa: PLR0913  # one parameter per option
    *,
    words: tuple[str, ...],
    stat: bool,
    rows: int,
    md: bool,
    html: str | None,
    as_status: bool,
    as_json: bool,
) -> int:
    """Show what changed in the data

    Without A and B: the workspace against HEAD. A: the workspace against A. A B or A..B: B against A. A...B:
    B against where the two parted. Tables are compared row by row, by their key where one is declared
    (`data.keys`) or found. `-` is A and `+` is B.
    """
    repo, config = open_repo()
    paths = click.get_current_context().meta.get(_PATHS, ())
    request = compared.request(repo, words, paths, rows=rows)
    changes = work.difference(repo, request, config.data)
    if as_json:
        found = [work.plain(change) for change in changes]
        ui.emit("data-diff", found)
        return FINDINGS if found and as_status else OK
    if html is not None:
        listed = list(changes)
        ui.write(document_html.render(changed.document(listed, output.labels(request))), html)
        ui.note(f"wrote {html}: {ui.count(len(listed), 'data file')} changed")
        return FINDINGS if listed and as_status else OK
    with paged():
        differs = output.shown(changes, request, how="md" if md else "stat" if stat else "text")
    return FINDINGS if differs and as_status else OK
