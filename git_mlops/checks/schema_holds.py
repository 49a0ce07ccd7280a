"""Data that mlops.yaml binds to a schema satisfies it: the object that the checked pointer names."""

import difflib
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from git_mlops.checks import schema_tables
from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.checks.schema_tables import Table
from git_mlops.data import cache, pointers, purges
from git_mlops.data.pointers import Out, PointerError
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.findings import Finding
from git_mlops.git import objects
from git_mlops.git.repo import Repo
from git_mlops.schema import gate
from git_mlops.schema.bindings import schema_for, with_tables
from git_mlops.schema.cluster import unread
from git_mlops.schema.gate import Item
from git_mlops.schema.python import split
from git_mlops.tables.forms import file_and_table

SUMMARY = "data satisfies the schema it is bound to"
KINDS = EVERYWHERE

_CONFIG = "mlops.yaml"


class _Data(NamedTuple):
    """One bound table: where it is, what it is, and the schema it must satisfy."""

    path: str
    schema: str
    algorithm: str
    hash: str
    out: Out | None
    """None for a plain file of git."""


def check(context: Context) -> Iterator[Finding]:
    """Looks at data that is new, or whose schema or binding is new; a known verdict is not computed again."""
    if not context.config.schemas:
        return
    files = _files(context)
    outs = list(_outs(context, [path for path in files if pointers.is_pointer(path)]))
    gone = purges.of_outs(context.scope.repo, outs)  # said by the rule purged
    if context.scope.kind == "workspace" or _CONFIG in context.scope.paths:
        yield from _bound_to_nothing(context, files, outs)
    folders = schema_tables.find(context, files, outs)
    here = [out for out in outs if out not in gone]
    data: list[_Data | Table] = [d for d in _tables(context, files, here) if not folders.bound(d.path)]
    for table in folders.changed:
        yield from unread(table.path, table.names) if table.whole else ()
        data += [table] if table.sources or not table.whole else []
    contents = context.scope.read({split(item.schema)[0] for item in data})
    schemas = {i.schema: contents[split(i.schema)[0]] for i in data if split(i.schema)[0] in contents}
    for schema, item in {item.schema: item for item in data if item.schema not in schemas}.items():
        yield Finding(
            "schema", "error", f"`{item.path}` is bound to `{schema}`, which does not exist", _CONFIG
        )
    with tempfile.TemporaryDirectory(prefix="mlops-") as scratch:
        items = [_item(context, item, schemas, Path(scratch)) for item in data if item.schema in schemas]
        yield from gate.gate(context.scope.repo, items, context.trust)


def _files(context: Context) -> dict[str, str]:
    """Path → blob id of what is looked at: all of the state when a schema or the bindings are new in it."""
    paths = context.scope.paths
    rebound = _CONFIG in paths or any(split(schema)[0] in paths for schema in context.config.schemas.values())
    everything = context.scope.kind != "workspace" and rebound
    files = context.scope.all_files() if everything else context.scope.files
    return {file.path: file.oid for file in files}


def _bound_to_nothing(context: Context, files: dict[str, str], outs: Sequence[Out]) -> Iterator[Finding]:
    """A path with a slip in it would guard nothing, and nobody would know. Patterns may wait for data."""
    named = {out.path for out in outs}
    folders = tuple(f"{out.path}/" for out in outs if out.is_dir)
    for bound, schema in context.config.schemas.items():
        path = file_and_table(bound)[0]
        exact = not any(c in bound for c in "*?[") and not bound.endswith("/")
        if (
            exact
            and path not in named
            and not {path, f"{path}.dvc"} & files.keys()
            and not path.startswith(folders)
            and not any(name.startswith(f"{path}/") for name in (*files, *named))
        ):
            near = difflib.get_close_matches(path, named | set(files), n=1)
            yield Finding(
                "schema",
                "warning",
                f"`{bound}` is bound to `{schema}`, but there is no such data",
                _CONFIG,
                hint=f"did you mean `{near[0]}`?" if near else f"`git mlops add {shlex.quote(path)}`",
            )


def _tables(context: Context, files: dict[str, str], outs: Sequence[Out]) -> Iterator[_Data]:
    bindings = context.config.schemas
    for out in outs:
        yield from _of_out(context.scope.repo, out, bindings)
    for path, oid in files.items():
        for name in with_tables(path, bindings):
            schema = schema_for(name, bindings)
            if schema is not None and not pointers.is_pointer(path):
                yield _Data(name, schema, "git", oid, None)


def _outs(context: Context, paths: Sequence[str]) -> Iterator[Out]:
    pipelines = [path.removesuffix("dvc.lock") + "dvc.yaml" for path in paths if path.endswith("dvc.lock")]
    contents = context.scope.read([*paths, *pipelines])
    for path in paths:
        pipeline = contents.get(path.removesuffix("dvc.lock") + "dvc.yaml")
        try:
            yield from pointers.parse(path, contents.get(path, b""), pipeline).outs
        except PointerError:
            continue  # said by the rule pointer-valid


def _of_out(repo: Repo, out: Out, bindings: dict[str, str]) -> Iterator[_Data]:
    """The out itself, or the members of a directory that are bound; of a database its tables."""
    members = {out.path: out}
    if out.hash.endswith(".dir"):
        members = {f"{out.path}/{name}": member for name, member in cache.members(repo, out).items()}
    for path, member in members.items():
        for name in with_tables(path, bindings):
            schema = schema_for(name, bindings)
            if schema is not None:
                yield _Data(name, schema, member.algorithm, member.hash, member)


def _item(context: Context, data: _Data | Table, schemas: dict[str, bytes], scratch: Path) -> Item:
    repo = context.scope.repo
    content = schemas[data.schema]
    if isinstance(data, Table):
        return _folder(context, data, content, scratch)
    return Item(
        path=data.path,
        algorithm=data.algorithm,
        hash=data.hash
        if data.out or data.hash.strip("0")
        else objects.blob_id(repo, _plain(context, data.path)),
        file=partial(_file, context, data, scratch),
        schema_path=data.schema,
        schema_oid=objects.blob_id(repo, content),
        schema=lambda: content,
    )


def _folder(context: Context, table: Table, content: bytes, scratch: Path) -> Item:
    return Item(
        path=table.path,
        algorithm="partitions",
        hash=table.hash,
        file=lambda: None,
        schema_path=table.schema,
        schema_oid=objects.blob_id(context.scope.repo, content),
        schema=lambda: content,
        parts=partial(schema_tables.parts, context, table, scratch),
    )


def _file(context: Context, data: _Data, scratch: Path) -> Path | None:
    """Where the bytes can be read: DVC's cache, or a copy of git's blob."""
    if data.out is not None:
        return cache.locate(context.scope.repo, data.out)
    copy = scratch / data.hash
    copy.write_bytes(_plain(context, data.path))
    return copy


def _plain(context: Context, path: str) -> bytes:
    path = file_and_table(path)[0]
    content = context.scope.read([path]).get(path)
    if content is None:
        raise MlopsError(f"cannot read `{path}`", exit_code=CANNOT_EVALUATE)
    return content
