"""The gate: data that changed satisfies its schema, by a verdict that is known or by looking once."""

import datetime as dt
import hashlib
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from git_mlops import __version__
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.findings import Finding, exit_code
from git_mlops.git.repo import Repo
from git_mlops.schema import cluster, pandera, python, tables, verdicts
from git_mlops.schema.load import Schema, load
from git_mlops.schema.settings import Trust
from git_mlops.schema.validate import RULE, validate
from git_mlops.schema.verdicts import Verdict
from git_mlops.tables.forms import file_and_table, form_of


class Partition(NamedTuple):
    """A file of a table of partitions."""

    algorithm: str
    hash: str
    file: Path | None
    """None when it is not on this machine."""


class Item(NamedTuple):
    """One table and the schema it must satisfy. What costs is a function, called only when it must be."""

    path: str
    algorithm: str
    """Of `hash`: `md5` for a DVC object, `git` for a blob, `partitions` for a directory."""
    hash: str
    file: Callable[[], Path | None]
    """Where the bytes are; None when they are not on this machine."""
    schema_path: str
    schema_oid: str
    schema: Callable[[], bytes]
    parts: Callable[[], Mapping[str, Partition] | None] | None = None
    """For a directory that is one table: its partitions by their names (None: nobody here knows them);
    `hash` is of all of them."""


def gate(repo: Repo, items: Sequence[Item], trust: Trust | None = None) -> Iterator[Finding]:
    """Findings of every item. Data with a verdict is not read; new verdicts are recorded, also on Ctrl-C.

    Args:
        trust: whose verdicts count; None: all that are here.
    """
    subjects = [_subject(item) for item in items]
    # what Python code checks rests on more than its file: no verdict tells it
    lasting = [s for s, item in zip(subjects, items, strict=True) if not python.is_python(item.schema_path)]
    known = verdicts.lookup(repo, lasting, trust=trust)
    fresh: dict[str, Verdict] = {}
    schemas: dict[str, Schema | Finding] = {}
    try:
        for item, subject in zip(items, subjects, strict=True):
            verdict = known.get(subject) or fresh.get(subject)
            if verdict is None:
                found = _validated(repo, item, schemas)
                if python.is_python(item.schema_path):
                    yield from (
                        _placed(f, item) if f.path == item.path or f.data.get("member") else f for f in found
                    )
                elif _final(found):
                    verdict = fresh[subject] = _verdict(subject, found)
                else:
                    yield from found
            if verdict is not None:
                yield from (_placed(finding, item) for finding in verdict.findings)
    finally:
        problem = _record(repo, list(fresh.values()))
    if problem is not None:
        yield problem


def _subject(item: Item) -> str:
    form = "partitions" if item.parts else str(form_of(item.path))
    return verdicts.subject(item.algorithm, item.hash, item.schema_oid, form)


def _validated(repo: Repo, item: Item, schemas: dict[str, Schema | Finding]) -> list[Finding]:
    schema = _schema(repo, item, schemas)
    if isinstance(schema, Finding):
        return [schema]
    if item.parts is not None:
        return _of_parts(item, item.parts(), schema)
    file = item.file()
    if file is None:
        return [Finding(RULE, "unknown", "its data is not on this machine", item.path, hint=_pull(item))]
    if _damaged(item.algorithm, item.hash, file):
        message = "its data on this machine is damaged: it has another hash than its pointer says"
        hint = f"`rm {shlex.quote(str(file))}`, then {_pull(item)}"
        return [Finding(RULE, "unknown", message, item.path, hint=hint)]
    return validate(file, item.path, schema)


def _of_parts(item: Item, parts: Mapping[str, Partition] | None, schema: Schema) -> list[Finding]:
    if parts is None:
        said = "what is in it is not known on this machine"
        return [Finding(RULE, "unknown", said, item.path, hint=_pull(item))]
    files = {name: part.file for name, part in parts.items() if part.file is not None}
    if len(files) < len(parts):
        said = f"the data of {len(parts) - len(files)} of {len(parts)} partitions is not on this machine"
        return [Finding(RULE, "unknown", said, item.path, hint=_pull(item))]
    for name, file in files.items():
        if _damaged(parts[name].algorithm, parts[name].hash, file):
            message = f"its partition `{name}` is damaged on this machine: it has another hash than is said"
            hint = f"`rm {shlex.quote(str(file))}`, then {_pull(item)}"
            return [Finding(RULE, "unknown", message, item.path, hint=hint)]
    return [_member(finding, item) for finding in cluster.here(item.path, files, schema)]


def _member(finding: Finding, item: Item) -> Finding:
    """A verdict holds no path: of a partition it holds the name."""
    name = (finding.path or "").removeprefix(f"{item.path}/")
    return finding if name == finding.path else finding._replace(data={**finding.data, "member": name})


def _pull(item: Item) -> str:
    return f"`git mlops pull {shlex.quote(file_and_table(item.path)[0])}`"


def _damaged(algorithm: str, hash_: str, file: Path) -> bool:
    """Whether the bytes are not those of the hash: a verdict on them would travel under a wrong name."""
    if algorithm != "md5":
        return False  # a blob was just read from git; DVC 2's text hashes are not those of the bytes
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, _md5).hexdigest() != hash_
    except OSError:
        return False  # said where it is read


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)  # DVC's name of the object, also where md5 is forbidden


def _schema(repo: Repo, item: Item, schemas: dict[str, Schema | Finding]) -> Schema | Finding:
    """Each schema file is read once; one that is wrong is a finding of its own, about itself."""
    if item.schema_path not in schemas:
        try:
            schemas[item.schema_path] = loaded(repo, item.schema(), item.schema_path)
        except MlopsError as error:
            schemas[item.schema_path] = said = refused(error, item.schema_path)
            return said
    schema = schemas[item.schema_path]
    if isinstance(schema, Finding):
        message = f"not checked: its schema `{item.schema_path}` is wrong"
        return Finding(RULE, "unknown", message, item.path)
    return schema


def loaded(repo: Repo, content: bytes, binding: str) -> Schema:
    """The schema that data is bound to, of YAML or, where that is allowed, of Python.

    Raises:
        MlopsError: it is wrong, or may not run.
    """
    return python.load(repo, content, binding) if python.is_python(binding) else load(content, binding)


def refused(error: MlopsError, schema_path: str) -> Finding:
    """A schema that `load` refuses, as a finding at the line it names."""
    if error.exit_code == CANNOT_EVALUATE:
        return Finding(RULE, "unknown", str(error), python.split(schema_path)[0], hint=error.hint)
    schema_path = python.split(schema_path)[0]
    place, _, message = str(error).removeprefix(f"{schema_path}:").partition(" ")
    line = place.removesuffix(":")
    number = int(line) if line.isdigit() else None
    text = message if number or not place else f"{place} {message}"
    return Finding(RULE, "error", text, schema_path, number, error.hint, {"check": "grammar"})


def _final(findings: Sequence[Finding]) -> bool:
    """Whether it is a judgement on the data: neither unknown, nor about the schema file."""
    return not any(f.level == "unknown" or f.data.get("check") == "grammar" for f in findings)


def _verdict(subject: str, findings: Sequence[Finding]) -> Verdict:
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    by = {"git-mlops": __version__, "engine": verdicts.ENGINE, **pandera.versions(), **tables.versions()}
    kept = tuple(finding._replace(path=None) for finding in findings)
    return Verdict(subject, "fail" if exit_code(kept) else "pass", kept, now, by)


def _placed(finding: Finding, item: Item) -> Finding:
    hint = finding.hint or f"mend the data and `git mlops add` it, or change `{item.schema_path}`"
    member = finding.data.get("member")
    return finding._replace(path=f"{item.path}/{member}" if member else item.path, hint=hint)


def _record(repo: Repo, fresh: Sequence[Verdict]) -> Finding | None:
    """A verdict that cannot be kept (a repository that is read-only) is computed again: said, no failure."""
    try:
        verdicts.record(repo, fresh)
    except (MlopsError, OSError) as error:
        return Finding(RULE, "note", f"the verdicts could not be recorded: {error}")
    return None
