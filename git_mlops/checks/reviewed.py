"""Data that has owners was looked at by one of them who did not change it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from git_mlops.checks.context import Context
from git_mlops.checks.scope import Kind
from git_mlops.data import cache, listing, pointers
from git_mlops.data.pointers import Out
from git_mlops.findings import Finding
from git_mlops.git import objects
from git_mlops.patterns import most_specific
from git_mlops.tables.forms import form_of

SUMMARY = "data with owners is reviewed by one of them (`data.owners`)"
KINDS: frozenset[Kind] = frozenset({"range"})
RULE = "reviewed"

Owners = tuple[str, ...]


class _Commit(NamedTuple):
    author: str
    reviewers: frozenset[str]
    paths: frozenset[str]


def check(context: Context) -> Iterator[Finding]:
    """Asks for a trailer `Reviewed-by: NAME <ADDRESS>`, in the last commit that changes the data or later.

    Owners are those of the target branch's mlops.yaml, so that a change cannot name its own.
    """
    config = context.target or context.config
    needed = _needed(context, config.data.owners) if config.data.owners else {}
    if not needed:
        return
    commits = _commits(context)
    for path, wants in sorted(needed.items()):
        changing = [number for number, commit in enumerate(commits) if path in commit.paths]
        # what no commit changed by itself was changed in a merge: anybody's, so nobody may review alone
        authors = {commits[number].author for number in changing or range(len(commits))}
        later = commits[max(changing, default=0) :]
        reviewers = {who for commit in later for who in commit.reviewers}
        for what, owners in wants:
            may = {address.lower() for address in owners} - authors
            if not reviewers & may:
                yield _missing(path, what, owners, sorted(may))


def _missing(path: str, what: str, owners: Owners, may: Sequence[str]) -> Finding:
    message = f"{what} changed, and none of its owners has reviewed it"
    hint = f"a commit with the trailer `Reviewed-by: NAME <ADDRESS>`, of {' or '.join(may)}"
    if not may:
        hint = "all of its owners changed it: name another one in `data.owners` on the target branch"
    return Finding(RULE, "error", message, path, hint=hint, data={"owners": list(owners), "may": list(may)})


def _needed(
    context: Context, settings: Mapping[str, Owners | dict[str, Owners]]
) -> dict[str, list[tuple[str, Owners]]]:
    """Pointer (or plain file) → what of it changed and has owners."""
    names = [path for path in context.scope.paths if pointers.is_pointer(path)]
    wanted = [*names, *(listing.pipeline_of(path) for path in names)]
    prefix = f"{context.scope.base}:"
    blobs = objects.read_blobs(context.scope.repo, [prefix + path for path in wanted])
    before = listing.outs({name.removeprefix(prefix): content for name, content in blobs.items()})
    old = {out.path: out for out in before}
    found: dict[str, list[tuple[str, Owners]]] = {}
    for out, pointer in listing.outs(context.scope.read(wanted)).items():
        owners, was = most_specific(out.path, settings), old.get(out.path)
        if owners and (was is None or was.hash != out.hash):
            found.setdefault(pointer, []).extend(_wants(context, out.path, owners, was, out))
    for path in context.scope.paths - set(names):
        owners = most_specific(path, settings)
        if owners:
            found[path] = _wants(context, path, owners, None, None)
    return {path: wants for path, wants in found.items() if wants}


def _wants(
    context: Context, path: str, owners: Owners | dict[str, Owners], old: Out | None, new: Out | None
) -> list[tuple[str, Owners]]:
    if not isinstance(owners, dict):
        return [(f"`{path}`", owners)]
    columns = [(name, who) for name, who in owners.items() if not _same(context, path, name, old, new)]
    return [(f"column `{name}` of `{path}`", who) for name, who in columns]


def _same(context: Context, path: str, column: str, old: Out | None, new: Out | None) -> bool:
    """Whether a column is certainly the same, row by row; what is not on this machine may differ."""
    form = form_of(path)
    files = [cache.locate(context.scope.repo, out) if out else None for out in (old, new)]
    if form is None or files[0] is None or files[1] is None:
        return False
    from git_mlops.tables import labels

    return labels.same((files[0], form), (files[1], form), column)


def _commits(context: Context) -> list[_Commit]:
    """The range's commits, the oldest first, with what each changed and who is said to have reviewed it."""
    scope = context.scope
    trailers = "%(trailers:key=Reviewed-by,valueonly=true,unfold=true)"
    options = ("-z", "--reverse", "--topo-order", "--name-only", "--no-renames", "--no-show-signature")
    form = f"--format=%x01%aE%x02{trailers}%x02"
    text = scope.repo.text("log", *options, form, f"{scope.base}..{scope.tip}", "--")
    found = []
    for part in text.split("\1")[1:]:
        author, said, names = part.split("\2", 2)
        paths = frozenset(name.removeprefix("\n") for name in names.split("\0"))
        found.append(_Commit(author.lower(), _addresses(said), paths))
    return found


def _addresses(trailers: str) -> frozenset[str]:
    return frozenset(address.lower() for address in re.findall(r"<([^<>\s]+@[^<>\s]+)>", trailers))
