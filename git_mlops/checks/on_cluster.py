"""`git mlops schema check --engine dask`: tables of the workspace against their schemas, by workers.

What is judged is what a check on this machine would read: the bytes of the workspace. Where these are those
of a pointer, or are not here at all, a worker may take them from the cache or the remote's storage, by hash.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from git_mlops.checks import partition_worker
from git_mlops.checks.partition_worker import WORKERS, Work
from git_mlops.data import listing, remote_url
from git_mlops.data.hashes import Hashes
from git_mlops.data.pointers import Out
from git_mlops.data.remote_url import Place
from git_mlops.data.workspace import state
from git_mlops.errors import MlopsError
from git_mlops.executors.dask import Session, session
from git_mlops.findings import Finding, ordered
from git_mlops.git.repo import Repo
from git_mlops.schema import cluster, partitioned, workspace
from git_mlops.schema.bindings import Bound
from git_mlops.schema.cluster import Begun, Handle, Part
from git_mlops.schema.load import Schema
from git_mlops.schema.python import is_python
from git_mlops.schema.settings import Bindings
from git_mlops.schema.validate import RULE
from git_mlops.schema.workspace import Report
from git_mlops.tables.forms import file_and_table
from git_mlops.tables.settings import Forms


class Settings(NamedTuple):
    """What mlops.yaml says of it."""

    schemas: Bindings
    forms: Forms


def check(repo: Repo, settings: Settings, names: Sequence[str], address: str | None) -> Report:
    """Validate bound files and tables of the workspace; see `schema.workspace.check`.

    Args:
        repo: where the user stands.
        settings: bindings, and how tables are written.
        names: files or directories, as the user names them; everything that is bound without any.
        address: of a scheduler; None: workers on this machine.

    Raises:
        MlopsError: what `schema.workspace.check` raises, or there is no cluster.
    """
    tracked = _Tracked(repo, settings.schemas)
    folders = [out.path for out in tracked.outs if out.is_dir]
    found = workspace.bound(repo, settings.schemas, names, tracked.away, folders)
    paths = workspace.chosen(repo, settings.schemas, found, names)
    work = _Work(repo, settings, found, tracked.places(paths, found, away=address is not None))
    unknown = {finding.path for finding in tracked.problems}
    findings = [*tracked.problems, *work.prepared(path for path in paths if path not in unknown)]
    if work.todo:
        with session(address) as engine:
            findings += work.done(engine)
    return Report(ordered(findings), workspace.counted(found, paths))


class _Tracked:
    """What pointers of the workspace name."""

    def __init__(self, repo: Repo, bindings: Bindings) -> None:
        self._repo = repo
        self.outs = [out for out in listing.in_workspace(repo) if out.cache]
        self.problems: list[Finding] = []
        """Directories of which nobody knows what is in them."""
        self._members: dict[str, Out] = {}
        """Path of a file → its object, of files and directories that are not here."""
        for out in self.outs:
            if not (repo.root / out.path).exists():
                self._members |= self._files(out) if _may_be_bound(out, bindings) else {}
        self.away = list(self._members)

    def _files(self, out: Out) -> dict[str, Out]:
        if not out.is_dir:
            return {out.path: out}
        try:
            return {one.path: one._replace(remote=out.remote, push=out.push) for one in self._inside(out)}
        except MlopsError as error:
            self.problems.append(Finding(RULE, "unknown", str(error), out.path, hint=error.hint))
            return {}

    def _here(self, out: Out, hashes: Hashes) -> dict[str, Out]:
        """The same of what is here: neither the cache nor the remote is asked."""
        if not out.is_dir:
            return {out.path: out}
        found = hashes.folder(out.path) if out.algorithm == "md5" else {}
        paths = {f"{out.path}/{name}": hash_ for name, hash_ in found.items()}
        return {path: out._replace(path=path, hash=hash_, size=None) for path, hash_ in paths.items()}

    def _inside(self, out: Out) -> Iterable[Out]:
        return remote_url.members(self._repo, out).values()

    def places(self, paths: Iterable[str], found: Bound, *, away: bool) -> dict[str, list[Place]]:
        """Where each file may be read: as an object where its bytes are one, else as it stands here."""
        files = [file_and_table(file)[0] for path in paths for file in _files(path, found)]
        objects = {path: out for path, out in self._objects(files).items() if path in set(files)}
        known = remote_url.places(self._repo, objects.values(), away=away)
        places = {path: known[out] for path, out in objects.items()}
        for file in files:
            if file not in places and (self._repo.root / file).is_file():
                places[file] = [remote_url.of_file(self._repo.root / file)]
        return places

    def _objects(self, files: Sequence[str]) -> dict[str, Out]:
        objects = dict(self._members)
        with ExitStack() as stack:
            hashes = None
            for out in self.outs:
                inside = any(file == out.path or file.startswith(f"{out.path}/") for file in files)
                if not inside or not (self._repo.root / out.path).exists():
                    continue
                hashes = hashes or stack.enter_context(Hashes(self._repo))
                if state(self._repo, out, hashes) == "same":
                    objects |= self._here(out, hashes)
        return objects


def _files(path: str, found: Bound) -> list[str]:
    """A file, or the partitions of a table."""
    if path not in found.tables:
        return [path]
    return [f"{path}/{name}" for name in cluster.partitions(path, found.tables[path])]


def _may_be_bound(out: Out, bindings: Bindings) -> bool:
    """Whether it, or something in it, could be: what is not here is listed for no other reason."""
    for key in bindings:
        name = key.removeprefix("./").strip("/")
        if set(key) & set("*?[") or "/" not in name:
            return True
        if f"{name}/".startswith(f"{out.path}/") or f"{out.path}/".startswith(f"{name}/"):
            return True
    return False


class _Todo(NamedTuple):
    """One file, or one table of partitions."""

    path: str
    parts: tuple[Part, ...]
    table: bool


class _Work:
    """What workers are given, and what they say."""

    def __init__(self, repo: Repo, settings: Settings, found: Bound, places: dict[str, list[Place]]) -> None:
        self._repo, self._settings, self._found, self._places = repo, settings, found, places
        self._schemas: dict[str, Schema | None] = {}
        self.todo: list[_Todo] = []

    def prepared(self, paths: Iterable[str]) -> Iterator[Finding]:
        """Fills `todo`; findings of what needs no worker."""
        for path in paths:
            schema_path = self._found.schemas.get(path) or self._found.files[path]
            if is_python(schema_path):
                message = f"not evaluated: its schema `{schema_path}` is Python, which workers do not run"
                yield Finding(RULE, "unknown", message, path, hint="`--engine local` checks it here")
                continue
            yield from workspace.loaded_once(self._repo, path, schema_path, self._schemas)
            if self._schemas[schema_path] is not None:
                yield from self._prepared(path, schema_path)

    def _prepared(self, path: str, schema_path: str) -> Iterator[Finding]:
        schema = self._schemas[schema_path]
        assert schema is not None
        files = _files(path, self._found)
        if path not in self._found.tables:
            if file_and_table(path)[0] in self._places:
                self.todo.append(_Todo(path, (self._part(path, path, schema_path),), table=False))
            else:
                yield workspace.not_here(self._repo, path)
            return
        if not self._found.tables[path] and not (self._repo.root / path).is_dir():
            yield workspace.not_here(self._repo, path)
            return
        yield from cluster.unread(path, self._found.tables[path])
        if files and (why := partitioned.obstacle(schema)) is not None:
            yield from cluster.refused(path, why)
        elif files:
            parts = [self._part(file.removeprefix(f"{path}/"), file, schema_path) for file in files]
            self.todo.append(_Todo(path, tuple(parts), table=True))

    def _part(self, name: str, file: str, schema_path: str) -> Part:
        content = workspace.read_schema(self._repo, schema_path, file)
        work = Work(file, schema_path, content, self._places.get(file_and_table(file)[0], []))
        return Part(name, partition_worker.payload(work, self._settings.forms))

    def done(self, engine: Session) -> Iterator[Finding]:
        """Have it done, all at once."""
        begun: list[Begun | tuple[str, Handle]] = [
            cluster.begin(engine, one.path, one.parts, WORKERS)
            if one.table
            else (one.path, engine.submit(partition_worker.whole, one.parts[0].payload))
            for one in self.todo
        ]
        for one in begun:
            if isinstance(one, Begun):
                yield from cluster.findings(engine, one, WORKERS)
                continue
            path, handle = one
            answer, problem = engine.answer(handle)
            if answer is None:
                yield Finding(RULE, "unknown", f"not evaluated: {problem}", path)
            else:
                yield from partition_worker.found(answer, path)
