"""Which objects lie on which DVC remote, and what lies where it must not."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from git_mlops.data import cache, dvc
from git_mlops.data.pointers import Out
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo


class Where(NamedTuple):
    """One output on one remote."""

    out: Out
    remote: str
    has: int
    """Objects of it that are there; of a directory its files and its listing."""
    of: int
    wrong: bool
    """Whether it is sensitive, and the remote is none for that."""
    problem: str = ""
    """Why the remote could not be asked."""


def where(repo: Repo, outs: Iterable[Out], sensitive: Sequence[str]) -> list[Where]:
    """Every remote is asked for every object; one that cannot be asked does not keep the others from it."""
    wanted = [out for out in outs if out.cache]
    parts = {
        out: {out.hash, *(one.hash for one in (cache.members(repo, out).values() if out.is_dir else ()))}
        for out in wanted
    }
    found = []
    for name in dvc.every_remote(repo) if wanted else ():
        try:
            there = dvc.remove(repo, set().union(*parts.values()), name, dry=True).before
            problem = ""
        except MlopsError as error:
            there, problem = frozenset(), str(error)
        for out, hashes in parts.items():
            here = len(hashes & there)
            wrong = bool(sensitive) and out.sensitive and name not in sensitive and here > 0
            found.append(Where(out, name, here, len(hashes), wrong, problem))
    return found
