"""`git mlops model register | promote | approve | rollback | deprecate`: what makes tags."""

from collections.abc import Callable, Sequence
from typing import Literal, TypedDict, TypeVar, Unpack

import click

from git_mlops.cli import model_output as output
from git_mlops.cli.common import json_option
from git_mlops.cli.completion import experiments, models
from git_mlops.cli.model_context import opened, repository_path, rules_option
from git_mlops.git import remotes
from git_mlops.git.repo import Repo
from git_mlops.models import approve as approving
from git_mlops.models import promote as promoting
from git_mlops.models import register as registering
from git_mlops.models import retire
from git_mlops.registry import grammar, share
from git_mlops.registry.write import Made

T = TypeVar("T")


class _Making(TypedDict):
    message: str
    push: bool
    remote: str | None
    as_json: bool


def _making(command: Callable[..., int]) -> Callable[..., int]:
    """What all of them have in common."""
    for option in (
        json_option,
        click.option("--remote", metavar="REMOTE", help="The git remote of `--push`; default: origin."),
        click.option(
            "--push", is_flag=True, help="Send the tag at once; if that fails, there is none here either."
        ),
        click.option("-m", "--message", default="", metavar="TEXT", help="Words of your own for the tag."),
    ):
        command = option(command)
    return command


def _done(
    repo: Repo, options: _Making, text: str, work: Callable[[], T], made: Callable[[T], Sequence[Made]]
) -> tuple[T, str | None]:
    """The result, and the remote that has it now."""
    if not options["push"]:
        return work(), None
    remote = remotes.chosen(repo, options["remote"])
    done, sent = share.shared(repo, remote, grammar.parse_spec(text).name, work, made)
    output.heard(sent)
    return done, remote


@click.command()
@click.argument("name", shell_complete=models)
@click.argument("of", required=False, metavar="[EXPERIMENT|REV]", shell_complete=experiments)
@click.option("--version", metavar="V", help="Such as `v1.0.0`; default: the next patch.")
@click.option(
    "--bump", type=click.Choice(["major", "minor", "patch"]), help="Which number of the version to raise."
)
@click.option("--path", metavar="FILE", help="The model's file or directory.")
@_making
def register(
    *, name: str, of: str | None, version: str | None, bump: Literal["major", "minor", "patch"] | None,
    path: str | None, **options: Unpack[_Making],
) -> int:  # fmt: skip
    """Register a version of a model

    Without EXPERIMENT or REV: HEAD. The tag names the model's object, the data, the schemas, the environment,
    the metrics, and what the model takes and gives. Without `--path` the model is what `artifacts:` of
    dvc.yaml says, the path of the version before, or the only output that is named like a model.
    """
    repo, context = opened()
    file = repository_path(repo, path) if path else None
    request = registering.Request(name, of, version, bump, file, options["message"])
    done = _done(
        repo, options, name, lambda: registering.register(repo, request, context), lambda d: [d.made]
    )
    return output.registered(*done, as_json=options["as_json"])


@click.command()
@click.argument("version", metavar="NAME[@V|#STAGE]", shell_complete=models)
@click.argument("stage")
@rules_option
@click.option("-n", "--dry-run", "dry", is_flag=True, help="Only say what is missing.")
@_making
def promote(*, version: str, stage: str, rules: str | None, dry: bool, **options: Unpack[_Making]) -> int:
    """Give a version a stage

    Without a version: the greatest one. What mlops.yaml asks for under `models:` (earlier stages, metrics,
    approvals) must be there; otherwise nothing is done, and what is missing is said (exit code 1).
    """
    repo, context = opened(rules)
    request = promoting.Request(version, stage, options["message"], dry)
    done = _done(repo, options, version, lambda: promoting.promote(repo, request, context), _promoted)
    return output.promoted(*done, dry=dry, as_json=options["as_json"])


def _promoted(done: promoting.Promotion) -> list[Made]:
    return [done.made] if done.made else []


@click.command()
@click.argument("version", metavar="NAME[@V|#STAGE]", shell_complete=models)
@click.argument("stage")
@_making
def approve(*, version: str, stage: str, **options: Unpack[_Making]) -> int:
    """Approve a version for a stage

    A signed tag `approve/…` that says that you vouch for exactly this version. It counts where
    `.mlops/allowed_signers` has your key, and you neither registered nor promote the version.
    """
    repo, context = opened()
    words = options["message"]
    done = _done(
        repo,
        options,
        version,
        lambda: approving.approve(repo, version, stage, words, context),
        lambda d: [d.made],
    )
    return output.approved(*done, as_json=options["as_json"])


@click.command()
@click.argument("name", shell_complete=models)
@click.argument("stage")
@_making
def rollback(*, name: str, stage: str, **options: Unpack[_Making]) -> int:
    """Give a stage back to the version before

    The version that held it before the present one gets it again. Gates and approvals are not asked.
    """
    repo, _context = opened()
    words = options["message"]
    done = _done(repo, options, name, lambda: promoting.rollback(repo, name, stage, words), _promoted)
    return output.promoted(*done, dry=False, as_json=options["as_json"])


@click.command()
@click.argument("what", metavar="NAME[@V|#STAGE]", shell_complete=models)
@_making
def deprecate(*, what: str, **options: Unpack[_Making]) -> int:
    """Take back a version, a stage or a model

    NAME@V takes the version back, NAME#STAGE leaves the stage empty, NAME deprecates the whole model. Nothing
    is deleted: the tags and what they name stay.
    """
    repo, _context = opened()
    done = _done(repo, options, what, lambda: retire.retire(repo, what, options["message"]), lambda d: d.made)
    return output.retired(*done, as_json=options["as_json"])
