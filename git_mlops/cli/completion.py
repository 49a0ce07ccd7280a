"""`git mlops completion SHELL`: a script that completes `git-mlops …` and `git mlops …`."""

import click

from git_mlops import resources, ui


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell

    Load it once per shell: `eval "$(git-mlops completion bash)"`.
    """
    ui.out(
        resources.path("templates", "completion", f"git-mlops.{shell}").read_text(encoding="utf-8"), end=""
    )
