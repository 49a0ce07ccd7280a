"""Why a model is trained again: a word or a sentence, and what the monitor found."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from git_mlops.errors import MlopsError
from git_mlops.registry import grammar

KINDS: Mapping[str, str] = {
    "drift": "the data has drifted",
    "schedule": "it is time for it",
    "new-data": "there is new data",
    "decay": "its quality has decayed",
}
_MOST_BYTES = 32 * 2**20
_MOST_SHOWN = 50


class Cause(NamedTuple):
    """Why."""

    kind: str
    """A key of `KINDS`, or `other`."""
    text: str
    """For people."""
    findings: tuple[str, ...] = ()
    """What the monitor said."""
    source: str = ""
    """What the monitor compared, for people."""
    subject: str = ""
    """The model that the monitor watched; empty where it compared files."""


def of(because: str, finding: Path | None) -> Cause:
    """From what the user says.

    Raises:
        MlopsError: no reason, or a file that is no JSON of the monitor.
    """
    because = " ".join(because.split())
    if not because:
        raise MlopsError(
            "why? The reason is empty", hint=f"`--because` {', '.join(KINDS)}, or your own words"
        )
    kind = because if because in KINDS else "other"
    cause = Cause(kind, KINDS.get(because, because))
    return cause if finding is None else _with(cause, finding)


def _with(cause: Cause, file: Path) -> Cause:
    data = _read(file)
    found = data.get("findings")
    if not isinstance(found, list):
        raise MlopsError(
            f"`{file}` has no findings",
            hint="it is what `git mlops monitor MODEL --json` prints",
        )
    said = [one.get("message") for one in found if isinstance(one, Mapping)]
    messages = [" ".join(text.split()) for text in said if isinstance(text, str) and text.strip()]
    more = [f"and {len(messages) - _MOST_SHOWN} more"] if len(messages) > _MOST_SHOWN else []
    facts = [data.get(key) for key in ("name", "model_version", "reference", "current", "time")]
    name, version, reference, current, time = (str(v) if isinstance(v, str) else "" for v in facts)
    parts = [
        " ".join(filter(None, (name, version))),
        f"{current} against {reference}" if reference else "",
        time,
    ]
    source = ", ".join(part for part in parts if part)
    return cause._replace(
        findings=(*messages[:_MOST_SHOWN], *more), source=source, subject=name if version else ""
    )


def _read(file: Path) -> Mapping[str, object]:
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
        value = json.loads(content) if len(content) <= _MOST_BYTES else None
    except OSError as error:
        raise MlopsError(f"cannot read `{file}`: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise MlopsError(
            f"`{file}` is not JSON", hint="`git mlops monitor MODEL --json > FILE` writes it"
        ) from error
    if isinstance(value, Mapping) and isinstance(value.get("data"), Mapping):
        value = value["data"]  # in the envelope of every `--json`
    if not isinstance(value, Mapping):
        raise MlopsError(f"`{file}` is not what the monitor writes", hint="`git mlops monitor MODEL --json`")
    return value


def branch(model: str, cause: Cause, today: datetime) -> str:
    """`retrain/churn-drift`; of a schedule or another reason the date: the same day, the same branch.

    A cause that lasts gives one branch, and so one pull request, however often the model is retrained for it.
    """
    dated = cause.kind in ("schedule", "other")
    end = today.strftime("%Y-%m-%d") if dated else cause.kind
    return f"retrain/{re.sub(r'[^A-Za-z0-9._=/-]', '-', grammar.in_tag(model))}-{end}"
