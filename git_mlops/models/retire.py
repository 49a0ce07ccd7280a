"""What is not to be used any more: a version, a stage's holder, or the whole model. Nothing is deleted."""

from typing import NamedTuple

from git_mlops.errors import FINDINGS, MlopsError
from git_mlops.git.repo import Repo
from git_mlops.models.promote import takeable
from git_mlops.registry import grammar, read, write
from git_mlops.registry.grammar import Tag
from git_mlops.registry.message import Message
from git_mlops.registry.state import Artifact, Registered
from git_mlops.registry.write import Made


class Retired(NamedTuple):
    """What `deprecate` did."""

    name: str
    version: str | None
    stage: str | None
    """The stage that is empty now."""
    made: tuple[Made, ...]
    before: Artifact
    after: Artifact


def retire(repo: Repo, text: str, message: str = "") -> Retired:
    """`NAME`: deprecate the model; `NAME@V`: take the version back; `NAME#STAGE`: leave the stage empty.

    Raises:
        MlopsError: there is no such thing, or it is so already (1).
    """
    spec = grammar.parse_spec(text)
    found = read.artifact(repo, spec.name)
    whole = spec.version is None and spec.stage is None
    if whole and found.deprecated:
        raise MlopsError(f"the model `{spec.name}` is deprecated already", exit_code=FINDINGS)
    one = found.versions[0] if whole and found.versions else read.chosen(repo, found, spec)
    if spec.stage is not None:
        made = _emptied(repo, found, spec.stage, message)
    elif spec.version is not None:
        made = (_taken_back(repo, found, one, message),)
    else:
        tag = Tag("deprecate", found.name, number=found.next_number)
        made = (
            write.tag(
                repo, tag, one.commit, _said(f"model: {found.name} is deprecated", message, found), found
            ),
        )
    return Retired(found.name, spec.version, spec.stage, made, found, read.artifact(repo, spec.name))


def _taken_back(repo: Repo, found: Artifact, one: Registered, message: str) -> Made:
    if not one.active:
        raise MlopsError(f"{found.name} {one.version} was taken back already", exit_code=FINDINGS)
    tag = Tag("deregister", found.name, one.version, number=found.next_number)
    title = f"model: {found.name} {one.version} is taken back"
    return write.tag(repo, tag, one.commit, _said(title, message, found, version=one.version), found)


def _emptied(repo: Repo, found: Artifact, stage: str, message: str) -> tuple[Made, ...]:
    """Every version that would hold it: GTO gives a stage back to the one before."""
    made: list[Made] = []
    for version in reversed(takeable(found, stage)):
        one = found.find(version)
        assert one
        tag = Tag("unassign", found.name, stage=stage, number=found.next_number)
        title = f"model: {found.name} {version} is {stage} no more"
        made.append(
            write.tag(
                repo, tag, one.commit, _said(title, message, found, version=version, stage=stage), found
            )
        )
        found = read.artifact(repo, found.name)
    return tuple(made)


def _said(title: str, text: str, found: Artifact, **more: str) -> Message:
    kind = "unassignment" if "stage" in more else "deregistration" if "version" in more else "deprecation"
    facts: dict[str, object] = {"kind": kind, "model": found.name}
    facts |= {("model_version" if name == "version" else name): value for name, value in more.items()}
    return Message(title, text, (), facts)
