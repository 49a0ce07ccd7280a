"""What a merge would do to data, seen before it is made: forges ignore merge drivers. Nothing is checked out.

Two rules: `merge-conflict` (data that both sides changed) and `untested-combination` (code and data that
never met in a recorded experiment). They are no rules of a scope, because what they look at is in no commit.
"""

import shlex
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from git_mlops.checks.settings import Levels
from git_mlops.data import pointers, transfer
from git_mlops.data.merging import Result, Texts, merge_data
from git_mlops.data.pointer_text import Merged, encoded, merge, merge_lock
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.experiments import names, read, record
from git_mlops.experiments.parts import Parts, of_tree
from git_mlops.experiments.record import RecordError, parse_record
from git_mlops.experiments.settings import Settings as ExperimentSettings
from git_mlops.findings import Finding, ordered
from git_mlops.git import objects
from git_mlops.git.reader import Reader, reader
from git_mlops.git.repo import Repo, fields
from git_mlops.git.run import GitError

CONFLICT = "merge-conflict"
UNTESTED = "untested-combination"

Wanted = Literal["error", "warning", "note", "off"]


class Preview(NamedTuple):
    """A merge that was not made, and by which settings it is judged."""

    repo: Repo
    base: str
    """As the user wrote it."""
    ours: str
    theirs: str
    data: DataSettings
    experiments: ExperimentSettings


class _Outcome(NamedTuple):
    """The tree that the merge would have."""

    tree: str
    open: bool
    """Whether anything in it is left to a person."""


def check(preview: Preview, levels: Levels) -> list[Finding]:
    """What merging `base` into `ours` would do to data, worst first; levels are those of `checks:`.

    Raises:
        MlopsError: the histories are not related, or git is too old (exit code 3).
    """
    return ordered(one for found in _findings(preview) if (one := _at(found, levels.get(found.rule))))


def _at(finding: Finding, wanted: Wanted | None) -> Finding | None:
    """What could not be evaluated, and what merges, keep their level."""
    if wanted == "off":
        return None
    own = finding.level == "error" or (finding.rule == UNTESTED and finding.level == "warning")
    return finding if wanted is None or not own else finding._replace(level=wanted)


def _findings(preview: Preview) -> Iterator[Finding]:
    repo, ours, theirs = preview.repo, preview.ours, preview.theirs
    common = repo.text("merge-base", ours, theirs, ok=(0, 1))
    if not common:
        hint = "`git fetch --unshallow` brings the history" if repo.shallow else "are the histories related?"
        raise MlopsError(f"no merge base of HEAD and `{preview.base}`", hint=hint, exit_code=CANNOT_EVALUATE)
    if common == theirs:
        return  # HEAD has all of it
    tree, conflicts = merge_tree(repo, ours, theirs)
    found: list[Finding] = []
    outcome = _settle(preview, tree, conflicts, found)
    yield from found
    if not outcome.open:
        yield from _untested(preview, common, outcome.tree)


def merge_tree(repo: Repo, ours: str, theirs: str) -> tuple[str, dict[str, dict[str, str]]]:
    """The tree of a merge without drivers, and its conflicts: path → stage → blob.

    Raises:
        MlopsError: git is older than 2.38 (exit code 3).
    """
    # `false` leaves to us what a driver would merge, also where one is registered
    words = (
        "-c",
        "merge.mlops.driver=false",
        "merge-tree",
        "--write-tree",
        "--no-messages",
        "-z",
        ours,
        theirs,
    )
    try:
        output = fields(repo.git(*words, ok=(0, 1)))
    except GitError as error:
        if "usage" not in error.stderr and "not a valid object" not in error.stderr.lower():
            raise
        version = repo.text("version").removeprefix("git version ")
        message = f"a merge is previewed by git 2.38 or later; this is {version}"
        raise MlopsError(message, exit_code=CANNOT_EVALUATE) from error
    conflicts: dict[str, dict[str, str]] = {}
    for line in output[1:]:
        head, _, path = line.partition("\t")
        _mode, oid, stage = head.split(" ")
        conflicts.setdefault(path, {})[stage] = oid
    return output[0], conflicts


def _settle(
    preview: Preview, tree: str, conflicts: Mapping[str, Mapping[str, str]], found: list[Finding]
) -> _Outcome:
    """Merge the pointers as the driver would; what is found goes to `found`."""
    repo = preview.repo
    mended: dict[str, bytes] = {}
    left = False
    for path, stages in sorted(conflicts.items()):
        text = _pointer(preview, path, stages, found) if pointers.is_pointer(path) else None
        if text is None:
            left = True
        else:
            mended[path] = encoded(text)
    if others := [path for path in conflicts if not pointers.is_pointer(path)]:
        message = (
            f"in conflict: what the merged code and data do together cannot be told ({len(others)} in all)"
        )
        found.append(Finding(UNTESTED, "note", message, others[0], hint=_merge_hint(preview)))
    if mended and not left:
        with objects.scratch_index(repo) as index:
            # without hooks: to git even this index is one whose files may have changed
            repo.git("-c", "core.hooksPath=/dev/null", "read-tree", tree, index=index)
            objects.put(repo, index, mended)
            tree = objects.write_tree(repo, index)
    return _Outcome(tree, left)


def _pointer(preview: Preview, path: str, stages: Mapping[str, str], found: list[Finding]) -> str | None:
    """The merged pointer, or None where it is left to a person."""
    blobs = objects.read_blobs(preview.repo, stages.values())
    base, ours, theirs = (
        blobs.get(stages.get(stage, ""), b"").decode("utf-8", "surrogateescape") for stage in "123"
    )
    if not ours or not theirs:
        message = f"one side removes it, the other changes it ({'HEAD' if ours else preview.base})"
        found.append(Finding(CONFLICT, "error", message, path, hint=_merge_hint(preview)))
        return None
    texts = Texts(base, ours, theirs)
    plain = _plain(path, texts)
    if not plain.conflict:
        return plain.text
    if path.endswith("dvc.lock"):
        message = f"HEAD and `{preview.base}` both ran a stage"
        found.append(Finding(CONFLICT, "error", message, path, hint=f"{_merge_hint(preview)}, `dvc repro`"))
        return None
    try:
        result = _merged_data(preview, path, texts)
    except MlopsError as error:
        found.append(Finding(CONFLICT, "unknown", f"its data cannot be had: {error}", path, hint=error.hint))
        return None
    found.append(_finding(preview, path, result))
    return result.text


def _plain(path: str, texts: Texts) -> Merged:
    locked = merge_lock(texts.base, texts.ours, texts.theirs) if path.endswith("dvc.lock") else None
    return locked or merge(texts.base, texts.ours, texts.theirs)


def _merged_data(preview: Preview, path: str, texts: Texts) -> Result:
    """Nothing of the result is kept; what the sides name is downloaded where it is not here."""
    result = merge_data(preview.repo, path, texts, preview.data, keep=False)
    if result.missing:
        if missing := transfer.pull(preview.repo, result.missing, remote=preview.data.remote).missing:
            hashes = ", ".join(out.hash for out in missing)
            raise MlopsError(f"{hashes} is not on the remote", hint="whoever has it: `git mlops push`")
        result = merge_data(preview.repo, path, texts, preview.data, keep=False)
    return result


_SHOWN = 10


def _finding(preview: Preview, path: str, result: Result) -> Finding:
    both = f"HEAD and `{preview.base}` both changed the data"
    if result.text is not None:
        unit = "files" if result.key == ("file",) else "rows"
        message = f"{both}; it merges ({unit} of `{preview.base}`: {result.counts}), but not on a forge"
        return Finding(CONFLICT, "warning", message, path, hint=_merge_hint(preview))
    if not result.conflicts:
        message = f"{both}, and it cannot be merged: {result.reason}"
        return Finding(CONFLICT, "error", message, path, hint=_merge_hint(preview))
    number = len(result.conflicts)
    first = result.conflicts[0]
    where = ", ".join((*first.key, *([first.column] if first.column else [])))
    message = f"{both}: {number} conflict{'s' if number > 1 else ''}, the first at {where}"
    data = {"key": list(result.key), "conflicts": [one._asdict() for one in result.conflicts[:_SHOWN]]}
    hint = f"{_merge_hint(preview)}, `git mlops merge-file {shlex.quote(path.removesuffix('.dvc'))}`"
    return Finding(CONFLICT, "error", message, path, hint=hint, data=data | {"count": number})


def _merge_hint(preview: Preview) -> str:
    return f"in an armed clone: `git merge {preview.base}`"


# -- experiments --------------------------------------------------------------------------------------------


def _untested(preview: Preview, common: str, tree: str) -> Iterator[Finding]:
    """Both sides changed what decides a result, and nobody has seen the two together."""
    commits = (common, preview.ours, preview.theirs)
    with reader(preview.repo) as objects_:
        trees = [preview.repo.text("rev-parse", f"{commit}^{{tree}}") for commit in commits]
        before, ours, theirs, merged = (of_tree(objects_, one, preview.experiments) for one in (*trees, tree))
        known = [(one.code, one.data) for one in (before, ours, theirs)]
        if (merged.code, merged.data) in known or _evaluated(preview.repo, objects_, merged):
            return
    message = (
        f"HEAD changed {_what(before, ours)}, `{preview.base}` changed {_what(before, theirs)}: "
        "no recorded experiment has evaluated the merged code and data together"
    )
    data = {"code": merged.code, "data": merged.data}
    hint = f"`git merge {preview.base}`, then `git mlops exp run` (or `git mlops exp pull`: others may have)"
    yield Finding(UNTESTED, "warning", message, hint=hint, data=data)


def _what(before: Parts, after: Parts) -> str:
    changed = [name for name in ("code", "data") if getattr(before, name) != getattr(after, name)]
    return " and ".join(changed) or "nothing of both"


def _evaluated(repo: Repo, objects_: Reader, merged: Parts) -> bool:
    """Whether a finished experiment recorded this code and this data."""
    files = [f"{ref.oid}:{record.PATH}" for ref in read.all_refs(repo, names.PREFIX)]
    for found in objects_.read(files).values():
        content = found.content or b""
        if merged.code.encode() not in content or merged.data.encode() not in content:
            continue
        try:
            recorded = parse_record(content)
        except RecordError:
            continue
        key = recorded.key or {}
        same = (key.get("code"), key.get("data")) == (merged.code, merged.data)
        if same and recorded.status == "finished":
            return True
    return False
