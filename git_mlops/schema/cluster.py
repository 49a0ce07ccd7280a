"""A directory of partitions as one table, judged partition by partition, here or by workers of a cluster.

Findings of the partitions are added up. Keys are compared across partitions by a shuffle: the hashes of each
partition stay where they were made, and one task per range of hashes says what repeats in it.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, Self

from git_mlops.findings import Finding
from git_mlops.schema import partitioned
from git_mlops.schema.load import Schema
from git_mlops.schema.partitioned import EXAMPLES, Head, Key
from git_mlops.schema.validate import RULE, few, place, share
from git_mlops.tables.forms import KNOWN, form_of

RANGE = 8 * 1024 * 1024
"""Hashes that one task compares; it needs some 250 MB for them."""
_NAMED = 3
"""Partitions that a message names."""
_KEPT = 1000
"""Partitions that `data` names."""
Handle = object
"""What stands for an answer that stays where it was made."""
Work = Callable[..., bytes]


class Engine(Protocol):
    """Who does the work; a handle among the arguments, or in a list among them, becomes its answer."""

    def submit(self, work: Work, *arguments: object) -> Handle:
        """Begin; `work` is a function of a module, its other arguments are bytes."""
        ...

    def answer(self, handle: Handle) -> tuple[bytes | None, str]:
        """Wait for it: the answer, or why there is none."""
        ...


class Here:
    """This process; answers are kept on disk, so that memory does not grow with the table."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._count = 0

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="mlops-shuffle-"))
        return self

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def submit(self, work: Work, *arguments: object) -> Handle:
        """Do it."""
        assert self._folder is not None
        answer = work(*(self._value(argument) for argument in arguments))
        self._count += 1
        file = self._folder / str(self._count)
        file.write_bytes(answer)
        return file

    def _value(self, argument: object) -> object:
        if isinstance(argument, list):
            return [self._value(one) for one in argument]
        return argument.read_bytes() if isinstance(argument, Path) else argument

    def answer(self, handle: Handle) -> tuple[bytes | None, str]:
        """From disk."""
        assert isinstance(handle, Path)
        return handle.read_bytes(), ""


class Part(NamedTuple):
    """One partition."""

    name: str
    """Within the table."""
    payload: bytes
    """What a worker needs to know of it."""


class Workers(NamedTuple):
    """What is done with a partition's payload, by functions that a worker can import."""

    examine: Callable[[bytes], bytes]
    located: Callable[[bytes, bytes], bytes]


class _Seen(NamedTuple):
    """A partition that was judged."""

    part: Part
    handle: Handle
    head: Head


class Begun(NamedTuple):
    """A table whose partitions are being judged."""

    path: str
    parts: tuple[Part, ...]
    handles: tuple[Handle, ...]
    heads: tuple[Handle, ...]


def begin(engine: Engine, path: str, parts: Sequence[Part], workers: Workers) -> Begun:
    """Have all partitions judged; several tables may be begun before the first is asked for."""
    handles = tuple(engine.submit(workers.examine, part.payload) for part in parts)
    heads = tuple(engine.submit(partitioned.head_of, handle) for handle in handles)
    return Begun(path, tuple(parts), handles, heads)


def findings(engine: Engine, begun: Begun, workers: Workers, most: int = RANGE) -> list[Finding]:
    """What there is to say of a table: as of one file with all its rows, in the order of the names.

    Args:
        engine: who judged the partitions.
        begun: what it was given.
        workers: how a partition is looked at again.
        most: hashes of a key that one task compares.
    """
    seen: list[_Seen] = []
    problems: dict[str, list[str]] = {}
    for part, handle, head in zip(begun.parts, begun.handles, begun.heads, strict=True):
        answer, problem = engine.answer(head)
        read = partitioned.read_head(answer) if answer is not None else None
        if read is None or read.problem:
            problems.setdefault(read.problem if read else problem, []).append(part.name)
        else:
            seen.append(_Seen(part, handle, read))
    found = [
        *_added_up(begun, [(one.part.name, one.head) for one in seen], everything=not problems),
        *_Keys(engine, begun, seen, workers, most).findings(),
        *(_unknown(begun, f"not evaluated: {said}", names) for said, names in problems.items()),
    ]
    return few(found, begun.path)


def _unknown(begun: Begun, said: str, names: Sequence[str]) -> Finding:
    message = f"{said} ({_partitions(names, len(begun.parts))})"
    return Finding(RULE, "unknown", message, begun.path, data={"partitions": list(names)[:_KEPT]})


def _partitions(names: Sequence[str], of: int) -> str:
    """Which ones, for a message."""
    shown = ", ".join(f"`{name}`" for name in names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    return f"{len(names)} of {of} partition{'' if of == 1 else 's'}: {shown}"


class _Group(NamedTuple):
    """The same failure in several partitions."""

    first: Finding
    """As the first of them has it."""
    stem: str
    """Its message up to what differs between them."""
    failures: dict[str, int]
    examples: list[dict[str, object]]


def _added_up(begun: Begun, heads: Sequence[tuple[str, Head]], *, everything: bool) -> Iterator[Finding]:
    rows = sum(head.rows for _name, head in heads)
    if not rows and everything and not any(_unreadable(f) for _name, head in heads for f in head.findings):
        message = "has no rows, so that nothing was checked"
        yield Finding(RULE, "error", message, begun.path, data={"check": "rows", "rows": 0})
        return
    groups: dict[tuple[object, ...], _Group] = {}
    for name, head in heads:
        for finding in head.findings:
            if _unreadable(finding):
                yield finding._replace(path=f"{begun.path}/{name}")
            elif finding.data.get("check") != "rows" or finding.data.get("column"):
                _add(groups, name, head, finding)  # a partition may be empty
    for group in groups.values():
        yield _summed(begun, group, rows)


def _unreadable(finding: Finding) -> bool:
    return finding.data.get("check") == "readable" or finding.level == "unknown"


def _add(groups: dict[tuple[object, ...], _Group], name: str, head: Head, finding: Finding) -> None:
    failures = finding.data.get("failures")
    stem = finding.message
    if isinstance(failures, int):
        stem = stem.partition(share(failures, head.rows))[0]
    elif finding.level == "warning":  # in pandera's words, which name some values
        stem = stem.partition(" failure cases:")[0]
    check = finding.data.get("check"), isinstance(failures, int)
    group = groups.setdefault(
        (finding.level, finding.data.get("column"), *check, stem), _Group(finding, stem, {}, [])
    )
    group.failures[name] = failures if isinstance(failures, int) else 0
    found = finding.data.get("examples")
    for example in found if isinstance(found, list) else ():
        if len(group.examples) < EXAMPLES:
            group.examples.append({"partition": name, **example})


def _summed(begun: Begun, group: _Group, rows: int) -> Finding:
    counted = isinstance(group.first.data.get("failures"), int)
    data = {
        **group.first.data,
        "failures": sum(group.failures.values()) if counted else None,
        "rows": rows,
        "examples": group.examples,
        "partitions": dict(list(group.failures.items())[:_KEPT]) if counted else [*group.failures][:_KEPT],
    }
    if counted:
        message = _said(group.stem, sum(group.failures.values()), rows, group.examples)
    else:
        message = f"{group.stem} ({_partitions([*group.failures], len(begun.parts))})"
    return group.first._replace(message=message, path=begun.path, line=None, data=data)


def _said(stem: str, failures: int, rows: int, examples: Sequence[Mapping[str, object]]) -> str:
    shown = ", ".join(f"`{example['partition']}` {place(example)}" for example in examples)
    more = ", …" if failures > len(examples) > 0 else ""
    return f"{stem}{share(failures, rows)}" + (f": {shown}{more}" if shown else "")


class _Keys:
    """What repeats in the whole of a table."""

    def __init__(
        self, engine: Engine, begun: Begun, seen: Sequence[_Seen], workers: Workers, most: int
    ) -> None:
        self._engine, self._begun, self._workers, self._most = engine, begun, workers, most
        self._seen = [one for one in seen if one.head.rows]
        self._rows = sum(one.head.rows for one in self._seen)

    def findings(self) -> Iterator[Finding]:
        """Of every key that any partition has."""
        columns = dict.fromkeys(key.column for one in self._seen for key in one.head.keys)
        if columns and len({one.head.probe for one in self._seen}) > 1:
            said = (
                "whether keys repeat is not evaluated: workers have different versions of git-mlops or Polars"
            )
            yield Finding(RULE, "unknown", said, self._begun.path)
            return
        for column in columns:
            yield from self._of(column)

    def _of(self, column: str | None) -> Iterator[Finding]:
        named = f"column `{column}`" if column is not None else "the table's key"
        keys = [(one, key) for one in self._seen for key in one.head.keys if key.column == column]
        unclear: dict[str, list[str]] = {}
        for one, key in keys:
            if key.problem:
                unclear.setdefault(key.problem, []).append(one.part.name)
        for problem, names in unclear.items():
            said = f"whether {named} repeats is not evaluated: {problem}"
            yield _unknown(self._begun, said, names)
        families = {key.family for _one, key in keys if key.hashes and key.family}
        if len(families) > 1:
            said = f"whether {named} repeats is not evaluated: it is {' here, '.join(sorted(families))} there"
            yield Finding(RULE, "unknown", said, self._begun.path)
            return
        yield from self._repeated(column, [pair for pair in keys if not pair[1].problem])

    def _repeated(self, column: str | None, keys: Sequence[tuple[_Seen, Key]]) -> Iterator[Finding]:
        if not keys:
            return
        ranges = self._ranges(column, keys)
        if isinstance(ranges, str):
            yield Finding(
                RULE, "unknown", f"whether keys repeat is not evaluated: {ranges}", self._begun.path
            )
            return
        rows = sum(count for count, _first in ranges)
        places = [(part, value, nth) for _count, first in ranges for part, value, nth in first]
        stem = (
            f"column `{column}` must be unique, but values repeat"
            if column
            else "rows repeat in their key columns"
        )
        check = "field_uniqueness" if column is not None else "multiple_fields_uniqueness"
        data: dict[str, object] = {"column": column, "check": check, "rows": self._rows}
        if rows:
            examples = self._examples(column, keys, places)
            if isinstance(examples, str):
                yield Finding(RULE, "unknown", f"{stem}, perhaps: {examples}", self._begun.path)
                return
            if rows <= EXAMPLES and keys[0][1].report == "all":
                examples = _true(
                    examples
                )  # all of them are known, so that equal hashes can be told from keys
                rows = len(examples)
            shown = [example for _key, example in examples]
            if rows:
                message = _said(f"{stem} in ", rows, self._rows, shown)
                yield Finding(
                    RULE,
                    "error",
                    message,
                    self._begun.path,
                    data={**data, "failures": rows, "examples": shown},
                )
        elif sum(key.nulls for _one, key in keys) > 1:  # to pandera they repeat, but are no cases
            yield Finding(
                RULE, "error", stem, self._begun.path, data={**data, "failures": None, "examples": []}
            )

    def _ranges(
        self, column: str | None, keys: Sequence[tuple[_Seen, Key]]
    ) -> list[tuple[int, list[list[int]]]] | str:
        """The shuffle: rows that repeat in each range and the first of them, or why that is not known."""
        many = max(1, -(-sum(key.hashes for _one, key in keys) // self._most))
        tasks = []
        for number in range(many):
            spec = json.dumps([column, number, many]).encode()
            parts = [self._engine.submit(partitioned.split, one.handle, spec) for one, _key in keys]
            report = json.dumps(keys[0][1].report).encode()
            tasks.append(self._engine.submit(partitioned.repeats, report, parts))
        found = []
        for task in tasks:
            answer, problem = self._engine.answer(task)
            if answer is None:
                return problem
            said = json.loads(answer)
            found.append((said["rows"], said["first"]))
        return found

    def _examples(
        self, column: str | None, keys: Sequence[tuple[_Seen, Key]], places: Iterable[tuple[int, int, int]]
    ) -> list[tuple[str, dict[str, object]]] | str:
        """The first rows that fail, with their keys: every range has named its own first ones."""
        wanted: dict[int, list[tuple[int, int]]] = {}
        for part, value, nth in places:
            wanted.setdefault(part, []).append((value, nth))
        asked: list[tuple[_Seen, Handle]] = []
        rows = 0
        for part in sorted(wanted):
            one = keys[part][0]
            spec = json.dumps([column, wanted[part]]).encode()
            asked.append((one, self._engine.submit(self._workers.located, one.part.payload, spec)))
            rows += len(wanted[part])
            if rows >= EXAMPLES:
                break
        found: list[tuple[str, dict[str, object]]] = []
        for one, handle in asked:
            answer, problem = self._engine.answer(handle)
            if answer is None:
                return problem
            said = json.loads(answer)
            if isinstance(said, dict):
                return str(said["problem"])
            located = sorted(said, key=lambda row: int(row["row"]))
            found += [(row["key"], {"partition": one.part.name, **row["example"]}) for row in located]
        return found[:EXAMPLES]


def _true(examples: Sequence[tuple[str, dict[str, object]]]) -> list[tuple[str, dict[str, object]]]:
    """Without rows whose hash another row has, but not their key."""
    keys = [key for key, _example in examples]
    return [pair for pair in examples if keys.count(pair[0]) > 1]


def refused(path: str, why: str) -> list[Finding]:
    """A table that no partition alone can tell of."""
    message = f"not evaluated as a table of partitions: {why}"
    return [
        Finding(RULE, "unknown", message, path, hint="bind the files by a pattern (`/*`), each by itself")
    ]


def here(path: str, files: Mapping[str, Path], schema: Schema) -> list[Finding]:
    """Judge a table in this process.

    Args:
        path: the directory.
        files: name of each partition → where its bytes are.
        schema: what the whole must satisfy.
    """
    if (why := partitioned.obstacle(schema)) is not None:
        return refused(path, why)

    def examine(payload: bytes) -> bytes:
        name = payload.decode("utf-8", "surrogateescape")
        return partitioned.examine(files[name], f"{path}/{name}", schema)

    def located(payload: bytes, spec: bytes) -> bytes:
        name = payload.decode("utf-8", "surrogateescape")
        return partitioned.located(files[name], f"{path}/{name}", schema, spec)

    workers = Workers(examine, located)
    parts = [Part(name, name.encode("utf-8", "surrogateescape")) for name in sorted(files)]
    with Here() as engine:
        return findings(engine, begin(engine, path, parts, workers), workers)


def partitions(path: str, names: Iterable[str]) -> list[str]:
    """The files of a directory that are partitions of its table."""
    return sorted(name for name in names if form_of(f"{path}/{name}") is not None and not _aside(name))


def unread(path: str, names: Sequence[str]) -> Iterator[Finding]:
    """What is said of files of a directory that are no partitions; names as writers use them aside."""
    others = sorted(name for name in names if form_of(f"{path}/{name}") is None and not _aside(name))
    if len(others) == sum(not _aside(name) for name in names):
        yield Finding(
            RULE, "unknown", "it has no file of a known form", path, hint=f"known: {', '.join(KNOWN)}"
        )
    elif others:
        more = f" and {len(others) - 1} more files" if len(others) > 1 else ""
        message = f"no part of the table, by its name: `{others[0]}`{more}"
        yield Finding(RULE, "note", message, path, data={"files": others})


def _aside(name: str) -> bool:
    """`_SUCCESS`, `.crc` and the like, which writers of partitions leave, and what is DVC's own."""
    own = name.endswith(".dvc") or name.rpartition("/")[2] in ("dvc.yaml", "dvc.lock")
    return own or any(part.startswith(("_", ".")) for part in name.split("/"))
