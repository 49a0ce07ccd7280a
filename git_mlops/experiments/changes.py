"""What commits changed in the one they started from: their trees against its tree, level by level.

`git log --raw` says the same, one commit after the other; here each level of thousands is one question.
"""

import re

from git_mlops.experiments.tree import Trees

_FOLDER = b"40000"

Side = tuple[str, str] | None
"""Mode and blob id; None: deleted."""
Changes = dict[str, Side]
"""By path. Files alone: of a folder, all that were in it."""

_Raw = tuple[bytes, bytes, bytes]
"""Mode, name, id: an entry as a tree has it."""


Step = tuple[str, str | None, str]
"""A folder that two trees have not in common: its path with a slash at the end ("": root), old and new id."""


class Walk:
    """Compares trees as their content comes in; old ones it takes from `trees`."""

    def __init__(self, trees: Trees, object_format: str) -> None:
        size = 20 if object_format == "sha1" else 32
        self._trees = trees
        self._find = re.compile(rb"([0-7]+) ([^\0]+)\0([\s\S]{%d})" % size).findall
        self._old: dict[str | None, tuple[frozenset[_Raw], dict[bytes, _Raw]]] = {None: (frozenset(), {})}
        self._texts: dict[bytes, str] = {}

    def compare(self, step: Step, content: bytes) -> tuple[Changes, list[Step]]:
        """What a folder changed, and the folders in it that are to be compared next."""
        prefix, of_old, _new = step
        known, by_name = self._known(of_old)
        entries: list[_Raw] = self._find(content)
        changed = [entry for entry in entries if entry not in known]
        into: Changes = {}
        below: list[Step] = []
        missing = len(known) - len(entries) + len(changed)
        for mode, name, raw in changed:
            path = prefix + self._text(name)
            before = by_name.get(name)
            missing -= before is not None
            if mode == _FOLDER:
                old = before[2].hex() if before and before[0] == _FOLDER else None
                if before and not old:
                    into[path] = None
                below.append((f"{path}/", old, raw.hex()))
            else:
                if before and before[0] == _FOLDER:
                    self._gone(into, path, before)
                into[path] = self._text(mode), raw.hex()
        if missing:
            names = {entry[1] for entry in entries}
            for name in by_name.keys() - names:
                self._gone(into, prefix + self._text(name), by_name[name])
        return into, below

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

    def _text(self, name: bytes) -> str:
        found = self._texts.get(name)
        if found is None:
            found = self._texts[name] = name.decode("utf-8", "surrogateescape")
        return found
