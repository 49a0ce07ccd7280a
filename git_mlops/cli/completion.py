"""`git mlops completion SHELL`: a script that completes `git-mlops …` and `git mlops …`."""

import re

import click

from git_mlops import resources, ui
from git_mlops.errors import MlopsError
from git_mlops.experiments import names
from git_mlops.git.repo import discover
from git_mlops.registry import grammar


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell

    Load it once per shell: `eval "$(git-mlops completion bash)"`.
    """
    ui.out(
        resources.path("templates", "completion", f"git-mlops.{shell}").read_text(encoding="utf-8"), end=""
    )


def experiments(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of experiments that begin so, for `shell_complete`; a shell that asks wants no messages."""
    if re.search(r"[\\*?[\s]", incomplete):
        return []  # no name holds these, and git would take them for a pattern
    form = ("for-each-ref", "--format=%(refname)", f"--count={_MOST}")
    try:
        found = discover().text(*form, f"{names.PREFIX}*/*/{incomplete}*").splitlines()
    except MlopsError:
        return []
    return sorted({place.name for place in map(names.parse_ref, found) if place})


def models(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Models, their versions (`NAME@…`) and stages (`NAME#…`) that begin so."""
    if re.search(r"[\\*?[\s]", incomplete):
        return []
    begin = grammar.in_tag(incomplete)
    patterns = [f"refs/tags/{begin}*", f"refs/tags/{begin}*/**"]
    try:
        tags = discover().text("for-each-ref", "--format=%(refname:strip=2)", *patterns).splitlines()
    except MlopsError:
        return []
    said = [tag for tag in map(grammar.parse, tags) if tag and tag.kind in ("register", "assign")]
    if not {"@", "#"} & set(incomplete):
        return sorted({tag.name for tag in said})
    named = {f"{tag.name}@{tag.version}" if tag.version else f"{tag.name}#{tag.stage}" for tag in said}
    return sorted(name for name in named if name.startswith(incomplete))


_MOST = 1000
