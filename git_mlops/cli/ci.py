"""`git mlops ci`: pipelines compiled from mlops.yaml."""

import click

from git_mlops import errors, ui
from git_mlops.cli.common import json_option, open_repo
from git_mlops.config import Config
from git_mlops.git.repo import Repo
from git_mlops.reports import text
from git_mlops.scaffold import ci as pipelines
from git_mlops.scaffold import ci_explain
from git_mlops.scaffold.ci_providers import PROVIDERS
from git_mlops.scaffold.settings import Name

_providers = click.argument(
    "providers", nargs=-1, metavar="[PROVIDER]...", type=click.Choice(list(PROVIDERS))
)
_LIST = "Providers: " + "; ".join(f"{name} ({one.title})" for name, one in PROVIDERS.items())


@click.group()
def ci() -> None:
    """Generate CI pipelines"""


@ci.command(epilog=_LIST)
@_providers
@click.option("--check", "only_check", is_flag=True, help="Write nothing: the same as `git mlops ci check`.")
@click.option("--force", is_flag=True, help="Overwrite a file that was edited by hand.")
def generate(*, providers: tuple[Name, ...], only_check: bool, force: bool) -> int:
    """Write the pipelines that mlops.yaml describes

    They check every pull request with the same rules as the commit hook, by the steps of `.mlops/ci.sh`.
    Without PROVIDER those of `ci.providers` in mlops.yaml, or else those whose files are there. What stands
    between markers of `yours` is kept.
    """
    repo, config = open_repo()
    names = pipelines.chosen(repo, providers, config.ci)
    if only_check:
        return _checked(repo, config, names, others=not providers)
    for name in names:
        changed = pipelines.generate(repo, name, config.ci, force=force)
        for path in changed:
            gone = "" if (repo.root / path).exists() else "removed"
            ui.note(f"{gone or 'wrote'} `{path}`")
        if not changed:
            _current(config, name)
    _warn_of_unnamed(config, providers)
    for path in () if providers else pipelines.remove_others(repo, config.ci):
        ui.note(f"removed `{path}`: `ci.providers` does not name its provider")
    return errors.OK


@ci.command(epilog=_LIST)
@_providers
def check(*, providers: tuple[Name, ...]) -> int:
    """Find pipelines that are not what mlops.yaml says

    Prints the differences. Exit codes: 0 every file is what would be written, 1 one is not.
    """
    repo, config = open_repo()
    names = pipelines.chosen(repo, providers, config.ci)
    return _checked(repo, config, names, others=not providers)


@ci.command(epilog=_LIST)
@_providers
@json_option
def explain(*, providers: tuple[Name, ...], as_json: bool) -> None:
    """Show what runs when, with which permissions and secrets"""
    repo, config = open_repo()
    names = pipelines.chosen(repo, providers, config.ci)
    jobs = [job for name in names for job in ci_explain.jobs(name, config.ci)]
    if as_json:
        ui.emit("ci-jobs", [ci_explain.plain(job) for job in jobs])
    else:
        ui.out(ci_explain.text(jobs))


def _warn_of_unnamed(config: Config, providers: tuple[Name, ...]) -> None:
    """Files that the next `generate` without a name would remove."""
    named = config.ci.providers
    more = [name for name in providers if named and name not in (*named, "sh")]
    if more:
        ui.warn(
            f"`ci.providers` in mlops.yaml does not name {', '.join(f'`{name}`' for name in more)}:"
            " `git mlops ci check` takes the files for left over",
            hint=f"`ci: {{providers: [{', '.join((*named, *more))}]}}`",
        )


def _current(config: Config, name: Name) -> None:
    for file in PROVIDERS[name].own or PROVIDERS[name].files:
        if file.wanted(config.ci):
            ui.note(f"`{file.path}` is up to date")


def _checked(repo: Repo, config: Config, names: tuple[Name, ...], *, others: bool) -> int:
    found = {f.path: f for name in names for f in pipelines.drift(repo, name, config.ci)}
    found |= {f.path: f for f in (pipelines.others(repo, config.ci) if others else ())}
    for finding in found.values():
        if "diff" in finding.data:
            ui.out(str(finding.data["diff"]))
    if found:
        ui.note(text.render(list(found.values()), title="ci"))
        return errors.FINDINGS
    for name in names:
        _current(config, name)
    return errors.OK
