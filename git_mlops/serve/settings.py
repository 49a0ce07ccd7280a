"""The `serve:` section of mlops.yaml."""

from typing import Literal, NamedTuple

from git_mlops.decode import Size


class Settings(NamedTuple):
    """How models are served, for all of them."""

    extra: Literal["refuse", "ignore"] = "refuse"
    """What is done with columns that the model does not take."""
    signed: bool = False
    """Whether only versions are loaded whose registration somebody trusted has signed."""
    body: Size = Size(10 * 1024 * 1024)
    """The largest request."""
    log: bool = True
    """Whether requests and answers are kept, in the private directory of this clone."""
    sample: float = 1.0
    """The share of requests that are kept."""
    redact: tuple[str, ...] = ()
    """Columns, or patterns of columns, that are not kept."""
    log_size: Size = Size(1024 * 1024 * 1024)
    """How much of a model's log is kept: the oldest parts go."""
