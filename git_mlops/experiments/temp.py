"""`exp run --temp`: the user's workspace as it is now, run in a worktree of its own."""

from collections.abc import Callable
from typing import NamedTuple

from git_mlops.data import dvc
from git_mlops.data.follow import Followed
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments import inputs, snapshot, worktree
from git_mlops.experiments import run as running
from git_mlops.experiments.inputs import Dirty
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Ended, Known, Plan
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.snapshot import Large
from git_mlops.git.repo import Repo, resolve


class Differences(NamedTuple):
    """How the worktree is not what the user sees in the workspace."""

    dirty: tuple[Dirty, ...] = ()
    """Data of the workspace that is not what its pointer says: the worktree has what the pointer says."""
    left_out: tuple[Large, ...] = ()
    """Untracked files too large for git."""
    missing: tuple[str, ...] = ()
    """Data whose objects are not on this machine."""


def run(  # the settings of two features
    repo: Repo,
    plan: Plan,
    request: Request,
    settings: Settings,
    data: DataSettings,
    *,
    told: Callable[[Differences], None],
) -> Ended | Known:
    """Run and record; the user's workspace, index and HEAD stay as they are.

    Args:
        told: called before anything runs.

    Raises:
        MlopsError: as `run.run`.
    """
    baseline = resolve(repo, "HEAD")
    taken = snapshot.take(repo, data)
    with worktree.of(repo, taken.tree, head=baseline) as place:
        brought = worktree.bring(place)
        dirty = inputs.dirty(repo) if dvc.initialised(repo) else []
        told(Differences(tuple(dirty), taken.left_out, missing(place, brought)))
        there = plan._replace(directory=repo.prefix, origin=plan.origin._replace(passing=True))
        return running.run(place, there, request, settings, data, started=lambda _subject: None)


def missing(place: Repo, brought: Followed) -> tuple[str, ...]:
    """Data that a run depends on and that could not be brought; what stages make is theirs to make."""
    return tuple(inputs.depended(place, brought.missing)) if brought.missing else ()
