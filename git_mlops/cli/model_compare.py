"""`git mlops model diff | verify`: versions compared with each other, and with what their tags say."""

import click

from git_mlops.cli import model_output as output
from git_mlops.cli.common import json_option
from git_mlops.cli.completion import models
from git_mlops.cli.model_context import opened, rules_option
from git_mlops.models import diff as comparing
from git_mlops.models import verify as verifying


@click.command()
@click.argument("a", metavar="NAME[@V|#STAGE]", shell_complete=models)
@click.argument("b", metavar="V|#STAGE")
@json_option
def diff(a: str, b: str, *, as_json: bool) -> int:
    """Compare two versions of a model

    The model's object, schemas and contract, metrics, changed parameters, code, data and environment. B may
    be a version of another model in full: `NAME@V`.
    """
    repo, context = opened()
    return output.compared(comparing.difference(repo, a, b, context), as_json=as_json)


@click.command()
@click.argument("version", metavar="NAME[@V|#STAGE]", shell_complete=models)
@rules_option
@json_option
def verify(version: str, *, rules: str | None, as_json: bool) -> int:
    """Check signatures and recorded facts

    The signatures of the version and of its stages, by `.mlops/allowed_signers`; whether what its tag says
    (model, data, schemas, run, metrics) is what its commit holds; and whether its stages were given as
    mlops.yaml asks. Exit codes as for `git mlops check`.
    """
    repo, context = opened(rules)
    return output.verified(verifying.verify(repo, version, context), as_json=as_json)
