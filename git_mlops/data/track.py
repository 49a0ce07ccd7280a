"""Files become pointers: hashed, cached, linked, the pointer staged. On request, or by the commit hook."""

import os
import posixpath
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from git_mlops import env
from git_mlops.data import cache, dvc, listing, places, pointers, profiling, purges, workspace
from git_mlops.data.hashes import Hashes, Seen, seen, walk
from git_mlops.data.pointers import Out
from git_mlops.data.settings import Settings
from git_mlops.errors import FINDINGS, MlopsError
from git_mlops.git import objects
from git_mlops.git.diff import Change
from git_mlops.git.repo import Repo, head
from git_mlops.patterns import matches

_SUBMODULE = "160000"


class Added(NamedTuple):
    """What was put under version control."""

    pointers: list[str]
    outs: list[Out]
    untracked: list[str] = []  # noqa: RUF012  # the default of a frozen tuple, never changed
    """Files that plain git held until now."""
    unprofiled: dict[str, str] = {}  # noqa: RUF012  # as above
    """Tables without a profile → why."""


def add(
    repo: Repo,
    words: Sequence[str],
    settings: Settings = Settings(),  # noqa: B008  # frozen
    *,
    here: Path | None = None,
    force: bool = False,
) -> Added:
    """Put files and directories (as typed; patterns are expanded) under DVC's control and stage the pointers.

    What plain git held until now leaves the index. Of a .gitignore only the lines that DVC adds are staged.

    Args:
        force: also over a pointer that moved on since the data was brought, and a directory without what was
            withdrawn from it.
    """
    paths = places.given(repo, words, here=here)
    for path in paths:
        _refuse(repo, path)
    if not force:
        _refuse_outdated(repo, paths)
    return _add(repo, paths, settings)


def _refuse_outdated(repo: Repo, paths: Collection[str]) -> None:
    """What nobody changed here must not put its old pointer over the one that a colleague committed."""
    found = listing.in_workspace(repo)
    any_ = bool(purges.in_force(repo))
    with Hashes(repo) as hashes:
        moved = [
            out
            for out in found
            if out.path in paths
            and (hashes.followed.get(out.path, out.hash) != out.hash or (out.is_dir and any_))
        ]
        states = {out: workspace.state(repo, out, hashes) for out in moved}
    for out, state in states.items():
        path, pointer = shlex.quote(out.path), shlex.quote(found[out])
        if state == "outdated":
            raise MlopsError(
                f"`{out.path}` is the data of an earlier `{found[out]}`: adding it would undo the newer one",
                hint=f"`git mlops pull {path}` brings the new data; "
                f"to go back: `git checkout REVISION -- {pointer}`",
            )
        if state == "diverged":
            raise MlopsError(
                f"`{out.path}` was changed here, and its pointer by others since: adding it undoes theirs",
                hint=f"`git mlops add --force {path}` puts yours over it; "
                f"to see theirs, move yours away and `git mlops pull {path}`",
            )
        if state == "purged":
            raise MlopsError(
                f"`{out.path}` is as its pointer says, but for what was purged: there is nothing to add",
                hint=f"`git mlops add --force {path}` makes what is left a version of its own",
            )


def _refuse(repo: Repo, path: str) -> None:
    if pointers.is_pointer(path):
        data = path.removesuffix(".dvc")
        hint = f"add the data: `git mlops add {data}`" if data != path else "`dvc repro` writes dvc.lock"
        raise MlopsError(f"`{path}` is a pointer, not data", hint=hint)
    schema = path.startswith("schemas/") and path.endswith((".yaml", ".yml"))
    if pointers.never_data(path) or schema:
        whose = "a schema" if schema else "a file that git, DVC or git-mlops reads"
        raise MlopsError(f"`{path}` is {whose}, not data", hint=f"`git add {shlex.quote(path)}`")
    file = places.inside(repo, path)
    # with `cache.type symlink` the data itself is links, into a cache that may be anywhere
    inside = (repo.root.resolve(), cache.cache_dir(repo).resolve())
    for link in _links(file):
        if not any(link.resolve().is_relative_to(place) for place in inside):
            name = link.relative_to(repo.root).as_posix()
            message = f"`{name}` is a symbolic link to a place outside the repository"
            raise MlopsError(message, hint="add a copy of the file")
    if file.is_dir() and next(walk(file), None) is None:
        raise MlopsError(f"`{path}` is an empty directory")
    if not file.is_dir() and not file.is_file():
        raise MlopsError(f"`{path}` is neither a file nor a directory")


def _links(file: Path) -> Iterator[Path]:
    """The symbolic links at and below a path: DVC would take what they lead to for a part of the data."""
    if file.is_symlink():
        yield file
    elif file.is_dir():
        for base, folders, names in os.walk(file):
            found = (os.path.join(base, name) for name in (*folders, *names))
            yield from (Path(one) for one in found if os.path.islink(one))  # noqa: PTH114  # 20,000 Paths take 0.1 s


def _add(repo: Repo, paths: Sequence[str], settings: Settings) -> Added:
    before = _files(repo, paths)
    _refuse_purged(repo, before)
    held = _in_git(repo, paths)
    with (
        _only_our_ignore_lines(repo, paths),
        _out_of_conflict(repo, paths),
        profiling.beside(repo, paths, settings) as described,
    ):
        made = dvc.add(repo, paths)
        without = described(made)
        gone = "".join(f"{path}\0" for path in held).encode("utf-8", "surrogateescape")
        repo.git("update-index", "-z", "--force-remove", "--stdin", stdin=gone)
        stdin = "".join(f"{path}\0" for path in made).encode("utf-8", "surrogateescape")
        repo.git("--literal-pathspecs", "add", "--pathspec-from-file=-", "--pathspec-file-nul", stdin=stdin)
    return Added(made, _remember(repo, made, before), _committed(repo, held), without)


def _refuse_purged(repo: Repo, files: Mapping[str, Seen]) -> None:
    """What was withdrawn does not come back by accident; only files of the same size are hashed for that."""
    known = purges.in_force(repo)
    if not known:
        return
    sizes = {each.size for one in known.values() for each in one.objects if not each.hash.endswith(".dir")}
    with Hashes(repo) as hashes:
        for path, now in files.items():
            if (now.size in sizes or None in sizes) and (hash_ := hashes.file(path)) in known:
                assert hash_ is not None
                raise MlopsError(
                    f"`{path}` was {known[hash_].sentence()}",
                    hint=f"`git mlops purge --lift {hash_} -m WHY`, if it may come back",
                    exit_code=FINDINGS,
                )


def _committed(repo: Repo, paths: Sequence[str]) -> list[str]:
    """Those of the paths that HEAD has: git's history keeps them."""
    if not paths or head(repo) is None:
        return []
    before = {entry.path for entry in objects.tree_entries(repo, "HEAD")}
    return [path for path in paths if path in before]


@contextmanager
def _out_of_conflict(repo: Repo, paths: Sequence[str]) -> Iterator[None]:
    """DVC reads the pointer that is there: for data that settles a conflict, one side of it."""
    pointers_ = {f"{path}.dvc" for path in paths}
    lines = repo.paths("ls-files", "-u", "-z", "--", *pointers.PATHSPECS)
    found = {line.partition("\t")[2] for line in lines} & pointers_
    before = {path: content for path in found if (content := listing.on_disk(repo.root / path)) is not None}
    for path in before:
        sides = objects.read_blobs(repo, [f":2:{path}", f":3:{path}"])
        objects.replace_file(repo.root / path, next(iter(sides.values()), b""))
    try:
        yield
    except BaseException:
        for path, content in before.items():
            objects.replace_file(repo.root / path, content)
        raise


def _files(repo: Repo, paths: Iterable[str]) -> dict[str, Seen]:
    """The files as they are before anything is done."""
    found: dict[str, Seen] = {}
    for path in paths:
        folder = repo.root / path
        names = [f"{path}/{name}" for name in walk(folder)] if folder.is_dir() else [path]
        found |= {name: now for name in names if (now := seen(f"{repo.root}/{name}"))}
    return found


def _remember(repo: Repo, made: Iterable[str], before: dict[str, Seen]) -> list[Out]:
    """The data is what its pointer says: the next look at it reads nothing."""
    outs = list(listing.outs({path: (repo.root / path).read_bytes() for path in made}))
    where = cache.cache_dir(repo)
    with Hashes(repo) as hashes:
        for out in outs:
            hashes.followed[out.path] = out.hash
            for file in cache.members(repo, out).values() if out.is_dir else (out,):
                hashes.learn(
                    file.path, file.hash, before.get(file.path), partial(cache.object_path, where, file)
                )
    return outs


def _in_git(repo: Repo, paths: Sequence[str]) -> list[str]:
    """The files at or below the paths that plain git holds."""
    specs = [f":(literal){path}" for path in paths] if len(paths) <= _MOST_SPECS else []
    entries = objects.index_entries(repo, *specs)
    if not specs:
        entries = [e for e in entries if any(e.path == p or e.path.startswith(f"{p}/") for p in paths)]
    if any(entry.mode == _SUBMODULE for entry in entries):
        raise MlopsError("a submodule cannot be data")
    return [entry.path for entry in entries]


_MOST_SPECS = 500
"""More paths than that are no command line."""


@contextmanager
def _only_our_ignore_lines(repo: Repo, paths: Sequence[str]) -> Iterator[None]:
    """Stage the lines that the block adds to .gitignore files, and none of the user's unstaged edits."""
    files = sorted({posixpath.join(posixpath.dirname(path), ".gitignore") for path in paths})
    before = {file: listing.on_disk(repo.root / file) or b"" for file in files}
    try:
        yield
    except BaseException:
        _without_ours(repo, before, {b"/" + posixpath.basename(path).encode() for path in paths})
        raise
    after = {file: listing.on_disk(repo.root / file) or b"" for file in files}
    staged = objects.read_blobs(repo, [f":{file}" for file in files])
    changed: dict[str, bytes] = {}
    for file in files:
        known = before[file].splitlines()
        new = [line for line in after[file].splitlines() if line not in known]
        old = staged.get(f":{file}", b"")
        lines = [line for line in new if line not in old.splitlines()]
        if lines:
            gap = b"\n" if old and not old.endswith(b"\n") else b""
            changed[file] = old + gap + b"".join(line + b"\n" for line in lines)
    _stage(repo, changed)


def _without_ours(repo: Repo, before: dict[str, bytes], ours: set[bytes]) -> None:
    """Take back the lines that DVC wrote for these paths before it failed: the data would be invisible."""
    for file, old in before.items():
        now = listing.on_disk(repo.root / file)
        added = ours - set(old.splitlines())
        if now is None or not added & set(now.splitlines()):
            continue
        kept = [line for line in now.splitlines(keepends=True) if line.strip() not in added]
        if kept or old:
            objects.replace_file(repo.root / file, b"".join(kept))
        else:
            (repo.root / file).unlink()


def _stage(repo: Repo, files: dict[str, bytes]) -> None:
    oids = objects.write_blobs(repo, list(files.values()))
    lines = "".join(f"100644 {oid}\t{file}\0" for file, oid in zip(files, oids, strict=True))
    if lines:
        stdin = lines.encode("utf-8", "surrogateescape")
        repo.git("update-index", "-z", "--add", "--index-info", stdin=stdin)


def of_named_files() -> bool:
    """Whether the commit under way is one of named files: git then shows its hooks an index made for it."""
    return "next-index" in (env.get("GIT_INDEX_FILE") or "")


def auto_track(repo: Repo, changes: Iterable[Change], settings: Settings) -> list[str]:
    """Turn staged files that `data.track` names into pointers; returns the pointers' paths.

    Raises:
        MlopsError: the file differs from what is staged, or it is a commit of named files
            (`git commit -- PATH`): git then uses an index of its own, in which nothing can be changed for
            good. Exit code 1.
    """
    found = [c.path for c in changes if c.status in ("A", "M", "T") and _wanted(c, settings)]
    if not found:
        return []
    if of_named_files():
        raise MlopsError(
            f"`{found[0]}` must become a pointer first, and `git commit -- PATH` cannot do that",
            hint=f"`git mlops add {' '.join(found)}`, then `git commit`",
            exit_code=FINDINGS,
        )
    differing = repo.paths("diff-files", "--name-only", "-z", "--", *(f":(literal){path}" for path in found))
    if differing:
        raise MlopsError(
            f"`{differing[0]}` is not what is staged: which of the two is the data?",
            hint=f"`git mlops add {differing[0]}` takes the one in the workspace",
            exit_code=FINDINGS,
        )
    return _add(repo, found, settings).pointers


def _wanted(change: Change, settings: Settings) -> bool:
    regular = change.new_mode.startswith("100")
    named = matches(change.path, settings.track) and not matches(change.path, settings.allow)
    return regular and named and not pointers.never_data(change.path)
