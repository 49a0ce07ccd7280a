"""After git changed the files of the worktree: the data follows the pointers."""

import shlex
import time
from collections.abc import Collection, Sequence

from git_mlops import config, ui
from git_mlops.data import dvc, follow, workspace
from git_mlops.data.follow import Followed
from git_mlops.errors import INTERRUPTED, MlopsError
from git_mlops.git.repo import Repo, discover
from git_mlops.hooks import conflicts_file, triage


def run(name: str, _arguments: Sequence[str]) -> int:
    """Never fails git's operation: it is done by now, and what stays open is said."""
    repo = discover()
    if name == "post-index-change":
        _tell_conflicts(repo)
    try:
        bring(repo)
    except KeyboardInterrupt:
        _interrupted(repo, name)
        return INTERRUPTED
    return 0


def _tell_conflicts(repo: Repo) -> None:
    for path, remover in conflicts_file.half_removed(repo).items():
        data = shlex.quote(path.removesuffix(".dvc"))
        other = "theirs" if remover == "ours" else "ours"
        ui.warn(
            f"`{path}`: {remover} removed it, {other} changed it",
            hint=f"`git mlops merge-file --{other} {data}` keeps it, `--{remover}` removes it",
        )


def _interrupted(repo: Repo, name: str) -> None:
    """Git is gone, too: in post-index-change it may have had HEAD still to move."""
    staged = repo.text("diff-index", "--cached", "--name-only", "HEAD", "--", ok=(0, 128))
    if name == "post-index-change" and staged:
        hint = (
            "the same command again may finish it; `git reset --hard` goes back to HEAD, "
            "without what was not committed"
        )
        ui.error("interrupted: the files are the new ones, and git has not moved HEAD", hint=hint)
    else:
        ui.error("interrupted: not all data is here", hint="`git mlops pull` goes on")


def bring(repo: Repo, *, again: Collection[str] = (), tell: bool = True) -> Followed | None:
    """Bring the data to the pointers and let sh know; None where the checked-out commit has no DVC.

    Paths in `again` are restored also when somebody deleted them.
    """
    started = time.time()
    if not dvc.initialised(repo):
        triage.followed(repo, since=started)
        return None
    dvc.prepare_worktree(repo)
    done = follow.follow(repo, again=again)
    if tell:
        _tell(done)
    triage.followed(repo, since=started)
    _settle(repo)
    return done


def _settle(repo: Repo) -> None:
    now = time.time()
    try:
        settings = config.load(repo).config
    except MlopsError:
        triage.forget(repo)
        return
    triage.write(repo, settings, settled=None if workspace.modified(repo) else now)


def _tell(done: Followed) -> None:
    if done.updated:
        ui.note(f"data follows: {listed(done.updated)}")
    if done.kept:
        hint = (
            "its pointer moved on: move yours away and `git mlops pull` for the new data, "
            "or `git mlops add --force` puts yours over it"
        )
        ui.warn(f"kept, because it was changed here and not added: {listed(done.kept)}", hint=hint)
    if done.missing:
        ui.warn(f"its data is not here: {listed(done.missing)}", hint="`git mlops pull` downloads it")


def listed(paths: Sequence[str]) -> str:
    """At most five of them, and how many more there are."""
    shown = ", ".join(paths[:5])
    return shown if len(paths) <= 5 else f"{shown} and {len(paths) - 5} more"
