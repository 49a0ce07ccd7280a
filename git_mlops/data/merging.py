"""Three-way merge of what pointers name: objects of DVC's cache in, an object and its pointer out."""

import gzip
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from git_mlops.data import cache, pointers, profile, profiling, stored
from git_mlops.data.hashes import md5, md5_folder
from git_mlops.data.merge import merge_listings, merge_tables, rows_in, without_rows
from git_mlops.data.pointer_text import encoded, merge
from git_mlops.data.pointers import Out, PointerError
from git_mlops.data.settings import Settings
from git_mlops.data.threeway import (
    CannotMergeError,
    Choose,
    Conflict,
    Counts,
    Outcome,
    Side,
    Sides,
    nothing_chosen,
)
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo
from git_mlops.tables.forms import Form, form_of


class Texts(NamedTuple):
    """Three versions of a pointer; an empty one is not there."""

    base: str
    ours: str
    theirs: str


class Result(NamedTuple):
    """What became of the data of a pointer."""

    text: str | None = None
    """The pointer of the merged data; None where a person must look at it."""
    conflicts: tuple[Conflict, ...] = ()
    key: tuple[str, ...] = ()
    """The columns that told the rows apart; `file` for a directory."""
    reason: str = ""
    """Why it was not merged row by row, or file by file."""
    missing: tuple[Out, ...] = ()
    """What must be on this machine for that."""
    counts: Counts = Counts()
    """What theirs brought."""


_NOTHING = ""
"""The hash of what base names where both sides added the pointer."""


def outs_of(path: str, texts: Texts) -> tuple[Out, Out, Out] | str:
    """The one output that each side names, or why that cannot be said."""
    if re.search("^<{7,} ", texts.base, re.MULTILINE):
        return "the commits that both sides come from conflict with each other (a criss-cross merge)"
    try:
        found = [pointers.parse(path, encoded(text or texts.ours)).outs for text in texts]
    except PointerError as error:
        return str(error).removeprefix(f"{path}: ") if error.path == path else str(error)
    if any(len(outs) != 1 for outs in found):
        return "a side names more than one output"
    base, ours, theirs = (outs[0] for outs in found)
    base = base if texts.base else base._replace(hash=_NOTHING)
    if not base.path == ours.path == theirs.path:
        return "the sides name different files"
    if any(out.algorithm != "md5" for out in (base, ours, theirs)):
        return "its hash is of DVC 2: `dvc cache migrate --dvc-files` renews it"
    return base, ours, theirs


def merge_data(  # noqa: PLR0913  # what is merged, and how
    repo: Repo, path: str, texts: Texts, settings: Settings, *,
    key: tuple[str, ...] = (), choose: Choose = nothing_chosen, union: bool = False, keep: bool = True,
) -> Result:  # fmt: skip
    """Merge the data of the pointer at `path`, as far as it can be.

    Args:
        key: the columns of the key, in place of what is declared or known.
        union: of a table without a key, every row that a side added, also where rows were changed.
        keep: put the result into DVC's cache.
    """
    outs = outs_of(path, texts)
    if isinstance(outs, str):
        return Result(reason=outs)
    kinds = {out.is_dir for out in outs if out.hash}
    form = form_of(outs[0].path)
    if len(kinds) > 1:
        return Result(reason="it is a file on one side and a directory on the other")
    if kinds == {False} and form is None:
        return Result(reason="only tables and directories are merged; this is neither")
    missing = tuple(dict.fromkeys(out for out in outs if out.hash and cache.locate(repo, out) is None))
    if missing:
        return Result(reason=f"its data is not on this machine ({_listed(missing)})", missing=missing)
    try:
        if form is None or kinds == {True}:
            return _merge_folder(repo, path, texts, outs, choose, keep=keep)
        keys = [key] if key else keys_of(path, outs[0].path, texts, settings)
        if not outs[0].hash:
            keys = [one for one in keys if one]
            if not keys:
                return Result(reason="both sides added it, and no key tells its rows apart")
        return _merge_table(_Work(repo, path, texts, outs, settings, form, keep, union), keys, choose)
    except CannotMergeError as error:
        return Result(reason=str(error))


def keys_of(path: str, data: str, texts: Texts, settings: Settings) -> list[tuple[str, ...]]:
    """What may tell the rows apart, the best first: declared, said by profiles, nothing."""
    declared = profile.key_of(settings, data)
    if declared:
        return [declared]
    said = [found.key for text in texts if (found := profile.read(path, encoded(text)))]
    known = [key for key in dict.fromkeys(said) if key]
    return [*known, ()]


def _listed(outs: tuple[Out, ...]) -> str:
    return ", ".join(out.hash[:12] for out in outs)


# -- tables -------------------------------------------------------------------------------------------------


class _Work(NamedTuple):
    repo: Repo
    path: str
    texts: Texts
    outs: tuple[Out, Out, Out]
    settings: Settings
    form: Form
    keep: bool
    union: bool


def _merge_table(work: _Work, keys: list[tuple[str, ...]], choose: Choose) -> Result:
    with _scratch(work.repo) as folder:
        sides = _files(work, folder)
        target = folder / "merged"
        outcome, key = _first_that_works(sides, work, keys, target, choose)
        if outcome.conflicts:
            return Result(None, outcome.conflicts, key)
        if work.form.packed:
            target = _packed(target)
        text = _pointer(work, target)
        return Result(text, (), key, counts=outcome.counts)


def _first_that_works(
    sides: Sides, work: _Work, keys: list[tuple[str, ...]], target: Path, choose: Choose
) -> tuple[Outcome, tuple[str, ...]]:
    problem: CannotMergeError | None = None
    for key in keys:
        try:
            return merge_tables(sides, work.form, key, target, choose, union=work.union), key
        except CannotMergeError as error:
            problem = problem or error
    assert problem
    raise problem


def _files(work: _Work, folder: Path) -> Sides:
    """The three tables as they can be read; where both sides added it, they come from one without rows."""
    place = cache.cache_dir(work.repo)
    ours, theirs = (
        _plain(cache.object_path(place, out), folder / out.hash, work.form) for out in work.outs[1:]
    )
    if work.outs[0].hash:
        return Sides(_plain(cache.object_path(place, work.outs[0]), folder / "base", work.form), ours, theirs)
    try:
        return Sides(without_rows(ours, theirs, work.form, folder / "base"), ours, theirs)
    except ValueError as error:
        raise CannotMergeError(f"it cannot be read: {error}") from error


def left_out(repo: Repo, path: str, texts: Texts, side: Side) -> int | None:
    """Rows of the other side that `side` as a whole lacks; None where nobody can tell."""
    outs = outs_of(path, texts)
    form = form_of(path.removesuffix(".dvc"))
    if isinstance(outs, str) or form is None or form.dialect is not None or any(out.is_dir for out in outs):
        return None
    place = cache.cache_dir(repo)
    try:
        with _scratch(repo) as folder:
            ours, theirs = (
                rows_in(_plain(cache.object_path(place, out), folder / out.hash, form), form)
                for out in outs[1:]
            )
    except (ValueError, OSError):
        return None
    return (theirs - ours if side == "ours" else ours - theirs).total()


@contextmanager
def _scratch(repo: Repo) -> Iterator[Path]:
    """A place on the disk of the cache, so that the result is not copied."""
    place = cache.cache_dir(repo)
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".mlops-merge-", dir=place) as folder:
        yield Path(folder)


def _plain(file: Path, target: Path, form: Form) -> Path:
    if not form.packed:
        return file
    if form.by != "gz":
        raise CannotMergeError(f"tables of the form {form.name} are not merged row by row")
    try:
        with gzip.open(file, "rb") as packed, target.open("wb") as plain:
            shutil.copyfileobj(packed, plain, 1024 * 1024)
    except (OSError, EOFError) as error:
        raise CannotMergeError(f"it cannot be unpacked: {error}") from error
    return target


def _packed(file: Path) -> Path:
    """The same bytes on every machine: without a name and a time."""
    target = file.with_name("merged.gz")
    with file.open("rb") as plain, target.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as packed:
        shutil.copyfileobj(plain, packed, 1024 * 1024)
    return target


def _pointer(work: _Work, target: Path) -> str:
    """The pointer of the merged file; with a profile of its own where a side has one."""
    size = target.stat().st_size
    profiled = any(profile.read(work.path, encoded(text)) for text in work.texts)
    described = None
    if profiled and work.keep and size <= work.settings.profile_limit:
        described = profiling.measure(work.outs[0].path, target, work.form, work.settings).profile
    hash_ = stored.keep_file(work.repo, target) if work.keep else md5(target)
    text = _renamed(work.path, work.texts, work.outs[1]._replace(hash=hash_, size=size, nfiles=None))
    return profile.put(text, described, hash_) if described else text


# -- directories --------------------------------------------------------------------------------------------


def _merge_folder(
    repo: Repo, path: str, texts: Texts, outs: tuple[Out, Out, Out], choose: Choose, *, keep: bool
) -> Result:  # fmt: skip
    base, ours, theirs = (cache.members(repo, out) if out.hash else {} for out in outs)
    plain = [{name: one.hash for name, one in side.items()} for side in (base, ours, theirs)]
    merged, conflicts = merge_listings(plain[0], plain[1], plain[2], choose)
    if conflicts:
        return Result(None, conflicts, ("file",))
    if not merged:
        raise CannotMergeError("nothing of the directory would be left")
    hash_ = stored.keep_listing(repo, merged) if keep else md5_folder(merged)
    size = _size(repo, outs[1], plain[1], merged)
    text = _renamed(path, texts, outs[1]._replace(hash=hash_, size=size, nfiles=len(merged)))
    came = [name for name in merged if name not in plain[1]]
    other = [name for name in merged if name in plain[1] and merged[name] != plain[1][name]]
    gone = [name for name in plain[1] if name not in merged]
    return Result(text, (), ("file",), counts=Counts(len(came), len(other), len(gone)))


def _size(repo: Repo, out: Out, before: Mapping[str, str], after: Mapping[str, str]) -> int | None:
    """Counted from ours by what differs; None where a file is not here to be measured."""
    place = cache.cache_dir(repo)
    differing = {name for name in {**before, **after} if before.get(name) != after.get(name)}
    total = out.size
    for side, sign in ((before, -1), (after, 1)):
        for name in differing & side.keys():
            file = cache.object_path(place, Out(name, "md5", side[name]))
            if total is None or not file.is_file():
                return None
            total += sign * file.stat().st_size
    return total


# -- pointers -----------------------------------------------------------------------------------------------


def _renamed(path: str, texts: Texts, out: Out) -> str:
    """What the sides say beside the data (description, remote, meta) merged, with the new data in it."""
    even = Texts(*(_with(profile.put(text, None), out) for text in texts))
    merged = merge(*even)
    if merged.conflict:
        raise CannotMergeError("both sides changed what the pointer says beside the data")
    try:
        found = pointers.parse(path, encoded(merged.text)).outs
    except PointerError as error:
        raise CannotMergeError(f"its pointer is laid out in a way of its own: {error}") from error
    if [(o.path, o.hash, o.size, o.nfiles) for o in found] != [(out.path, out.hash, out.size, out.nfiles)]:
        raise CannotMergeError("its pointer is laid out in a way of its own")
    return merged.text


def _with(text: str, out: Out) -> str:
    """The pointer's text with another hash and size; lines that do not apply go away."""
    start = re.search(r"^outs:[ ]*\r?\n", text, re.MULTILINE)
    if start is None:
        return text
    stop = re.compile(r"^(?![ \-\r\n])", re.MULTILINE).search(text, start.end())
    end = stop.start() if stop else len(text)
    body = text[start.end() : end]
    plain = out.hash if set(out.hash) - set("0123456789e") else f"'{out.hash}'"
    values = {"md5": plain, "size": out.size, "nfiles": out.nfiles}
    for name, value in values.items():
        line = rf"^([ ]*(?:-[ ]+)?){name}:[^\r\n]*(\r?\n|\Z)"
        if value is None:
            body = re.sub(rf"^[ ]+{name}:[^\r\n]*(\r?\n|\Z)", "", body, flags=re.MULTILINE)
        else:
            body = re.sub(line, rf"\g<1>{name}: {value}\g<2>", body, flags=re.MULTILINE)
    return text[: start.end()] + body + text[end:]


def whole(path: str, texts: Texts, side: str) -> str:
    """The pointer as one side has it."""
    text = texts.ours if side == "ours" else texts.theirs
    if not text:
        raise MlopsError(f"{side} has no `{path}`", hint=f"`git rm {path}` removes it")
    return text
