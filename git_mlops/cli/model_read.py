"""`git mlops model list | show | history`: what the tags say. Only what reads tags is imported."""

import click

from git_mlops.cli import model_text
from git_mlops.cli.common import find_repo, json_option
from git_mlops.registry import grammar, read


@click.command("list")
@json_option
def list_(*, as_json: bool) -> int:
    """List models, their versions and stages"""
    return model_text.listed(read.artifacts(find_repo()), as_json=as_json)


@click.command()
@click.argument("version", metavar="NAME[@V|#STAGE]")
@json_option
def show(version: str, *, as_json: bool) -> int:
    """Show everything about one version

    Without a version: the greatest one that was not taken back.
    """
    return model_text.shown(read.resolve(find_repo(), version), as_json=as_json)


@click.command()
@click.argument("name")
@json_option
def history(name: str, *, as_json: bool) -> int:
    """Show what happened to a model"""
    repo = find_repo()
    found = read.artifact(repo, name)
    if not found.events:
        read.chosen(repo, found, grammar.Spec(found.name))
    said = read.messages(repo, [event.oid for event in found.events])
    return model_text.told(found, {oid: one.title for oid, one in said.items()}, as_json=as_json)
