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
"""Of trees of one folder: where there are more, every commit may have another; each is compared by itself."""

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

    def __init__(self, walk: "Walk", prefix: str, old: str | None, *, templates: int) -> None:
        self.prefix = prefix
        """Its path with a slash at the end; "" is the root."""
        self.old = old
        self._walk = walk
        self._left = templates
        self._templates: dict[int, list[Template]] = {}

    def compared(self, content: bytes) -> tuple[Template, _Ids] | None:
        """A tree that stands there, beside the old one. None: they are too different; `Walk.compare` can."""
        some = self._templates.get(len(content), ())
        for template in some:
            ids = template.ids(content)
            if ids is not None:
                return template, ids
        if not self._left:
            return None
        self._left -= 1
        template = self._walk.template(self.prefix, self.old, content)
        self._templates[len(content)] = [template, *some]
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
            found = self._folders[prefix, old] = Folder(self, prefix, old, templates=_TEMPLATES)
        return found

    def compare(self, folder: Folder, content: bytes) -> tuple[Changes, list[tuple[Folder, str]]]:
        """What one tree changed, and the folders in it that are to be compared next with their ids."""
        constant, differing = self._differing(folder.prefix, folder.old, content, templates=0)
        below: list[tuple[Folder, str]] = []
        for start, path, mode, inner in differing:
            oid = content[start : start + self._size].hex()
            if inner:
                below.append((inner, oid))
            else:
                constant[path] = mode, oid
        return constant, below

    def template(self, prefix: str, old: str | None, content: bytes) -> Template:
        """The template of a tree that differs from the old one."""
        constant, differing = self._differing(prefix, old, content, templates=_TEMPLATES)
        return Template(content, self._size, constant, differing)

    def _differing(
        self, prefix: str, of_old: str | None, content: bytes, *, templates: int
    ) -> tuple[Changes, list[Differing]]:
        known, by_name = self._known(of_old)
        constant: Changes = {}
        differing: list[Differing] = []
        found = list(self._entries(content))
        missing = len(by_name) - len(found)
        for match in found:
            entry = mode, name, raw = match.group(1, 2, 3)
            if entry in known:
                continue
            path, start, before = prefix + _text(name), match.start(3), by_name.get(name)
            missing += before is None
            if mode == _FOLDER:
                old = before[2].hex() if before and before[0] == _FOLDER else None
                if before and not old:
                    constant[path] = None
                inner = f"{path}/", old
                below = self.folder(*inner) if templates else Folder(self, *inner, templates=0)
                differing.append(Differing(start, path, _text(mode), below))
                continue
            if before and before[0] == _FOLDER:
                self._gone(constant, path, before)
            if name == b"dvc.yaml":
                constant[path] = _text(mode), raw.hex()
            else:
                differing.append(Differing(start, path, _text(mode), None))
        if missing:
            names = {match[2] for match in found}
            for name in by_name.keys() - names:
                self._gone(constant, prefix + _text(name), by_name[name])
        return constant, differing

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
