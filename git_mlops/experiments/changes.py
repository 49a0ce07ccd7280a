"""What commits changed in the one they started from: their trees against its tree, level by level.

`git log --raw` says the same, one commit after the other; here each level of thousands is one question. Most
of these trees differ from the old one in the same entries: what they have in common is looked at once, as a
template, and of each the ids that differ are taken from their places in it.
"""

import re
import struct
from collections.abc import Iterable
from typing import NamedTuple

from git_mlops.experiments.tree import Trees

_FOLDER = b"40000"
_TEMPLATES = 30
"""Remembered of trees of one folder and length."""

Side = tuple[str, str] | None
"""Mode and blob id; None: deleted."""
Changes = dict[str, Side]
"""By path. Files alone: of a folder, all that were in it."""

_Raw = tuple[bytes, bytes, bytes]
"""Mode, name, id: an entry as a tree has it."""
_Ids = tuple[bytes, ...]


class Differing(NamedTuple):
    """An entry that differs, whatever its id is."""

    start: int
    """Where the id begins."""
    path: str
    mode: str
    below: "Folder | None"
    """Of a folder: what is to be compared next."""


class Template:
    """What trees have in common that differ from an old one in the same entries."""

    def __init__(self, content: bytes, size: int, constant: Changes, differing: Iterable[Differing]) -> None:
        self.constant = constant
        """What is gone, and pipelines, which say what other files mean."""
        self.differing = sorted(differing)
        """In the order of their places."""
        form, end = ["="], 0
        for one in self.differing:
            form.append(f"{one.start - end}s{size}s")
            end = one.start + size
        form.append(f"{len(content) - end}s")
        self._unpack = struct.Struct("".join(form)).unpack
        self._fixed = self._unpack(content)[::2]
        self.folders = [(number, one.below) for number, one in enumerate(self.differing) if one.below]
        """Those of `differing` that are folders, with their numbers."""

    def ids(self, content: bytes) -> _Ids | None:
        """Of what differs; None where a tree of the same length has not all the rest in common."""
        parts: _Ids = self._unpack(content)
        return parts[1::2] if parts[::2] == self._fixed else None


class Folder:
    """A folder of which commits have another than the old one."""

    def __init__(self, walk: "Walk", prefix: str, old: str | None) -> None:
        self._walk = walk
        self._prefix = prefix
        self._old = old
        self._templates: dict[int, list[Template]] = {}

    def compared(self, content: bytes) -> tuple[Template, _Ids]:
        """A tree that stands there, beside the old one."""
        some = self._templates.get(len(content))
        if some is None:
            some = self._templates[len(content)] = []
        for template in some:
            ids = template.ids(content)
            if ids is not None:
                return template, ids
        template = self._walk.template(self._prefix, self._old, content)
        if len(some) < _TEMPLATES:
            some.insert(0, template)
        ids = template.ids(content)
        assert ids is not None
        return template, ids


class Walk:
    """Compares trees as their content comes in; old ones it takes from `trees`."""

    def __init__(self, trees: Trees, object_format: str) -> None:
        self._size = 20 if object_format == "sha1" else 32
        self._trees = trees
        self._entries = re.compile(rb"([0-7]+) ([^\0]+)\0([\s\S]{%d})" % self._size).finditer
        self._old: dict[str | None, tuple[frozenset[_Raw], dict[bytes, _Raw]]] = {None: (frozenset(), {})}
        self._folders: dict[tuple[str, str | None], Folder] = {}

    def folder(self, prefix: str, old: str | None) -> Folder:
        """A folder by its path with a slash at the end ("" is the root) and the old one's id."""
        found = self._folders.get((prefix, old))
        if found is None:
            found = self._folders[prefix, old] = Folder(self, prefix, old)
        return found

    def template(self, prefix: str, of_old: str | None, content: bytes) -> Template:
        """The template of a tree that differs from the old one."""
        known, by_name = self._known(of_old)
        constant: Changes = {}
        differing: list[Differing] = []
        left = dict(by_name)
        for match in self._entries(content):
            entry = mode, name, raw = match.group(1, 2, 3)
            before = left.pop(name, None)
            if entry in known:
                continue
            path, start = prefix + _text(name), match.start(3)
            if mode == _FOLDER:
                old = before[2].hex() if before and before[0] == _FOLDER else None
                if before and not old:
                    constant[path] = None
                differing.append(Differing(start, path, _text(mode), self.folder(f"{path}/", old)))
                continue
            if before and before[0] == _FOLDER:
                self._gone(constant, path, before)
            if name == b"dvc.yaml":
                constant[path] = _text(mode), raw.hex()
            else:
                differing.append(Differing(start, path, _text(mode), None))
        for name, before in left.items():
            self._gone(constant, prefix + _text(name), before)
        return Template(content, self._size, constant, differing)

    def _gone(self, into: Changes, path: str, before: _Raw) -> None:
        if before[0] != _FOLDER:
            into[path] = None
            return
        for entry in self._trees.files(before[2].hex()):
            into[f"{path}/{entry.path}"] = None

    def _known(self, oid: str | None) -> tuple[frozenset[_Raw], dict[bytes, _Raw]]:
        found = self._old.get(oid)
        if found is None:
            assert oid
            entries = [
                (e.mode.encode(), e.path.encode("utf-8", "surrogateescape"), bytes.fromhex(e.oid))
                for e in self._trees.entries(oid).values()
            ]
            found = self._old[oid] = frozenset(entries), {entry[1]: entry for entry in entries}
        return found


class Shape:
    """How what commits changed looks: templates one after the other, and the next ones that were met."""

    def __init__(self, templates: tuple[Template, ...] = ()) -> None:
        self._templates = templates
        self._longer: dict[Template, Shape] = {}

    def longer(self, template: Template) -> "Shape":
        """With one more."""
        found = self._longer.get(template)
        if found is None:
            found = self._longer[template] = Shape((*self._templates, template))
        return found

    def places(self) -> dict[str, int]:
        """Where in all ids of a commit that of a changed file stands."""
        every = (one for template in self._templates for one in template.differing)
        return {one.path: number for number, one in enumerate(every) if one.below is None}

    def changes(self, ids: _Ids) -> Changes:
        """All that a commit of this shape changed; `ids`: of what differs in each template."""
        into: Changes = {}
        for template in self._templates:
            into.update(template.constant)
        every = (one for template in self._templates for one in template.differing)
        for one, oid in zip(every, ids, strict=True):
            if one.below is None:
                into[one.path] = one.mode, oid.hex()
        return into


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
