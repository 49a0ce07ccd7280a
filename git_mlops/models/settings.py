"""The `models:` section of mlops.yaml."""

from typing import NamedTuple


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


Stages = dict[str, Stage]


class Settings(NamedTuple):
    """Models and their stages. Without `stages` every name of a stage will do."""

    stages: Stages = {}  # noqa: RUF012  # as above
    only: dict[str, Stages] = {}  # noqa: RUF012  # as above
    """Model, or pattern of models → stages with rules of its own instead of those above."""
