"""What rules that look into data share: which objects are new, and that an object with a verdict is not read.

A verdict's subject is the object's hash and all that the rule goes by besides it, so that another setting, or
a later version of the rule, looks again.
"""

import atexit
import datetime as dt
import hashlib
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from git_mlops import __version__
from git_mlops.checks.context import Context
from git_mlops.data import cache, listing, pointers, purges
from git_mlops.data.pointers import Out
from git_mlops.errors import MlopsError
from git_mlops.findings import Finding, Level, exit_code
from git_mlops.git import objects
from git_mlops.git.repo import Repo
from git_mlops.schema import verdicts
from git_mlops.schema.subjects import subject_of
from git_mlops.schema.verdicts import Verdict
from git_mlops.tables.forms import Form, form_of

CONFIG = "mlops.yaml"


class Item(NamedTuple):
    """One object: a file, or a directory as a whole."""

    path: str
    algorithm: str
    hash: str
    meaning: str
    """All else that decides: version of the rule, form, settings; one line."""
    look: Callable[[], list[Finding] | None]
    """Its findings; None when its data is not on this machine. `data["member"]` is a path in a directory."""
    needed: bool = True
    """Whether it is said that its data is not here."""


def digest(*settings: object) -> str:
    """Settings as a part of a meaning."""
    return hashlib.sha256(repr(settings).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def judged(context: Context, rule: str, items: Sequence[Item], absent: Level = "note") -> Iterator[Finding]:
    """Findings of every item; what has a verdict that counts is not looked at, new verdicts are recorded.

    Args:
        absent: what it is that data is not on this machine.
    """
    repo = context.scope.repo
    subjects = [subject_of(rule, item.meaning, item.algorithm, item.hash) for item in items]
    known = verdicts.lookup(repo, subjects, rule, context.trust)
    fresh: dict[str, Verdict] = {}
    lacking: list[str] = []
    try:
        for item, subject in zip(items, subjects, strict=True):
            verdict = known.get(subject) or fresh.get(subject)
            found = list(verdict.findings) if verdict else item.look()
            if found is None:
                lacking += [item.path] if item.needed else []
                continue
            if verdict is None and not any(finding.level == "unknown" for finding in found):
                fresh[subject] = _verdict(subject, rule, found)
            yield from (_placed(finding, item) for finding in found)
    finally:
        problem = _record(repo, rule, list(fresh.values()))
    yield from problem
    yield from _absent(rule, lacking, absent)


def _verdict(subject: str, rule: str, found: Sequence[Finding]) -> Verdict:
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    kept = tuple(finding._replace(path=None) for finding in found)
    outcome: verdicts.Outcome = "fail" if exit_code(kept) else "pass"
    return Verdict(subject, outcome, kept, now, {"git-mlops": __version__}, rule)


def _placed(finding: Finding, item: Item) -> Finding:
    member = finding.data.get("member")
    return finding._replace(path=f"{item.path}/{member}" if member else item.path)


def _record(repo: Repo, rule: str, fresh: Sequence[Verdict]) -> list[Finding]:
    """A repository that cannot be written to looks again the next time: said, no failure."""
    try:
        verdicts.record(repo, fresh)
    except (MlopsError, OSError) as error:
        return [Finding(rule, "note", f"the verdicts could not be recorded: {error}")]
    return []


def _absent(rule: str, paths: Sequence[str], level: Level) -> Iterator[Finding]:
    if not paths:
        return
    others = f" (and that of {len(paths) - 1} more paths)" if len(paths) > 1 else ""
    hint = f"`git mlops pull {shlex.quote(paths[0])}`" if not others else "`git mlops pull`"
    message = f"not looked at: its data is not on this machine{others}"
    yield Finding(rule, level, message, paths[0], hint=hint, data={"paths": list(paths)})


Part = tuple[Path, Form]
"""A file of a table, and how to read it."""


def parts(context: Context, path: str, out: Out | None, oid: str) -> list[Part] | None:
    """The files of a table (a directory has many), in the order of their names; None: not on this machine.

    Args:
        path: of the table, which tells the form of a single file.
        out: its object; None for a plain file of git.
        oid: of the plain file's blob.
    """
    if out is None:
        form = form_of(path)
        return [(_plain_copy(context, path, oid), form)] if form else []
    found = files_of(context.scope.repo, out, lambda name: form_of(f"{path}/{name}") is not None)
    if found is None:
        return None
    named = ((form_of(f"{path}/{name}" if name else path), file) for name, file in found.items())
    return [(file, form) for form, file in named if form]


def _plain_copy(context: Context, path: str, oid: str) -> Path:
    """A plain file of the checked state as a file on disk, in our private folder until the process ends."""
    folder = context.scope.repo.private_here / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"blob-{oid}"
    file.write_bytes(context.scope.read([path]).get(path, b""))
    atexit.register(lambda: file.unlink(missing_ok=True))
    return file


def blob_of(context: Context, path: str) -> str:
    """The id that a file of the workspace has, or would have, as a blob."""
    return objects.blob_id(context.scope.repo, context.scope.read([path]).get(path, b""))


def outs(context: Context) -> list[Out]:
    """The data that new pointers name; all of it where the settings are new. What was withdrawn is none."""
    found = outs_of(context, [path for path in _paths(context) if pointers.is_pointer(path)])
    gone = purges.of_outs(context.scope.repo, found)
    return [out for out in found if out not in gone]  # said by the rule purged


def outs_of(context: Context, names: Sequence[str]) -> list[Out]:
    """The data that pointers of the checked state name."""
    contents = context.scope.read([*names, *(listing.pipeline_of(name) for name in names)])
    return [out for out in listing.outs(contents) if out.cache]


def plain(context: Context, wanted: Callable[[str], bool]) -> Iterator[tuple[str, str, bytes]]:
    """New plain files of git by name: path, blob id, content; empty ones and those of pointers left out."""
    names = [path for path in _paths(context) if not pointers.never_data(path) and wanted(path)]
    for some in _groups(names):
        for path, content in context.scope.read(some).items():
            if content:
                yield path, objects.blob_id(context.scope.repo, content), content


def _groups(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """A few at a time: their contents are in memory together."""
    for start in range(0, len(names), 20):
        yield names[start : start + 20]


def _paths(context: Context) -> Iterable[str]:
    scope = context.scope
    everything = scope.kind != "workspace" and CONFIG in scope.paths
    return [file.path for file in (scope.all_files() if everything else scope.files)]


def files_of(repo: Repo, out: Out, wanted: Callable[[str], bool]) -> dict[str, Path] | None:
    """Member (empty for a file itself) → where its bytes are; None when something is not on this machine."""
    if not out.is_dir:
        file = cache.locate(repo, out)
        return None if file is None else {"": file}
    if cache.locate(repo, out) is None:
        return None
    names: Mapping[str, Out] = {n: m for n, m in cache.members(repo, out).items() if wanted(n)}
    found = {name: cache.locate(repo, member) for name, member in sorted(names.items())}
    present = {name: file for name, file in found.items() if file is not None}
    return present if len(present) == len(found) else None
