"""`git mlops report`: what a range of commits does to metrics, data and models, for people."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypedDict, TypeVar, Unpack

import click

from git_mlops import env, errors, jsonable, ui
from git_mlops.checks import scope
from git_mlops.cli.common import find_repo
from git_mlops.cli.saving import Saved, save, save_option
from git_mlops.errors import MlopsError
from git_mlops.findings import exit_code
from git_mlops.forges import FORGES, Overrides
from git_mlops.git.repo import Repo, discover
from git_mlops.hooks.check import checked, settings_of, target_of
from git_mlops.reports import document_html, document_markdown, document_text
from git_mlops.reports.document import Document
from git_mlops.reports.formats import FORMATS as FINDINGS
from git_mlops.review import facts, maturity, openmetrics, plain, posting, sections
from git_mlops.review.facts import Facts

_FORMATS = ("text", "markdown", "html", "json", "openmetrics")
_SAVED = tuple(dict.fromkeys((*_FORMATS, *FINDINGS)))
F = TypeVar("F", bound=Callable[..., object])


class _Posting(TypedDict):
    post: bool
    status: bool
    dry_run: bool
    bundle: Path | None
    from_bundle: Path | None
    marker: str
    forge: str | None
    repository: str | None
    number: int | None
    api: str | None
    head: str | None
    token_variable: str | None


class _Made(NamedTuple):
    facts: Facts
    document: Document


_FILE = click.Path(dir_okay=False, path_type=Path)
_OPTIONS = (
    click.option("--post", is_flag=True, help="Post it to the pull request: one comment, kept up to date."),
    click.option("--status", is_flag=True, help="With --post: also the commit's status, and annotations."),
    click.option("--dry-run", is_flag=True, help="With --post: send nothing, print the requests."),
    click.option("--bundle", type=_FILE, help="Leave it as a file for a job that may post it."),
    click.option("--from-bundle", type=_FILE, help="With --post: what another job left, as anybody's text."),
    click.option("--marker", default=posting.MARKER, show_default=True, help="One comment for each marker."),
    click.option("--forge", metavar="NAME", help=f"One of {', '.join(FORGES)}."),
    click.option("--repo", "repository", metavar="OWNER/NAME", help="The forge's repository."),
    click.option("--pr", "number", type=int, metavar="NUMBER", help="The pull request."),
    click.option("--api", metavar="URL", help="The API of an instance of your own."),
    click.option("--head", metavar="COMMIT", help="The commit that was judged, as the forge knows it."),
    click.option("--token-variable", metavar="NAME", help="The environment variable with the token."),
)


def _posting(command: F) -> F:
    """The options that say whether and where it is posted."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@click.argument("range_", metavar="[BASE...HEAD]", required=False)
@click.option("--format", "format_", type=click.Choice(_FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as `--format json`.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the report to a file instead.")
@save_option(_SAVED)
@click.option("--audit/--no-audit", "audited", default=None,
              help="What it does to the audit's score; default: `report.audit` of mlops.yaml.")  # fmt: skip
@click.option("--no-data", is_flag=True, help="Compare data by the profiles in its pointers alone.")
@_posting
def report(  # noqa: PLR0913  # one parameter per option
    *,
    range_: str | None,
    format_: str,
    as_json: bool,
    output: str | None,
    saved: tuple[Saved, ...],
    no_data: bool,
    audited: bool | None,
    **options: Unpack[_Posting],
) -> int:
    """Report what a range of commits changes

    Its result against the merge base's and the gates, what the rules of `git mlops check` found, the changes
    of data and models. Exit codes are those of `git mlops check`: 0 pass, 1 fail, 3 not comparable.
    """
    if options["from_bundle"]:
        return _forwarded(range_, options)
    if range_ is None:
        raise click.UsageError("name the range: `BASE...HEAD`")
    repo = find_repo()
    made = _made(repo, range_, look=not no_data, audited=audited)
    save(saved, lambda name: _rendered(made, name))
    if options["bundle"]:
        posting.keep(options["bundle"], *made)
        ui.note(f"left in {options['bundle']}: `git mlops report --post --from-bundle FILE` posts it")
    if options["post"]:
        _sent(repo, made, options)
    if output or not (options["post"] or options["bundle"]):
        ui.write(_rendered(made, "json" if as_json else format_), output)
    return exit_code(made.facts.findings)


def _made(repo: Repo, range_: str, *, look: bool, audited: bool | None) -> _Made:
    chosen = scope.commits(repo, range_)
    findings = checked(chosen)
    settings, _wrong = settings_of(chosen)
    found = facts.gather(chosen, settings, target_of(chosen), findings, look=look)
    if audited if audited is not None else settings.report.audit:
        found = found._replace(maturity=maturity.delta(chosen))
    return _Made(found, sections.document(found, settings.schemas))


def _rendered(made: _Made, format_: str) -> str:
    """The report in one of the formats, or its findings in one of theirs."""
    if format_ not in _FORMATS:
        return FINDINGS[format_].render(made.facts.findings, title=made.facts.title)
    if format_ == "json":
        return jsonable.indented({"mlops": 1, "kind": "report", "data": plain.plain(made.facts)})
    if format_ == "openmetrics":
        return openmetrics.render(made.facts)
    renderers = {
        "text": document_text.render,
        "html": document_html.render,
        "markdown": document_markdown.render,
    }
    return renderers[format_](made.document)


# -- posting ------------------------------------------------------------------------------------------------


def _sent(repo: Repo, made: _Made, options: _Posting) -> None:
    to = posting.target(repo, env.starting_with(""), _overrides(options), dry_run=options["dry_run"])
    _told(posting.send(to, *made, _wanted(options)))


def _forwarded(range_: str | None, options: _Posting) -> int:
    """A privileged job: it needs no checkout, and reads nothing but the file."""
    if range_ is not None or not options["post"] or options["from_bundle"] is None:
        raise click.UsageError("`--from-bundle` goes with `--post`, without a range")
    try:
        repo: Repo | None = discover()
    except MlopsError:
        repo = None
    to = posting.target(repo, env.starting_with(""), _overrides(options), dry_run=options["dry_run"])
    _told(posting.forward(to, options["from_bundle"], _wanted(options)))
    return errors.OK


def _wanted(options: _Posting) -> posting.Wanted:
    return posting.Wanted(options["marker"], options["status"], options["dry_run"])


def _overrides(options: _Posting) -> Overrides:
    return Overrides(
        options["forge"], options["repository"], options["number"], options["api"], options["head"],
        options["token_variable"],
    )  # fmt: skip


def _told(sent: posting.Sent) -> None:
    done = sent.posted
    for request in (*done.requests, *(sent.status or ())):
        ui.out(request)
    where = f" #{done.number}" if done.number else ""
    if done.requests and done.number is None:
        ui.note(
            "0 stands for the number of the pull request, which is looked up by its commit; or `--pr NUMBER`"
        )
    ui.note(f"{sent.forge}{where}: {done.action}{f' ({done.url})' if done.url else ''}")
    if sent.annotated:
        ui.note(f"{ui.count(sent.annotated, 'finding')} at their lines")
