"""After git changed the files of the worktree: the data follows the pointers."""

import shlex
import time
from collections.abc import Collection, Iterable, Mapping, Sequence

from git_mlops import config, ui
from git_mlops.data import cache, dvc, follow, listing, purges, workspace
from git_mlops.data.follow import Followed
from git_mlops.data.pointers import Out
from git_mlops.data.purges import Purge
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
    done = follow.follow(repo, again=again, parts=True)
    if tell:
        _tell(_without_purged(repo, done))
    triage.followed(repo, since=started)
    _settle(repo)
    return done


def _without_purged(repo: Repo, done: Followed) -> Followed:
    """Say of what was withdrawn that it was: nobody can download it."""
    missing = {*done.missing, *done.parts}
    wanted = [out for out in listing.in_workspace(repo) if out.path in missing] if missing else []
    gone = purges.of_outs(repo, wanted)
    tell_purged(repo, gone.items())
    paths = {out.path for out in gone}
    return done._replace(missing=[path for path in done.missing if path not in paths])


def tell_purged(repo: Repo, some: Iterable[tuple[Out, Purge]]) -> None:
    """That data was withdrawn, once for each path, and what to do with a pointer that names it."""
    by_path = {(out.path, purge.id): (out, purge) for out, purge in some}
    known = purges.in_force(repo) if by_path else {}
    for out, purge in list(by_path.values())[:5]:
        if purge.part_of(out):
            _tell_part(repo, out, known)
            continue
        hint = (
            f"`git mlops purge --show {purge.id}`; data without it: `git mlops add {shlex.quote(out.path)}`"
        )
        ui.warn(f"`{out.path}`: {purge.sentence()}", hint=hint)
    if len(by_path) > 5:
        ui.warn(f"and {len(by_path) - 5} more that were purged", hint="`git mlops purge --list`")


def _tell_part(repo: Repo, out: Out, known: Mapping[str, Purge]) -> None:
    """One line for each withdrawal that took files of a directory."""
    files: dict[Purge, list[str]] = {}
    for name, one in cache.members(repo, out).items():
        if one.hash in known:
            files.setdefault(known[one.hash], []).append(f"`{name}`")
    for purge, names in files.items():
        ui.warn(f"`{out.path}` is without {listed(names)}, {purge.sentence()}")


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
