"""Tag ↔ what it says: GTO's grammar (1.10), and our own tags of approvals, which GTO passes over. Pure.

    NAME@vX.Y.Z        registers a version           NAME#STAGE#N     gives it a stage
    NAME@vX.Y.Z!#N     takes the registration back   NAME#STAGE!#N    takes the stage back
    NAME@deprecated#N  the model is not to be used   approve/NAME@vX.Y.Z#STAGE#ID  somebody approves

In a tag `=` stands for the `:` of a name in a directory of a monorepo (`dir:NAME`).
"""

import re
from typing import Literal, NamedTuple

from git_mlops.errors import MlopsError

Kind = Literal["register", "deregister", "assign", "unassign", "deprecate", "approve"]
"""What a tag does."""

APPROVALS = "approve/"

_WORD = r"[a-zA-Z0-9](?:[a-zA-Z0-9\-/_]*[a-zA-Z0-9])?"
_NAME = rf"(?:[a-zA-Z0-9\-_./]+{{}})?{_WORD}"
_IDENTIFIER = r"(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_VERSION = (
    r"v(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)"
    rf"(?:-{_IDENTIFIER}(?:\.{_IDENTIFIER})*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
)
_TAG = re.compile(
    rf"(?P<name>{_NAME.format('=')})"
    rf"(?:(?:#(?P<stage>{_WORD})|@(?P<version>{_VERSION}))(?P<cancel>!?)|@(?P<deprecated>deprecated))"
    r"(?:#(?P<number>[0-9]{1,18}))?",
    re.ASCII,
)
_APPROVAL = re.compile(
    rf"{APPROVALS}(?P<name>{_NAME.format('=')})@(?P<version>{_VERSION})#(?P<stage>{_WORD})#(?P<mark>[0-9a-f]{{10}})",
    re.ASCII,
)
_FULL = re.compile(_NAME.format(":"), re.ASCII)
_ALONE = re.compile(_VERSION, re.ASCII)
_STAGE = re.compile(_WORD, re.ASCII)


class Tag(NamedTuple):
    """What a tag's name says."""

    kind: Kind
    name: str
    """Of the model: `churn`, or `services/churn:model` for one in a directory."""
    version: str | None = None
    stage: str | None = None
    number: int | None = None
    """N; counts the events of a model."""
    mark: str | None = None
    """Of an approval: tells it from others."""


def parse(text: str) -> Tag | None:
    """What a tag (`churn@v1.0.0`) says; None for one of no registry."""
    if text.startswith(APPROVALS) and (match := _APPROVAL.fullmatch(text)):
        name = match["name"].replace("=", ":")
        return Tag("approve", name, match["version"], match["stage"], mark=match["mark"])
    match = _TAG.fullmatch(text)
    if match is None:
        return None
    name, number = match["name"].replace("=", ":"), int(match["number"]) if match["number"] else None
    if match["deprecated"]:
        return Tag("deprecate", name, number=number)
    if match["version"]:
        kind: Kind = "deregister" if match["cancel"] else "register"
        return Tag(kind, name, match["version"], number=number)
    return Tag("unassign" if match["cancel"] else "assign", name, stage=match["stage"], number=number)


def render(tag: Tag) -> str:
    """The inverse: the tag's name, below refs/tags/."""
    name = in_tag(tag.name)
    if tag.kind == "approve":
        return f"{APPROVALS}{name}@{tag.version}#{tag.stage}#{tag.mark}"
    said = {
        "register": f"@{tag.version}",
        "deregister": f"@{tag.version}!",
        "assign": f"#{tag.stage}",
        "unassign": f"#{tag.stage}!",
        "deprecate": "@deprecated",
    }[tag.kind]
    return f"{name}{said}" + (f"#{tag.number}" if tag.number is not None else "")


def in_tag(name: str) -> str:
    """A model's name as tags have it."""
    return name.replace(":", "=")


def checked_name(name: str) -> str:
    """A model's name as everything shows it.

    Raises:
        MlopsError: GTO, or git, would not take it.
    """
    name = name.replace("=", ":")
    parts = name.replace(":", "/").split("/")
    hidden = any(not part or part.startswith(".") or part.endswith((".", ".lock")) for part in parts)
    model, mark, part = name.replace("@", "#").partition("#")
    if mark and _FULL.fullmatch(model):
        raise MlopsError(
            f"`{name}` names a version or a stage: here a model alone is meant",
            hint=f"`{model}`; if the command has `--stage`: `{model} --stage {part}`",
        )
    if name.count(":") > 1 or not _FULL.fullmatch(name) or hidden or ".." in name:
        raise MlopsError(
            f"`{name}` cannot be the name of a model",
            hint="letters, digits, `-`, `_` and `/`, with a letter or digit at both ends; no dots;"
            " in a directory of a monorepo `dir:NAME`",
        )
    return name


def checked_stage(stage: str) -> str:
    """The name of a stage.

    Raises:
        MlopsError: GTO, or git, would not take it.
    """
    if not _STAGE.fullmatch(stage) or "//" in stage:
        raise MlopsError(
            f"`{stage}` cannot be the name of a stage",
            hint="letters, digits, `-` and `_`, with a letter or digit at both ends",
        )
    return stage


def checked_version(text: str) -> str:
    """`v1.2.3`, also of `1.2.3`.

    Raises:
        MlopsError: no semantic version.
    """
    version = text if text.startswith("v") else f"v{text}"
    if not _ALONE.fullmatch(version):
        raise MlopsError(
            f"`{text}` is no version", hint="semantic versions, such as `v1.2.3` or `v2.0.0-rc.1`"
        )
    return version


Bump = Literal["major", "minor", "patch"]


def bumped(version: str, part: Bump) -> str:
    """The next version; the release itself after one of its pre-releases, where that is the next."""
    (major, minor, patch), before = _numbers(version), _before(version)
    if part == "major":
        return f"v{major if before and not (minor or patch) else major + 1}.0.0"
    if part == "minor":
        return f"v{major}.{minor if before and not patch else minor + 1}.0"
    return f"v{major}.{minor}.{patch if before else patch + 1}"


def order(version: str) -> tuple[object, ...]:
    """Sorts versions as semver.org says (a pre-release comes before its release), build numbers last."""
    before = _before(version)
    words = [(0, int(w), "") if w.isdigit() else (1, 0, w) for w in before.split(".")] if before else []
    return (*_numbers(version), not before, words, version)


def _numbers(version: str) -> tuple[int, int, int]:
    major, minor, patch = version[1:].partition("+")[0].partition("-")[0].split(".")
    return int(major), int(minor), int(patch)


def _before(version: str) -> str:
    return version.partition("+")[0].partition("-")[2]


class Spec(NamedTuple):
    """Which version is meant: this one, the one that holds the stage, or the greatest."""

    name: str
    version: str | None = None
    stage: str | None = None


def parse_spec(text: str) -> Spec:
    """`NAME`, `NAME@v1.0.0`, `NAME@latest`, `NAME#prod`.

    Raises:
        MlopsError: it is none of these.
    """
    if "#" in text:
        name, _, stage = text.partition("#")
        if "@" in name:
            raise MlopsError(
                f"`{text}`: a version or a stage, not both",
                hint=f"`{name}`, or `{name.partition('@')[0]}#{stage}`",
            )
        return Spec(checked_name(name), stage=checked_stage(stage))
    name, at, version = text.partition("@")
    name = checked_name(name)
    if not at or version in ("latest", "greatest"):
        return Spec(name)
    try:
        return Spec(name, checked_version(version))
    except MlopsError as error:
        hint = f"a version, as `{name}@v1.0.0`; a stage is `{name}#{version}`"
        raise MlopsError(str(error), hint=hint) from error
