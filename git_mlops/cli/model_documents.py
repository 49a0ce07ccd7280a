"""`git mlops model card | bom | provenance`: documents of one version, from what is recorded."""

import json
from collections.abc import Mapping
from pathlib import Path

import click

from git_mlops import ui
from git_mlops.cli.common import find_repo, open_repo
from git_mlops.cli.completion import models
from git_mlops.errors import MlopsError
from git_mlops.git.objects import replace_file
from git_mlops.models import bom as materials
from git_mlops.models import card as cards
from git_mlops.models import dossier
from git_mlops.models import provenance as statements

_version = click.argument("version", metavar="NAME[@V|#STAGE]", shell_complete=models)
_output = click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write a file instead."
)


@click.command()
@_version
@_output
def card(*, version: str, output: Path | None) -> None:
    """Write a model card

    Markdown by the sections that model cards commonly have: all that is recorded of the version, and places
    for what only people can say. With `-o` a card that is there keeps what stands between its markers.
    """
    repo, config = open_repo()
    found = dossier.gather(repo, version, config.experiments.params)
    try:
        before = output.read_text(encoding="utf-8") if output and output.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise MlopsError(
            f"cannot read `{output}`: {error}", hint="move it away, or name another file"
        ) from error
    _written(cards.render(found, before), output)


@click.command()
@_version
@_output
def bom(*, version: str, output: Path | None) -> None:
    """Print a bill of materials (CycloneDX)

    The model, the data it came from and the packages of its environment, as CycloneDX 1.6 JSON.
    """
    _json(materials.document(dossier.gather(find_repo(), version)), output)


@click.command()
@_version
@_output
def provenance(*, version: str, output: Path | None) -> None:
    """Print how a version was made (in-toto, SLSA)

    An in-toto statement with SLSA provenance v1. It is not signed: the registry's tag is, see
    `git mlops model verify`.
    """
    _json(statements.statement(dossier.gather(find_repo(), version)), output)


def _json(value: Mapping[str, object], output: Path | None) -> None:
    _written(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n", output)


def _written(text: str, output: Path | None) -> None:
    if output is None:
        ui.out(text, end="")
        return
    try:
        replace_file(output, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise MlopsError(f"cannot write `{output}`: {error.strerror}") from error
    ui.note(f"wrote {output}")
