"""Why a model is trained again: a word or a sentence, and what the monitor found."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo
from git_mlops.monitor import history
from git_mlops.registry import grammar
from git_mlops.registry.read import Version

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
    """A key of `KINDS`, or `other`; empty: what the monitor found says it."""
    text: str
    """For people."""
    findings: tuple[str, ...] = ()
    """What the monitor said."""
    source: str = ""
    """What the monitor compared, for people."""
    subject: str = ""
    """The model that the monitor watched; empty where it compared files."""
    run: str = ""
    """The commit of the monitor's record, where it was taken from there."""


def of(because: str | None, finding: Path | None) -> Cause:
    """From what the user says; without a reason what the monitor found is one.

    Raises:
        MlopsError: an empty reason, or a file that is no JSON of the monitor.
    """
    said = " ".join((because or "").split())
    if because is not None and not said:
        raise MlopsError("why? The reason is empty", hint=_WAYS)
    cause = Cause((said if said in KINDS else "other") if said else "", KINDS.get(said, said))
    return cause if finding is None else _with(cause, _read(finding), f"`{finding}`")


_WAYS = f"`--because` {', '.join(KINDS)}, or your own words"
_WATCHED = ("", "drift", "decay")
"""Kinds that the monitor speaks of."""


def settled(repo: Repo, cause: Cause, champion: Version, stage: str, remote: str | None = None) -> Cause:
    """With what the monitor has recorded last of the champion, where no file was given.

    Args:
        remote: whose records are brought first.

    Raises:
        MlopsError: no reason is known; the remote is out of reach (3).
    """
    run = None
    if cause.kind in _WATCHED and not cause.source:
        if remote is not None:
            history.pull(repo, remote, champion.name)
        runs = history.read(repo, champion.name)
        run = next((one for one in reversed(runs) if _is_of(one.record, champion.version)), None)
    if run is not None:
        cause = _with(cause, run.record, "its last record")._replace(run=run.commit)
    if not cause.kind:
        looked = run is not None or cause.source
        said = "found neither drift nor decay of" if looked else "has recorded nothing of"
        raise MlopsError(
            f"why is `{champion.name}` to be trained again? The monitor {said} {champion.version}",
            hint=f"{_WAYS}; or `git mlops monitor '{champion.name}#{stage}'` first",
        )
    return cause


def _is_of(record: Mapping[str, object], version: str) -> bool:
    return record.get("model_version") == version


def _with(cause: Cause, data: Mapping[str, object], where: str) -> Cause:
    found = data.get("findings")
    if not isinstance(found, list):
        raise MlopsError(
            f"{where} has no findings", hint="it is what `git mlops monitor MODEL --json` prints"
        )
    told = [one for one in found if isinstance(one, Mapping) and one.get("level") not in ("unknown", "note")]
    said = [one.get("message") for one in told]
    messages = [" ".join(text.split()) for text in said if isinstance(text, str) and text.strip()]
    more = [f"and {len(messages) - _MOST_SHOWN} more"] if len(messages) > _MOST_SHOWN else []
    if not cause.kind and (kind := _kind(told)):
        cause = cause._replace(kind=kind, text=KINDS[kind])
    facts = [data.get(key) for key in ("name", "model_version", "reference", "current", "time")]
    name, version, reference, current, time = (str(v) if isinstance(v, str) else "" for v in facts)
    parts = [
        " ".join(filter(None, (name, version))),
        f"{current} against {reference}" if reference else "",
        time,
        "" if messages else "nothing was found",
    ]
    source = ", ".join(part for part in parts if part)
    return cause._replace(
        findings=(*messages[:_MOST_SHOWN], *more), source=source, subject=name if version else ""
    )


def _kind(told: Sequence[Mapping[str, object]]) -> str:
    """Drift comes before decay: a cause that lasts keeps its branch when labels arrive."""
    rules = {one.get("rule") for one in told if one.get("level") == "error"}
    if rules & _DRIFTS:
        return "drift"
    return "decay" if "quality" in rules else ""


_DRIFTS = {"drift", "nulls", "new-category", "range"}


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
