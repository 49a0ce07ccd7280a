"""What MLflow knows besides runs and tags, to and from a git remote. Knows no MLflow."""

from functools import partial

from git_mlops.git import histories, refs
from git_mlops.git.repo import Repo
from git_mlops.tracking import groups, registry
from git_mlops.tracking.runs import EXPERIMENTS

_WAYS = {EXPERIMENTS: groups.absorb, registry.MODELS: registry.absorb}


def push(repo: Repo, remote: str) -> None:
    """Send what there is; what the remote has is merged first.

    Raises:
        MlopsError: the remote cannot be reached or refuses (exit code 3).
    """
    for ref in refs.list_refs(repo, *_WAYS):
        histories.push(repo, remote, ref.name, partial(_WAYS[ref.name], repo))


def pull(repo: Repo, remote: str) -> None:
    """Take in what came with the experiments of a remote: `sync.pull` has fetched it."""
    for ref, absorb in _WAYS.items():
        theirs = refs.read(repo, histories.held(ref, remote))
        if theirs is not None:
            absorb(repo, theirs)
