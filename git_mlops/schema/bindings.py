"""Which schema a path of the repository must satisfy."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from git_mlops.patterns import matches, most_specific
from git_mlops.schema.settings import Bindings
from git_mlops.tables.forms import file_and_table, is_database


def schema_for(path: str, bindings: Bindings) -> str | None:
    """The schema file bound to a data path, or None.

    The path itself wins; then the longest pattern that matches (the most specific, as people write them);
    of equally long ones the last, as in `.gitignore`.
    """
    return most_specific(path, bindings)


def with_tables(path: str, bindings: Bindings) -> Iterator[str]:
    """The path, and of a database each table that is bound: `app.db`, `app.db#users`."""
    yield path
    if is_database(path):
        named = (file_and_table(key) for key in bindings)
        tables = (table for file, table in named if table and matches(path, (file,)))
        yield from (f"{path}#{table}" for table in dict.fromkeys(tables))


def folder_of(path: str, bindings: Bindings) -> str | None:
    """The bound path that has this one below it: the table that it may be a part of."""
    folders = (key.removeprefix("./").strip("/") for key in bindings if not set(key) & set("*?[#"))
    return max((f for f in folders if f and path.startswith(f"{f}/")), key=len, default=None)


class Bound(NamedTuple):
    """What of some paths must satisfy a schema, and how."""

    files: dict[str, str]
    """A file by itself → its schema."""
    tables: dict[str, list[str]]
    """A directory that is one table → the files of it, by their names in it."""
    schemas: dict[str, str]
    """Such a directory → its schema."""


def grouped(paths: Iterable[str], bindings: Bindings, is_folder: Callable[[str], bool]) -> Bound:
    """Which paths are files by themselves, which are partitions of a directory that is bound as such.

    A directory is bound by its own path, with a slash or without; a file in it that something more specific
    names is a file by itself.
    """
    folders = {key: folder for key in bindings if (folder := _folder(key, is_folder)) is not None}
    owners = {f"{folders[key]}/" if key in folders else key: key for key in bindings}
    bound = Bound({}, {folder: [] for folder in folders.values()}, {})
    for key, folder in folders.items():
        bound.schemas[folder] = bindings[key]
    for path in (name for each in paths for name in with_tables(each, bindings)):
        owner = most_specific(path, owners)
        if owner is None:
            continue
        folder = folders.get(owner)
        if folder is not None and path.startswith(f"{folder}/"):
            bound.tables[folder].append(path.removeprefix(f"{folder}/"))
        else:
            bound.files[path] = bindings[owner]
    return bound


def _folder(key: str, is_folder: Callable[[str], bool]) -> str | None:
    """The directory that a key names, if it names one."""
    path = key.removeprefix("./").strip("/")
    if not path or set(path) & set("*?["):
        return None
    return path if key.endswith("/") or is_folder(path) else None
