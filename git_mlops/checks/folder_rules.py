"""What mlops.yaml says of directories of files (`folders`): how many, of what kind and size, how often."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from git_mlops.checks import judged
from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.checks.judged import Item
from git_mlops.data import cache
from git_mlops.data.pointers import Out
from git_mlops.findings import Finding
from git_mlops.git.repo import Repo
from git_mlops.patterns import matches, most_specific
from git_mlops.tables import content
from git_mlops.tables.settings import Folder

SUMMARY = "directories hold the files that they should (`folders`)"
KINDS = EVERYWHERE
RULE = "folders"

_ENGINE = "folders-1"
_SHOWN = 5


def check(context: Context) -> Iterator[Finding]:
    """Looks at directories that are new: at their listings, and at the first bytes of each file."""
    folders = context.config.folders
    bound = (
        [(out, most_specific(out.path, folders)) for out in judged.outs(context) if out.is_dir]
        if folders
        else []
    )
    items = [
        Item(
            out.path,
            out.algorithm,
            out.hash,
            f"{_ENGINE} {judged.digest(wanted)}",
            partial(_look, context.scope.repo, out, wanted),
        )
        for out, wanted in bound
        if wanted is not None
    ]
    yield from judged.judged(context, RULE, items, absent="unknown")


def _look(repo: Repo, out: Out, wanted: Folder) -> list[Finding] | None:
    if cache.locate(repo, out) is None:
        return None
    members = cache.members(repo, out)
    files = {name: cache.locate(repo, member) for name, member in sorted(members.items())}
    if None in files.values():
        return None
    there = {name: file for name, file in files.items() if file}
    found = [*_count(wanted, len(members)), *_kinds(wanted, there), *_sizes(wanted, there)]
    return [*found, *_twice(wanted, {name: member.hash for name, member in sorted(members.items())})]


def _count(wanted: Folder, files: int) -> Iterator[Finding]:
    low, high = (wanted.files.min, wanted.files.max) if wanted.files else (1, None)
    if files < low or (high is not None and files > high):
        bound = f"at least {low}" if files < low else f"at most {high}"
        yield Finding(RULE, "error", f"{files} files, where {bound} are expected", data={"files": files})


def _kinds(wanted: Folder, files: Mapping[str, Path]) -> Iterator[Finding]:
    if wanted.types:
        other = [name for name in files if not matches(name, wanted.types)]
        yield from _of(
            other, f"is none of {', '.join(wanted.types)}", "are none of " + ", ".join(wanted.types)
        )
    wrong = [
        name for name, file in files.items() if file.stat().st_size and not content.fits(name, _head(file))
    ]
    yield from _of(wrong, "is not what its name says", "are not what their names say")


def _head(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(content.LOOKED_AT)


def _sizes(wanted: Folder, files: Mapping[str, Path]) -> Iterator[Finding]:
    sizes = {name: file.stat().st_size for name, file in files.items()}
    if wanted.smallest > 1:
        yield from _of([name for name, size in sizes.items() if not size], "is empty", "are empty")
    small = [
        name for name, size in sizes.items() if size < wanted.smallest and (size or wanted.smallest == 1)
    ]
    yield from _of(small, f"has less than {wanted.smallest} bytes", f"have less than {wanted.smallest} bytes")
    if wanted.largest is not None:
        large = [name for name, size in sizes.items() if size > wanted.largest]
        yield from _of(
            large, f"has more than {wanted.largest} bytes", f"have more than {wanted.largest} bytes"
        )


def _of(names: Sequence[str], one: str, many: str) -> Iterator[Finding]:
    if len(names) == 1:
        yield Finding(RULE, "error", one, data={"member": names[0]})
    elif names:
        shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
        more = ", …" if len(names) > _SHOWN else ""
        yield Finding(
            RULE, "error", f"{len(names)} files {many}: {shown}{more}", data={"files": list(names[:100])}
        )


def _twice(wanted: Folder, hashes: Mapping[str, str]) -> Iterator[Finding]:
    if wanted.duplicates == "off":
        return
    same: dict[str, list[str]] = defaultdict(list)
    for name, hash_ in hashes.items():
        same[hash_].append(name)
    groups = [names for names in same.values() if len(names) > 1]
    if groups:
        count = sum(len(names) - 1 for names in groups)
        shown = "; ".join(" = ".join(f"`{name}`" for name in names[:_SHOWN]) for names in groups[:_SHOWN])
        more = "; …" if len(groups) > _SHOWN else ""
        message = f"{count} of {len(hashes)} files have the bytes of another one: {shown}{more}"
        yield Finding(RULE, wanted.duplicates, message, data={"duplicates": groups[:100]})
