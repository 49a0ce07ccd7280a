"""`git mlops model`: versions of models, and the stages they hold."""

import click

from git_mlops.cli.lazy import LazyGroup

COMMANDS: dict[str, tuple[str, str, str]] = {
    "register": ("model_change", "register", "Register a version of a model"),
    "promote": ("model_change", "promote", "Give a version a stage"),
    "approve": ("model_change", "approve", "Approve a version for a stage"),
    "rollback": ("model_change", "rollback", "Give a stage back to the version before"),
    "deprecate": ("model_change", "deprecate", "Take back a version, a stage or a model"),
    "list": ("model_read", "list_", "List models, their versions and stages"),
    "show": ("model_read", "show", "Show everything about one version"),
    "diff": ("model_compare", "diff", "Compare two versions of a model"),
    "verify": ("model_compare", "verify", "Check signatures and recorded facts"),
    "card": ("model_documents", "card", "Write a model card"),
    "bom": ("model_documents", "bom", "Print a bill of materials (CycloneDX)"),
    "provenance": ("model_documents", "provenance", "Print how a version was made (in-toto, SLSA)"),
    "history": ("model_read", "history", "Show what happened to a model"),
    "predict": ("model_serve", "predict", "Score a file with a model"),
    "serve": ("model_server", "serve", "Serve a model over HTTP"),
    "smoke": ("model_server", "smoke", "Try whether a model answers as it should"),
    "package": ("model_serve", "package", "Package a version: container, bundle or wheel"),
}
"""Command → module of this package, its name there, the first line of its help."""


@click.command(cls=LazyGroup, table=COMMANDS)
def model() -> None:
    """Register, promote and compare models

    Versions and stages are annotated git tags by GTO's grammar (`NAME@v1.0.0`, `NAME#prod#3`), signed as git
    is configured to: `git push` and `git fetch --tags` share them, `gto show` reads them. What a stage asks
    of a version stands under `models:` in mlops.yaml.
    """
