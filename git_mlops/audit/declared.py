"""Declared evidence: `docs/readiness.yaml`. It counts half, and expires.

version: 1
expires: 180d
declared:
- {item: data-3, who: ada@example.com, when: 2026-11-01, path: docs/costs.md}
"""

import datetime as dt
import difflib
import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import yaml

from git_mlops.audit.evidence import LASTS
from git_mlops.findings import Finding
from git_mlops.nesting import too_deep

FILE = "docs/readiness.yaml"
RULE = "readiness"
_KEYS = ("item", "who", "when", "path", "url", "note")
_TOP = ("version", "expires", "declared")
_DEEPEST = 10
_DAY = 86400
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Declaration(NamedTuple):
    """Somebody says that something was done."""

    item: str
    who: str
    when: int
    where: str
    """A path of the tree, or a URL."""
    until: int


class Read(NamedTuple):
    """What the file says, and what is wrong with it."""

    declared: tuple[Declaration, ...] = ()
    findings: tuple[Finding, ...] = ()


def read(text: str | None, items: Collection[str], paths: Collection[str], now: int) -> Read:
    """The declarations of a docs/readiness.yaml.

    Args:
        items: ids of what can be declared.
        paths: every file of the tree.
        now: nothing is declared in the future.
    """
    if text is None:
        return Read()
    try:
        deep = too_deep(text.encode(), _DEEPEST)
        value = None if deep else yaml.load(text, Loader=_LOADER)  # noqa: S506  # a safe one
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return Read((), (_wrong(f"not valid YAML: {str(error).splitlines()[0]}"),))
    if not isinstance(value, dict) or value.get("version") != 1:
        return Read((), (_wrong("expected a mapping that starts with `version: 1`"),))
    findings = [_wrong(f"unknown key `{key}`", _close(key, _TOP)) for key in value if key not in _TOP]
    lasts = _days(value.get("expires", f"{LASTS}d"))
    if lasts is None:
        findings.append(
            _wrong(f"`expires: {value.get('expires')}` is no number of days", "for example `180d`")
        )
        lasts = LASTS
    entries = value.get("declared") or []
    if not isinstance(entries, list):
        return Read((), (*findings, _wrong("`declared` is no list")))
    found = []
    for number, entry in enumerate(entries, 1):
        wrong = list(_problems(entry, items, paths, now))
        findings += [one._replace(message=f"entry {number}: {one.message}") for one in wrong]
        if not wrong:
            when = _time(entry["when"])
            assert when is not None
            where = str(entry.get("path") or entry.get("url"))
            found.append(Declaration(entry["item"], str(entry["who"]), when, where, when + lasts * _DAY))
    return Read(tuple(found), tuple(findings))


def _problems(entry: Any, items: Collection[str], paths: Collection[str], now: int) -> Iterator[Finding]:
    if not isinstance(entry, dict):
        yield _wrong("is no mapping of item, who, when and path or url")
        return
    yield from (_wrong(f"unknown key `{key}`", _close(key, _KEYS)) for key in entry if key not in _KEYS)
    yield from (
        _wrong(f"`{key}` is missing") for key in ("item", "who", "when") if entry.get(key) in _NOTHING
    )
    item, when = entry.get("item"), entry.get("when")
    if item not in _NOTHING and item not in items:
        yield _wrong(f"there is no item `{item}`", _close(item, items) or "`git mlops audit` lists them")
    if when not in _NOTHING:
        time = _time(when)
        if time is None:
            yield _wrong(f"`when: {when}` is no date", "for example `2026-11-01`")
        elif time > now:
            yield _wrong(f"`when: {when}` is in the future")
    yield from _places(entry.get("path"), entry.get("url"), paths)


_NOTHING = (None, "")


def _places(path: object, url: object, paths: Collection[str]) -> Iterator[Finding]:
    if not path and not url:
        yield _wrong("`path` or `url` is missing: where can it be seen?")
    if path and str(path) not in paths:
        yield _wrong(f"there is no file `{path}` at this revision")
    if url and not re.fullmatch(r"https?://[^\s/]+\S*", str(url)):
        yield _wrong(f"`{url}` is no URL")


def _time(value: object) -> int | None:
    """The beginning of a day, UTC."""
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return int(aware.timestamp())
    try:
        day = value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))
    except ValueError:
        return None
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp())


def _days(value: object) -> int | None:
    match = re.fullmatch(r"(\d{1,4}) ?d?", str(value))
    return int(match[1]) if match and 0 < int(match[1]) <= 366 else None


def _close(name: object, known: Collection[str]) -> str | None:
    near = difflib.get_close_matches(str(name), known, n=1)
    return f"did you mean `{near[0]}`?" if near else None


def _wrong(message: str, hint: str | None = None) -> Finding:
    return Finding(RULE, "error", message, FILE, hint=hint)


def added(text: str | None, item: str, who: str, day: str, where: str) -> str:
    """The file with one more declaration; comments and layout of what is there stay."""
    key = "url" if re.match(r"https?://", where) else "path"
    values = {"item": item, "who": who, "when": dt.date.fromisoformat(day), key: where}
    line = yaml.safe_dump(values, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    entry = f"  - {line.strip()}\n"
    if text is None or not text.strip():
        return f"version: 1\ndeclared:\n{entry}"
    body = text if text.endswith("\n") else f"{text}\n"
    match = re.search(r"^declared:[ \t]*(\[\][ \t]*)?\n", body, re.MULTILINE)
    if match is None:
        return f"{body}declared:\n{entry}"
    indent = re.match(r"(?:[ \t]*(?:#[^\n]*)?\n)*([ \t]*)- ", body[match.end() :])
    entry = entry.replace("  - ", f"{indent[1]}- " if indent else "  - ", 1)
    return f"{body[: match.start()]}declared:\n{entry}{body[match.end() :]}"
