"""The `governance:` section of mlops.yaml."""

from typing import NamedTuple

from git_mlops.decode import DecodeError
from git_mlops.governance.fields import FIELDS, duration


class Settings(NamedTuple):
    """What must be known of data, and where it may lie."""

    require: tuple[str, ...] = ()
    """Keys that the data sheet of every pointer has to have: `source`, `licence`."""
    sensitive: tuple[str, ...] = ()
    """DVC remotes for data whose sheet says `sensitivity: high` or `personal`; it goes nowhere else."""
    remind: str = "30 days"
    """How long before its retention ends data is warned of."""


def checked(settings: Settings) -> None:
    """Whether the settings make sense.

    Raises:
        DecodeError: a key that no sheet has, no length of time.
    """
    for name in settings.require:
        if name not in FIELDS:
            import difflib

            close = difflib.get_close_matches(name, FIELDS, n=1)
            hint = f"did you mean `{close[0]}`?" if close else f"known: {', '.join(FIELDS)}"
            raise DecodeError("governance.require", f"no data sheet has the key `{name}`", hint=hint)
    if duration(settings.remind) is None:
        raise DecodeError("governance.remind", f"`{settings.remind}` is no length of time", hint="`30 days`")
