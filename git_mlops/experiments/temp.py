"""`exp run --temp`: a run in a worktree of its own, recorded as one in place would be."""

from collections.abc import Callable

from git_mlops.data.settings import Settings as DataSettings
from git_mlops.experiments import inputs, worktree
from git_mlops.experiments import run as running
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Ended, Known, Plan
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.start import Start
from git_mlops.git.repo import Repo


def run(  # the settings of two features
    repo: Repo,
    start: Start,
    request: Request,
    settings: Settings,
    data: DataSettings,
    *,
    missing: Callable[[list[str]], None],
) -> Ended | Known:
    """Run and record; the user's workspace, index and HEAD stay as they are.

    Args:
        missing: called with data that is not on this machine, before anything runs.

    Raises:
        MlopsError: as `run.run`.
    """
    with worktree.of(repo, start.tree, head=start.baseline) as place:
        missing(bring(place, start.plan))
        plan = start.plan._replace(origin=start.plan.origin._replace(passing=True))
        return running.run(place, plan, request, settings, data, started=lambda _subject: None)


def bring(place: Repo, plan: Plan) -> list[str]:
    """Bring the data of a worktree. Returns what the run depends on and is not on this machine."""
    brought = worktree.bring(place, quick=bool(plan.command))
    return inputs.depended(place, brought.missing) if brought.missing else []
