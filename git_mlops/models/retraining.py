"""The `retrain:` section of mlops.yaml."""

import shlex
from typing import NamedTuple

from git_mlops.decode import DecodeError

MODEL = "{model}"


class Settings(NamedTuple):
    """How a challenger is compared with the champion."""

    evaluate: str | None = None
    """A command that measures the model at `{model}` on the held-back data, and writes its metrics."""
    metrics: str | None = None
    """The file that it writes them to; default: the metrics files of the pipeline."""
    held_back: tuple[str, ...] = ()
    """The data that metrics are measured on; default: what the stage that writes them depends on."""


def checked(settings: Settings) -> None:
    """Whether the command can be one.

    Raises:
        DecodeError: it names no model, or its quotes do not end.
    """
    if settings.evaluate is None:
        return
    try:
        words = shlex.split(settings.evaluate)
    except ValueError as error:
        raise DecodeError("retrain.evaluate", f"is no command: {error}") from error
    if not any(MODEL in word for word in words):
        hint = f"for example `python src/evaluate.py --model {MODEL}`"
        raise DecodeError("retrain.evaluate", f"does not say where the model goes: `{MODEL}`", hint=hint)


def command(settings: Settings, model: str) -> tuple[str, ...]:
    """The words of the command for one model; no shell reads them."""
    return tuple(word.replace(MODEL, model) for word in shlex.split(settings.evaluate or ""))
