"""`git mlops sheet`: what is said of data, and what is known of it."""

from collections.abc import Iterable
from pathlib import Path

import click

from git_mlops import jsonable, ui
from git_mlops.checks import table_rules
from git_mlops.checks.run import LOOKING
from git_mlops.cli.common import json_option, open_repo
from git_mlops.cli.sensitive import warn_of_values
from git_mlops.config import Config
from git_mlops.data import listing, places
from git_mlops.errors import CANNOT_EVALUATE, FINDINGS, OK
from git_mlops.git.repo import Repo
from git_mlops.governance import access, dossier, sheets
from git_mlops.governance.access import Where
from git_mlops.governance.dossier import Dossier, How
from git_mlops.reports import document_html, document_markdown, document_text

_RENDERERS = {"text": document_text, "markdown": document_markdown, "html": document_html}


@click.command()
@click.argument("paths", nargs=-1)
@click.option(
    "--set", "values", multiple=True, metavar="KEY=VALUE", help="Say something; empty: take it away."
)
@click.option("--where", "where_", is_flag=True, help="Instead: ask which DVC remote has what.")
@click.option("--format", "format_", type=click.Choice([*_RENDERERS]), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write it to a file instead.")
@json_option
def sheet(
    *,
    paths: tuple[str, ...],
    values: tuple[str, ...],
    where_: bool,
    format_: str,
    output: str | None,
    as_json: bool,
) -> int:
    """Show or change data sheets

    Without PATHS a list of all data. With one: who answers for it, where it comes from, licence, consent,
    retention, sensitivity, with what is recorded anyway: profile, checks, versions, what came from it. What
    is set stands in the pointer (`meta: sheet:`), which is staged.
    """
    repo, config = open_repo()
    chosen = sheets.pointers_of(repo, [_inside(repo, path) for path in paths])
    if values:
        names = [name for name in dict.fromkeys(chosen.values()) if name.endswith(".dvc")]
        return _set(repo, names, values, config, given=bool(paths))
    if where_:
        return _where(repo, chosen, config, as_json=as_json)
    found = dossier.gather(repo, chosen, how(config), deep=bool(paths) or as_json)
    if as_json:
        whole = {"mlops": 1, "kind": "sheets", "data": [dossier.plain(one) for one in found]}
        ui.write(jsonable.indented(whole), output)
    elif not paths:
        _list(found, config)
    else:
        render = _RENDERERS[format_].render
        ui.write("\n".join(render(dossier.document(one)) for one in found), output)
    return OK


def how(config: Config) -> How:
    """What decides, for sheets: settings, schemas, and by what rules' verdicts go."""
    return How(config.governance, config.schemas, lambda path: _meanings(config, path))


def _meanings(config: Config, path: str) -> Iterable[tuple[str, str]]:
    for name, rule in LOOKING.items():
        if (meaning := rule.meaning(path, config.data)) is not None:
            yield name, meaning
    for meaning in table_rules.meanings(path, config.tables, config.data.keys) or ():
        yield table_rules.RULE, meaning


def _inside(repo: Repo, path: str) -> str:
    return places.relative(repo, Path.cwd() / path)


def _set(repo: Repo, names: list[str], values: tuple[str, ...], config: Config, *, given: bool) -> int:
    if not given:
        raise click.UsageError("name the data whose sheet is to change")
    changed = sheets.write(repo, names, sheets.parsed(values), config.governance.sensitive)
    for name in changed:
        ui.note(f"staged {name}")
    warn_of_values(repo, changed)
    if not changed:
        ui.note("nothing changed")
    return OK


def _list(found: list[Dossier], config: Config) -> None:
    header = ("data", "licence", "consent", "sensitivity", "kept until", "contact", "lacks")
    rows = [
        (
            one.out.path,
            *(one.sheet.get(key, "") for key in ("licence", "consent", "sensitivity")),
            f"{one.ends or ''}{' (ended)' if one.expired else ''}",
            one.sheet.get("contact", ""),
            one.purge.sentence() if one.purge else ", ".join(one.missing),
        )
        for one in found
    ]
    ui.table(header, rows)
    if not rows:
        ui.note("no pointers: `git mlops add PATH`")
    elif not config.governance.require:
        ui.note("`governance: {require: [licence, source]}` in mlops.yaml makes `check` ask for them")


def _has(one: Where) -> str:
    if one.has in (0, one.of):
        return "all" if one.has else "none"
    return f"{one.has} of {one.of}"


_MOVE = (
    "what must not be there was sent before it was called sensitive: take it out of that storage by its own"
    " means, or `git mlops purge` it everywhere, `--lift` that, and add it again"
)


def _where(repo: Repo, chosen: dict[str, str], config: Config, *, as_json: bool) -> int:
    outs = [out for out in listing.in_workspace(repo) if out.path in chosen]
    found = access.where(repo, outs, config.governance.sensitive)
    if as_json:
        plain = [{**one._asdict(), "out": one.out.path, "hash": one.out.hash} for one in found]
        ui.emit("where", plain)
    else:
        rows = [
            (
                one.out.path, one.out.hash[:10], "sensitive" if one.out.sensitive else "", one.remote,
                one.problem or _has(one),
                "MUST NOT BE THERE" if one.wrong else "",
            )
            for one in found
        ]  # fmt: skip
        ui.table(("data", "object", "", "remote", "has", ""), rows)
        if not rows:
            ui.note("no data, or no DVC remote")
    if any(one.wrong for one in found):
        if not as_json:
            ui.note(_MOVE)
        return FINDINGS
    return CANNOT_EVALUATE if any(one.problem for one in found) else OK
