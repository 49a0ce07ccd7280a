"""Commits that change the same: what rebase and squash keep, whatever the branch they were put on."""

from collections.abc import Iterable, Mapping, Sequence

from git_mlops.git.repo import Repo, fields
from git_mlops.git.run import GitError

_DIFF = ("diff-tree", "--stdin", "-r", "--root", "--no-renames", "--no-ext-diff", "--no-textconv")
_BASES = 8
"""Merge bases of one commit that are tried: more than one means that branches were merged into its own."""


def same(repo: Repo, tip: str, others: Sequence[str]) -> set[str]:
    """Those of `others`, outside the history of `tip`, whose patch is that of `tip`.

    The patch of `tip` is what it changed of its first parent; that of another is the same, or what its whole
    branch changed since it left the history of `tip`. A commit that changes nothing equals none.
    """
    try:
        side = _side(repo, tip, others)
        own = _parents(repo, tip)
    except GitError:
        return set()  # a history with holes: nothing can be said
    if own is None or not side:
        return set()
    bases = _bases(side)
    # as `diff-tree` reads it: a commit and what to compare it with; a root stands alone
    pairs = {
        oid: [f"{oid} {base}" for base in dict.fromkeys((*side[oid][:1], *bases[oid]))] or [oid]
        for oid in others
        if oid in side
    }
    own_line = " ".join((tip, *own[:1]))
    names = _names(repo, [own_line, *(line for lines in pairs.values() for line in lines)])
    wanted = names.get(tip, set())
    alike = [oid for oid in pairs if wanted & names.get(oid, set())]
    if not alike:
        return set()
    ids = _patch_ids(repo, [own_line, *(line for oid in alike for line in pairs[oid])])
    return {oid for oid in alike if ids.get(tip, set()) & ids.get(oid, set())}


def _side(repo: Repo, tip: str, others: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Commits of the others' history that are not in that of `tip`, with their parents; parents first."""
    stdin = "".join(f"{oid}\n" for oid in (*others, f"^{tip}")).encode()
    lines = repo.text("rev-list", "--parents", "--topo-order", "--reverse", "--stdin", stdin=stdin)
    return {words[0]: tuple(words[1:]) for words in map(str.split, lines.splitlines())}


def _parents(repo: Repo, tip: str) -> tuple[str, ...] | None:
    """Its parents; None where history was cut there (a shallow clone)."""
    words = repo.text("rev-list", "--parents", "--max-count=1", tip).split()
    cut = len(words) == 1 and b"\nparent " in repo.git("cat-file", "commit", tip).partition(b"\n\n")[0]
    return None if cut else tuple(words[1:])


def _bases(side: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Where the branch of each commit left the other history; parents come first in `side`."""
    found: dict[str, tuple[str, ...]] = {}
    for oid, parents in side.items():
        bases: dict[str, None] = {}
        for parent in parents:
            bases |= dict.fromkeys(found.get(parent, (parent,)))
        found[oid] = tuple(bases)[:_BASES]
    return found


def _names(repo: Repo, lines: Iterable[str]) -> dict[str, set[tuple[str, ...]]]:
    """Per commit the changed paths with their status, of each comparison: quick, no file is read."""
    found: dict[str, set[tuple[str, ...]]] = {}
    oid, paths = "", list[str]()
    stdin = "".join(f"{line}\n" for line in lines).encode()
    records = fields(repo.git(*_DIFF, "--name-status", "-z", stdin=stdin))
    at = 0
    while at < len(records):
        if len(records[at]) == 1:
            paths.append(f"{records[at]} {records[at + 1]}")
            at += 2
            continue
        found.setdefault(oid, set()).add(tuple(paths))
        oid, paths = records[at].strip(), []
        at += 1
    found.setdefault(oid, set()).add(tuple(paths))
    return found


def _patch_ids(repo: Repo, lines: Iterable[str]) -> dict[str, set[str]]:
    stdin = "".join(f"{line}\n" for line in lines).encode()
    patch = repo.git(*_DIFF, "-p", "--full-index", stdin=stdin)
    found: dict[str, set[str]] = {}
    for line in repo.text("patch-id", "--stable", stdin=patch).splitlines():
        patch_id, _, oid = line.partition(" ")
        found.setdefault(oid, set()).add(patch_id)
    return found
