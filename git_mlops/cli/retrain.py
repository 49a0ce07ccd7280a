"""`git mlops retrain`: train again, compare with the version that serves, propose it as a pull request."""

from pathlib import Path
from typing import NamedTuple, TypedDict, Unpack

import click

from git_mlops import env, jsonable, ui
from git_mlops.cli.common import find_repo
from git_mlops.cli.completion import models
from git_mlops.cli.model_context import repository_path, trust_of
from git_mlops.errors import FINDINGS, OK, MlopsError
from git_mlops.forges import FORGES, Opened, Overrides, Target
from git_mlops.git.repo import Repo
from git_mlops.reports import document_html, document_markdown, document_text
from git_mlops.retrain import cause as causes
from git_mlops.retrain import plan as planning
from git_mlops.retrain import report as reports
from git_mlops.retrain import share, work
from git_mlops.retrain.newdata import New
from git_mlops.retrain.plan import CHALLENGER, Plan, Request
from git_mlops.retrain.report import Report
from git_mlops.retrain.share import Registered
from git_mlops.review import posting

_DOCUMENTS = {
    "text": document_text.render,
    "markdown": document_markdown.render,
    "html": document_html.render,
}
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Options(TypedDict):
    model: str | None
    because: str | None
    finding: Path | None
    data: tuple[str, ...]
    pull: bool
    stage: str | None
    base: str | None
    branch: str | None
    remote: str | None
    pull_request: bool
    anyway: bool
    register: bool
    dry_run: bool
    format_: str
    as_json: bool
    output: str | None
    forge: str | None
    repository: str | None
    api: str | None
    token_variable: str | None


@click.command()
@click.argument("model", required=False, shell_complete=models)
@click.option(
    "--because",
    metavar="WHY",
    help=f"{', '.join(causes.KINDS)}, or your own words; default: what the monitor recorded last.",
)
@click.option(
    "--finding", type=_FILE, help="What `git mlops monitor --json` printed; default: its last record."
)
@click.option(
    "--data", multiple=True, metavar="PATH[=FILE]", help="New data for PATH; default: yours at PATH."
)
@click.option("--pull", is_flag=True, help="Download data that is not on this machine.")
@click.option(
    "--stage", metavar="STAGE", help="Whose holder is the champion; default: the last of mlops.yaml."
)
@click.option("--base", metavar="BRANCH", help="Where to start, and to end; default: the default branch.")
@click.option("--branch", metavar="NAME", help="The branch to make; default: `retrain/MODEL-CAUSE`.")
@click.option("--remote", metavar="REMOTE", help="The git remote; default: origin.")
@click.option("--pull-request", is_flag=True, help="Push all, and open one pull request, if it is not worse.")
@click.option("--anyway", is_flag=True, help="With --pull-request or --register: also if it is worse.")
@click.option("--register", is_flag=True, help=f"Also as a version with the stage `{CHALLENGER}`.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@click.option(
    "--format", "format_", type=click.Choice([*_DOCUMENTS, "json"]), default="text", show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="The same as `--format json`.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the report to a file instead.")
@click.option("--forge", metavar="NAME", help=f"One of {', '.join(FORGES)}.")
@click.option("--repo", "repository", metavar="OWNER/NAME", help="The forge's repository.")
@click.option("--api", metavar="URL", help="The API of an instance of your own.")
@click.option("--token-variable", metavar="NAME", help="The environment variable with the token.")
def retrain(**options: Unpack[_Options]) -> int:
    """Train again, compare with what serves, propose

    Runs the pipeline of the default branch with new data in a worktree of its own, commits the result to a
    branch, and compares it with the version that holds the stage. Nothing is promoted. Exit codes: 0 not
    worse, 1 worse or against a rule, 3 not comparable.
    """
    if options["anyway"] and not (options["pull_request"] or options["register"]):
        raise click.UsageError("`--anyway` goes with `--pull-request` or `--register`")
    repo = find_repo()
    plan = planning.prepare(repo, _request(repo, options))
    target = _target(repo, plan, options)
    if options["dry_run"]:
        return _explained(plan, target, as_json=options["as_json"] or options["format_"] == "json")
    with ui.aside():
        report = reports.make(plan, work.train(plan, ui.note))
    return _ended(report, target, options)


def _request(repo: Repo, options: _Options) -> Request:
    return Request(
        options["model"],
        causes.of(options["because"], options["finding"]),
        options["stage"],
        tuple(_new(repo, word) for word in options["data"]),
        options["pull"],
        options["base"],
        options["branch"],
        options["remote"],
        options["pull_request"],
        options["anyway"],
        options["register"],
        options["dry_run"],
        trust_of,
    )


def _new(repo: Repo, word: str) -> New:
    path, given, source = word.partition("=")
    place = repository_path(repo, path)
    return New(place, Path(source).absolute() if given else repo.root / place)


def _target(repo: Repo, plan: Plan, options: _Options) -> Target | None:
    """Before anything runs: a forge that is not known, or a token that is missing, is said at once."""
    if not plan.request.share:
        return None
    overrides = Overrides(
        options["forge"], options["repository"], None, options["api"], None, options["token_variable"]
    )
    environment = env.starting_with("")
    return posting.target(repo, environment, overrides, dry_run=options["dry_run"], purpose="open")


def _explained(plan: Plan, target: Target | None, *, as_json: bool) -> int:
    steps = [*planning.explained(plan)]
    if target is not None:
        steps.append(f"forge: {FORGES[target.forge].TITLE}, {target.repository}")
    if as_json:
        ui.emit("retrain-plan", steps)
    else:
        for step in steps:
            ui.out(step)
    return OK


class _Shared(NamedTuple):
    """What became of the challenger besides its branch."""

    opened: Opened | None = None
    registered: Registered | None = None
    problem: MlopsError | None = None
    """Why it went no further: the report is shown all the same."""


def _ended(report: Report, target: Target | None, options: _Options) -> int:
    good = report.verdict.exit_code == OK or report.plan.request.anyway
    done = _shared(report, target) if good else _Shared()
    ui.write(_rendered(report, done, options), options["output"])
    _told(report, done, good=good)
    if done.problem is not None:
        raise done.problem
    return report.verdict.exit_code


def _shared(report: Report, target: Target | None) -> _Shared:
    done = _Shared()
    try:
        if target is not None and share.changes(report):
            for note in share.push(report):
                ui.warn(note)
            done = done._replace(opened=share.open_pull(report, target))
        if report.plan.request.register:
            done = done._replace(registered=share.enrol(report.plan, report.trained))
    except MlopsError as error:
        return done._replace(problem=error)
    return done


def _rendered(report: Report, done: _Shared, options: _Options) -> str:
    if not options["as_json"] and options["format_"] != "json":
        return _DOCUMENTS[options["format_"]](reports.document(report))
    opened, registered = done.opened, done.registered
    more = {
        "pull_request": opened and {"action": opened.action, "number": opened.number, "url": opened.url},
        "registered": registered and registered._asdict(),
    }
    return jsonable.indented({"mlops": 1, "kind": "retrain", "data": {**reports.plain(report), **more}})


def _told(report: Report, done: _Shared, *, good: bool) -> None:
    plan, landed = report.plan, report.trained.landed
    state = "is made" if landed.new else "is as it was"
    ui.note(f"the branch `{landed.branch}` {state} ({landed.commit[:12]})")
    if plan.base.ahead:
        ui.warn(
            f"{ui.count(plan.base.ahead, 'commit')} of your `{plan.base.branch}` are not in"
            f" {plan.base.shown}, and so not in the challenger",
            hint=f"`git push`, or `--base {plan.base.branch}`",
        )
    if done.registered is not None:
        _told_version(plan, done.registered)
    if (opened := done.opened) is not None:
        ui.note(f"pull request #{opened.number}: {opened.action}{f' ({opened.url})' if opened.url else ''}")
    elif done.problem is not None:
        return
    elif plan.request.share and good:
        ui.note(f"the result is what {plan.base.shown} has: there is nothing to propose")
    elif plan.request.share:
        ui.note("no pull request was opened; `--anyway` opens one")
    elif good:
        ui.note(
            f"next: `git mlops report {plan.base.shown}...{landed.branch}` shows it; the same command with"
            " `--pull-request` proposes it"
        )
    if report.verdict.exit_code == FINDINGS and not good:
        ui.note(f"to look into it: `git mlops exp show {report.trained.experiment.name}`")


def _told_version(plan: Plan, registered: Registered) -> None:
    done = "registered as" if registered.new else "is registered as"
    ui.note(f"{done} {plan.model} {registered.version}")
    for said in registered.refused:
        ui.warn(f"{plan.model} {registered.version} does not get the stage `{CHALLENGER}`: {said}")
