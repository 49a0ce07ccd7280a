"""`exp pull`: refs first, then the data that they need, with explicit refspecs only.

A local experiment is never overwritten by another of the same name: that is held back, under
`refs/mlops/remotes/<remote>/exps/`. What every commit has, or HEAD, comes as `fetching` says; what is chosen
by name or by an expression as `choosing` does. Git fetches while this is imported: what few need comes late.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from git_mlops.errors import FINDINGS, OK
from git_mlops.experiments import fetching, names, pointed, stores
from git_mlops.experiments.settings import Settings
from git_mlops.git import remotes
from git_mlops.git.repo import Repo, head

if TYPE_CHECKING:
    from git_mlops.experiments.fetching import Coming
    from git_mlops.experiments.offering import Rejected
    from git_mlops.git.refs import Ref


class What(NamedTuple):
    """Which experiments: by name, all, or those of HEAD."""

    names: tuple[str, ...] = ()
    everything: bool = False
    data: bool = True
    where: str | None = None
    """Of these only those that an expression is true of."""
    settings: Settings = Settings()


class Pulled(NamedTuple):
    """What `exp pull` did."""

    remote: str
    new: tuple[str, ...]
    equal: tuple[str, ...]
    held: tuple[Rejected, ...]
    """Fetched, but not offered: a local experiment of that name differs, or the name is taken."""
    data: stores.Moved
    archived: tuple[str, ...] = ()
    """Folded into an archive here, so not brought back unless they are named."""

    @property
    def exit_code(self) -> int:
        """1 when something is held back or its data is missing."""
        return FINDINGS if self.held or self.data.missing else OK


def pull(
    repo: Repo, what: What, remote: str | None, data_remote: str | None, *, fetch: Coming | None = None
) -> Pulled:
    """Fetch experiments, offer them, fetch their data into the cache.

    Args:
        fetch: of everything from a remote, where it has been started already.

    Raises:
        MlopsError: no such remote or experiment; the remote cannot be reached (exit code 3).
    """
    source = fetch.remote if fetch else remotes.chosen(repo, remote)
    folded: list[Ref] = []
    if fetch:
        found = fetch.offered()
    elif not what.names and what.where is None and (here := fetching.direct(repo)) is not None:
        with closing(fetching.begun(repo, source, places(repo, what), here)) as own:
            found = own.offered()
    else:
        from git_mlops.experiments import choosing

        found, folded = choosing.held_first(repo, source, what)
    moved = stores.NOTHING
    if what.data:
        outs = pointed.of_commits(repo, (ref.oid for ref in (*found.new, *found.equal)))
        moved = stores.pull(repo, [out for out in outs if out.cache and out.push], data_remote)
    new, equal, left = (tuple(map(names.of_ref, some)) for some in (found.new, found.equal, folded))
    return Pulled(source, new, equal, tuple(found.held), moved, left)


def places(repo: Repo, what: What) -> list[str]:
    """Where the experiments are that are meant: everywhere, or at HEAD and at what its content was before."""
    tip = None if what.everything else head(repo)
    if tip is None:
        return [names.PREFIX]
    from git_mlops.experiments import belonging

    return [names.baseline_prefix(oid) for oid in belonging.find(repo, what.settings, tip).baselines]
