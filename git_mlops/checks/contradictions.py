"""Values of mlops.yaml that each fit their type and still cannot be meant."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from git_mlops.decode import DecodeError
from git_mlops.tables.settings import Rows, Table

if TYPE_CHECKING:
    from git_mlops.checks.context import Configuration

_WITHIN = re.compile(r"\s*\d+(?:\.\d+)?\s*[hdw]\s*")
_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+")


def contradictions(config: "Configuration") -> Iterator[DecodeError]:
    """What can be said without looking at the project. The file can be read all the same."""
    for path, table in config.tables.items():
        yield from _of_table(f"tables.{path}", table)
    for path, folder in config.folders.items():
        yield from _bounds(f"folders.{path}.files", folder.files)
        if folder.largest is not None and folder.largest < folder.smallest:
            yield DecodeError(f"folders.{path}", f"`largest` is less than `smallest` ({folder.smallest})")
    for path, owners in config.data.owners.items():
        named = owners if isinstance(owners, dict) else {"": owners}
        for column, people in named.items():
            key = f"data.owners.{path}" + (f".{column}" if column else "")
            for person in people:
                if not _ADDRESS.fullmatch(person):
                    yield DecodeError(key, f"`{person}` is no e-mail address: nobody can review as that")
            if not people:
                yield DecodeError(key, "names nobody")


def _of_table(key: str, table: Table) -> Iterator[DecodeError]:
    yield from _bounds(f"{key}.rows", table.rows)
    if table.fresh and not _WITHIN.fullmatch(table.fresh.within):
        yield DecodeError(f"{key}.fresh.within", f"expected `36h`, `7d` or `4w`, not `{table.fresh.within}`")
    for column, target in table.references.items():
        if not all(target.rpartition(":")[::2]):
            yield DecodeError(f"{key}.references.{column}", f"expected `PATH:COLUMN`, not `{target}`")


def _bounds(key: str, rows: Rows | None) -> Iterator[DecodeError]:
    if rows and rows.max is not None and rows.max < rows.min:
        yield DecodeError(key, f"`max` ({rows.max}) is less than `min` ({rows.min})")
