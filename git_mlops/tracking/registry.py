"""What MLflow keeps of registered models besides git's tags: descriptions, tags, models without a version.

In `refs/mlops/mlflow/models`: a commit for each change, with `<name>.json` for each model. Versions and
aliases are the registry's own tags alone. Knows no MLflow.
"""

import json
import re
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import quote, unquote

from git_mlops.errors import MlopsError
from git_mlops.git import histories, objects, refs
from git_mlops.git.repo import Repo
from git_mlops.registry import grammar
from git_mlops.registry.state import Artifact, Registered
from git_mlops.tracking.groups import newest

MODELS = "refs/mlops/mlflow/models"

Kept = dict[str, Any]
"""`version name model created updated deleted renamed description tags events before`, and `versions`:
version → description, tags, stage."""


def kept(repo: Repo) -> dict[str, Kept]:
    """By name."""
    tip = refs.read(repo, MODELS)
    return _load(repo, tip) if tip else {}


def change(repo: Repo, name: str, how: Callable[[Kept], Kept]) -> None:
    """Keep a model as `how` makes it.

    Raises:
        MlopsError: others change them all the time.
    """

    def files(tip: str | None) -> dict[str, bytes]:
        known = _load(repo, tip).get(name) if tip else None
        return _file(how(known or {"version": 1, "name": name}))

    histories.record(repo, MODELS, files, f"mlflow: model {name}\n")


def rename(repo: Repo, old: str, new: str, model: str, created: int) -> None:
    """Call a model otherwise in MLflow; its tags stay what they are."""

    def files(tip: str | None) -> dict[str, bytes]:
        known = (_load(repo, tip) if tip else {}).get(old, {})
        moment = now()
        moved = {"version": 1, "created": created, **known, "name": new, "model": model, "updated": moment}
        gone = {"version": 1, "name": old, "renamed": new, "deleted": moment, "updated": moment}
        return {**_file(gone), **_file(moved)}

    histories.record(repo, MODELS, files, f"mlflow: model {old} is {new}\n")


def _file(made: Kept) -> dict[str, bytes]:
    return {f"{quote(made['name'], safe='')}.json": (json.dumps(made, indent=1) + "\n").encode()}


def tags_name(known: Mapping[str, Kept], name: str) -> str | None:
    """What a model of MLflow is called in tags: as in MLflow, unless that cannot be or it was renamed.

    None: nothing is known of it, and no tag can be called so.
    """
    told = known.get(name, {})
    if "model" in told or "renamed" in told:
        return told.get("model")
    try:
        return grammar.checked_name(name)
    except MlopsError:
        return None


def free_name(known: Mapping[str, Kept], name: str, artifacts: Callable[[], Collection[str]]) -> str:
    """What a new model of MLflow may be called in tags.

    Args:
        artifacts: what is registered in git; asked where the name itself cannot be.
    """
    taken = {one.get("model") for other, one in known.items() if other != name}
    own = tags_name(known, name) or tags_name({}, name)
    if own is not None and own not in taken:
        return own
    plain = own or re.sub(r"[^a-zA-Z0-9]+", "-", name).strip("-") or "model"
    taken |= {*known, *artifacts()}  # others have it by right
    return next(one for n in range(1, 10_000) if (one := plain if n == 1 else f"{plain}-{n}") not in taken)


def names(known: Mapping[str, Kept], artifacts: Mapping[str, Artifact]) -> dict[str, str]:
    """Every name of MLflow that may have a model → its name in tags."""
    found = {name: model for name in known if (model := tags_name(known, name)) is not None}
    claimed = {*found.values()} | {*known}
    return found | {name: name for name in artifacts if name not in claimed}


def there(found: Artifact, more: Kept) -> bool:
    """Whether MLflow has the model: made there or registered in git, and not gone since."""
    since = len(found.events) > more.get("events", 0)
    if more.get("deleted") is not None:
        return since and "renamed" not in more and not found.deprecated
    if found.deprecated and (since or "created" not in more):
        return False
    return "created" in more or any(one.active for one in found.versions)


def versions(found: Artifact, more: Kept) -> list[Registered]:
    """In the order of registration: MLflow counts them. What was there before it was deleted is not."""
    ordered = sorted(found.versions, key=lambda one: (one.event.time, grammar.order(one.version)))
    return ordered[more.get("before", 0) :]


def touched(found: Artifact) -> Kept:
    """That a model was changed just now, its tags being these."""
    return {"updated": now(), "events": len(found.events)}


def updated(found: Artifact, more: Kept) -> int:
    """When a model was changed last: by MLflow, or by somebody's tag since."""
    said = int(more.get("updated", 0))
    return said if len(found.events) <= more.get("events", 0) else max(said, found.last_time * 1000)


def absorb(repo: Repo, theirs: str) -> None:
    """Take another clone's models into ours; of one that both have, the one that was changed last."""
    histories.merge(repo, MODELS, theirs, newest)


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def _load(repo: Repo, commit: str) -> dict[str, Kept]:
    entries = [one for one in objects.tree_entries(repo, commit) if one.path.endswith(".json")]
    texts = objects.read_blobs(repo, [one.oid for one in entries])
    found = {}
    for entry in entries:
        try:
            values = json.loads(texts[entry.oid])
        except (KeyError, ValueError):
            continue
        if isinstance(values, dict):
            found[unquote(entry.path.removesuffix(".json"))] = values
    return found
