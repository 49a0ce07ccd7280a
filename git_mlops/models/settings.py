"""The `models:` section of mlops.yaml."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from git_mlops.decode import DecodeError, unknown
from git_mlops.errors import MlopsError
from git_mlops.patterns import most_specific


class Bound(NamedTuple):
    """What a metric must keep."""

    min: float | None = None
    max: float | None = None


class Stage(NamedTuple):
    """What a version needs before it gets the stage."""

    after: tuple[str, ...] = ()
    """Stages that it must hold, or have held, before."""
    metrics: dict[str, Bound] = {}  # noqa: RUF012  # the default of a frozen tuple, never changed
    no_worse: tuple[str, ...] = ()
    """Metrics that may not be worse than those of the version that holds the stage."""
    approvals: int = 0
    """How many other people must have approved it, with their signatures."""
    approvals_expire: str | None = None
    """How long an approval counts: `30d`, `2w`."""
    max_age: str | None = None
    """How long after its registration a version may still get the stage: `90d`."""
    signed: bool = False
    """Whether the registration must carry a signature of somebody trusted."""
    stands: tuple[str, ...] = ()
    """Tag objects (full ids) that gave the stage before there were these rules, and count all the same."""


Stages = dict[str, Stage]


class Settings(NamedTuple):
    """Models and their stages. Without `stages` every name of a stage will do."""

    stages: Stages = {}  # noqa: RUF012  # as above
    only: dict[str, Stages] = {}  # noqa: RUF012  # as above
    """Model, or pattern of models → stages with rules of its own instead of those above."""


def stages_of(settings: Settings, name: str) -> Stages:
    """The stages that mlops.yaml has for a model."""
    own = most_specific(name, settings.only)
    return settings.stages if own is None else own


def known(settings: Settings, name: str, stage: str) -> str:
    """The stage itself.

    Raises:
        MlopsError: mlops.yaml lists stages, and this is none of them.
    """
    stages = stages_of(settings, name)
    if stages and stage not in stages:
        raise MlopsError(
            f"mlops.yaml has no stage `{stage}` for the model `{name}`", hint=unknown(stage, stages, "").hint
        )
    return stage


def checked(settings: Settings) -> None:
    """Whether the rules make sense.

    Raises:
        DecodeError: a name that no stage can have, an earlier stage that is not there, no length of time.
    """
    for key, stages in _all(settings):
        for name, stage in stages.items():
            if _NAME.fullmatch(name) is None:
                hint = "letters, digits, `-` and `_`, with a letter or digit at both ends"
                raise DecodeError(f"{key}.{name}", "no stage can be called so", hint=hint)
            _stage(f"{key}.{name}", stage, stages)


def _all(settings: Settings) -> Iterator[tuple[str, Stages]]:
    yield "models.stages", settings.stages
    yield from ((f"models.only.{model}", stages) for model, stages in settings.only.items())


def _stage(key: str, stage: Stage, stages: Stages) -> None:
    for before in stage.after:
        if before not in stages:
            raise DecodeError(
                f"{key}.after", f"there is no stage `{before}`", hint=unknown(before, stages, "").hint
            )
    for name, text in (("approvals_expire", stage.approvals_expire), ("max_age", stage.max_age)):
        if text is not None and _TIME.fullmatch(text.strip()) is None:
            raise DecodeError(
                f"{key}.{name}", f"`{text}` is no length of time", hint="for example `30d`, `2w`, `12h`"
            )
    for oid in stage.stands:
        if _OID.fullmatch(oid) is None:
            raise DecodeError(
                f"{key}.stands", f"`{oid}` is no tag object", hint="`git rev-parse 'NAME#STAGE#N'`"
            )
    if stage.approvals < 0:
        raise DecodeError(f"{key}.approvals", "cannot be less than none")


_NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-/_]*[a-zA-Z0-9])?")
"""As in `registry.grammar`, whose patterns no reader of mlops.yaml should have to wait for."""
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TIME = re.compile(r"(\d{1,5}) ?(h|d|w|mo|y)")
_UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400, "mo": 30 * 86400, "y": 365 * 86400}


def seconds(text: str) -> int:
    """Of `30d`, `2w`, `12h`, `6mo`, `1y`; `checked` has looked at it."""
    match = _TIME.fullmatch(text.strip())
    assert match
    return int(match[1]) * _UNITS[match[2]]
