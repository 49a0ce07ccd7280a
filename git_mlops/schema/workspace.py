"""What `git mlops schema` does with the files of the workspace."""

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from git_mlops.errors import CANNOT_EVALUATE, MlopsError, NotFoundError
from git_mlops.findings import Finding, ordered
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo
from git_mlops.schema import cluster
from git_mlops.schema.bind import bind
from git_mlops.schema.bindings import Bound, folder_of, grouped
from git_mlops.schema.gate import loaded, refused
from git_mlops.schema.infer import infer
from git_mlops.schema.load import Schema
from git_mlops.schema.python import split
from git_mlops.schema.settings import Bindings
from git_mlops.schema.validate import RULE, validate
from git_mlops.tables import databases
from git_mlops.tables.databases import DatabaseError
from git_mlops.tables.forms import KNOWN, file_and_table, form_of, is_database

_CONFIG = "mlops.yaml"
_MINIMAL = "version: 1\n"
_UNSEEN = (".git", ".dvc")


class Inferred(NamedTuple):
    """What `write` wrote."""

    path: str
    schema_path: str
    bound: bool
    """Whether mlops.yaml had to change."""


class Report(NamedTuple):
    """What `check` found."""

    findings: list[Finding]
    checked: int
    """How many files."""


def write(repo: Repo, name: str, *, output: str | None = None, force: bool = False) -> Inferred:
    """Infer the schema of a workspace file, write it and bind it in mlops.yaml; nothing is staged.

    Args:
        repo: where the user stands.
        name: the data, as the user names it from there.
        output: the schema's file, likewise; `schemas/<name>.yaml` without it.
        force: replace a schema that is there.

    Raises:
        MlopsError: no such data, an unknown form, unreadable data, or a schema that is there already.
    """
    path = inside(repo, name)
    file = _present(repo, path)
    if form_of(path) is None:
        raise MlopsError(f"{path}: its form is not known by its name", hint=_forms_hint(path, file))
    schema_path = inside(repo, output) if output else f"schemas/{_stem(path)}.yaml"
    target = repo.root / schema_path
    if target.exists() and not force:
        other = f"{target.stem}_{Path(name).suffix.lstrip('.') or 'other'}"
        hint = f"`-o schemas/{other}.yaml` writes another, `--force` replaces it"
        raise MlopsError(f"{schema_path} exists already", hint=hint)
    text = _read_text(repo.root / _CONFIG)
    edited = bind(text if text is not None else _MINIMAL, path, schema_path)
    content = infer(file, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_file(target, content)
    if edited != text:
        replace_file(repo.root / _CONFIG, edited.encode("utf-8"))
    return Inferred(path, schema_path, edited != text)


def _forms_hint(path: str, file: Path) -> str:
    if not is_database(path):
        return f"known: {', '.join(KNOWN)}"
    try:
        names = databases.tables(file)
    except DatabaseError:
        names = []
    table = shlex.quote(f"{path}#{names[0] if names else 'TABLE'}")
    return f"name one table of the database: `git mlops schema infer {table}`"


def _read_text(file: Path) -> str | None:
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise MlopsError(f"{file.name} is not UTF-8") from error


def _stem(path: str) -> str:
    table = file_and_table(path)[1]
    if table:
        return re.sub(r"[^\w-]", "_", table)
    return PurePosixPath(path).name.split(".")[0] or "data"


def _file(repo: Repo, path: str) -> Path:
    """Where the bytes of a path are; those of a table are its database's."""
    return repo.root / file_and_table(path)[0]


def inside(repo: Repo, name: str) -> str:
    """A name as the user types it (relative to where they stand) as a repository path."""
    joined = Path(repo.root, repo.prefix, name)
    real = Path(os.path.realpath(joined.parent)) / joined.name if joined.name != ".." else joined.resolve()
    real = Path(os.path.normpath(real))
    if not real.is_relative_to(os.path.realpath(repo.root)):
        raise MlopsError(f"`{name}` is outside of the repository")
    return real.relative_to(os.path.realpath(repo.root)).as_posix()


def _present(repo: Repo, path: str) -> Path:
    file = _file(repo, path)
    if file.is_dir():
        raise MlopsError(f"`{path}` is a directory", hint="name one file of it")
    if not file.is_file():
        raise _missing(repo, path)
    if not Path(os.path.realpath(file)).is_file():
        raise NotFoundError(f"no such file: {path}")
    return file


def _missing(repo: Repo, path: str) -> MlopsError:
    path = file_and_table(path)[0]
    if Path(f"{repo.root / path}.dvc").exists():
        hint = f"`git mlops pull {shlex.quote(path)}`"
        return MlopsError(f"the data of `{path}` is not here", hint=hint, exit_code=CANNOT_EVALUATE)
    return NotFoundError(f"no such file: {path}")


def check(repo: Repo, bindings: Bindings, names: Sequence[str] = ()) -> Report:
    """Validate bound files of the workspace against the schemas of the workspace.

    Args:
        repo: where the user stands.
        bindings: `schemas:` of mlops.yaml.
        names: files or directories, as the user names them; everything that is bound without any.

    Raises:
        MlopsError: nothing is bound, or a named file is not, or does not exist.
    """
    found = bound(repo, bindings, names)
    schemas: dict[str, Schema | None] = {}
    paths = chosen(repo, bindings, found, names)
    findings = [finding for path in paths for finding in _checked(repo, path, found, schemas)]
    return Report(ordered(findings), counted(found, paths))


def counted(found: Bound, paths: Iterable[str]) -> int:
    """How many files these are."""
    return sum(
        len(cluster.partitions(path, found.tables[path])) if path in found.tables else 1 for path in paths
    )


def bound(
    repo: Repo,
    bindings: Bindings,
    names: Iterable[str],
    away: Iterable[str] = (),
    folders: Iterable[str] = (),
) -> Bound:
    """What of the workspace must satisfy a schema.

    Args:
        repo: where the user stands.
        bindings: `schemas:` of mlops.yaml.
        names: what the user names, there or not.
        away: files that are not there, but count.
        folders: directories that are not there, but count.

    Raises:
        MlopsError: nothing is bound.
    """
    if not bindings:
        hint = "`git mlops schema infer PATH` writes one and binds it"
        raise MlopsError(f"no schemas are bound in {_CONFIG}", hint=hint)
    known = set(folders)
    named = (path for name in names if not (repo.root / (path := inside(repo, name))).exists())
    alone = (path for path in named if path not in known and folder_of(path, bindings) is None)
    paths = dict.fromkeys([*files(repo, ""), *away, *alone])
    return grouped(paths, bindings, lambda path: path in known or (repo.root / path).is_dir())


def chosen(repo: Repo, bindings: Bindings, found: Bound, names: Iterable[str]) -> list[str]:
    """The files and tables to check, in their order; everything that is bound where no name is given.

    Raises:
        MlopsError: a named file is not bound, or does not exist.
    """
    names = list(names)
    return sorted(set(_chosen(repo, found, names) if names else _bound(found, bindings)))


def _chosen(repo: Repo, found: Bound, names: Iterable[str]) -> Iterator[str]:
    """Files and tables; whoever names a partition means its table."""
    for name in names:
        path = inside(repo, name)
        table = next((folder for folder in found.tables if f"{path}/".startswith(f"{folder}/")), None)
        starts = (f"{path}/", f"{path}#") if is_database(path) else f"{path}/"
        below = [p for p in (*found.files, *found.tables) if path == "." or p.startswith(starts)]
        if path in found.files:
            yield path
        elif table is not None:
            if path != table and not (repo.root / path).exists() and not _among(path, table, found):
                raise _missing(repo, path)
            yield table
        elif below:
            yield from below
        elif (repo.root / path).is_dir():
            hint = _bind_hint(f"{path}/FILE")
            raise MlopsError(f"no file below `{path}` is bound to a schema", hint=hint)
        elif not _file(repo, path).exists():
            raise _missing(repo, path)
        else:
            raise MlopsError(f"no schema is bound to `{path}`", hint=_bind_hint(path))


def _among(path: str, table: str, found: Bound) -> bool:
    names = (f"{table}/{name}" for name in found.tables[table])
    return any(name == path or name.startswith(f"{path}/") for name in names)


def _bind_hint(path: str) -> str:
    return f"`git mlops schema infer {shlex.quote(path)}` writes one and binds it"


def _bound(found: Bound, bindings: Bindings) -> Iterator[str]:
    """Every path that is named, there or not, and every file that a pattern matches."""
    yield from found.files
    yield from found.tables
    for path, schema in bindings.items():
        if not set(path) & set("*?[") and "/" in path and not path.endswith("/") and path not in found.tables:
            found.files.setdefault(path, schema)
            yield path


def files(repo: Repo, below: str) -> Iterator[str]:
    """Files on disk, also those that git ignores: DVC's outputs are ignored."""
    top = repo.root
    for folder, names, files in os.walk(top / below):
        names[:] = sorted(name for name in names if name not in _UNSEEN)
        for file in sorted(files):
            yield Path(folder, file).relative_to(top).as_posix()


def _checked(repo: Repo, path: str, found: Bound, schemas: dict[str, Schema | None]) -> Iterator[Finding]:
    schema_path = found.schemas.get(path) or found.files[path]
    yield from loaded_once(repo, path, schema_path, schemas)
    schema = schemas[schema_path]
    if schema is None:
        return
    if path in found.tables:
        yield from _table(repo, path, found, schema)
    elif not _file(repo, path).is_file():
        missing = _missing(repo, path)
        yield Finding(RULE, "unknown", "its data is not here", path, hint=missing.hint)
    else:
        yield from validate(_file(repo, path), path, schema)


def not_here(repo: Repo, path: str) -> Finding:
    """That nothing is known of the data, because it is not in the workspace."""
    return Finding(RULE, "unknown", "its data is not here", path, hint=_missing(repo, path).hint)


def _table(repo: Repo, path: str, found: Bound, schema: Schema) -> Iterator[Finding]:
    if not (repo.root / path).is_dir():
        yield not_here(repo, path)
        return
    parts = cluster.partitions(path, found.tables[path])
    yield from cluster.unread(path, found.tables[path])
    if parts:
        yield from cluster.here(path, {name: repo.root / path / name for name in parts}, schema)


def loaded_once(
    repo: Repo, path: str, schema_path: str, schemas: dict[str, Schema | None]
) -> Iterator[Finding]:
    """Put a schema into `schemas`, None if it is wrong: that is said at its first use, and of every path."""
    if schema_path not in schemas:
        schemas[schema_path] = None
        try:
            schemas[schema_path] = loaded(repo, read_schema(repo, schema_path, path), schema_path)
        except NotFoundError as error:
            yield Finding(RULE, "error", str(error), _CONFIG, hint=error.hint)
        except MlopsError as error:
            yield refused(error, schema_path)
    if schemas[schema_path] is None:
        yield Finding(RULE, "unknown", f"not checked: its schema `{schema_path}` is missing or wrong", path)


def read_schema(repo: Repo, schema_path: str, path: str) -> bytes:
    try:
        return (repo.root / inside(repo._replace(prefix=""), split(schema_path)[0])).read_bytes()
    except OSError as error:
        hint = f"`git mlops schema infer {shlex.quote(path)} -o {shlex.quote(schema_path)}` writes it"
        raise NotFoundError(f"`{path}` is bound to `{schema_path}`: {error.strerror}", hint=hint) from error
