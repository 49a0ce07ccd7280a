"""What MLflow keeps of registered models besides git's tags: descriptions, tags, models without a version.

In `refs/mlops/mlflow/models`: a commit for each change, with `<name>.json` for each model. Versions and
aliases are the registry's own tags alone. Knows no MLflow.
"""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

from git_mlops.git import histories, objects, refs
from git_mlops.git.repo import Repo
from git_mlops.tracking.groups import newest

MODELS = "refs/mlops/mlflow/models"

Kept = dict[str, Any]
"""`version name created updated deleted description tags`, and `versions`: version → description, tags."""


def kept(repo: Repo) -> dict[str, Kept]:
    """By name."""
    tip = refs.read(repo, MODELS)
    return _load(repo, tip) if tip else {}


def change(repo: Repo, name: str, how: Callable[[Kept], Kept]) -> Kept:
    """Keep a model as `how` makes it.

    Raises:
        MlopsError: others change them all the time.
    """
    made: list[Kept] = []

    def files(tip: str | None) -> dict[str, bytes]:
        known = _load(repo, tip).get(name) if tip else None
        made[:] = [{**how(known or {"version": 1, "name": name}), "updated": now()}]
        return {f"{quote(name, safe='')}.json": (json.dumps(made[0], indent=1) + "\n").encode()}

    histories.record(repo, MODELS, files, f"mlflow: model {name}\n")
    return made[0]


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
