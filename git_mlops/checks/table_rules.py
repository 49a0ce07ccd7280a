"""What mlops.yaml says of whole tables (`tables`, `data.keys`): rows, unique keys, references, freshness."""

import datetime as dt
import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from git_mlops.checks import judged
from git_mlops.checks.context import EVERYWHERE, Context
from git_mlops.checks.judged import Item
from git_mlops.data.pointers import Out, is_pointer
from git_mlops.errors import MlopsError
from git_mlops.findings import Finding
from git_mlops.patterns import matches, most_specific
from git_mlops.tables.forms import declared, form_of
from git_mlops.tables.settings import Fresh, Table, Tables

SUMMARY = "tables are whole: rows, unique keys, references, freshness"
KINDS = EVERYWHERE
RULE = "tables"

_ENGINE = "tables-1"
_UNITS = {"h": 3600, "d": 86400, "w": 7 * 86400}

Look = Callable[[str, Sequence[judged.Part]], list[Finding]]


class _Place(NamedTuple):
    """A table of the checked state: a DVC object, or a plain file of git."""

    path: str
    algorithm: str
    hash: str
    out: Out | None
    oid: str = ""


def check(context: Context) -> Iterator[Finding]:
    """Looks at tables that are new, and at those that refer to a new one."""
    if not context.config.tables and not context.config.data.keys:
        return
    for finding in judged.judged(context, RULE, list(_items(context)), absent="unknown"):
        newest = finding.data.get("newest")
        if newest is None:
            yield finding
        else:  # the verdict holds how new the data is; whether that will do is a matter of today
            yield from _stale(finding, str(newest), float(str(finding.data["within"])))


def _items(context: Context) -> Iterator[Item]:
    new = {place.path: place for place in _new(context)}
    every = new
    if any(table.references for table in context.config.tables.values()):
        every = {place.path: place for place in _all(context)} | new
    for path, place in every.items():
        table = most_specific(path, context.config.tables) or Table()
        key = most_specific(path, context.config.data.keys) or ()
        if path in new:
            yield from (_item(context, place, *asked) for asked in _own(path, table, key))
        yield from _references(context, place, table, every, set(new))


def meanings(path: str, tables: Tables, keys: Mapping[str, tuple[str, ...]]) -> list[str] | None:
    """What verdicts on data of this name go by besides its hash; None where they go by more than that."""
    table = most_specific(path, tables) or Table()
    targets = {target.rpartition(":")[0] for one in tables.values() for target in one.references.values()}
    if table.references or table.fresh or path in targets:
        return None
    return [_meaning(path, asked.about) for asked in _own(path, table, most_specific(path, keys) or ())]


def _meaning(path: str, about: str) -> str:
    return f"{_ENGINE} {judged.digest(_written(path), about)}"


def _written(path: str) -> str:
    """How a table is read; the members of a directory may each be declared."""
    form = form_of(path)
    return f"None{declared()}" if form is None else str(form)


class _Asked(NamedTuple):
    about: str
    look: Look
    columns: Sequence[str] = ()
    """Those that it needs."""
    setting: str = ""
    """Where mlops.yaml names them."""


def _own(path: str, table: Table, key: Sequence[str]) -> Iterator[_Asked]:
    """What is asked of a table by itself."""
    if table.rows:
        yield _Asked(f"rows {table.rows}", partial(_rows, table))
    joined = "+".join(key)
    for text in dict.fromkeys((*([joined] if key else []), *table.unique)):
        columns = [name.strip() for name in text.split("+")]
        setting = "`data.keys`" if text == joined else "`unique` of `tables:`"
        yield _Asked(f"unique {columns}", partial(_unique, columns), columns, setting)
    if table.fresh:
        look = partial(_newest, table.fresh, _seconds(table.fresh, path))
        yield _Asked(f"fresh {table.fresh}", look, [table.fresh.column], "`fresh` of `tables:`")


def _references(
    context: Context, place: _Place, table: Table, every: dict[str, _Place], new: Collection[str]
) -> Iterator[Item]:
    for column, target in table.references.items():
        path, _, other = target.rpartition(":")
        if not path:
            raise MlopsError(f"`tables`: `{target}` is no `PATH:COLUMN`")
        there = every.get(path)
        if there is not None and place.path not in new and path not in new:
            continue
        if there is None:
            message = f"`{column}` refers to `{path}`, which is not there"
            yield _said(place, f"reference {target}", [Finding(RULE, "error", message, place.path)])
            continue
        about = f"reference {column} {there.algorithm}:{there.hash} {_written(path)} {other}"
        look = partial(_dangling, context, column, there, other)
        yield _item(context, place, about, look, [column], _REFERENCES)


def _said(place: _Place, about: str, found: list[Finding]) -> Item:
    return Item(place.path, place.algorithm, place.hash, _meaning(place.path, about), lambda: found)


_REFERENCES = "`references` of `tables:`"


def _item(  # the fields of _Asked
    context: Context, place: _Place, about: str, look: Look, columns: Sequence[str] = (), setting: str = ""
) -> Item:
    def looked() -> list[Finding] | None:
        parts = judged.parts(context, place.path, place.out, place.oid)
        if parts is None:
            return None
        try:
            return list(_lacking(place.path, parts, columns, setting)) or look(place.path, parts)
        except ValueError as error:  # FrameError, without importing Polars for a known verdict
            return [Finding(RULE, "error", f"cannot be read: {error}", place.path)]

    return Item(place.path, place.algorithm, place.hash, _meaning(place.path, about), looked)


def _lacking(
    path: str, parts: Sequence[judged.Part], columns: Sequence[str], setting: str, at: str | None = None
) -> Iterator[Finding]:
    """Columns that mlops.yaml names and a table has not: what is asked of them cannot be judged."""
    if not columns or not parts:
        return
    from git_mlops.tables import pii

    there = pii.columns(*parts[0])
    for name in (name for name in columns if there and name not in there):
        which = "it" if at is None else f"`{at}`"
        message = f"{which} has no column `{name}`, which {setting} in mlops.yaml names"
        close = difflib.get_close_matches(name, there, n=1)
        hint = f"did you mean `{close[0]}`?" if close else None
        yield Finding(RULE, "error", message, path, hint=hint, data={"column": name})


def _rows(table: Table, path: str, parts: Sequence[judged.Part]) -> list[Finding]:
    from git_mlops.tables import constraints

    assert table.rows
    found = constraints.rows(parts)
    low, high = table.rows.min, table.rows.max
    if found >= low and (high is None or found <= high):
        return []
    wanted = f"at least {low}" if found < low else f"at most {high}"
    return [Finding(RULE, "error", f"{found} rows, where {wanted} are expected", path, data={"rows": found})]


def _unique(columns: Sequence[str], path: str, parts: Sequence[judged.Part]) -> list[Finding]:
    from git_mlops.tables import constraints

    found = constraints.repeated(parts, columns)
    if found is None:
        return []
    named = " + ".join(f"`{name}`" for name in columns)
    examples = "; ".join(found.examples)
    values = "1 value repeats" if found.values == 1 else f"{found.values} values repeat"
    message = f"{named} must be unique; {values} in {found.rows} rows: {examples}"
    return [Finding(RULE, "error", message, path, data={"columns": list(columns), **found._asdict()})]


def _dangling(
    context: Context, column: str, there: _Place, other: str, path: str, parts: Sequence[judged.Part]
) -> list[Finding]:
    from git_mlops.tables import constraints

    others = judged.parts(context, there.path, there.out, there.oid)
    if others is None:
        message = f"`{column}` is not compared with `{there.path}`, whose data is not on this machine"
        return [Finding(RULE, "unknown", message, path, hint=f"`git mlops pull {there.path}`")]
    lacking = list(_lacking(path, others, [other], _REFERENCES, there.path))
    found = None if lacking else constraints.dangling(parts, column, others, other)
    if found is None:
        return lacking
    values, rows = (
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((found.values, "value"), (found.rows, "row"))
    )
    are = "is" if found.values == 1 else "are"
    message = (
        f"{values} of `{column}` in {rows} {are} not in `{other}` of `{there.path}`: "
        f"{'; '.join(found.examples)}"
    )
    return [Finding(RULE, "error", message, path, data={"column": column, **found._asdict()})]


def _newest(fresh: Fresh, seconds: float, path: str, parts: Sequence[judged.Part]) -> list[Finding]:
    from git_mlops.tables import constraints

    found = constraints.newest(parts, fresh.column)
    if found is None:
        return [Finding(RULE, "error", f"`{fresh.column}` has no value, so that nothing is fresh", path)]
    if _moment(found) is None:
        message = f"`{fresh.column}` is no ISO 8601 date or time: `{found[:40]}`"
        return [Finding(RULE, "error", message, path)]
    data = {"newest": found, "within": seconds, "column": fresh.column}
    return [Finding(RULE, "note", f"`{fresh.column}` goes up to {found}", path, data=data)]


def _stale(finding: Finding, newest: str, seconds: float) -> Iterator[Finding]:
    moment = _moment(newest)
    age = (dt.datetime.now(dt.UTC) - moment).total_seconds() if moment else 0
    if age > seconds:
        message = f"{finding.message}: {age / 86400:.1f} days old, where {seconds / 86400:g} are allowed"
        yield finding._replace(level="error", message=message)


def _moment(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _seconds(fresh: Fresh, path: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([hdw])", fresh.within.strip())
    if match is None:
        raise MlopsError(f"`tables.{path}.fresh.within`: expected `36h`, `7d` or `4w`, not `{fresh.within}`")
    return float(match[1]) * _UNITS[match[2]]


def _new(context: Context) -> Iterator[_Place]:
    for out in judged.outs(context):
        if out.is_dir or form_of(out.path):
            yield _Place(out.path, out.algorithm, out.hash, out)
    for path, oid, _content in judged.plain(context, partial(_named, context)):
        yield _Place(path, "git", oid, None, oid)


def _named(context: Context, path: str) -> bool:
    """Whether the settings say anything of a plain file."""
    tables = context.config.tables
    targets = {target.rpartition(":")[0] for table in tables.values() for target in table.references.values()}
    bound = {**dict.fromkeys(context.config.data.keys), **dict.fromkeys(tables)}
    there = path in targets or any(matches(path, (pattern,)) or path == pattern for pattern in bound)
    return there and form_of(path) is not None


def _all(context: Context) -> Iterator[_Place]:
    """Every table of the state that may be referred to or refer."""
    files = {file.path: file.oid for file in context.scope.all_files()}
    for out in judged.outs_of(context, [path for path in files if is_pointer(path)]):
        if out.is_dir or form_of(out.path):
            yield _Place(out.path, out.algorithm, out.hash, out)
    for path, oid in files.items():
        if _named(context, path):
            known = oid if oid.strip("0") else judged.blob_of(context, path)
            yield _Place(path, "git", known, None, known)
