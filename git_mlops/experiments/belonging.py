"""Which experiments belong to a commit: by its id, and by its content after history was rewritten.

An experiment's ref names the commit it started from. After `commit --amend`, rebase or squash that commit is
in no branch any more, though the same content is. So an experiment also belongs to a commit

- `tree`: whose tree is the same as its baseline's (another message, a squash onto an unmoved branch),
- `trailer`: whose message has a line `Mlops-Run: <its key>` (it landed there),
- `patch`: that changes what its baseline changed, or all that its branch changed (rebased or squashed onto a
  branch that moved on), where the baseline is no part of the commit's own history,
- `content`: that has the code and data it recorded, where its baseline is not here (a shallow clone).

The number of git processes does not depend on the number of experiments.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from git_mlops.experiments import names, read, record, tree
from git_mlops.experiments.cache import Cache
from git_mlops.experiments.listed import Experiments, Listing
from git_mlops.experiments.read import Commit
from git_mlops.experiments.record import RecordError, parse_record
from git_mlops.experiments.settings import Settings
from git_mlops.experiments.tree import Trees
from git_mlops.git import refs as refs_
from git_mlops.git.reader import Reader, reader
from git_mlops.git.refs import Ref
from git_mlops.git.repo import Repo, head

How = Literal["commit", "tree", "trailer", "patch", "content"]


class Found(NamedTuple):
    """What belongs to one commit."""

    refs: dict[Ref, How]
    baselines: dict[str, How]
    """Baselines all of whose experiments belong, also those that are still to be recorded."""


def refs(repo: Repo, settings: Settings) -> list[Ref]:
    """The experiments of HEAD's content: what `exp list` shows. Before the first commit: none."""
    tip = head(repo)
    return list(find(repo, settings, tip).refs) if tip else []


def listing(repo: Repo, settings: Settings, tip: str) -> tuple[Listing, dict[str, How]]:
    """The experiments of a commit's content, those under way included, and how each belongs (by ref)."""
    with Cache(repo, settings.params) as cache:
        cache.ahead()
        every = read.recorded(repo)
        own = read.listing(repo, settings, tip, every=every, cache=cache)
    live = read.live(repo, every)
    how: dict[str, How] = dict.fromkeys(Experiments.of(own.experiments).refs, "commit")
    if not live and every.keys() <= {tip}:
        return own, how
    found = find(repo, settings, tip, also=(_baseline(ref) for ref in live), every=every)
    others = [ref for ref in found.refs if ref[0] not in how]
    known = {ref.name for ref in found.refs} if live else set()
    running = [
        Ref(run.ref, run.commit)
        for run in live.values()
        if run.ref not in how and run.ref not in known and _baseline(run.ref) in found.baselines
    ]
    how |= {ref.name: found.refs[ref] for ref in others}
    how |= {ref.name: found.baselines[_baseline(ref.name)] for ref in running}
    if not others and not running:
        return own, how
    more = [read.with_newest(repo, e, live) for e in read.load(repo, [*others, *running], settings)]
    bases = {e.baseline for e in more} - own.baselines.keys()
    with reader(repo) as objects:
        commits = read.commits(objects, bases)
        contents = tree.contents(Trees(objects), (c.tree for c in commits.values()), settings.params)
    baselines = own.baselines | {oid: contents[commit.tree] for oid, commit in commits.items()}
    ordered = sorted((*own.experiments, *more), key=lambda e: (e.time, e.ref))
    return Listing(ordered, baselines), how


def among(repo: Repo, settings: Settings, tip: str, listed: Listing) -> dict[str, How]:
    """How those of a listing that belong to the commit `tip` do so, by ref."""
    live = {one.baseline for one in listed.experiments if one.status == "running"}
    found = find(repo, settings, tip, also=live)
    how = {ref.name: one for ref, one in found.refs.items()}
    running = {
        one.ref: found.baselines[one.baseline]
        for one in listed.experiments
        if one.ref not in how and one.baseline in found.baselines
    }
    return how | running


def find(
    repo: Repo,
    settings: Settings,
    tip: str,
    *,
    also: Iterable[str] = (),
    every: Mapping[str, Sequence[Ref]] | None = None,
) -> Found:
    """The experiments that belong to the commit `tip`.

    Args:
        also: baselines to look at though no experiment of theirs is recorded yet.
        every: what `read.recorded` said, where it was asked already.
    """
    none: dict[str, Sequence[Ref]] = dict.fromkeys(filter(None, also), ())
    groups = {**none, **(read.by_baseline(refs_.list_refs(repo, names.PREFIX)) if every is None else every)}
    baselines: dict[str, How] = {tip: "commit"}
    single: dict[Ref, How] = {}
    if groups.keys() - {tip}:
        with reader(repo) as objects:
            known = read.commits(objects, (tip, *groups))
            baselines |= _same_tree(known, tip)
            others = [oid for oid in groups if oid in known and oid not in baselines]
            baselines |= dict.fromkeys(_same_patch(repo, known, tip, others), "patch")
            single |= _landed(repo, objects, tip, groups)
            missing = [ref for oid, found in groups.items() if oid not in known for ref in found]
            single |= _same_content(objects, missing, known[tip], settings)
    for oid, how in baselines.items():
        single |= dict.fromkeys(groups.get(oid, ()), how)
    return Found(single, baselines)


def _baseline(ref: str) -> str:
    place = names.parse_ref(ref)
    return place.baseline if place else ""


def _same_tree(known: Mapping[str, Commit], tip: str) -> dict[str, How]:
    return {oid: "tree" for oid, one in known.items() if oid != tip and one.tree == known[tip].tree}


def _same_patch(repo: Repo, known: Mapping[str, Commit], tip: str, others: Sequence[str]) -> set[str]:
    newest = sorted(others, key=lambda oid: -known[oid].time)[:_COMPARED]
    if not newest:
        return set()
    from git_mlops.git import patches

    return patches.same(repo, tip, newest)


_COMPARED = 5000
"""Baselines whose patch is looked at; the newest."""


def _landed(repo: Repo, objects: Reader, tip: str, groups: Mapping[str, Sequence[Ref]]) -> dict[Ref, How]:
    """Those whose key the commit's message has: anywhere, because a squash indents or joins messages."""
    said = objects.read([tip])[tip].content or b""
    keys = {match[1].decode() for match in _KEY.finditer(said)}
    if not keys:
        return {}
    every = [ref for found in groups.values() for ref in found]
    options = [f"--grep=Mlops-Run: {one}" for one in sorted(keys)[:_KEYS]]
    stdin = "".join(f"{ref.oid}\n" for ref in every).encode()
    output = repo.text(
        "rev-list", "--no-walk=unsorted", "--ignore-missing", "--fixed-strings", *options, "--stdin",
        stdin=stdin,
    )  # fmt: skip
    matching = set(output.splitlines())
    found = [ref for ref in every if ref.oid in matching]
    known = read.commits(objects, matching)
    return {ref: "trailer" for ref in found if known[ref.oid].message.key in keys}


_KEY = re.compile(rb"^[ \t]*Mlops-Run:[ \t]*([0-9a-f]{64})[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
_KEYS = 1000


def _same_content(objects: Reader, missing: Sequence[Ref], tip: Commit, settings: Settings) -> dict[Ref, How]:
    """Of those whose baseline is not here: the same code and data, as they recorded it."""
    if not missing:
        return {}
    from git_mlops.experiments import parts as parts_

    parts = parts_.of_tree(objects, tip.tree, settings)
    files = {ref: f"{ref.oid}:{record.PATH}" for ref in missing}
    texts = objects.read(files.values())
    found: dict[Ref, How] = {}
    for ref, name in files.items():
        content = texts[name].content if name in texts else None
        if content is None or parts.code.encode() not in content:
            continue
        try:
            recorded = parse_record(content).key or {}
        except RecordError:
            continue
        if (recorded.get("code"), recorded.get("data")) == (parts.code, parts.data):
            found[ref] = "content"
    return found
