"""Data, the schemas it is bound to, and whether a verdict on exactly these two is known."""

import ast
import datetime as dt
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from git_mlops.audit.facts import Settings, Table
from git_mlops.checks import pii
from git_mlops.data.pointers import Out, is_pointer, never_data
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo
from git_mlops.schema import verdicts
from git_mlops.schema.bindings import schema_for, with_tables
from git_mlops.schema.load import grammar
from git_mlops.schema.subjects import subject_of
from git_mlops.schema.verdicts import Verdict
from git_mlops.tables.forms import form_of


class Tree(NamedTuple):
    """The files of a revision."""

    oids: Mapping[str, str]
    contents: Mapping[str, bytes]
    """Of those that were read, schemas and pointers among them."""
    outs: Mapping[Out, str]
    """What pointers name → the pointer."""


class _Data(NamedTuple):
    path: str
    pointer: str
    algorithm: str
    hash: str
    schema: str | None


def read(repo: Repo, tree: Tree, settings: Settings) -> tuple[Table, ...]:
    """Every table of the revision that is data."""
    data = list(_data(tree, settings))
    subjects = {one: _subject(one, tree) for one in data if one.schema}
    known = verdicts.lookup(repo, [subject for subject in subjects.values() if subject])
    scans = {one: subject for one in data if (subject := _scan(one, settings))}
    scanned = verdicts.lookup(repo, scans.values(), pii.RULE)
    bound = dict.fromkeys(one.schema for one in data if one.schema)
    schemas = {name: _schema(name, tree) for name in bound}
    found = []
    for one in data:
        verdict = known.get(subjects.get(one) or "")
        problem, strict = schemas[one.schema] if one.schema else (None, False)
        scan = scanned.get(scans.get(one, ""))
        clean = (
            scan is not None
            and scan.outcome == "pass"
            and not any(f.level == "warning" for f in scan.findings)
        )
        found.append(
            Table(one.path, one.pointer, one.schema, problem, strict, verdict.outcome if verdict else None,
                  _when(verdict), clean, not one.pointer.endswith("dvc.lock"))
        )  # fmt: skip
    return tuple(found)


def _data(tree: Tree, settings: Settings) -> Iterator[_Data]:
    bindings = settings.schemas
    seen = set()
    for out, pointer in tree.outs.items():
        for path in with_tables(out.path, bindings):
            schema = schema_for(path, bindings)
            if schema or (not out.is_dir and form_of(path) is not None):
                seen.add(path)
                yield _Data(path, pointer, out.algorithm, out.hash, schema)
    bound = set(bindings.values())
    for file, oid in tree.oids.items():
        if is_pointer(file) or never_data(file) or file in bound:
            continue
        for path in with_tables(file, bindings):
            schema = schema_for(path, bindings)
            if schema and path not in seen and form_of(path) is not None:
                yield _Data(path, file, "git", oid, schema)


def _subject(one: _Data, tree: Tree) -> str | None:
    oid = tree.oids.get(one.schema or "")
    form = form_of(one.path)
    return verdicts.subject(one.algorithm, one.hash, oid, str(form)) if oid and form is not None else None


def _scan(one: _Data, settings: Settings) -> str | None:
    meaning = pii.meaning(one.path, settings.data)
    return subject_of(pii.RULE, meaning, one.algorithm, one.hash) if meaning else None


def _when(verdict: Verdict | None) -> int | None:
    try:
        return int(dt.datetime.fromisoformat(verdict.when).timestamp()) if verdict else None
    except ValueError:
        return None


def _schema(binding: str, tree: Tree) -> tuple[str | None, bool]:
    """What is wrong with a schema, and whether it refuses further columns."""
    path, _, name = binding.partition(":")
    content = tree.contents.get(path)
    if content is None:
        return "it does not exist", False
    if path.endswith(".py"):
        return (None if name in _defined(content) else f"it has no `{name}`"), False
    try:
        document = grammar(content, path)
    except MlopsError as error:
        return str(error), False
    columns = document.get("columns")
    checking = [one for one in (columns.values() if isinstance(columns, dict) else ()) if _says(one)]
    whole = any(document.get(key) for key in ("checks", "unique", "index"))
    return (None if checking or whole else "it checks nothing"), document.get("strict") is True


def _says(column: object) -> bool:
    """Whether a column's entry can refuse any table."""
    if not isinstance(column, dict):
        return False
    typed = column.get("dtype") not in (None, "object")
    return bool(typed or column.get("checks") or column.get("unique") or not column.get("nullable", False))


def _defined(content: bytes) -> set[str]:
    try:
        body = ast.parse(content).body
    except (SyntaxError, ValueError, RecursionError):
        return set()
    names = {one.name for one in body if isinstance(one, ast.ClassDef | ast.FunctionDef)}
    targets = (t for one in body if isinstance(one, ast.Assign) for t in one.targets)
    return names | {target.id for target in targets if isinstance(target, ast.Name)}
