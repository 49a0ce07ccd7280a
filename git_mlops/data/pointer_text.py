"""Three-way merge of pointers as text: a side as a whole where one changed it, `dvc.lock` stage by stage.

git's own merge goes line by line and could join one side's hash to the other side's size. Here an output is
taken from one side as a whole. What both changed has git's conflict markers.
"""

import re
import tempfile
from pathlib import Path
from typing import NamedTuple

import yaml

from git_mlops.git.run import git


class Merged(NamedTuple):
    """The text for the work tree, and whether a person must look at it."""

    text: str
    conflict: bool


def merge(base: str, ours: str, theirs: str, size: int = 7) -> Merged:
    """A pointer: whole if one side changed it, else line by line with conflict markers where both did."""
    chosen = _one_side(base, ours, theirs)
    if chosen is not None:
        return Merged(chosen, conflict=False)
    text, conflict = _by_line(base, ours, theirs, size)
    if not conflict and not _from_one_side(_outs(text), _outs(ours), _outs(theirs)):
        text, conflict = _marked(ours, theirs, size), True
    return Merged(text, conflict)


def _one_side(base: str, ours: str, theirs: str) -> str | None:
    if theirs in (base, ours):
        return ours
    return theirs if base == ours else None


def merge_lock(base: str, ours: str, theirs: str, size: int = 7) -> Merged | None:
    """A dvc.lock, stage by stage; None where a side is not laid out as DVC writes it."""
    before, mine, other = (_stages(text) for text in (base, ours, theirs))
    if before is None or mine is None or other is None:
        return None
    parts, conflict = [mine.get("") or other.get("", "")], False
    for stage in (name for name in {**mine, **other} if name):
        left, right = mine.get(stage, ""), other.get(stage, "")
        chosen = _one_side(before.get(stage, ""), left, right)
        # a stage's lines belong together: never half of one side's run and half of the other's
        parts.append(_marked(left, right, size) if chosen is None else chosen)
        conflict |= chosen is None
    return Merged("".join(parts), conflict)


def _stages(text: str) -> dict[str, str] | None:
    """Stage → its lines as they stand; under "" what comes before the first."""
    head, found, rest = text.partition("stages:\n")
    if not text:
        return {}
    if not found or re.search(r"^\S", rest, re.MULTILINE):
        return None
    pieces = re.split(r"^(?=  \S)", rest, flags=re.MULTILINE)
    if pieces[0] or "<<<<<<<" in text:
        return None
    return {"": head + found} | {piece.partition(":\n")[0].strip(): piece for piece in pieces[1:]}


def _by_line(base: str, ours: str, theirs: str, size: int) -> tuple[str, bool]:
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
            Path(folder, name).write_bytes(encoded(text))
        options = ("merge-file", "-p", f"--marker-size={size}", "ours", "base", "theirs")
        merged = git(*options, cwd=folder, ok=range(128), foreign=True).decode("utf-8", "surrogateescape")
    return merged, re.search(f"^<{{{size}}} ", merged, re.MULTILINE) is not None


def _outs(text: str) -> dict[str, object] | None:
    """Path → everything that says what the data is; None for what is no pointer."""
    try:
        content = yaml.safe_load(text)
        return {out["path"]: {k: out.get(k) for k in _IDENTITY} for out in content["outs"]}
    except (yaml.YAMLError, ValueError, TypeError, KeyError):
        return None


_IDENTITY = ("hash", "md5", "etag", "checksum", "size", "nfiles")


def _from_one_side(
    merged: dict[str, object] | None, ours: dict[str, object] | None, theirs: dict[str, object] | None
) -> bool:
    if merged is None or ours is None or theirs is None:
        return False
    return all(out in (ours.get(path), theirs.get(path)) for path, out in merged.items())


def _marked(ours: str, theirs: str, size: int) -> str:
    return f"{'<' * size} ours\n{ours}{'=' * size}\n{theirs}{'>' * size} theirs\n"


def encoded(text: str) -> bytes:
    """As the file has it."""
    return text.encode("utf-8", "surrogateescape")
