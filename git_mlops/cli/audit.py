"""`git mlops audit`: how mature the practice is, from evidence."""

import datetime as dt
import posixpath
import time
from pathlib import Path

import click

from git_mlops import config, jsonable, ui
from git_mlops.audit import badge, compare, declared, document, show
from git_mlops.audit import run as auditing
from git_mlops.audit.compare import Delta
from git_mlops.audit.gather import Reading
from git_mlops.audit.run import IDS, Audit
from git_mlops.cli import audit_export
from git_mlops.cli.common import find_repo
from git_mlops.config import Config
from git_mlops.errors import MlopsError
from git_mlops.findings import Finding, exit_code
from git_mlops.git import repo as repos
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo
from git_mlops.reports import document_html, document_markdown
from git_mlops.reports import text as report_text

_FORMATS = ("text", "markdown", "html", "json")
_HOW = Reading(config.parse, Config())
_NEAREST = "\0"


@click.command()
@click.argument("revision", metavar="[REV|BASE...HEAD]", required=False)
@click.option("--format", "format_", type=click.Choice(_FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as `--format json`.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the report to a file instead.")
@click.option(
    "--badge", "drawing", type=click.Path(dir_okay=False, path_type=Path), help="Draw the score (SVG)."
)
@click.option("--ratchet", is_flag=False, flag_value=_NEAREST, metavar="[REV]",
              help="End with 1 when an item has fewer points than at REV, or at the merge base.")  # fmt: skip
@click.option("--export", type=click.Path(dir_okay=False), metavar="FILE",
              help="Write the record for an auditor, one HTML file: models, data, who did what.")  # fmt: skip
@click.option("--declare", nargs=2, metavar="ITEM WHERE", help="Add a file or URL to docs/readiness.yaml.")
def audit(  # noqa: PLR0913  # one parameter per option
    *,
    revision: str | None,
    format_: str,
    as_json: bool,
    output: str | None,
    drawing: Path | None,
    ratchet: str | None,
    export: str | None,
    declare: tuple[str, str] | None,
) -> int:
    """Score how mature the practice is, from evidence

    The 28 items of the ML Test Score, Google's and Microsoft's levels, the principles of ml-ops.org and four
    DORA metrics, computed from files, refs, verdicts, tags, CI definitions and history. No point for what
    cannot be shown. Of a range, what it changes comes first.
    """
    repo = find_repo()
    if declare:
        return _declare(repo, *declare)
    found, delta = _audited(repo, revision, ratchet)
    if export:
        audit_export.export(export, found)
    if drawing:
        drawing.write_bytes(badge.svg(found.score))
    wrong = [*found.findings, *(compare.findings(delta) if delta and ratchet else ())]
    if not (drawing or export) or output or ratchet or as_json:
        ui.write(_rendered(found, delta, wrong, "json" if as_json else format_), output)
    return exit_code(wrong)


def _audited(repo: Repo, revision: str | None, ratchet: str | None) -> tuple[Audit, Delta | None]:
    now = int(time.time())
    if (
        ratchet and ".." in ratchet and revision is None
    ):  # `--ratchet BASE...HEAD`: what stands behind it is the range
        revision, ratchet = ratchet, _NEAREST
    if revision and ".." in revision:
        if ratchet not in (None, _NEAREST):
            raise click.UsageError("a range has its own base: `--ratchet` goes without a revision then")
        return compare.between(repo, compare.ends(repo, revision), _HOW, now)
    commit = repos.resolve(repo, revision) if revision else repos.head(repo)
    if ratchet and commit:
        ends = compare.before(repo, commit, None if ratchet == _NEAREST else ratchet)
        if ends is not None:
            return compare.between(repo, ends._replace(names=(ends.names[0], revision or "HEAD")), _HOW, now)
        ui.note("nothing was before this commit: there is nothing to compare with")
    return auditing.audit(repo, revision or "HEAD", commit, _HOW, now), None


def _rendered(found: Audit, delta: Delta | None, wrong: list[Finding], format_: str) -> str:
    if format_ == "json":
        data = {**show.plain(found), "delta": delta.plain() if delta else None}
        return jsonable.indented({"mlops": 1, "kind": "audit", "data": data})
    if format_ == "text":
        lines = [*show.changes(delta), ""] if delta else []
        lines += [] if delta else show.text(found)
        return "\n".join(lines) + ("\n" + report_text.render(wrong, title="audit") if wrong else "")
    whole = document.document(found, delta)
    if format_ == "html":
        return document_html.render(whole)
    return document_markdown.render(whole, whole="`git mlops audit` prints all of it")


def _declare(repo: Repo, item: str, where: str) -> int:
    """Today, by who git says that the user is."""
    if item not in IDS:
        raise MlopsError(f"there is no item `{item}`", hint="`git mlops audit` lists them")
    if "://" not in where:
        where = posixpath.normpath(posixpath.join(repo.prefix, where))
    file = repo.root / declared.FILE
    old = file.read_text(encoding="utf-8") if file.exists() else None
    day = dt.datetime.now(dt.UTC).date().isoformat()
    who = repo.text("var", "GIT_AUTHOR_IDENT").partition("<")[2].partition(">")[0]
    new = declared.added(old, item, who, day, where)
    paths = (
        {*repo.paths("ls-files", "-z"), where}
        if (repo.root / where).is_file()
        else repo.paths("ls-files", "-z")
    )
    if problems := declared.read(new, IDS, paths, int(time.time())).findings:
        raise MlopsError(f"{declared.FILE}: {problems[0].message}", hint=problems[0].hint)
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, new.encode())
    ui.note(f"declared `{item}` in {declared.FILE}: it counts half for {_DAYS} days, once it is committed")
    return 0


_DAYS = 180
