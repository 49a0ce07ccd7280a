"""`git mlops monitor run | history | push | pull`: the commands themselves, which need NumPy."""

from pathlib import Path
from typing import TypedDict, Unpack

import click

from git_mlops import config, ui
from git_mlops.cli import monitor_output as output
from git_mlops.cli.common import find_repo, json_option
from git_mlops.cli.completion import models
from git_mlops.config import Config
from git_mlops.errors import OK, MlopsError
from git_mlops.findings import exit_code
from git_mlops.forges import FORGES, Overrides
from git_mlops.git.repo import Repo, discover
from git_mlops.monitor import history as histories
from git_mlops.monitor import replay, watch
from git_mlops.monitor.joined import Asked
from git_mlops.monitor.observed import Observation
from git_mlops.monitor.recording import record

_PATH = click.Path(path_type=Path)


class _Options(TypedDict):
    reference: Path | None
    current: Path | None
    log: Path | None
    data: str | None
    since: str | None
    requests: Path | None
    labels: Path | None
    key: tuple[str, ...]
    label: str | None
    prediction: str | None
    positive: str | None
    name: str | None
    alert: bool
    dry_run: bool
    record: bool
    forge: str | None
    repository: str | None
    api: str | None
    token_variable: str | None


@click.command()
@click.argument("words", nargs=-1, metavar="[MODEL[@V|#STAGE] | A..B [PATH]...]", shell_complete=models)
@click.option("--reference", type=_PATH, help="What to compare with: a table, or a directory of tables.")
@click.option("--current", type=_PATH, help="What is judged; of a model: in place of its log.")
@click.option("--data", metavar="PATH", help="Which of the model's data is the reference.")
@click.option("--log", type=_PATH, help="The directory of the model's log.")
@click.option("--since", metavar="TIME", help="How far to look back in the log: `7d`.")
@click.option("--requests", type=_PATH, help="Logged requests, for the program of `monitor.skew`.")
@click.option("--labels", type=_PATH, help="A table with the truth that came later.")
@click.option("--key", multiple=True, metavar="COLUMN", help="Joins labels to predictions (repeatable).")
@click.option("--label", metavar="COLUMN", help="The column with the truth.")
@click.option("--prediction", metavar="COLUMN", help="The column with what was said.")
@click.option("--positive", metavar="CLASS", help="The class whose probability is said.")
@click.option("--name", help="Record the run of two files under this name.")
@click.option("--record/--no-record", default=True, show_default=True, help="Keep the run in the history.")
@click.option("--alert", is_flag=True, help="Tell whom `monitor.alerts` names.")
@click.option("--dry-run", is_flag=True, help="With --alert: send nothing, print it; record nothing.")
@click.option("--forge", metavar="NAME", help=f"Where issues are: one of {', '.join(FORGES)}.")
@click.option("--repo", "repository", metavar="OWNER/NAME", help="The forge's repository.")
@click.option("--api", metavar="URL", help="The API of an instance of your own.")
@click.option("--token-variable", metavar="NAME", help="The environment variable with the token.")
@click.option("--format", "format_", type=click.Choice(output.FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as `--format json`: every figure.")
@click.option("-o", "--output", "file", type=click.Path(dir_okay=False), help="Write the report to a file.")
def run(
    *, words: tuple[str, ...], format_: str, as_json: bool, file: str | None, **options: Unpack[_Options]
) -> int:
    """Compare data, and say what moved

    A model: its log against the data of its registration. A..B: two revisions, by the profiles in their
    pointers. Exit codes: 0 nothing moved, 1 drift or another finding, 2 usage or configuration, 3 not to be
    evaluated, as with too few rows.
    """
    repo, settings = _opened(need=bool(words))
    shown = "json" if as_json else format_
    one = _observed(repo, settings, words, options)
    ui.write(output.rendered(one, shown), file)
    _kept(repo, one, settings, options, model=bool(words) and ".." not in words[0])
    return exit_code(one.findings)


@click.command()
@click.argument("name", metavar="MODEL", shell_complete=models)
@click.option("-n", "most", type=click.IntRange(1), help="Only the last N runs.")
@click.option("--format", "format_", type=click.Choice(output.DRAWN), default="text", show_default=True)
@json_option
@click.option("-o", "--output", "file", type=click.Path(dir_okay=False), help="Write the report to a file.")
def history(*, name: str, most: int | None, format_: str, as_json: bool, file: str | None) -> int:
    """Show how a model did over time"""
    from git_mlops.monitor import past

    repo = find_repo()
    runs = histories.read(repo, name, most)
    if as_json:
        ui.emit("monitor-history", [{"commit": one.commit, **one.record} for one in runs])
        return OK
    if not runs:
        raise MlopsError(f"nothing is recorded of `{name}`", hint=output.recorded(histories.names(repo)))
    ui.write(output.document(past.document(name, runs), format_), file)
    return OK


@click.command()
@click.argument("name", metavar="MODEL", shell_complete=models)
@click.option("--remote", default="origin", show_default=True, help="The git remote.")
def push(*, name: str, remote: str) -> None:
    """Share the history of a model"""
    repo = find_repo()
    if not histories.read(repo, name, 1):
        raise MlopsError(f"nothing is recorded of `{name}`", hint=output.recorded(histories.names(repo)))
    histories.push(repo, remote, name)
    ui.note(f"the history of {name} is on {remote}")


@click.command()
@click.argument("name", metavar="MODEL", shell_complete=models)
@click.option("--remote", default="origin", show_default=True, help="The git remote.")
def pull(*, name: str, remote: str) -> None:
    """Bring the history of a model"""
    found = histories.pull(find_repo(), remote, name)
    ui.note(f"the history of {name} is here" if found else f"{remote} has no history of {name}")


def _opened(*, need: bool) -> tuple[Repo | None, Config]:
    """Two files can be compared anywhere."""
    try:
        repo = discover()
    except MlopsError:
        if need:
            raise
        return None, Config()
    return repo, config.load(repo).config


def _observed(repo: Repo | None, settings: Config, words: tuple[str, ...], options: _Options) -> Observation:
    if options["since"] and (options["current"] or not words):
        raise click.UsageError("`--since` looks back in the log of a served model: a file is taken whole")
    reference = watch.side(options["reference"]) if options["reference"] else None
    current = watch.side(options["current"]) if options["current"] else None
    labels, requests = _labels(options), watch.side(options["requests"]) if options["requests"] else None
    if not words and reference and current:
        again = replay.Asked(requests, repo.root if repo else Path.cwd()) if requests else None
        request = watch.Request(reference, current, options["name"] or "files", labels, again)
        return watch.files(request, settings.monitor)
    if not words or repo is None:
        raise click.UsageError(
            "name a model, two revisions (`A..B`), or two files: `--reference F --current F`"
        )
    if ".." in words[0]:
        from git_mlops.monitor import pointers

        old, _, new = words[0].replace("...", "..").partition("..")
        return pointers.compare(repo, old or "HEAD", new or "HEAD", words[1:], settings.monitor)
    if len(words) > 1:
        raise click.UsageError(f"one model, not also `{words[1]}`; two revisions are `A..B`")
    from git_mlops.monitor import served  # two files need no registry, no pipeline, no DVC

    asked = served.Request(
        words[0],
        reference,
        current,
        options["log"],
        options["data"],
        options["since"],
        labels,
        requests,
    )
    return served.compare(repo, asked, settings.monitor, settings.data)


def _labels(options: _Options) -> Asked | None:
    if options["labels"] is None:
        return None
    if not options["key"]:
        raise click.UsageError("`--labels` needs `--key`: the columns that tell the rows apart")
    side = watch.side(options["labels"])
    return Asked(side, options["key"], options["label"], options["prediction"], options["positive"])


def _kept(repo: Repo | None, one: Observation, settings: Config, options: _Options, *, model: bool) -> None:
    """Alerts, then the record, which says what was sent, then issues, which say themselves how they are.

    An alert that fails is no reason to forget the run, nor to keep the others back.
    """
    kept = repo if model or options["name"] is not None else None
    past_runs = histories.read(kept, one.subject.name) if kept is not None else []
    sent: dict[str, str] | None = None
    failure: MlopsError | None = None
    try:
        if options["alert"]:
            sent = output.alerted(one, past_runs, settings.monitor.alerts, dry_run=options["dry_run"])
    except MlopsError as error:
        failure = error
    if kept is not None and options["record"] and not options["dry_run"]:
        record(kept, one, sent)
    if options["alert"]:
        output.issued(kept, one, settings.monitor.alerts, _where(options), dry_run=options["dry_run"])
    if failure is not None:
        raise failure


def _where(options: _Options) -> Overrides:
    return Overrides(
        options["forge"],
        options["repository"],
        api=options["api"],
        token_variable=options["token_variable"],
    )
