"""`exp push` and `exp pull`: data first, then refs, each in one git process, with explicit refspecs only.

A local experiment is never overwritten by another of the same name: that is held back, under
`refs/mlops/remotes/<remote>/exps/`. So are all that are asked for by name or by an expression, before they
are offered; whole commits come as `fetching` says.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from git_mlops.data.pointers import Out
from git_mlops.errors import FINDINGS, OK, NotFoundError
from git_mlops.experiments import (
    archive,
    belonging,
    committed,
    fetching,
    inputs,
    names,
    offering,
    present,
    read,
    stores,
)
from git_mlops.experiments.fetching import Coming
from git_mlops.experiments.offering import Offered, Rejected
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.tree import Trees
from git_mlops.git import refs, remotes
from git_mlops.git.reader import Reader, reader
from git_mlops.git.refs import Move, Ref
from git_mlops.git.repo import Repo, head
from git_mlops.git.run import GitError

# refspecs are arguments: thousands of them must not pass the system's limit
_AT_ONCE = 4000
_FEW = 20


class Pushed(NamedTuple):
    """What `exp push` did."""

    remote: str
    sent: tuple[str, ...]
    equal: tuple[str, ...]
    """Names that the remote had already."""
    rejected: tuple[Rejected, ...]
    data: stores.Moved
    unasked: tuple[str, ...] = ()
    """Failed and interrupted ones, and what `exp apply` saved: they go only when they are named."""
    twice: tuple[str, ...] = ()
    """Names that several of them have: a colleague can take only one under it."""

    @property
    def exit_code(self) -> int:
        """1 when something did not arrive."""
        return FINDINGS if self.rejected or self.data.missing else OK


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


class What(NamedTuple):
    """Which experiments: by name, all, or those of HEAD."""

    names: tuple[str, ...] = ()
    everything: bool = False
    data: bool = True
    where: str | None = None
    """Of these only those that an expression is true of."""
    settings: Settings = Settings()


def push(repo: Repo, what: What, remote: str | None, data_remote: str | None) -> Pushed:
    """Send experiments to a git remote, their data to the DVC remote before.

    Raises:
        MlopsError: no such remote or experiment; the remote cannot be reached (exit code 3).
    """
    target = remotes.chosen(repo, remote)
    chosen, unasked = _chosen(repo, what)
    moved: stores.Moved = stores.NOTHING
    incomplete: dict[Ref, Out] = {}
    if what.data:
        outs = needed(repo, chosen)
        moved = stores.push(repo, _all(outs), data_remote)
        incomplete = _incomplete(outs, moved)
    whole = [ref for ref in chosen if ref not in incomplete]
    lines = [line for part in _parts(_specs(repo, whole)) for line in _push(repo, target, part)]
    bad = [Rejected(name, _reason(said)) for flag, name, said in lines if flag == "!"]
    bad += [
        Rejected(_name(ref), f"`{out.path}` is neither here nor there") for ref, out in incomplete.items()
    ]
    sent = tuple(name for flag, name, _said in lines if flag in (" ", "*", "+"))
    equal = tuple(name for flag, name, _said in lines if flag == "=")
    counted = Counter(map(_name, whole))
    twice = tuple(name for name, times in counted.items() if times > 1)
    return Pushed(target, sent, equal, tuple(bad), moved, tuple(map(_name, unasked)), twice)


def _incomplete(outs: Mapping[Ref, Sequence[Out]], moved: stores.Moved) -> dict[Ref, Out]:
    """Experiments whose data has not arrived, with the first object that is missing."""
    pairs = ((ref, next((o for o in found if o.hash in moved.missing), None)) for ref, found in outs.items())
    return {ref: out for ref, out in pairs if out}


def _all(outs: Mapping[Ref, Sequence[Out]]) -> list[Out]:
    return list(dict.fromkeys(out for found in outs.values() for out in found))


def _chosen(repo: Repo, what: What) -> tuple[list[Ref], list[Ref]]:
    """What to send, and what would have to be named: it is no result that others wait for."""
    if what.names:
        return _true_of(repo, read.pick(repo, what.names), what), []
    everything = what.everything or head(repo) is None
    found = read.all_refs(repo) if everything else belonging.refs(repo, what.settings)
    found = _true_of(repo, found, what)
    with reader(repo) as objects:
        known = read.commits(objects, (ref.oid for ref in found))
    results = {
        ref
        for ref in found
        if not _name(ref).startswith(names.SNAPSHOT)
        and (ref.oid not in known or known[ref.oid].message.status == "finished")
    }
    return [ref for ref in found if ref in results], [ref for ref in found if ref not in results]


def _true_of(repo: Repo, found: Sequence[Ref], what: What) -> list[Ref]:
    """Those that `--where` is true of; the refs need not exist here yet."""
    if what.where is None:
        return list(found)
    true = {e.ref for e in present.holding(read.load(repo, found, what.settings), what.where)}
    return [ref for ref in found if ref.name in true]


def _specs(repo: Repo, chosen: Sequence[Ref]) -> list[list[str]]:
    """One refspec per experiment, or one for most of a commit's: git takes seconds to match a thousand.

    What belongs together (a pattern and its exceptions) is one list.
    """
    here = _by_place(read.all_refs(repo))
    specs: list[list[str]] = []
    for place, some in _by_place(chosen).items():
        others = set(here[place]) - set(some)
        if len(some) > _FEW and len(others) <= _FEW:
            specs.append([f"{place}/*:{place}/*", *(f"^{ref.name}" for ref in others)])
        else:
            specs += [[f"{ref.oid}:{ref.name}"] for ref in some]
    return specs


def _by_place(found: Sequence[Ref]) -> dict[str, list[Ref]]:
    places: dict[str, list[Ref]] = {}
    for ref in found:
        places.setdefault(ref.name.rpartition("/")[0], []).append(ref)
    return places


def _push(repo: Repo, remote: str, specs: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """(flag, name, summary) of every ref, as `--porcelain` says."""
    try:
        # hooks are for what enters the project's history; the data has been pushed above
        output = repo.text("push", "--porcelain", "--no-verify", remote, *specs, ok=(0, 1))
    except GitError as error:
        raise remotes.unreachable(remote, error) from error
    for line in output.splitlines():
        flag, _, rest = line.partition("\t")
        place, _, said = rest.partition("\t")
        if len(flag) == 1 and ":" in place:
            yield flag, place.rpartition(":")[2].rpartition("/")[2], said


def _reason(said: str) -> str:
    if "fetch first" in said or "non-fast-forward" in said or "already exists" in said:
        return "the remote has another experiment of this name"
    return said


def needed(repo: Repo, chosen: Sequence[Ref]) -> dict[Ref, list[Out]]:
    """The data objects that the tree of each experiment points to."""
    with reader(repo) as objects:
        return _needed(objects, chosen, committed.raw(objects, (ref.oid for ref in chosen)))


def _needed(
    objects: Reader, chosen: Sequence[Ref], commits: Mapping[str, committed.Raw]
) -> dict[Ref, list[Out]]:
    trees = Trees(objects)
    roots = {ref.oid: commits[ref.oid].tree for ref in chosen if ref.oid in commits}
    trees.load(roots.values())
    found = inputs.of_trees(trees, roots.values())
    return {
        ref: [out for out in found[roots[ref.oid]] if out.cache and out.push]
        for ref in chosen
        if ref.oid in roots
    }


def pull(
    repo: Repo, what: What, remote: str | None, data_remote: str | None, *, fetch: Coming | None = None
) -> Pulled:
    """Fetch experiments, offer them, fetch their data into the cache.

    Args:
        fetch: of everything from this remote, where it has been started already.

    Raises:
        MlopsError: no such remote or experiment; the remote cannot be reached (exit code 3).
    """
    source = fetch.remote if fetch else remotes.chosen(repo, remote)
    folded: list[Ref] = []
    with reader(repo) as objects:
        if fetch:
            found = fetch.offered(objects)
        elif (here := direct(repo, what)) is not None:
            with fetching.coming(repo, source, _places(repo, what), here) as own:
                found = own.offered(objects)
        else:
            found, folded = _held_first(repo, objects, source, what)
        chosen = [*found.new, *found.equal]
        outs = _needed(objects, chosen, found.commits) if what.data else {}
    moved = stores.pull(repo, _all(outs), data_remote)
    new, equal, left = (tuple(map(_name, some)) for some in (found.new, found.equal, folded))
    return Pulled(source, new, equal, tuple(found.held), moved, left)


def direct(repo: Repo, what: What) -> list[Ref] | None:
    """What is here now, where all that comes may go straight to its place; else None."""
    if what.names or what.where is not None or not fetching.possible(repo):
        return None
    here = fetching.here(repo)
    return None if any(ref.name.startswith(offering.ARCHIVE) for ref in here) else here


def _held_first(repo: Repo, objects: Reader, source: str, what: What) -> tuple[Offered, list[Ref]]:
    """Fetch to where nothing stands in the way, and choose of that; also what is archived here."""
    _fetch(repo, source, what)
    held_refs = refs.list_refs(repo, names.held(source, names.PREFIX))
    here = [Ref(names.offered(source, ref.name) or "", ref.oid) for ref in held_refs]
    places = tuple(_places(repo, what))
    offered = [
        ref for ref in here if (_name(ref) in what.names if what.names else ref.name.startswith(places))
    ]
    offered = _true_of(repo, offered, what)
    archived = set() if what.names else {one.commit for one in archive.listing(repo)}
    folded = [ref for ref in offered if ref.oid in archived]
    state = fetching.here(repo)
    taken = offering.taken(offering.own(state), state)
    found = offering.offer(objects, source, (ref for ref in offered if ref.oid not in archived), taken)
    moves = [Move(ref.name, ref.oid, None) for ref in found.new]
    # nobody need hold what is here
    moves += [Move(names.held(source, ref.name), None, ref.oid) for ref in (*found.new, *found.equal)]
    refs.move(repo, moves, f"mlops exp pull: {source}")
    return found, folded


def _name(ref: Ref) -> str:
    return ref.name.rpartition("/")[2]


def _fetch(repo: Repo, remote: str, what: What) -> None:
    """Fetch into where the remote's experiments are held; what it has no more goes from there as well."""
    options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", "--no-recurse-submodules"]
    if what.names:
        specs = [f"+{ref}:{names.held(remote, ref)}" for ref in _asked_for(repo, remote, what.names)]
    else:
        options.append("--prune")
        specs = fetching.specs(_places(repo, what), remote)
    # what MLflow knows besides runs comes with each pull: a description may be new where no experiment is
    specs.append(f"+{names.ALONG}*:{names.held_along(remote)}*")
    try:
        repo.git("fetch", *options, "--stdin", remote, stdin="".join(f"{s}\n" for s in specs).encode())
    except GitError as error:
        raise remotes.unreachable(remote, error) from error


def _places(repo: Repo, what: What) -> list[str]:
    """Where the experiments are that are meant: everywhere, or at HEAD and at what its content was before."""
    tip = None if what.everything else head(repo)
    if tip is None:
        return [names.PREFIX]
    return [names.baseline_prefix(oid) for oid in belonging.find(repo, what.settings, tip).baselines]


def _asked_for(repo: Repo, remote: str, wanted: Sequence[str]) -> list[str]:
    try:
        lines = repo.text("ls-remote", "--refs", remote, *(f"refs/exps/*/{name}" for name in wanted))
    except GitError as error:
        raise remotes.unreachable(remote, error) from error
    found = [line.partition("\t")[2] for line in lines.splitlines()]
    found = [ref for ref in found if names.parse_ref(ref)]
    missing = [name for name in wanted if not any(ref.endswith(f"/{name}") for ref in found)]
    if missing:
        raise NotFoundError(
            f"`{remote}` has no experiment `{missing[0]}`", hint=f"`git ls-remote {remote} 'refs/exps/*'`"
        )
    return found


def _parts(specs: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """As many as one command line takes; exceptions count for the pushes they are in."""
    part: list[str] = []
    for some in specs:
        if part and len(part) + len(some) > _AT_ONCE:
            yield part
            part = []
        part += some
    if part:
        yield part
