"""A remote's experiments fetched straight to `refs/exps/`; what must not stand there is taken back.

To hold each under another name first, as `exp pull NAME` does, writes every ref twice: a second for a
thousand. So git itself writes them, never by force, and what came is looked at before anything else is done.
What `offering` holds back is moved to `refs/mlops/remotes/<remote>/exps/`, and what git took for a
fast-forward of an experiment here is set back.

What the remote has is read from FETCH_HEAD, but not from the user's: the fetch has a git directory of its
own, as a linked worktree has. Beside it stands what was here before, so that the next fetch takes back what
one that was killed left.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from git_mlops.errors import MlopsError
from git_mlops.experiments import names, offering
from git_mlops.experiments.offering import Offered, Rejected
from git_mlops.git import config, refs, remotes, run
from git_mlops.git.refs import Move, Ref, RefMovedError
from git_mlops.git.repo import Repo
from git_mlops.git.run import GitError

if TYPE_CHECKING:
    from subprocess import Popen  # noqa: TID251  # what is said of it, not one that is started

_FOLDER = "fetching"
_BEFORE = "before"
_DAY = 24 * 3600
_ATTEMPTS = 5
_GRACE = 2
"""Seconds that git has to end by itself."""
_PATIENCE = 20
"""Milliseconds that git waits for each lock of a ref; a git that was killed may have left hundreds."""
_STALE = 0.5
"""Seconds after which a lock of a ref is nobody's: a git that lives has it for less."""
_DIED = 128
"""git's status where it could not ask, or not read the answer."""
_OPTIONS = (
    "--quiet", "--no-tags", "--refmap=", "--no-recurse-submodules", "--no-auto-maintenance",
    # whatever is configured: nothing here is deleted, and what is no fast-forward is refused
    "--no-prune", "--show-forced-updates",
)  # fmt: skip


def possible(repo: Repo) -> bool:
    """Whether git works here the same with another git directory."""
    # other kinds of refs keep each worktree's in a form of their own
    if (repo.common_dir / "reftable").exists():
        return False
    return all(key.removesuffix(".path").endswith("/") for key in config.read(repo, config.PLACED))


def here(repo: Repo) -> list[Ref]:
    """What `begun` has to know."""
    return refs.list_refs(repo, *names.DECISIVE)


def direct(repo: Repo) -> list[Ref] | None:
    """What is here, if all that comes may go straight to its place: not what was archived; else None."""
    found = here(repo) if possible(repo) else None
    return None if found is None or any(ref[0].startswith(names.ARCHIVE) for ref in found) else found


def specs(places: Sequence[str], held: str | None = None) -> list[str]:
    """Refspecs of the experiments at some places, but for DVC's own bookkeeping.

    Args:
        held: the remote whose experiments are held, whatever was held before; None: straight to their place.
    """
    if held is None:
        found = [f"{place}*:{place}*" for place in places]
    else:
        found = [f"+{place}*:{names.held(held, place)}*" for place in places]
    if list(places) == [names.PREFIX]:
        found += [f"^{names.PREFIX}{own}{end}" for own in names.BOOKKEEPING for end in ("", "/*")]
    return found


def begun(repo: Repo, remote: str, places: Sequence[str], before: Sequence[Ref]) -> Coming:
    """Start to fetch. Whoever calls this closes what it returns, after Ctrl-C, too.

    Args:
        places: prefixes of refs.
        before: what `here` said.
    """
    if _left(repo):
        before = _mended(repo, before)
    return Coming(repo, remote, tuple(places), before)


class Coming:
    """A fetch under way."""

    def __init__(self, repo: Repo, remote: str, places: tuple[str, ...], before: Sequence[Ref]) -> None:
        self.repo, self.remote, self.places = repo, remote, places
        self.before = before
        self._open = True
        self.along = True
        """Whether there may be something of MLflow's that is not about runs, to be taken in."""
        mine = offering.own(before)
        differing = any(
            mine.get(names.PREFIX + name) != oid for name, oid in offering.held(remote, before).items()
        )
        self._tidying: tuple[Popen[bytes], IO[bytes]] | None = None
        self._began = time.time_ns()
        self._folder = _folder(repo)
        self._lock = _journal(self._folder, remote, before)
        # all or none is quicker, but one that differs stops the rest
        self._all_or_none = not differing
        self._start()

    def _start(self) -> None:
        lines = [*specs(self.places), f"+{names.ALONG}*:{names.held_along(self.remote)}*"]
        options = ("--atomic",) if self._all_or_none else ()
        self._process, self._said = run.aside(
            "-c", f"core.filesRefLockTimeout={_PATIENCE}",
            "fetch", *options, *_OPTIONS, "--stdin", self.remote,
            cwd=self.repo.root,
            stdin="".join(f"{line}\n" for line in lines).encode(),
            extra={"GIT_DIR": str(self._folder), "GIT_WORK_TREE": str(self.repo.root)},
            kept=self._lock,
        )  # fmt: skip

    def offered(self) -> Offered:
        """Wait, take back what must not be here, and say what is.

        Raises:
            MlopsError: the remote cannot be reached (exit code 3).
        """
        error = self._wait()
        got = _fetch_head(self._folder)
        if error and self._all_or_none and 0 < error.status != _DIED and not got:
            self._all_or_none = False
            self._start()
            error = self._wait()
            got = _fetch_head(self._folder)
        # what is no fast-forward was refused: an answer
        whole = error is None or (error.status == 1 and bool(got))
        now = None if error is None else here(self.repo)
        found = self._offer(got, now, whole=whole)
        self._done()
        self.along = not whole or any(name.startswith(names.ALONG) for name in got)
        if not whole:
            assert error
            raise _failed(self.remote, error) from error
        if found.new:
            # as after every fetch, but in the user's own git directory
            self._tidying = run.aside("maintenance", "run", "--auto", "--quiet", cwd=self.repo.root)
        return found

    def close(self) -> None:
        """End it. After Ctrl-C or an error elsewhere what came until now is looked at."""
        if self._tidying:
            process, said = self._tidying
            process.wait()
            said.close()
            self._tidying = None
        if not self._open:
            return
        run.ended(self._process, _GRACE)
        self._said.close()
        _unlock(self.repo, self._began, self._folder)
        now = here(self.repo)
        known = {ref.name for ref in self.before}
        fresh = (ref for ref in now if ref.name not in known and ref.name.startswith(self.places))
        # git lists what it fetched last of all, so it may have come no further
        came = {ref.name: ref.oid for ref in fresh if names.parse_ref(ref.name)}
        self._offer(came | _fetch_head(self._folder), now, whole=False)
        self._done()

    def _wait(self) -> GitError | None:
        status = self._process.wait()
        with self._said:
            self._said.seek(0)
            said = self._said.read().decode("utf-8", "replace")
        return GitError(("fetch", self.remote), status, said) if status else None

    def _done(self) -> None:
        self._open = False
        self._lock.close()
        _remove(self._folder)

    def _offer(self, got: Mapping[str, str], now: Sequence[Ref] | None, *, whole: bool) -> Offered:
        for _attempt in range(_ATTEMPTS):
            state = self.before if now is None else now
            with suppress(RefMovedError):
                return self._settled(got, state, whole=whole, written=now is None)
            now = here(self.repo)
        raise RefMovedError("other processes kept moving experiments", hint="run the command again")

    def _settled(
        self, got: Mapping[str, str], state: Sequence[Ref], *, whole: bool, written: bool
    ) -> Offered:
        """Move what has to be moved, and say what is here then."""
        judged = offering.judge(self.repo, self.remote, got, self.before, state, written=written)
        reason = f"mlops exp pull: {self.remote}"
        if whole:
            # by itself: a name may be free for what has to be held only then
            gone = offering.stale(self.remote, self.places, got, judged.local, state)
            refs.move(self.repo, gone, reason)
        refs.move(self.repo, judged.back, reason)
        if not whole:
            return judged.offered
        stuck = {ref: lock for ref in judged.missing if (lock := _lock(self.repo, ref)).exists()}
        moves = [Move(ref.name, ref.oid, None) for ref in judged.missing if ref not in stuck]
        refs.move(self.repo, moves, reason)
        new = [ref for ref in judged.offered.new if ref not in stuck]
        held = [*judged.offered.held, *(_stuck(ref, lock) for ref, lock in stuck.items())]
        return judged.offered._replace(new=new, held=held)


def _lock(repo: Repo, ref: Ref) -> Path:
    return repo.common_dir / f"{ref.name}.lock"


def _stuck(ref: Ref, lock: Path) -> Rejected:
    name = ref.name.rpartition("/")[2]
    hint = f"where no git works here: `rm '{lock}'`, then pull again"
    return Rejected(name, "its lock is there, of a git that works here now, or was killed", hint)


def _unlock(repo: Repo, since: int, folder: Path) -> None:
    """Take locks of refs away that a fetch which has ended has left.

    Between making a lock and being ready to take it away git can be ended by a signal. Whoever lives has the
    lock of a ref for milliseconds; only another fetch of ours may have hundreds for longer.

    Args:
        since: when the fetch began, in nanoseconds since 1970.
        folder: the fetch's own.
    """
    if any(_lives(other) for other in _left(repo) if other != folder):
        return
    places = (repo.common_dir / names.PREFIX, repo.common_dir / names.REMOTE_PREFIX)
    found = {}
    for lock in (lock for place in places for lock in place.rglob("*.lock")):
        with suppress(OSError):
            if lock.stat().st_mtime_ns > since - 10**9:  # clocks of files are coarse
                found[lock] = _identity(lock)
    if found:
        time.sleep(_STALE)
    for lock, identity in found.items():
        with suppress(OSError):
            if _identity(lock) == identity:
                lock.unlink()


def _identity(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_ino, status.st_mtime_ns


def _lives(folder: Path) -> bool:
    """Whether a fetch is under way there: it, or its git, holds a lock."""
    try:
        with (folder / _BEFORE).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _failed(remote: str, error: GitError) -> MlopsError:
    if "aborted by hook" not in error.stderr:
        return remotes.unreachable(remote, error)
    said = f"a hook refused the experiments of `{remote}`: {' '.join(error.stderr.split())}"
    return MlopsError(said, hint="`git rev-parse --git-path hooks/reference-transaction` says where it is")


# -- the git directory of a fetch ----------------------------------------------------------------------------


def _folder(repo: Repo) -> Path:
    """As a linked worktree's: only what is of one worktree alone, and where the rest is."""
    folder = repo.private / _FOLDER / f"{os.getpid()}-{time.time_ns()}"
    folder.mkdir(parents=True)
    (folder / "HEAD").write_bytes(b"ref: refs/heads/main\n")  # git's own may be a link to nothing yet
    for name in ("HEAD", "config.worktree"):
        with suppress(FileNotFoundError):
            (folder / name).write_bytes((repo.git_dir / name).read_bytes())
    (folder / "commondir").write_bytes(os.fsencode(repo.common_dir) + b"\n")
    return folder


def _journal(folder: Path, remote: str, before: Sequence[Ref]) -> IO[bytes]:
    """What was here, for whoever finds it. It is locked for as long as this process, or its git, lives."""
    new = folder / f"{_BEFORE}.new"
    file = new.open("wb")
    fcntl.flock(file, fcntl.LOCK_EX)
    lines = [remote, *(f"{ref[0]} {ref[1]}" for ref in before if ref[0].startswith(names.PREFIX))]
    file.write("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))
    file.flush()
    new.rename(folder / _BEFORE)
    return file


def _fetch_head(folder: Path) -> dict[str, str]:
    """Refs of the remote and what they are there."""
    try:
        text = (folder / "FETCH_HEAD").read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return {}
    found = {}
    for line in text.split("\n")[:-1]:
        oid, _marked, what = line.split("\t", 2)
        if what.startswith("'refs/"):  # no name of a ref has a space in it, but it may have a quote
            found[what[1 : what.index("' ")]] = oid
    return found


def _left(repo: Repo) -> list[Path]:
    try:
        return [Path(one.path) for one in os.scandir(repo.private / _FOLDER)]
    except FileNotFoundError:
        return []


def _mended(repo: Repo, before: Sequence[Ref]) -> Sequence[Ref]:
    """Take back what fetches that were killed have left; then what is here."""
    for folder in _left(repo):
        if not (folder / _BEFORE).exists():
            with suppress(OSError):
                if time.time() - folder.stat().st_mtime > _DAY:
                    _remove(folder)
            continue
        # one that lives holds the lock
        with suppress(OSError, RefMovedError), (folder / _BEFORE).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _unlock(repo, int(folder.name.rpartition("-")[2]), folder)
            remote, *lines = file.read().decode("utf-8", "surrogateescape").split("\n")
            was = [Ref(*line.split(" ")) for line in lines if line]
            now = here(repo)
            judged = offering.judge(repo, remote, _fetch_head(folder), was, now)
            refs.move(repo, judged.back, f"mlops exp pull: {remote}")
            _remove(folder)
            before = here(repo)
    return before


def _remove(folder: Path) -> None:
    with suppress(OSError):
        for file in os.scandir(folder):
            Path(file.path).unlink()
        folder.rmdir()
