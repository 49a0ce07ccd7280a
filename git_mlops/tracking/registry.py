"""What MLflow keeps of registered models besides git's tags: descriptions, tags, models without a version.

In `refs/mlops/mlflow/models`: a commit for each change, with `<name>.json` for each model. Versions and
aliases are the registry's own tags alone. Knows no MLflow.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote, unquote

from git_mlops.errors import MlopsError
from git_mlops.git import histories, objects, refs
from git_mlops.git.objects import Entry
from git_mlops.git.refs import Move, RefMovedError
from git_mlops.git.repo import Repo

MODELS = "refs/mlops/mlflow/models"
_ATTEMPTS = 20

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
    for _attempt in range(_ATTEMPTS):
        old = refs.read(repo, MODELS)
        known = _load(repo, old) if old else {}
        new = {**how(known.get(name, {"version": 1, "name": name})), "updated": now()}
        try:
            made = _commit(repo, {**known, name: new}, [old] if old else [], f"model {name}")
            refs.move(repo, [Move(MODELS, made, old)], "mlflow: model", reflog=True)
        except RefMovedError:
            continue
        return new
    raise MlopsError("the models are being changed by too many at once", hint="try again")


def absorb(repo: Repo, theirs: str) -> None:
    """Take another clone's models into ours; of one that both have, the one that was changed last."""
    for _attempt in range(_ATTEMPTS):
        ours = refs.read(repo, MODELS)
        with suppress(RefMovedError):
            refs.move(repo, [Move(MODELS, _merged(repo, ours, theirs), ours)], "mlflow: merged", reflog=True)
            return
    raise MlopsError("the models are being changed by too many at once", hint="try again")


def _merged(repo: Repo, ours: str | None, theirs: str) -> str:
    if ours is None or histories.is_ancestor(repo, ours, theirs):
        return theirs
    if histories.is_ancestor(repo, theirs, ours):
        return ours
    mine, other = _load(repo, ours), _load(repo, theirs)
    both = {**other, **mine}
    for name in mine.keys() & other.keys():
        both[name] = max(mine[name], other[name], key=lambda one: int(one.get("updated", 0)))
    return _commit(repo, both, [ours, theirs], "models merged")


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


def _commit(repo: Repo, known: Mapping[str, Kept], parents: Sequence[str], said: str) -> str:
    files = {
        f"{quote(one, safe='')}.json": (json.dumps(values, indent=1) + "\n").encode()
        for one, values in known.items()
    }
    oids = objects.write_blobs(repo, list(files.values()))
    entries = [Entry("100644", oid, path) for path, oid in zip(files, oids, strict=True)]
    text, tree = objects.tree_text(repo, entries)
    objects.write_trees(repo, [text])
    return objects.commit_tree(repo, tree, parents, f"mlflow: {said}\n")
