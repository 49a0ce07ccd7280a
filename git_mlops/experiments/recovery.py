"""Runs whose recorder is gone become interrupted experiments; what they left is tidied up."""

from git_mlops.errors import MlopsError
from git_mlops.experiments import journal, names, rescue, sealing, tracked, worktree
from git_mlops.experiments.journal import Journal
from git_mlops.git import refs
from git_mlops.git.refs import Move, RefMovedError
from git_mlops.git.repo import Repo


def recover(repo: Repo) -> list[str]:
    """Turn the runs of killed recorders into interrupted experiments; their refs."""
    found = sealing.recover(repo)
    for run in journal.under_way(repo):
        if journal.alive(run) or names.parse_ref(run.ref) is None:
            continue
        held = refs.read(repo, journal.holder(run.id))
        if held is None or _publish(repo, run, held):  # without its holder it was recorded, or never began
            journal.end(repo, run)
            found += [run.ref] if held else []
    worktree.sweep(repo)
    return found


def _publish(repo: Repo, run: Journal, held: str) -> bool:
    with worktree.abandoned(repo, run.root) as left:
        if left.busy:
            return False  # another process is at it; what it leaves is found next time
        ref = _free(repo, run.ref)
        try:
            whole = rescue.rescued(
                repo, held, tracked.folder(repo, run.id), ref.rpartition("/")[2], left.place
            )
        except MlopsError:
            whole = held  # better without what was tracked than not at all
        moves = [Move(ref, whole, None), Move(journal.holder(run.id), None, held)]
        try:
            refs.move(repo, moves, "mlops exp: interrupted")
        except RefMovedError:
            return False
    return True


def _free(repo: Repo, ref: str) -> str:
    return f"{ref}-interrupted" if refs.read(repo, ref) else ref
