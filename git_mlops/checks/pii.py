"""Personal data and secrets do not enter with a table: declared columns, and what values look like.

Columns that `data.pii` names are refused. Others are scanned (a sample; every row with `--deep`) for e-mail
addresses, phone and card numbers and IBANs, which are warnings (`data.pii_scan`), and for keys and tokens,
which are errors. Findings never hold a value.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from git_mlops.checks import judged
from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.checks.judged import Item
from git_mlops.data.pointers import Out
from git_mlops.data.settings import Settings
from git_mlops.findings import Finding, Level
from git_mlops.git.repo import Repo
from git_mlops.patterns import matches
from git_mlops.tables.forms import declared, form_of
from git_mlops.tables.kinds import ENGINE

if TYPE_CHECKING:
    from git_mlops.tables.pii import Hit, Looked

RULE = "pii"
SUMMARY = "tables hold no personal data and no secrets"
KINDS = EVERYWHERE
_MOST_MEMBERS = 200
"""Tables of a directory that are looked at without `--deep`."""


class Rules(NamedTuple):
    """What is said of the columns of one path."""

    refused: tuple[str, ...]
    allowed: tuple[str, ...]
    scan: str


def check(context: Context) -> Iterator[Finding]:
    """Looks at new tables, of DVC and of git alike."""
    repo, settings, deep = context.scope.repo, context.config.data, context.deep
    items = [
        Item(out.path, out.algorithm, out.hash, _means(out, settings, deep=deep),
             partial(_of_out, repo, out, settings, deep=deep))
        for out in judged.outs(context)
        if out.is_dir or form_of(out.path) is not None
    ]  # fmt: skip
    plain = judged.plain(context, lambda path: form_of(path) is not None)
    items += [
        Item(path, "git", oid, meaning(path, settings, deep=deep) or "",
             partial(_of_plain, path, content, settings, deep=deep))
        for path, oid, content in plain
    ]  # fmt: skip
    yield from judged.judged(context, RULE, items)


def meaning(path: str, settings: Settings, *, deep: bool = False) -> str | None:
    """What else decides on data of this name; None where the rule has nothing to say of it."""
    form = form_of(path)
    extent = "whole" if deep else "sample"
    return None if form is None else f"{ENGINE} {form} {extent} {judged.digest(*_rules(path, settings))}"


def _means(out: Out, settings: Settings, *, deep: bool) -> str:
    if not out.is_dir:
        return meaning(out.path, settings, deep=deep) or ""
    extent = "whole" if deep else "sample"
    # patterns may name single members: all of them count
    rules = judged.digest(out.path, settings.pii, settings.pii_allow, settings.pii_scan)
    rules += declared()
    return f"{ENGINE} dir {extent} {rules}"


def _rules(path: str, settings: Settings) -> Rules:
    return Rules(_of(path, settings.pii), _of(path, settings.pii_allow), settings.pii_scan)


def _of(path: str, by_pattern: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(name for pattern, names in by_pattern.items() if matches(path, (pattern,)) for name in names)


def _of_out(repo: Repo, out: Out, settings: Settings, *, deep: bool) -> list[Finding] | None:
    files = judged.files_of(repo, out, lambda name: form_of(f"{out.path}/{name}") is not None)
    if files is None:
        return None
    step = 1 if deep else max(1, -(-len(files) // _MOST_MEMBERS))
    found: list[Finding] = []
    for member in sorted(files)[::step]:
        path = f"{out.path}/{member}" if member else out.path
        said = _of_file(files[member], path, settings, deep=deep)
        found += [f._replace(data={**f.data, "member": member}) if member else f for f in said]
    return found


def _of_plain(path: str, content: bytes, settings: Settings, *, deep: bool) -> list[Finding]:
    with TemporaryDirectory(prefix="mlops-") as folder:
        file = Path(folder, "table")
        file.write_bytes(content)
        return list(_of_file(file, path, settings, deep=deep))


def _of_file(file: Path, path: str, settings: Settings, *, deep: bool) -> Iterator[Finding]:
    from git_mlops.tables import pii
    from git_mlops.tables.frames import FrameError

    form, rules = form_of(path), _rules(path, settings)
    assert form is not None
    try:
        names = pii.columns(file, form)
        allowed = frozenset(name for name in names if _named(name, rules.allowed))
        looked = pii.look(file, form, whole=deep, skip=allowed)
    except FrameError as error:
        # what is wrong with it is for its schema to say; here it only could not be looked at
        yield Finding(RULE, "note", f"not looked at: it cannot be read as {form.name} ({error})")
        return
    yield from _declared(looked, rules, pii.shown)
    for hit in looked.hits:
        yield from _hit(hit, looked, rules, path, pii.shown)


def _named(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def _declared(
    looked: "Looked", rules: Rules, shown: Callable[[str, tuple[str, ...]], str]
) -> Iterator[Finding]:
    for name in looked.columns:
        if _named(name, rules.refused) and not _named(name, rules.allowed):
            message = f"{shown(name, looked.columns)} is declared personal data (`data.pii`)"
            hint = "drop it, or replace it by a keyed hash, then `git mlops add` the data again"
            yield Finding(RULE, "error", message, hint=hint, data={"column": name, "kind": "declared"})


def _hit(
    hit: "Hit", looked: "Looked", rules: Rules, path: str, shown: Callable[[str, tuple[str, ...]], str]
) -> Iterator[Finding]:
    from git_mlops.tables.kinds import KINDS as LOOKS

    kind = LOOKS[hit.kind]
    refused = _named(hit.column, rules.refused)  # said already
    if not kind.secret and (rules.scan == "off" or refused):
        return
    share = 100 * hit.number / max(hit.rows, 1)
    sampled = "sampled " if looked.sampled else ""
    column = shown(hit.column, looked.columns)
    message = f"{column} holds {kind.says} in {hit.number} of {hit.rows} {sampled}values ({share:.3g} %)"
    pattern = shlex.quote(hit.column) if column.endswith("`") else "COLUMN"
    hint = (
        "revoke them, and remove them from the data"
        if kind.secret
        else f"drop or hash it, or allow it in mlops.yaml: `data: {{pii_allow: {{{path}: [{pattern}]}}}}`"
    )
    level: Level = "error" if kind.secret or rules.scan == "error" else "warning"
    place = hit.column if column.endswith("`") else column
    data = {
        "column": place,
        "kind": hit.kind,
        "count": hit.number,
        "rows": hit.rows,
        "sampled": looked.sampled,
    }
    yield Finding(RULE, level, message, hint=hint, data=data)
