"""What MLflow knows besides runs and tags, to and from a git remote. Knows no MLflow."""

from collections.abc import Callable
from functools import partial

from git_mlops.git import histories, refs
from git_mlops.git.repo import Repo

ALONG = "refs/mlops/mlflow/"


def push(repo: Repo, remote: str) -> None:
    """Send what there is; what the remote has is merged first.

    Raises:
        MlopsError: the remote cannot be reached or refuses (exit code 3).
    """
    for ref in refs.list_refs(repo, ALONG):
        if absorb := _way(ref.name):
            histories.push(repo, remote, ref.name, partial(absorb, repo))


def pull(repo: Repo, remote: str) -> None:
    """Take in what came with the experiments of a remote: `sync.pull` has fetched it."""
    held = histories.held(ALONG, remote)
    for ref in refs.list_refs(repo, held):
        if absorb := _way(ALONG + ref.name.removeprefix(held)):
            absorb(repo, ref.oid)


def _way(ref: str) -> Callable[[Repo, str], None] | None:
    """How a history is taken in; the modules that know it are imported where there is one."""
    from git_mlops.tracking import groups, registry, runs

    return {runs.EXPERIMENTS: groups.absorb, registry.MODELS: registry.absorb}.get(ref)
