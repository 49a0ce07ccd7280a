"""Profiles made while DVC adds the data, and written into the pointers that DVC made."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from git_mlops.data import cache, listing, pointers, profile, tabular
from git_mlops.data.pointers import Out
from git_mlops.data.profile import Profile
from git_mlops.data.settings import Settings
from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo
from git_mlops.tables.forms import Form, form_of
from git_mlops.tables.frames import FrameError


class Described(NamedTuple):
    """What became of one table."""

    profile: Profile | None
    reason: str = ""
    """Why there is none."""


class _Table(NamedTuple):
    path: str
    file: Path
    form: Form
    size: int
    time: int


@contextmanager
def beside(
    repo: Repo, paths: Sequence[str], settings: Settings
) -> Iterator[Callable[[Sequence[str]], dict[str, str]]]:
    """Measure the tables among the paths while the block adds them.

    Yields what writes the profiles into the pointers that were made; it returns table → why it has none.
    """
    found: dict[str, Described] = {}
    tables = [table for path in paths if (table := _table(repo, path, settings))]
    work = threading.Thread(target=_measure_all, args=(tables, settings, found), daemon=True)
    if tables:
        work.start()
    with _set_aside(repo, [f"{path}.dvc" for path in paths]):

        def write(made: Sequence[str]) -> dict[str, str]:
            if tables:
                work.join()
            for pointer in made:
                _write(repo, pointer, {table.path: table for table in tables}, found, settings)
            return {path: one.reason for path, one in found.items() if one.profile is None}

        yield write


def _table(repo: Repo, path: str, settings: Settings) -> _Table | None:
    """What is to be measured: a table of a size that does not make people wait."""
    form, file = form_of(path), repo.root / path
    if form is None or not profile.wanted(settings, path) or not file.is_file():
        return None
    stat = file.stat()
    fits = 0 < stat.st_size <= settings.profile_limit
    return _Table(path, file, form, stat.st_size, stat.st_mtime_ns) if fits else None


def _measure_all(tables: Sequence[_Table], settings: Settings, found: dict[str, Described]) -> None:
    for table in tables:
        found[table.path] = measure(table.path, table.file, table.form, settings)


def measure(path: str, file: Path, form: Form, settings: Settings) -> Described:
    """The profile of a file under the settings of a repository path."""
    try:
        levels = profile.levels(settings, path, tabular.columns_of(file, form))
        return Described(tabular.measure(file, form, levels, key=profile.key_of(settings, path)))
    except (FrameError, OSError) as error:
        return Described(None, str(error))
    except BaseException as error:  # noqa: BLE001  # a panic of Polars is no Exception; the data is added all the same
        return Described(None, f"{type(error).__name__}: {error}")


@contextmanager
def _set_aside(repo: Repo, paths: Sequence[str]) -> Iterator[None]:
    """Take old profiles away: DVC would read them slowly, break their lines and keep them."""
    before: dict[Path, tuple[bytes, bytes]] = {}
    for path in paths:
        file = repo.root / path
        content = listing.on_disk(file)
        if content is None or b"mlops:" not in content:
            continue
        without = profile.put(_text(content), None).encode("utf-8", "surrogateescape")
        before[file] = (content, without)
        replace_file(file, without)
    try:
        yield
    except BaseException:
        for file, (content, without) in before.items():
            if listing.on_disk(file) == without:
                replace_file(file, content)
        raise


def _write(
    repo: Repo, pointer: str, tables: dict[str, _Table], found: dict[str, Described], settings: Settings
) -> None:
    file = repo.root / pointer
    content = file.read_bytes()
    outs = pointers.parse(pointer, content).outs
    if len(outs) != 1 or outs[0].path not in tables:
        return
    out, table = outs[0], tables[outs[0].path]
    if not _same(repo, out, table):  # it changed while it was read
        object_ = cache.locate(repo, out)
        if object_ is None:
            return
        found[out.path] = measure(out.path, object_, table.form, settings)
    described = found[out.path].profile
    if described is not None:
        text = profile.put(_text(content), described, out.hash)
        replace_file(file, text.encode("utf-8", "surrogateescape"))


def _same(repo: Repo, out: Out, table: _Table) -> bool:
    """Whether what was measured is the object: not touched since, or the very file that the cache has."""
    try:
        stat = table.file.stat()
        untouched = (stat.st_size, stat.st_mtime_ns) == (table.size, table.time)
        object_ = cache.locate(repo, out)
        return untouched or (object_ is not None and table.file.samefile(object_))
    except OSError:
        return False


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
