"""Profiles: what a table is, a line per column, as text in the `meta:` of its pointer. No table is read here.

DVC keeps `meta`, so a diff of the pointer is a diff of the data on any forge. The text is the same for the
same bytes on every machine: lines stand in the order of the columns, numbers have six significant digits.
What is read back comes from anyone's branch: whatever does not fit is left out.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, NamedTuple

from git_mlops.data import pointers
from git_mlops.data.settings import Level, Settings
from git_mlops.patterns import matches, most_specific

VERSION = 1
DIGITS = 6
"""Significant digits of a number that is no whole one."""
_LONGEST = 40
"""Characters of a value of the data that stand in a profile."""

Column = Mapping[str, Any]
"""`type`, `nulls`, `distinct` and so on, in the order in which they are written; `top` is value → count."""


class Profile(NamedTuple):
    """What is known of a table without its rows."""

    rows: int
    columns: Mapping[str, Column]
    key: tuple[str, ...] = ()
    """Columns that tell the rows apart: declared, or found."""


def levels(settings: Settings, path: str, columns: Iterable[str]) -> dict[str, Level]:
    """How much may be said of each column; no value of what is personal data, unless it is said otherwise."""
    chosen = most_specific(path, settings.profile)
    named = chosen if isinstance(chosen, dict) else {}
    usual = named.get("*", "full") if isinstance(chosen, dict) else chosen or "full"
    bound = (*settings.pii.items(), *settings.pii_allow.items())
    personal = [column for pattern, columns_ in bound if matches(path, (pattern,)) for column in columns_]
    found: dict[str, Level] = {}
    for name in columns:
        private = usual == "full" and any(fnmatchcase(name.lower(), pattern.lower()) for pattern in personal)
        found[name] = named.get(name, "counts-only" if private else usual)
    return found


def wanted(settings: Settings, path: str) -> bool:
    """Whether the table at a path gets a profile at all."""
    return most_specific(path, settings.profile) != "none"


def key_of(settings: Settings, path: str) -> tuple[str, ...]:
    """The key that is declared for a path; empty where none is."""
    return most_specific(path, settings.keys) or ()


# -- as text ------------------------------------------------------------------------------------------------


def put(text: str, profile: Profile | None, of: str = "") -> str:
    """A pointer's text with this profile of `of` instead of the one it has; None takes that away.

    A `meta` that somebody wrote in another layout than DVC's is left alone.
    """
    before, meta, after = cut(text)
    kept = "".join(without(meta[1:], "mlops"))
    ours = "".join(f"  {line}\n" for line in lines(profile, of)) if profile else ""
    if meta and meta[0].strip() != "meta:":
        return text
    middle = f"meta:\n{kept}{ours}" if kept or ours else ""
    gap = "\n" if middle and before and not before.endswith("\n") else ""
    return before + gap + middle + after


def cut(text: str) -> tuple[str, list[str], str]:
    """What stands before `meta:`, its lines, what stands after."""
    parts = re.findall(r"[^\n]*\n|[^\n]+", text)
    start = next((n for n, line in enumerate(parts) if line.startswith("meta:")), None)
    if start is None:
        return text, [], ""
    end = start + 1
    while end < len(parts) and (parts[end][:1] in {" ", "#"} or not parts[end].strip()):
        end += 1
    return "".join(parts[:start]), parts[start:end], "".join(parts[end:])


def without(meta: Iterable[str], section: str) -> Iterator[str]:
    """The lines below `meta:`, without those of a section of it."""
    inside = False
    for line in meta:
        if line.strip() and len(line) - len(line.lstrip(" ")) <= 2:
            inside = line.rstrip() == f"  {section}:"
        if not inside:
            yield line


def lines(profile: Profile, of: str) -> Iterator[str]:
    """The section `mlops:` of a pointer's `meta`."""
    yield "mlops:"
    yield f"  version: {VERSION}"
    yield f"  of: {of}" if set(of) - _DIGITS_OF_NUMBERS else f'  of: "{of}"'
    yield f"  rows: {profile.rows}"
    if profile.key:
        yield f"  key: [{', '.join(map(scalar, profile.key))}]"
    yield "  columns:" if profile.columns else "  columns: {}"
    for name, column in profile.columns.items():
        yield f"    {scalar(name)}: {inline(column)}"


_DIGITS_OF_NUMBERS = frozenset("0123456789e")
"""A hash of these alone is a number to YAML."""


def inline(column: Column) -> str:
    """Names and values on one line, as YAML has them."""
    return "{" + ", ".join(f"{scalar(str(k))}: {_value(v)}" for k, v in column.items()) + "}"


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return inline(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    return str(value) if isinstance(value, int) else scalar(str(value))


def _float(value: float) -> str:
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    text = repr(rounded(value))
    mantissa, e, exponent = text.partition("e")
    # for YAML 1.1 `1e+20` is text
    return f"{mantissa}.0e{exponent}" if e and "." not in mantissa else text


def rounded(value: float) -> float:
    """To the digits that a profile shows."""
    return float(f"{value:.{DIGITS}g}") + 0.0  # no -0.0


_PLAIN = re.compile(r"[^\W\d][\w.-]*( [\w.-]+)*")
_WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))


def scalar(text: str) -> str:
    """Text as YAML 1.1 and 1.2 read it alike, on one line."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS and text.isprintable():
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    code = ord(char)
    if char.isprintable():
        return char
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shortened(value: str) -> str:
    """A value of the data as far as a profile shows it."""
    return value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"


# -- from text ----------------------------------------------------------------------------------------------

_OF = re.compile(
    rb"^meta:[ ]*\r?\n(?:[ #].*\n)*?  mlops:[ ]*\r?\n(?:    .*\n)*?    of: ['\"]?([0-9a-f]{32})\b",
    re.MULTILINE,
)
_HASH = re.compile(rb"^- md5: ['\"]?([0-9a-f]{32}(?:\.dir)?)\b", re.MULTILINE)


def stale(content: bytes) -> bool:
    """Whether a pointer holds a profile of other data than it names. Told by its lines alone."""
    of, found = _OF.search(content), _HASH.search(content)
    return of is not None and (found is None or found[1] != of[1])


@lru_cache(maxsize=4)  # both sides of a diff often have the same pointer, and 2,000 columns take a second
def read(path: str, content: bytes) -> Profile | None:
    """The profile in a pointer, if it is of the data that the pointer names; None for everything else."""
    if b"mlops:" not in content:
        return None
    import yaml

    try:
        pointer = pointers.parse(path, content)  # refuses what must not be given to a loader
        value = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # safe
        said = value["meta"]["mlops"]
        if said["version"] != VERSION or [out.hash for out in pointer.outs] != [said["of"]]:
            return None
        columns = {str(name): _column(column) for name, column in said["columns"].items()}
        key = tuple(str(name) for name in said.get("key") or ())
        return Profile(int(said["rows"]), columns, key)
    except (pointers.PointerError, yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _column(value: Mapping[object, object]) -> Column:
    plain = (int, float, str)
    found: dict[str, Any] = {str(k): v for k, v in value.items() if isinstance(v, plain) or k == "top"}
    if "top" in found:
        top = found["top"]
        found["top"] = {str(k): v for k, v in top.items() if isinstance(v, int)}
    return found
