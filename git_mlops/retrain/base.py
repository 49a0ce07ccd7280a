"""The branch that a retrained model is to enter, and where it stands."""

from typing import NamedTuple

from git_mlops.errors import MlopsError
from git_mlops.git import config, refs, remotes
from git_mlops.git.repo import Repo, resolve
from git_mlops.git.run import GitError


class Base(NamedTuple):
    """Where the work starts."""

    branch: str
    """Its name, as the remote knows it."""
    commit: str
    remote: str | None
    """None: there is no remote."""
    shown: str
    """For people: `origin/main`."""
    ahead: int = 0
    """Commits of the local branch that the remote's has not."""


def find(repo: Repo, wanted: str | None, remote: str | None, *, fresh: bool = False) -> Base:
    """The default branch of the remote, as fetched last; without a remote the local one.

    Args:
        fresh: fetch it first.

    Raises:
        MlopsError: nobody says which it is, or there is no such branch (2); the remote is out of reach (3).
    """
    known = config.read(repo, r"^remote\..*\.url$")
    source = remotes.chosen(repo, remote) if known or remote else None
    if wanted is not None:
        return _named(repo, wanted, source, fresh=fresh)
    name = (_of_remote(repo, source) if source else None) or _local(repo)
    if name is None:
        raise MlopsError("which branch is a retrained model to enter?", hint="`--base BRANCH`")
    if fresh and source:
        _fetch(repo, source, name)
    there = refs.read(repo, f"refs/remotes/{source}/{name}") if source else None
    here = refs.read(repo, f"refs/heads/{name}")
    commit = there or here
    if commit is None:
        raise MlopsError(
            f"the branch `{name}` is not in this clone", hint=f"`git fetch {source or 'REMOTE'}`"
        )
    ahead = int(repo.text("rev-list", "--count", here, f"^{there}")) if here and there else 0
    return Base(name, commit, source, f"{source}/{name}" if there else name, ahead)


def _named(repo: Repo, wanted: str, remote: str | None, *, fresh: bool) -> Base:
    short = wanted.removeprefix("refs/heads/")
    name = short.removeprefix(f"{remote}/")
    own = refs.read(repo, f"refs/heads/{short}")
    if fresh and remote and own is None and refs.read(repo, f"refs/remotes/{remote}/{name}"):
        _fetch(repo, remote, name)
    tracking = f"refs/remotes/{remote}/{short}"
    if own is None and refs.read(repo, tracking):
        return Base(short, resolve(repo, tracking), remote, f"{remote}/{short}")
    return Base(name, resolve(repo, wanted), remote, short)


def _fetch(repo: Repo, remote: str, name: str) -> None:
    """A remote that does not have the branch (yet) is no error here."""
    ref = f"refs/heads/{name}"
    try:
        if not repo.text("ls-remote", "--refs", remote, ref):
            return
        spec = f"+{ref}:refs/remotes/{remote}/{name}"
        repo.git("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", remote, spec)
    except GitError as error:
        raise remotes.unreachable(remote, error) from error


def _of_remote(repo: Repo, remote: str) -> str | None:
    """As the clone noted it; else (a CI's checkout) as the remote says; else as most are called."""
    prefix = f"refs/remotes/{remote}/"
    noted = repo.text("symbolic-ref", "--quiet", f"{prefix}HEAD", ok=(0, 1, 128))
    if noted.startswith(prefix):
        return noted.removeprefix(prefix)
    try:
        said = repo.text("ls-remote", "--symref", remote, "HEAD").splitlines()
    except GitError:
        said = []
    told = next((line for line in said if line.startswith("ref: refs/heads/")), None)
    if told is not None:
        return told.removeprefix("ref: refs/heads/").partition("\t")[0]
    return next((name for name in _USUAL if refs.read(repo, f"{prefix}{name}")), None)


def _local(repo: Repo) -> str | None:
    usual = next((name for name in _USUAL if refs.read(repo, f"refs/heads/{name}")), None)
    return usual or repo.text("symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1, 128)) or None


_USUAL = ("main", "master")
