"""What MLflow knows besides runs and tags, to and from a git remote. Knows no MLflow."""

from collections.abc import Sequence
from functools import partial

from git_mlops.experiments import names
from git_mlops.experiments.record import PATH
from git_mlops.git import histories, objects, refs
from git_mlops.git.repo import Repo
from git_mlops.tracking import groups, registry
from git_mlops.tracking.runs import EXPERIMENTS

_WAYS = {EXPERIMENTS: groups.absorb, registry.MODELS: registry.absorb}
_LOOKED_AT = 5


def push(repo: Repo, remote: str) -> None:
    """Send what there is; what the remote has is merged first.

    Raises:
        MlopsError: the remote cannot be reached or refuses (exit code 3).
    """
    for ref in refs.list_refs(repo, *_WAYS):
        histories.push(repo, remote, ref.name, partial(_WAYS[ref.name], repo))


def pull(repo: Repo, remote: str, new: Sequence[str]) -> None:
    """Get what a remote has, where experiments that came from it are MLflow's.

    Args:
        new: names of experiments that came.

    Raises:
        MlopsError: the remote cannot be reached (exit code 3).
    """
    some = refs.list_refs(repo, *(f"{names.PREFIX}*/*/{name}" for name in new[:_LOOKED_AT])) if new else []
    texts = objects.read_blobs(repo, [f"{ref.oid}:{PATH}" for ref in some])
    if any(b'"mlflow": {' in text for text in texts.values()):
        for ref, absorb in _WAYS.items():
            theirs = histories.fetch(repo, remote, ref)
            if theirs is not None:
                absorb(repo, theirs)
