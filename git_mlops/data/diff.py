"""What changed in the data between two commits, or a commit and the workspace: tables, directories, models.

The bytes come from the workspace or DVC's cache. Where they are not on this machine, the profiles in the
pointers are compared instead, and that is said.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from git_mlops.data import cache, listing, modelfile, pointers, profile, profiling, rows, workspace
from git_mlops.data.hashes import Hashes
from git_mlops.data.pointers import Out
from git_mlops.data.profile import Profile
from git_mlops.data.rows import Difference
from git_mlops.data.settings import Settings
from git_mlops.git import diff as git_diff
from git_mlops.git import objects
from git_mlops.git.repo import Repo, empty_tree, head, resolve
from git_mlops.patterns import most_specific
from git_mlops.tables import labels
from git_mlops.tables.forms import Form, form_of
from git_mlops.tables.frames import FrameError
from git_mlops.tables.labels import Confusion

WORKSPACE = "workspace"

Status = Literal["added", "removed", "modified"]
Kind = Literal["table", "directory", "model", "file"]


class Version(NamedTuple):
    """The data of one path on one side."""

    hash: str | None
    """None: changed in the workspace and not added; nobody hashed it as a whole."""
    size: int | None
    file: Path | None
    """The bytes, if they are on this machine."""
    pointer: str
    described: Profile | None
    """The profile in the pointer, where it is of these bytes."""
    members: Mapping[str, str] | None = None
    """Of a directory: file → hash; None where its listing is not here."""
    is_dir: bool = False
    aside: bool = False
    """Whether its bytes are here and were not wanted."""


class Side(NamedTuple):
    """Everything that is data on one side."""

    label: str
    versions: Mapping[str, Version]


class Files(NamedTuple):
    """What changed in a directory."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    modified: tuple[str, ...]


class Labels(NamedTuple):
    """What changed in the label column that `data.labels` declares."""

    column: str
    found: Confusion


class TableChange(NamedTuple):
    """What changed in a table."""

    rows: Difference | None
    """None: its bytes are not here, or it was not looked into."""
    profiles: tuple[Profile | None, Profile | None]
    labels: Labels | None = None

    @property
    def retyped(self) -> dict[str, tuple[str, str]]:
        """New name of a column → old and new type."""
        return {
            new: (str(a["type"]), str(b["type"]))
            for new, a, b in self._columns()
            if a.get("type") != b.get("type")
        }

    @property
    def drift(self) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
        """New name of a column → the figures of its profile that are not the same, old and new."""
        found = {}
        for name, a, b in self._columns():
            keys = [key for key in dict.fromkeys((*a, *b)) if key != "type" and a.get(key) != b.get(key)]
            if keys:
                found[name] = ({k: a[k] for k in keys if k in a}, {k: b[k] for k in keys if k in b})
        return found

    @property
    def columns(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The columns that came and those that went."""
        if self.rows is not None:
            return self.rows.columns.added, self.rows.columns.removed
        a, b = self.profiles
        if a is None or b is None:
            return (), ()
        return tuple(n for n in b.columns if n not in a.columns), tuple(
            n for n in a.columns if n not in b.columns
        )

    def _columns(self) -> Iterator[tuple[str, profile.Column, profile.Column]]:
        a, b = self.profiles
        if a is None or b is None:
            return
        old_names = {new: old for old, new in self.rows.columns.renamed} if self.rows else {}
        for new, column in b.columns.items():
            old = a.columns.get(old_names.get(new, new))
            if old is not None:
                yield new, old, column


class Change(NamedTuple):
    """One path whose data differs."""

    path: str
    status: Status
    kind: Kind
    old: Version | None
    new: Version | None
    table: TableChange | None = None
    files: Files | None = None
    model: modelfile.Changes | None = None
    notes: tuple[str, ...] = ()


class Request(NamedTuple):
    """What to compare, and how closely."""

    a: str | None
    """A revision; None: HEAD."""
    b: str | None
    """A revision; None: the workspace."""
    paths: tuple[str, ...] = ()
    """Repository paths; none means all."""
    rows: int = 0
    """How many rows of each sort to show."""
    largest: int | None = None
    """Bytes of the largest table and model that is looked into; of others their profiles are compared."""


def difference(repo: Repo, request: Request, settings: Settings) -> Iterator[Change]:
    """Every path whose data differs, by name; each is compared when it is asked for."""
    a, b = sides(repo, request)
    for path in sorted({*a.versions, *b.versions}):
        old, new = a.versions.get(path), b.versions.get(path)
        if _chosen(path, request.paths, old, new) and not _equal(old, new):
            near = [_near(version, request.largest) for version in (old, new)]
            yield _change(path, near[0], near[1], settings, request.rows)


def _near(version: Version | None, largest: int | None) -> Version | None:
    """As if larger bytes were not on this machine; the listing of a directory is small."""
    if version is None or largest is None or version.is_dir or version.file is None:
        return version
    return version if 0 < (version.size or 0) <= largest else version._replace(file=None, aside=True)


def _chosen(path: str, wanted: Sequence[str], old: Version | None, new: Version | None) -> bool:
    named = [path, *(version.pointer for version in (old, new) if version)]
    return not wanted or any(n == w or n.startswith(f"{w}/") for n in named for w in wanted)


def _equal(old: Version | None, new: Version | None) -> bool:
    if old is None or new is None:
        return False
    if old.hash is not None and new.hash is not None:
        return old.hash == new.hash
    return old.members is not None and old.members == new.members


# -- the two sides --------------------------------------------------------------------------------------


def sides(repo: Repo, request: Request) -> tuple[Side, Side]:
    """What both sides name.

    Raises:
        MlopsError: a revision that does not exist.
    """
    if request.a is None and head(repo) is None:
        old, old_label = {}, "nothing"
    else:
        old_label = request.a or "HEAD"
        commit = resolve(repo, old_label)
        only = _changed(repo, commit, resolve(repo, request.b)) if request.b else None
        old = _committed(repo, commit, only)
    if request.b is None:
        return Side(old_label, old), Side(WORKSPACE, _in_workspace(repo))
    tip = resolve(repo, request.b)
    base = resolve(repo, old_label) if old_label != "nothing" else empty_tree(repo)
    return Side(old_label, old), Side(request.b, _committed(repo, tip, _changed(repo, base, tip)))


def _changed(repo: Repo, a: str, b: str) -> set[str]:
    return {change.path for change in git_diff.between(repo, a, b, *pointers.PATHSPECS)}


def _committed(repo: Repo, commit: str, only: set[str] | None) -> dict[str, Version]:
    """The data that a commit's pointers name; of some pointers alone, where these are all that can differ."""
    if only is None:
        only = {e.path for e in objects.tree_entries(repo, commit) if pointers.is_pointer(e.path)}
    wanted = [path for path in {*only, *map(listing.pipeline_of, only)} if "\n" not in path]
    names = {f"{commit}:{path}": path for path in wanted}
    contents = {names[name]: content for name, content in objects.read_blobs(repo, names).items()}
    found = listing.outs(contents)
    return {
        out.path: _stored(repo, out, pointer, contents[pointer])
        for out, pointer in found.items()
        if out.cache
    }


def _stored(repo: Repo, out: Out, pointer: str, content: bytes) -> Version:
    """What a pointer names, as far as the cache has it."""
    file = cache.locate(repo, out)
    described = None if out.is_dir else profile.read(pointer, content)
    if not out.is_dir:
        return Version(out.hash, out.size, file, pointer, described)
    listed = None if file is None else cache.members(repo, out)
    members = None if listed is None else {name: member.hash for name, member in listed.items()}
    return Version(out.hash, out.size, file, pointer, None, members, is_dir=True)


def _in_workspace(repo: Repo) -> dict[str, Version]:
    """The data as it is on disk; what a pointer names and is not there yet counts as being there."""
    named = listing.in_workspace(repo)
    found: dict[str, Version] = {}
    with Hashes(repo) as hashes:
        for out, pointer in named.items():
            if not out.cache:
                continue
            content = listing.on_disk(repo.root / pointer) or b""
            stored = _stored(repo, out, pointer, content)
            state = workspace.state(repo, out, hashes)
            if state in ("modified", "diverged"):
                found[out.path] = _on_disk(repo, out, pointer, hashes)
            elif state == "same" and stored.file is None and not out.is_dir:
                found[out.path] = stored._replace(file=repo.root / out.path)
            else:
                found[out.path] = stored
    return found


def _on_disk(repo: Repo, out: Out, pointer: str, hashes: Hashes) -> Version:
    file = repo.root / out.path
    if not file.is_dir():
        return Version(hashes.file(out.path), file.stat().st_size, file, pointer, None)
    # what was withdrawn is not here, and nobody has deleted it
    members = workspace.files_of(repo, out, hashes) | workspace.lacking(repo, out, hashes)
    return Version(None, None, file, pointer, None, members, is_dir=True)


# -- one path -------------------------------------------------------------------------------------------


def _change(path: str, old: Version | None, new: Version | None, settings: Settings, most: int) -> Change:
    status: Status = "added" if old is None else "removed" if new is None else "modified"
    change = Change(path, status, _kind(path, old, new), old, new)
    if change.kind == "directory":
        return _directory(change)
    if change.kind == "table":
        return _table(change, settings, most)
    return _model(change) if change.kind == "model" else change


def _kind(path: str, old: Version | None, new: Version | None) -> Kind:
    if any(version is not None and version.is_dir for version in (old, new)):
        return "directory"
    return "table" if form_of(path) else "model" if modelfile.kind_of(path) else "file"


def _directory(change: Change) -> Change:
    old, new = (_members(version) for version in (change.old, change.new))
    if old is None or new is None:
        note = f"the listing of its files is not on this machine: {_PULL if new is None else _FETCH}"
        return change._replace(notes=(note,))
    both = sorted(old.keys() & new.keys())
    return change._replace(
        files=Files(
            tuple(sorted(new.keys() - old.keys())),
            tuple(sorted(old.keys() - new.keys())),
            tuple(name for name in both if old[name] != new[name]),
        )
    )


def _members(version: Version | None) -> Mapping[str, str] | None:
    """A side without the path has no files; a file in its place is one."""
    if version is None:
        return {}
    return version.members if version.is_dir else {"": version.hash or ""}


def _table(change: Change, settings: Settings, most: int) -> Change:
    old, new = change.old, change.new
    if old is None or new is None:
        found = tuple(v.described if v else None for v in (old, new))
        return change._replace(table=TableChange(None, (found[0], found[1])))
    form = form_of(change.path)
    assert form
    if old.file is None or new.file is None:
        return _by_profiles(change, old, new, settings)
    both = tuple(_profiled(change.path, version, settings) for version in (old, new))
    key = profile.key_of(settings, change.path) or _key_of(*both)
    try:
        found_ = rows.compare((old.file, form), (new.file, form), key, examples=most)
    except FrameError as error:
        return change._replace(notes=(f"it cannot be read as a table: {error}",))
    notes = _notes(found_, key)
    flips = _labels(settings, change.path, (old.file, form), (new.file, form), found_.key)
    return change._replace(table=TableChange(found_, (both[0], both[1]), flips), notes=notes)


def _labels(
    settings: Settings, path: str, old: tuple[Path, Form], new: tuple[Path, Form], key: Sequence[str]
) -> Labels | None:
    column = most_specific(path, settings.labels)
    if column is None or not key:
        return None
    try:
        found = labels.confusion(old, new, key, column)
    except FrameError:
        return None  # renamed, or no classes: the columns' changes say it
    return Labels(column, found) if found.changed else None


def _key_of(*profiles: Profile | None) -> tuple[str, ...]:
    """The key that a profile names; of two that differ always the same one, whichever side is old."""
    keys = {each.key for each in profiles if each and each.key}
    return min(keys) if keys else ()


def _notes(found: Difference, key: tuple[str, ...]) -> tuple[str, ...]:
    named = ", ".join(f"`{name}`" for name in key)
    if found.repeated_key:
        return (f"the key {named} stands in more than one row: whole rows were compared",)
    if key and not found.key:
        return (f"the key {named} is not on both sides: whole rows were compared",)
    same = not (found.added or found.removed or found.changed)
    if same and not (found.columns.added or found.columns.removed or found.columns.renamed):
        return ("the rows are the same; their order or how they are written changed",)
    return ()


def _by_profiles(change: Change, old: Version, new: Version, settings: Settings) -> Change:
    away = " and ".join(name for name, v in (("old", old), ("new", new)) if v.file is None)
    aside = any(version.aside for version in (old, new))
    note = f"the {away} data {'was not looked into' if aside else 'is not on this machine'}"
    before, after = (_profiled(change.path, version, settings) for version in (old, new))
    if before is None or after is None:
        note += f", and there are no two profiles to compare; {_FETCH if new.file or new.aside else _PULL}"
        return change._replace(notes=(note,))
    both = old.described and new.described
    note += f": only {'the profiles in the pointers' if both else 'profiles'} were compared"
    return change._replace(table=TableChange(None, (before, after)), notes=(note,))


_PULL = "`git mlops pull` brings the newer data"
_FETCH = "`dvc fetch --all-commits` brings that of earlier commits"


def _profiled(path: str, version: Version, settings: Settings) -> Profile | None:
    """The profile in the pointer; of data that was not added yet a new one."""
    if version.described is not None or version.file is None:
        return version.described
    form = form_of(path)
    fits = version.file.stat().st_size <= settings.profile_limit
    if form is None or not fits or not profile.wanted(settings, path):
        return None
    return profiling.measure(path, version.file, form, settings).profile


def _model(change: Change) -> Change:
    kind = modelfile.kind_of(change.path)
    assert kind
    if kind == "pickle":
        return change._replace(notes=("a pickle is code: it is not looked into",))
    versions = [version for version in (change.old, change.new) if version]
    if any(version.file is None for version in versions):
        aside = any(version.aside for version in versions)
        note = (
            "the model was not looked into" if aside else "the model is not on this machine: `git mlops pull`"
        )
        return change._replace(notes=(note,))
    try:
        models = [modelfile.read(version.file, kind) for version in versions if version.file]
    except modelfile.ModelError as error:
        return change._replace(notes=(str(error),))
    nothing = modelfile.Model(kind, {}, {})
    a = models[0] if change.old else nothing
    return change._replace(model=modelfile.changes(a, models[-1] if change.new else nothing))


def plain(change: Change) -> dict[str, object]:
    """A change as `--json` has it."""
    table, found = change.table, change.table.rows if change.table else None
    value: dict[str, object] = {
        "path": change.path,
        "status": change.status,
        "kind": change.kind,
        **{side: _plain_version(v) for side, v in (("old", change.old), ("new", change.new))},
        "notes": list(change.notes),
    }
    if table is not None:
        value["table"] = {
            "rows": list(row_counts(change)),
            "key": list(found.key) if found else [],
            "added": found.added if found else None,
            "removed": found.removed if found else None,
            "changed": found.changed if found and found.key else None,
            "columns": {
                "added": list(table.columns[0]),
                "removed": list(table.columns[1]),
                "renamed": [list(pair) for pair in found.columns.renamed] if found else [],
                "retyped": {name: list(kinds) for name, kinds in table.retyped.items()},
            },
            "cells": dict(found.cells) if found else {},
            "labels": table.labels.found.plain(table.labels.column) if table.labels else None,
            "drift": _json({name: {"old": a, "new": b} for name, (a, b) in table.drift.items()}),
            "examples": _json(_plain_examples(found)) if found else {},
        }
    if change.files is not None:
        value["files"] = {name: list(paths) for name, paths in change.files._asdict().items()}
    if change.model is not None:
        value["model"] = change.model._asdict()
    return value


def row_counts(change: Change) -> tuple[int | None, int | None]:
    """How many rows the table had and has."""
    table = change.table
    if table is None:
        return None, None
    if table.rows is not None:
        return table.rows.rows
    a, b = table.profiles
    return a.rows if a else None, b.rows if b else None


def _json(value: object) -> object:
    """JSON has no words for numbers that are not finite, for bytes and for times."""
    if isinstance(value, Mapping):
        return {str(name): _json(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_json(inner) for inner in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return value if isinstance(value, float) and math.isfinite(value) else str(value)


def _plain_version(version: Version | None) -> dict[str, object] | None:
    return (
        None
        if version is None
        else {"md5": version.hash, "size": version.size, "here": version.file is not None}
    )


def _plain_examples(found: Difference) -> dict[str, object]:
    return {
        "added": [dict(row) for row in found.examples.added],
        "removed": [dict(row) for row in found.examples.removed],
        "changed": [{"old": dict(a), "new": dict(b)} for a, b in found.examples.changed],
    }
