"""Remotes of git: which one is meant, and what is said when it cannot be used."""

from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.git import config
from git_mlops.git.repo import Repo
from git_mlops.git.run import GitError

URLS = r"^remote\..*\.url$"
"""The keys that name remotes, for `config.read`."""


def chosen(repo: Repo, name: str | None) -> str:
    """The git remote that is named, or `origin`, or the only one.

    Raises:
        MlopsError: there is none.
    """
    found = _names(repo)
    if name is not None and name in found:
        return name
    if name is not None:
        known = f"known: {', '.join(found)}" if found else f"`git remote add {name} URL`"
        raise MlopsError(f"no git remote `{name}`", hint=known)
    if "origin" in found or len(found) == 1:
        return "origin" if "origin" in found else found[0]
    if found:
        raise MlopsError("which git remote?", hint=f"`--remote NAME`; there are {', '.join(found)}")
    raise MlopsError("this repository has no git remote", hint="`git remote add origin URL`")


def usual(repo: Repo) -> list[str]:
    """The git remotes to ask where none is named: `origin`, or the only one; else all of them."""
    found = _names(repo)
    return ["origin"] if "origin" in found else found


def _names(repo: Repo) -> list[str]:
    keys = config.read(repo, URLS)
    return [key.removeprefix("remote.").removesuffix(".url") for key in keys]


def unreachable(remote: str, error: GitError) -> MlopsError:
    """What git said of a remote that it could not use (exit code 3)."""
    if f"'{remote}' does not appear to be a git repository" in error.stderr and ":" not in remote:
        return MlopsError(  # git takes a name that it does not know for a path
            f"there is no git remote `{remote}`",
            hint=f"`git remote -v` lists them; `git remote add {remote} URL` makes one",
            exit_code=CANNOT_EVALUATE,
        )
    return MlopsError(
        f"the git remote `{remote}` cannot be used: {' '.join(error.stderr.split())}",
        hint=f"is `git remote get-url {remote}` right, and may you read and write there?",
        exit_code=CANNOT_EVALUATE,
    )
