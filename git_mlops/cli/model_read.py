"""`git mlops model list | show | history`: what the tags say. Only what reads tags is imported."""

import click

from git_mlops.cli import model_text
from git_mlops.cli.common import find_repo, json_option
from git_mlops.cli.completion import models
from git_mlops.registry import grammar, read


@click.command("list")
@click.argument("name", required=False, shell_complete=models)
@json_option
def list_(name: str | None, *, as_json: bool) -> int:
    """List models, their versions and stages

    With NAME: the versions of that model, the greatest first, also those that were taken back.
    """
    repo = find_repo()
    if name is None:
        return model_text.listed(read.artifacts(repo), as_json=as_json)
    found = read.artifact(repo, name)
    read.chosen(repo, found, grammar.Spec(found.name, found.versions[0].version if found.versions else None))
    return model_text.versions(found, as_json=as_json)


@click.command()
@click.argument("version", metavar="NAME[@V|#STAGE]", shell_complete=models)
@json_option
def show(version: str, *, as_json: bool) -> int:
    """Show everything about one version

    Without a version: the greatest one that was not taken back.
    """
    repo = find_repo()
    spec = grammar.parse_spec(version)
    model = read.artifact(repo, spec.name)
    found = read.version_of(repo, model, read.chosen(repo, model, spec))
    approvals = read.approvals(repo, found.name, found.version)
    return model_text.shown(found, approvals, deprecated=model.deprecated, as_json=as_json)


@click.command()
@click.argument("name", shell_complete=models)
@json_option
def history(name: str, *, as_json: bool) -> int:
    """Show what happened to a model"""
    repo = find_repo()
    found = read.artifact(repo, name)
    if not found.events:
        read.chosen(repo, found, grammar.Spec(found.name))
    approved = [event for event in read.every_approval(repo) if event.name == found.name]
    events = [*found.events, *approved]
    said = read.messages(repo, [event.oid for event in events])
    return model_text.told(events, {oid: one.title for oid, one in said.items()}, as_json=as_json)
