"""Changes of label columns in a range: which class became which, and how far the versions agree."""

from collections.abc import Iterator

from git_mlops.checks import judged
from git_mlops.checks.context import Context
from git_mlops.checks.scope import Kind
from git_mlops.data import cache, listing, pointers, profile
from git_mlops.data.pointers import Out
from git_mlops.findings import Finding
from git_mlops.git import objects
from git_mlops.patterns import most_specific
from git_mlops.tables.forms import form_of

SUMMARY = "changes of labels are shown (`data.labels`)"
KINDS: frozenset[Kind] = frozenset({"range"})
RULE = "labels"


def check(context: Context) -> Iterator[Finding]:
    """A note for each table whose labels changed. It fails nothing: `owners` say who must have looked."""
    if not context.config.data.labels:
        return
    before = {out.path: out for out in _before(context)}
    for out in judged.outs(context):
        column = most_specific(out.path, context.config.data.labels)
        old = before.get(out.path)
        if column and old and old.hash != out.hash and not out.is_dir:
            yield from _of_table(context, old, out, column)


def _before(context: Context) -> Iterator[Out]:
    """What the changed pointers named at the start of the range."""
    paths = [path for path in context.scope.paths if pointers.is_pointer(path)]
    wanted = [*paths, *(listing.pipeline_of(path) for path in paths)]
    prefix = f"{context.scope.base}:"
    found = objects.read_blobs(context.scope.repo, [prefix + path for path in wanted])
    yield from listing.outs({name.removeprefix(prefix): content for name, content in found.items()})


def _of_table(context: Context, old: Out, new: Out, column: str) -> Iterator[Finding]:
    from git_mlops.tables import labels

    form = form_of(new.path)
    key = profile.key_of(context.config.data, new.path)
    if form is None or not key:
        message = f"changes of `{column}` are not compared: rows are matched by key, and none is declared"
        hint = f"`data: keys: {{{new.path}: [COLUMN]}}` in mlops.yaml"
        yield Finding(RULE, "note", message, new.path, hint=hint)
        return
    files = [cache.locate(context.scope.repo, out) for out in (old, new)]
    if files[0] is None or files[1] is None:
        message = f"changes of `{column}` are not compared: not both versions are on this machine"
        yield Finding(RULE, "note", message, new.path)
        return
    try:
        found = labels.confusion((files[0], form), (files[1], form), key, column)
    except ValueError as error:
        yield Finding(RULE, "note", f"changes of `{column}` are not compared: {error}", new.path)
        return
    if found.changed or found.old != found.new:
        yield Finding(RULE, "note", found.said(column), new.path, data=found.plain(column))
