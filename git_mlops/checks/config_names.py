"""Paths and columns of mlops.yaml that name nothing: with a slip, a setting guards nothing."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from git_mlops.checks import judged
from git_mlops.checks.context import Configuration, Context
from git_mlops.data import cache, profile
from git_mlops.data.pointers import Out, is_pointer
from git_mlops.findings import Finding, Level
from git_mlops.patterns import matches
from git_mlops.tables.forms import form_of

RULE = "config-valid"
FILE = "mlops.yaml"


class _Named(NamedTuple):
    """A path of mlops.yaml with what stands under it."""

    key: str
    path: str
    columns: Sequence[str] = ()
    level: Level = "warning"


def check(context: Context) -> Iterator[Finding]:
    """Paths that name no data, and columns that the data has not. Patterns may wait for data."""
    names = list(_names(context.config))
    if not names:
        return
    files = {file.path for file in (*context.scope.all_files(), *context.scope.files)}
    outs = {out.path: out for out in judged.outs_of(context, sorted(filter(is_pointer, files)))}
    for named in names:
        if not _exact(named.path):
            if named.columns:
                yield from _of_pattern(context, named, outs)
        elif named.path in outs:
            yield from _columns(context, named, outs[named.path])
        elif not _there(named.path, files, outs):
            close = difflib.get_close_matches(named.path, {*outs, *files}, n=1)
            hint = f"did you mean `{close[0]}`?" if close else f"`git mlops add {named.path}`"
            message = f"`{named.key}.{named.path}`: there is no such data"
            yield Finding(RULE, named.level, message, FILE, hint=hint)


def _names(config: Configuration) -> Iterator[_Named]:
    data = config.data
    for path, owners in data.owners.items():
        columns = tuple(owners) if isinstance(owners, dict) else ()
        yield _Named("data.owners", path, columns, "error")  # a slip, and nobody is asked for a review
    yield from (_Named("data.labels", path, (column,), "error") for path, column in data.labels.items())
    plain: dict[str, Iterable[str]] = {
        "data.keys": data.keys,
        "data.pii": data.pii,
        "data.pii_allow": data.pii_allow,
    }
    plain |= {"data.profile": data.profile, "tables": config.tables, "folders": config.folders}
    yield from (_Named(key, path) for key, paths in plain.items() for path in paths)


def _exact(path: str) -> bool:
    return not any(char in path for char in "*?[") and not path.endswith("/")


def _there(path: str, files: set[str], outs: Mapping[str, Out]) -> bool:
    """Also as a folder of such data, or a file in a directory that is data, or a name at any depth."""
    named = {*files, *outs}
    return (
        path in named
        or any(name.startswith(f"{path}/") for name in named)
        or any(out.is_dir and path.startswith(f"{name}/") for name, out in outs.items())
        or any(matches(name, (path,)) for name in named)
    )


def _of_pattern(context: Context, named: _Named, outs: Mapping[str, Out]) -> Iterator[Finding]:
    """A pattern's columns are asked for in the first data that it matches."""
    for path, out in outs.items():
        if matches(path, (named.path,)):
            yield from _columns(context, named, out)
            return


def _columns(context: Context, named: _Named, out: Out) -> Iterator[Finding]:
    there = _columns_of(context, out) if named.columns else ()
    for column in (column for column in named.columns if there and column not in there):
        close = difflib.get_close_matches(column, there, n=1)
        message = f"`{named.key}.{named.path}`: `{out.path}` has no column `{column}`"
        yield Finding(RULE, "error", message, FILE, hint=f"did you mean `{close[0]}`?" if close else None)


def _columns_of(context: Context, out: Out) -> Iterable[str]:
    """By the profile in the pointer, else by the data where it is here; empty: nobody knows."""
    pointer = f"{out.path}.dvc"
    found = profile.read(pointer, context.scope.read([pointer]).get(pointer, b""))
    if found:
        return tuple(found.columns)
    form, file = form_of(out.path), cache.locate(context.scope.repo, out)
    if form is None or file is None or out.is_dir:
        return ()
    from git_mlops.tables import frames, pii

    try:
        return pii.columns(file, form)
    except frames.FrameError:
        return ()
