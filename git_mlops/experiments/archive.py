"""Old experiments folded under one ref per month: a repository with a million runs advertises few refs.

`refs/mlops/archive/<YYYY-MM>` is a history of commits. Each has the experiments it took in as parents (beside
the commit before it), and in its tree the file `experiments`: a line `<commit> <ref>` for each that is
folded there. A restore moves the ref back; what was folded stays in the archive.
"""

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.experiments import names, read
from git_mlops.git import objects, refs
from git_mlops.git.objects import Entry
from git_mlops.git.reader import reader
from git_mlops.git.refs import Move, Ref
from git_mlops.git.repo import Repo

PREFIX = names.ARCHIVE
_FILE = "experiments"
_PARENTS = 500
"""At most so many parents has one commit: hosts and tools get slow with more."""


class Archived(NamedTuple):
    """One experiment in an archive."""

    month: str
    """`2026-01`."""
    ref: str
    commit: str

    @property
    def name(self) -> str:
        """Of the experiment."""
        return self.ref.rpartition("/")[2]


def archive(repo: Repo, chosen: Sequence[Ref]) -> list[Archived]:
    """Fold experiments: their refs go, and stay reachable and restorable; all or none.

    Raises:
        RefMovedError: another process moved one of them first.
    """
    with reader(repo) as answers:
        known = read.commits(answers, (ref.oid for ref in chosen))
    months: dict[str, list[Ref]] = {}
    for ref in chosen:
        months.setdefault(time.strftime("%Y-%m", time.gmtime(known[ref.oid].time)), []).append(ref)
    moves: list[Move] = []
    for month, some in sorted(months.items()):
        old = refs.read(repo, PREFIX + month)
        moves.append(Move(PREFIX + month, _folded(repo, month, old, some), old))
    moves += [Move(ref.name, None, ref.oid) for ref in chosen]
    refs.move(repo, moves, "mlops exp archive", reflog=True)
    return [Archived(month, ref.name, ref.oid) for month, some in sorted(months.items()) for ref in some]


def _folded(repo: Repo, month: str, old: str | None, added: Sequence[Ref]) -> str:
    """The new tip of a month's archive."""
    table = dict(_table(repo, [old]).get(old, {})) if old else {}
    tip = old
    for start in range(0, len(added), _PARENTS):
        some = added[start : start + _PARENTS]
        table |= {ref.name: ref.oid for ref in some}
        text = "".join(f"{oid} {name}\n" for name, oid in sorted(table.items()))
        (blob,) = objects.write_blobs(repo, [text.encode("utf-8", "surrogateescape")])
        lines, tree = objects.tree_text(repo, [Entry("100644", blob, _FILE)])
        objects.write_trees(repo, [lines])
        said = f"archive: {len(some)} experiments of {month}\n\nMlops-Version: 1\n"
        tip = objects.commit_tree(repo, tree, [*([tip] if tip else []), *(ref.oid for ref in some)], said)
    assert tip
    return tip


def listing(repo: Repo) -> list[Archived]:
    """Everything that is archived, by month and ref."""
    tips = {ref.oid: ref.name.removeprefix(PREFIX) for ref in refs.list_refs(repo, PREFIX)}
    found = _table(repo, tips)
    return [
        Archived(tips[tip], ref, commit)
        for tip, table in found.items()
        for ref, commit in sorted(table.items())
    ]


def _table(repo: Repo, tips: Iterable[str]) -> dict[str, Mapping[str, str]]:
    """Tip of an archive → ref → commit. What is no experiment (somebody else pushed it) is left out."""
    wanted = list(tips)
    contents = objects.read_blobs(repo, [f"{tip}:{_FILE}" for tip in wanted])
    return {
        tip: dict(_lines(contents[f"{tip}:{_FILE}"].decode("utf-8", "surrogateescape")))
        for tip in wanted
        if f"{tip}:{_FILE}" in contents
    }


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        commit, _, ref = line.partition(" ")
        place = names.parse_ref(ref)
        if place and not names.problem(place.name) and re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", commit):
            yield ref, commit


def restore(repo: Repo, wanted: Sequence[str]) -> list[tuple[Archived, bool]]:
    """Bring experiments back to where they were; they stay in the archive, too.

    Returns:
        Each, and whether it was gone.

    Raises:
        NotFoundError: the archives have none of this name.
        MlopsError: several have it, or one that is not archived.
    """
    every = listing(repo)
    chosen = [_one(every, name) for name in wanted]
    here = {ref.name.rpartition("/")[2]: ref for ref in read.all_refs(repo)}
    for one in chosen:
        if one.name in here and here[one.name].oid != one.commit:
            raise MlopsError(
                f"another experiment `{one.name}` is here", hint=f"`git mlops exp rm {one.name}` first"
            )
    new = [one for one in chosen if one.name not in here]
    refs.move(repo, [Move(one.ref, one.commit, None) for one in new], "mlops exp restore")
    return [(one, one in new) for one in chosen]


def _one(every: Sequence[Archived], name: str) -> Archived:
    found = list(dict.fromkeys(one for one in every if name in (one.name, one.ref, one.commit)))
    if not found:
        raise NotFoundError(
            f"no archived experiment `{name}`",
            hint="`git mlops exp archive --list` lists them; what was removed is under refs/mlops/backup",
        )
    if len({one.commit for one in found}) > 1:
        raise MlopsError(
            f"`{name}` is ambiguous: {', '.join(one.ref for one in found[:10])}", hint="give the full ref"
        )
    return found[0]
