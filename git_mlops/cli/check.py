"""`git mlops check`: every rule over the index, the workspace or a range."""

import click

from git_mlops import ui
from git_mlops.checks import scope
from git_mlops.checks.run import RULES
from git_mlops.cli.common import find_repo
from git_mlops.cli.saving import Saved, save, save_option
from git_mlops.findings import Finding, exit_code
from git_mlops.hooks.check import checked, previewed
from git_mlops.reports.formats import FORMATS


@click.command()
@click.option("--staged", is_flag=True, help="Check what the next commit would add.")
@click.option("--range", "range_", metavar="BASE...HEAD", help="Check what the commits of a range add.")
@click.option("--merge", "merge", metavar="BASE", help="Preview what merging BASE into HEAD does to data.")
@click.option("--format", "format_", type=click.Choice(list(FORMATS)), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as `--format json`.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the report to a file instead.")
@save_option(FORMATS)
@click.option("--skip", multiple=True, type=click.Choice(list(RULES)), help="Leave a rule out (repeatable).")
@click.option("--deep", is_flag=True, help="Look at every row where a rule takes a sample.")
@click.option("--list", "list_", is_flag=True, help="List the rules.")
def check(  # noqa: PLR0913  # one parameter per option
    *,
    staged: bool,
    range_: str | None,
    merge: str | None,
    format_: str,
    as_json: bool,
    output: str | None,
    saved: tuple[Saved, ...],
    skip: tuple[str, ...],
    deep: bool,
    list_: bool,
) -> int:
    """Check data, pointers and configuration

    Without an option the whole workspace is checked. Exit codes: 0 nothing wrong, 1 findings,
    2 usage or configuration, 3 something could not be evaluated.
    """
    if list_:
        return _list(as_json=as_json)
    repo = find_repo()
    if sum(map(bool, (staged, range_, merge))) > 1:
        raise click.UsageError("--staged, --range and --merge exclude each other")
    if merge:
        return _report(
            previewed(repo, merge), f"merge of {merge}", "json" if as_json else format_, output, saved
        )
    chosen = (
        scope.commits(repo, range_) if range_ else scope.staged(repo) if staged else scope.workspace(repo)
    )
    findings = checked(chosen, skip=skip, deep=deep)
    return _report(findings, chosen.title, "json" if as_json else format_, output, saved)


def _report(
    findings: list[Finding], title: str, format_: str, output: str | None, saved: tuple[Saved, ...]
) -> int:
    save(saved, lambda name: FORMATS[name].render(findings, title=title))
    ui.write(FORMATS[format_].render(findings, title=title), output)
    return exit_code(findings)


def _list(*, as_json: bool) -> int:
    rows = [(name, rule.SUMMARY, ", ".join(sorted(rule.KINDS))) for name, rule in RULES.items()]
    if as_json:
        ui.emit("rules", [dict(zip(("rule", "summary", "scopes"), row, strict=True)) for row in rows])
    else:
        ui.table(("rule", "summary", "scopes"), rows)
    return 0
