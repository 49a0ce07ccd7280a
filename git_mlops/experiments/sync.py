"""`exp push`: data first, then refs, each in one git process, with explicit refspecs only."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from git_mlops.data.pointers import Out
from git_mlops.errors import FINDINGS, OK
from git_mlops.experiments import belonging, choosing, committed, inputs, names, pointed, read, stores
from git_mlops.experiments.offering import Rejected
from git_mlops.experiments.pulling import What
from git_mlops.experiments.tree import Trees
from git_mlops.git import objects, remotes
from git_mlops.git.reader import reader
from git_mlops.git.refs import Ref
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
        commits = objects.commits(repo, (ref.oid for ref in chosen))
        outs = pointed.of_commits(repo, (ref.oid for ref in chosen if ref.oid in commits))
        moved = stores.push(repo, [out for out in outs if out.cache and out.push], data_remote)
        if moved.missing:
            incomplete = _incomplete(needed(repo, chosen), moved)
    whole = [ref for ref in chosen if ref not in incomplete]
    lines = [line for part in _parts(_specs(repo, whole)) for line in _push(repo, target, part)]
    bad = [Rejected(name, _reason(said)) for flag, name, said in lines if flag == "!"]
    bad += [
        Rejected(names.of_ref(ref), f"`{out.path}` is neither here nor there")
        for ref, out in incomplete.items()
    ]
    sent = tuple(name for flag, name, _said in lines if flag in (" ", "*", "+"))
    equal = tuple(name for flag, name, _said in lines if flag == "=")
    counted = Counter(map(names.of_ref, whole))
    twice = tuple(name for name, times in counted.items() if times > 1)
    return Pushed(target, sent, equal, tuple(bad), moved, tuple(map(names.of_ref, unasked)), twice)


def _incomplete(outs: Mapping[Ref, Sequence[Out]], moved: stores.Moved) -> dict[Ref, Out]:
    """Experiments whose data has not arrived, with the first object that is missing."""
    pairs = ((ref, next((o for o in found if o.hash in moved.missing), None)) for ref, found in outs.items())
    return {ref: out for ref, out in pairs if out}


def _chosen(repo: Repo, what: What) -> tuple[list[Ref], list[Ref]]:
    """What to send, and what would have to be named: it is no result that others wait for."""
    if what.names:
        return choosing.true_of(repo, read.pick(repo, what.names), what), []
    everything = what.everything or head(repo) is None
    found = read.all_refs(repo) if everything else belonging.refs(repo, what.settings)
    found = choosing.true_of(repo, found, what)
    known = committed.many(repo, (ref.oid for ref in found))
    results = {
        ref
        for ref in found
        if not names.of_ref(ref).startswith(names.SNAPSHOT)
        and (ref.oid not in known or known[ref.oid].parsed.message.status == "finished")
    }
    return [ref for ref in found if ref in results], [ref for ref in found if ref not in results]


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
    with reader(repo) as answers:
        trees = Trees(answers)
        roots = {oid: raw.tree for oid, raw in committed.raw(answers, (ref.oid for ref in chosen)).items()}
        trees.load(roots.values())
        found = inputs.of_trees(trees, roots.values())
        return {
            ref: [out for out in found[roots[ref.oid]] if out.cache and out.push]
            for ref in chosen
            if ref.oid in roots
        }


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
