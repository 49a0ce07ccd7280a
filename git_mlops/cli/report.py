"""`git mlops report`: what a range of commits does to metrics, data and models, for people."""

import click

from git_mlops import jsonable, ui
from git_mlops.checks import scope
from git_mlops.cli.common import find_repo
from git_mlops.findings import exit_code
from git_mlops.hooks.check import checked, settings_of, target_of
from git_mlops.reports import document_html, document_markdown, document_text
from git_mlops.reports.document import Document
from git_mlops.review import facts, plain, sections

_FORMATS = ("text", "markdown", "html", "json")


@click.command()
@click.argument("range_", metavar="BASE...HEAD")
@click.option("--format", "format_", type=click.Choice(_FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as `--format json`.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the report to a file instead.")
@click.option("--no-data", is_flag=True, help="Compare data by the profiles in its pointers alone.")
def report(*, range_: str, format_: str, as_json: bool, output: str | None, no_data: bool) -> int:
    """Report what a range of commits changes

    Its result against the merge base's and the gates, what the rules of `git mlops check` found, the changes
    of data and models. Exit codes are those of `git mlops check`: 0 pass, 1 fail, 3 not comparable.
    """
    chosen = scope.commits(find_repo(), range_)
    findings = checked(chosen)
    settings, _wrong = settings_of(chosen)
    found = facts.gather(chosen, settings, target_of(chosen), findings, look=not no_data)
    ui.write(
        rendered(found, sections.document(found, settings.schemas), "json" if as_json else format_), output
    )
    return exit_code(findings)


def rendered(found: facts.Facts, document: Document, format_: str) -> str:
    """The report in one of the formats."""
    if format_ == "json":
        return jsonable.indented({"mlops": 1, "kind": "report", "data": plain.plain(found)})
    renderers = {
        "text": document_text.render,
        "html": document_html.render,
        "markdown": document_markdown.render,
    }
    return renderers[format_](document)
