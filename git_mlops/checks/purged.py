"""No new pointer names data that was withdrawn, and those that do are named."""

import shlex
from collections.abc import Iterator

from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.data import listing, pointers, purges
from git_mlops.findings import Finding

SUMMARY = "pointers name nothing that was withdrawn (`git mlops purge`)"
KINDS = EVERYWHERE
RULE = "purged"


def check(context: Context) -> Iterator[Finding]:
    """Other rules do not look at such data: it is nowhere. Pointers of older commits are nobody's mistake."""
    repo = context.scope.repo
    known = purges.in_force(repo)
    if not known:
        return
    changed = [path for path in sorted(context.scope.paths) if pointers.is_pointer(path)]
    contents = context.scope.read([*changed, *(listing.pipeline_of(path) for path in changed)])
    named = listing.outs(contents)
    for out, purge in purges.of_outs(repo, named, known).items():
        part = "a part of it was " if purge.part_of(out) else ""
        rest = f"`git rm {shlex.quote(named[out])}`" if named[out].endswith(".dvc") else "`dvc repro`"
        force = "--force " if part else ""
        hint = f"add data without it: `git mlops add {force}{shlex.quote(out.path)}`; or {rest}"
        found = {"purge": purge.id, "hash": out.hash}
        yield Finding(RULE, "error", f"{part}{purge.sentence()}", out.path, hint=hint, data=found)
