"""What of a remote's experiments may stand here under their names, and what has to be held back.

A local experiment is never replaced, and no name means two things. What is held back is at
`refs/mlops/remotes/<remote>/exps/`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from git_mlops.experiments import names
from git_mlops.git import objects
from git_mlops.git.refs import Move, Ref
from git_mlops.git.repo import Repo


class Rejected(NamedTuple):
    """A ref that the other side did not take, or that was not offered here."""

    name: str
    reason: str
    hint: str | None = None


class Offered(NamedTuple):
    """What is here now of what the remote has."""

    new: list[Ref]
    equal: list[Ref]
    held: list[Rejected]


class Judged(NamedTuple):
    """What came, in the light of what was here."""

    offered: Offered
    back: list[Move]
    """Of refs that must not be here, and of those that hold them."""
    missing: list[Ref]
    """What may be here, and git could not write."""
    local: Mapping[str, str]
    """Everything below `refs/exps/` in the end."""


def judge(
    repo: Repo,
    remote: str,
    got: Mapping[str, str],
    before: Sequence[Ref],
    state: Sequence[Ref],
    *,
    written: bool = False,
) -> Judged:
    """What of the fetched may be here, and what has to be moved for it.

    Args:
        got: what the remote has.
        before: refs as they were before the fetch.
        state: refs as they are.
        written: `state` was before the fetch, and git has written all that it got.
    """
    theirs = {name: oid for name, oid in sorted(got.items()) if name.startswith(names.PREFIX)}
    was, now = own(before), own(state)
    now |= theirs if written else {}
    came = {name for name, oid in theirs.items() if now.get(name) == oid != was.get(name)}
    local = {name: oid for name, oid in now.items() if name not in came}
    local |= {name: was[name] for name in came if name in was}
    wanted = (Ref(name, oid) for name, oid in theirs.items() if names.parse_ref(name))
    offered = offer(repo, remote, wanted, taken(local, state))
    good = {ref.name for ref in offered.new}
    holds, known = [], held(remote, state)
    for name, oid in theirs.items():
        if name in good or local.get(name) == oid:
            continue
        if name in came:
            holds.append(Move(name, was.get(name), oid))
        old = known.get(name.removeprefix(names.PREFIX))
        if old != oid:
            holds.append(Move(names.held(remote, name), oid, old))
    missing = [ref for ref in offered.new if ref.name not in now]
    return Judged(offered, holds, missing, local | {ref.name: ref.oid for ref in offered.new})


class Taken(NamedTuple):
    """What is here already."""

    local: Mapping[str, str]
    """Everything below `refs/exps/`."""
    used: dict[str, str]
    """Names that experiments, branches and tags have, and their refs."""
    folders: Mapping[str, str]
    """Where an experiment could be, but something is below it."""

    def problem(self, remote: str, ref: Ref, *, commit: bool) -> Rejected | None:
        """Why an experiment of a remote cannot stand here under its name, or None."""
        name = ref.name.rpartition("/")[2]
        if not commit:
            return Rejected(name, "it is no commit, so no experiment")
        if name in self.used:
            place, owner = names.held(remote, ref.name), self.used[name]
            hint = f"`git update-ref {ref.name}-2 {place}` takes it as `{name}-2`"
            what = (
                f"`{owner}` has its name"
                if owner.startswith(names.NAMED)
                else "another one of this name is here"
            )
            return Rejected(name, f"{what}; it is at `{place}`", hint)
        if names.problem(name):
            return Rejected(name, f"no valid name; it is at `{names.held(remote, ref.name)}`")
        folder = ref.name.rpartition("/")[0]
        above = (one for one in (folder, folder.rpartition("/")[0]) if one in self.local)
        other = self.folders.get(ref.name) or next(above, None)
        place = names.held(remote, ref.name)
        return Rejected(name, f"`{other}` is in its way; it is at `{place}`") if other else None


def taken(local: Mapping[str, str], state: Iterable[Ref]) -> Taken:
    """What is here already.

    Args:
        local: everything below `refs/exps/`.
        state: branches and tags, and whatever else.
    """
    used = {name.rpartition("/")[2]: name for name in local if names.parse_ref(name)}
    used |= {ref.name.split("/", 2)[2]: ref.name for ref in state if ref.name.startswith(names.NAMED)}
    # experiments stand at one depth
    deeper = sorted((name for name in local if name.count("/") > _DEPTH), reverse=True)
    return Taken(local, used, {"/".join(name.split("/")[: _DEPTH + 1]): name for name in deeper})


_DEPTH = names.baseline_prefix("0" * 40).count("/")


def offer(repo: Repo, remote: str, theirs: Iterable[Ref], here_: Taken) -> Offered:
    """What may be made local because it is not here under any meaning; the rest is equal, or held back."""
    wanted = list(theirs)
    found = Offered([], [], [])
    commits = objects.commits(repo, (ref.oid for ref in wanted))
    for ref in wanted:
        if here_.local.get(ref.name) == ref.oid and ref.oid in commits:
            found.equal.append(ref)
        elif why := here_.problem(remote, ref, commit=ref.oid in commits):
            found.held.append(why)
        else:
            found.new.append(ref)
            here_.used[ref.name.rpartition("/")[2]] = ref.name
    return found


def own(found: Sequence[Ref]) -> dict[str, str]:
    """Everything below `refs/exps/`."""
    return {ref[0]: ref[1] for ref in found if ref[0].startswith(names.PREFIX)}


def held(remote: str, found: Sequence[Ref]) -> dict[str, str]:
    """What is held of a remote, by its name below `refs/exps/`."""
    prefix = names.held(remote, names.PREFIX)
    return {ref[0].removeprefix(prefix): ref[1] for ref in found if ref[0].startswith(prefix)}


def stale(
    remote: str, places: Sequence[str], got: Mapping[str, str], local: Mapping[str, str], state: Sequence[Ref]
) -> list[Move]:
    """What need not be held any more: the remote has it no more, or it is here."""
    gone = []
    prefix, along = names.held(remote, names.PREFIX), names.held_along(remote)
    for ref in state:
        if ref[0].startswith(prefix):
            name = names.PREFIX + ref[0].removeprefix(prefix)
            unneeded = name.startswith(tuple(places)) and (name not in got or got[name] == local.get(name))
        elif ref[0].startswith(along):
            unneeded = names.ALONG + ref[0].removeprefix(along) not in got
        else:
            unneeded = False
        if unneeded:
            gone.append(Move(ref[0], None, ref[1]))
    return gone
