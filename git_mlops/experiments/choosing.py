"""A remote's experiments chosen by name or by an expression: held where nothing is in the way, then offered.

So come also all of them where some are archived here.
"""

from collections.abc import Sequence

from git_mlops.errors import NotFoundError
from git_mlops.experiments import archive, fetching, names, offering, present, pulling, read
from git_mlops.experiments.offering import Offered
from git_mlops.experiments.pulling import What
from git_mlops.git import refs, remotes
from git_mlops.git.refs import Move, Ref
from git_mlops.git.repo import Repo
from git_mlops.git.run import GitError


def true_of(repo: Repo, found: Sequence[Ref], what: What) -> list[Ref]:
    """Those that `--where` is true of; the refs need not exist here yet."""
    if what.where is None:
        return list(found)
    true = {e.ref for e in present.holding(read.load(repo, found, what.settings), what.where)}
    return [ref for ref in found if ref.name in true]


def held_first(repo: Repo, source: str, what: What) -> tuple[Offered, list[Ref]]:
    """Fetch to where nothing stands in the way, and choose of that; also what is archived here."""
    _fetch(repo, source, what)
    held_refs = refs.list_refs(repo, names.held(source, names.PREFIX))
    here = [Ref(names.offered(source, ref.name) or "", ref.oid) for ref in held_refs]
    places = tuple(pulling.places(repo, what))
    offered = [
        ref
        for ref in here
        if (names.of_ref(ref) in what.names if what.names else ref.name.startswith(places))
    ]
    offered = true_of(repo, offered, what)
    archived = set() if what.names else {one.commit for one in archive.listing(repo)}
    folded = [ref for ref in offered if ref.oid in archived]
    state = fetching.here(repo)
    taken = offering.taken(offering.own(state), state)
    found = offering.offer(repo, source, (ref for ref in offered if ref.oid not in archived), taken)
    moves = [Move(ref.name, ref.oid, None) for ref in found.new]
    # nobody need hold what is here
    moves += [Move(names.held(source, ref.name), None, ref.oid) for ref in (*found.new, *found.equal)]
    refs.move(repo, moves, f"mlops exp pull: {source}")
    return found, folded


def _fetch(repo: Repo, remote: str, what: What) -> None:
    """Fetch into where the remote's experiments are held; what it has no more goes from there as well."""
    options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", "--no-recurse-submodules"]
    if what.names:
        specs = [f"+{ref}:{names.held(remote, ref)}" for ref in _asked_for(repo, remote, what.names)]
    else:
        options.append("--prune")
        specs = fetching.specs(pulling.places(repo, what), remote)
    # what MLflow knows besides runs comes with each pull: a description may be new where no experiment is
    specs.append(f"+{names.ALONG}*:{names.held_along(remote)}*")
    try:
        repo.git("fetch", *options, "--stdin", remote, stdin="".join(f"{s}\n" for s in specs).encode())
    except GitError as error:
        raise remotes.unreachable(remote, error) from error


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
