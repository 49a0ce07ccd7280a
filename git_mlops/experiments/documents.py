"""Plain values out of files that a stranger may have written: YAML, JSON, TOML, Python constants. Pure.

Nothing here can run code, and nothing takes more time or memory than the file's own size allows: aliases
may not multiply, nesting may not be deep, large files are refused by their size.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date

LIMIT = 4 * 1024 * 1024
"""Bytes of the largest file that is read for values."""

_DEPTH = 100
_EXPANDED = 100_000


class DocumentError(ValueError):
    """A file that cannot be read for values, and why."""


def load(path: str, content: bytes) -> object:
    """The value of a whole file, by its suffix (YAML where it has none that is known).

    Raises:
        DocumentError: too large, too deep, or not of that form.
    """
    if len(content) > LIMIT:
        raise DocumentError(f"larger than {LIMIT // 1024 // 1024} MiB")
    suffix = path[path.rfind(".") :].lower() if "." in path else ""
    try:
        return _PARSERS.get(suffix, _yaml)(content)
    except DocumentError:
        raise
    except (RecursionError, MemoryError) as error:
        raise DocumentError("nested too deeply") from error
    except (ValueError, SyntaxError, TypeError, OverflowError) as error:
        raise DocumentError(str(error) or type(error).__name__) from error


def flatten(value: object) -> dict[str, object]:
    """Mappings as dotted names; lists and scalars are values; a file that is one scalar has the name "".

    Raises:
        DocumentError: deeper than 100 levels or more than 100,000 values.
    """
    if type(value) is dict and _SCALARS.issuperset(map(type, value.values())) and len(value) < _EXPANDED:
        return {str(name): inner for name, inner in value.items()}  # as most files are
    found: dict[str, object] = {}
    _flatten(value, "", found, 0)
    return found


_SCALARS = frozenset((type(None), bool, int, float, str))


def _flatten(value: object, name: str, found: dict[str, object], depth: int) -> None:
    if depth > _DEPTH:
        raise DocumentError("nested too deeply")
    if type(value) not in _SCALARS and isinstance(value, Mapping):
        for key, inner in value.items():
            _flatten(inner, f"{name}.{key}" if depth else str(key), found, depth + 1)
        return
    if len(found) >= _EXPANDED:
        raise DocumentError("too many values")
    found[name] = _plain(value, depth)


def _plain(value: object, depth: int) -> object:
    """What JSON has a word for; everything else as text."""
    if depth > _DEPTH:
        raise DocumentError("nested too deeply")
    if type(value) in _SCALARS or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(inner, depth + 1) for inner in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, depth + 1) for key, inner in value.items()}
    return value.isoformat() if isinstance(value, date) else str(value)


_SCALAR = (
    r"([-+]?(?:0|[1-9][0-9]{0,17}))"
    r"|([-+]?[0-9]{1,18}\.[0-9]{1,18}(?:[eE][-+]?[0-9]{1,3})?)|([A-Za-z_][A-Za-z0-9_./-]*)"
)
_LINE = re.compile(rf"( *)([A-Za-z_][A-Za-z0-9_-]*):(?: +(?:{_SCALAR}|\[([A-Za-z0-9_./ ,+-]*)\]))?")
_WORDS = {"true": True, "false": False}
_SPECIAL = frozenset(("true", "false", "null"))


def _plain_yaml(content: bytes) -> dict[str, object] | None:
    """Nested mappings of plain numbers and words, as parameter files mostly are, ten times as quickly.

    None for every file with anything else in it: the real parser then has it.
    """
    top: dict[str, object] = {}
    open_: list[tuple[int, dict[str, object]]] = [(0, top)]
    waiting: tuple[dict[str, object], str] | None = None
    text = content.decode("ascii", "replace")
    for line in text.split("\n"):
        if not line or line[0] == "#":
            continue
        match = _LINE.fullmatch(line)
        if match is None or match[2].lower() in _SPECIAL:
            return None
        indent = len(match[1])
        if indent > open_[-1][0]:
            if waiting is None or len(open_) > _DEPTH:
                return None
            inner: dict[str, object] = {}
            waiting[0][waiting[1]] = inner
            open_.append((indent, inner))
        while indent < open_[-1][0]:
            open_.pop()
        names = open_[-1][1]
        if indent != open_[-1][0] or match[2] in names:
            return None
        integer, number, word, items = match.group(3, 4, 5, 6)
        value = _plain_value(integer, number, word) if items is None else _plain_list(items)
        if value is _NOT_PLAIN:
            return None
        names[match[2]] = value
        waiting = (names, match[2]) if value is None else None
    return top or None


_NOT_PLAIN = object()


def _plain_value(integer: str | None, number: str | None, word: str | None) -> object:
    if integer:
        return int(integer)
    if word and word.lower() in _SPECIAL:
        return _WORDS.get(word, _NOT_PLAIN)
    return float(number) if number else word


def _plain_list(text: str) -> object:
    """What stands between brackets: numbers and words."""
    found: list[object] = []
    for item in text.split(",") if text.strip(" ") else ():
        match = re.fullmatch(rf" *(?:{_SCALAR}) *", item)
        value = _plain_value(*match.groups()) if match else _NOT_PLAIN
        if value is _NOT_PLAIN:
            return _NOT_PLAIN
        found.append(value)
    return found


def _yaml(content: bytes) -> object:
    if (plain := _plain_yaml(content)) is not None:
        return plain
    from git_mlops.experiments import yaml12

    try:
        return yaml12.load(content, _DEPTH, _EXPANDED)
    except yaml12.InvalidError as error:
        raise DocumentError(str(error)) from error


def _json(content: bytes) -> object:
    if content[:1] == b"{" and content[1:2] != b"\0":  # UTF-8; json would look closely for other encodings
        return json.loads(content.decode())
    return json.loads(content)


def _toml(content: bytes) -> object:
    import tomllib

    return tomllib.loads(content.decode())


def _python(content: bytes) -> object:
    from git_mlops.experiments import constants

    return constants.assigned(content)


_PARSERS: dict[str, Callable[[bytes], object]] = {
    ".json": _json, ".toml": _toml, ".py": _python, ".yaml": _yaml, ".yml": _yaml
}  # fmt: skip
