"""Plain values (YAML, git config, environment) into frozen `Settings` types, with errors people can use.

A settings type is a `NamedTuple`; its annotations are the closed schema: bool, int, float, str, `Size`,
`Literal[...]`, `tuple[X, ...]`, `dict[str, X]`, `X | None`, `X | dict[str, Y]` and other such types.
"""

import re
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NewType, TypeVar, get_args, get_origin, get_type_hints

Size = NewType("Size", int)
"""Bytes; written as `500kB`, `1MiB`, `2GB` or a number."""

_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1000, "kib": 1024, "m": 1000**2, "mb": 1000**2, "mib": 1024**2}
_UNITS |= {"g": 1000**3, "gb": 1000**3, "gib": 1024**3, "t": 1000**4, "tb": 1000**4, "tib": 1024**4}

T = TypeVar("T")


class DecodeError(ValueError):
    """A value that does not fit, with the dotted key it stands at."""

    def __init__(self, key: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"`{key}`: {message}" if key else message)
        self.key = key
        self.hint = hint


def decode(kind: type[T], value: object, key: str = "") -> T:
    """`value` as a `kind`.

    Raises:
        DecodeError: wrong type, unknown key or unknown choice, with "did you mean".
    """
    return typing.cast("T", _decode(kind, value, key))


def _decode(kind: Any, value: object, key: str) -> object:
    origin, args = get_origin(kind), get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _decode(_meant(args, value), value, key)
    if origin is Literal:
        return _choice(args, value, key)
    if origin is tuple:
        return _items(args[0], value, key)
    if origin is dict:
        return {str(k): _decode(args[1], v, f"{key}.{k}") for k, v in _mapping(value, key).items()}
    if kind is Size:
        return _size(value, key)
    if hasattr(kind, "_fields"):
        return _record(kind, value, key)
    return _scalar(kind, value, key)


def _meant(args: tuple[Any, ...], value: object) -> Any:
    """Of `X | dict[str, Y]` the one that a value is written for; of `X | None` always X."""
    kinds = [kind for kind in args if kind is not type(None)]
    mappings = [kind for kind in kinds if get_origin(kind) is dict]
    return mappings[0] if mappings and isinstance(value, Mapping) else kinds[0]


def _record(kind: Any, value: object, key: str) -> object:
    given = _mapping(value, key)
    hints = get_type_hints(kind)
    for name in given:
        if name not in hints:
            raise unknown(name, hints, key)
    found = {n: _decode(hints[n], v, f"{key}.{n}".lstrip(".")) for n, v in given.items() if v is not None}
    missing = [n for n in kind._fields if n not in found and n not in kind._field_defaults]
    if missing:
        raise DecodeError(key, f"`{missing[0]}` is missing")
    return kind(**found)


def unknown(name: object, known: Iterable[str], key: str) -> DecodeError:
    """The error for a key or choice that does not exist."""
    import difflib

    close = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.5)
    hint = f"did you mean `{close[0]}`?" if close else f"known: {', '.join(sorted(known))}"
    return DecodeError(f"{key}.{name}".lstrip("."), "unknown key", hint=hint)


def _mapping(value: object, key: str) -> Mapping[Any, object]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise DecodeError(key, f"expected a mapping, not {_told(value)}")
    return value


def _items(kind: Any, value: object, key: str) -> tuple[object, ...]:
    if isinstance(value, str | int | float):
        return (_decode(kind, value, key),)
    if not isinstance(value, list | tuple):
        raise DecodeError(key, f"expected a list, not {_told(value)}")
    return tuple(_decode(kind, item, f"{key}[{number}]") for number, item in enumerate(value))


def _choice(choices: tuple[object, ...], value: object, key: str) -> object:
    if value is False and "off" in choices:  # YAML 1.1 reads a bare `off` as false
        return "off"
    if value not in choices:
        raise DecodeError(key, f"expected one of {', '.join(map(str, choices))}, not {_told(value)}")
    return value


def _size(value: object, key: str) -> int:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", str(value))
    if isinstance(value, bool) or match is None or match[2].lower() not in _UNITS:
        raise DecodeError(key, f"expected a size such as `1MiB`, not {_told(value)}")
    return int(float(match[1]) * _UNITS[match[2].lower()])


def _scalar(kind: Any, value: object, key: str) -> object:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool):
        return value
    # YAML reads 3.10 as the number 3.1
    hint = "put it between quotes" if kind is str and isinstance(value, int | float) else None
    raise DecodeError(key, f"expected {_NAMES.get(kind, kind.__name__)}, not {_told(value)}", hint=hint)


_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def _told(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"


def from_text(kind: Any, text: str, key: str) -> object:
    """A value given as text (git config, environment): lists are separated by commas."""
    origin, args = get_origin(kind), get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return from_text(next(a for a in args if a is not type(None)), text, key)
    if origin is tuple:
        return tuple(from_text(args[0], part.strip(), key) for part in text.split(",") if part.strip())
    if kind is bool:
        return _boolean(text, key)
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            raise DecodeError(key, f"expected {_NAMES[kind]}, not {_told(text)}") from None
    return _decode(kind, text, key)


def _boolean(text: str, key: str) -> bool:
    if text.lower() in {"true", "yes", "on", "1"}:
        return True
    if text.lower() in {"false", "no", "off", "0"}:
        return False
    raise DecodeError(key, f"expected true or false, not {_told(text)}")


def json_schema(kind: Any) -> dict[str, object]:
    """The JSON Schema of a settings type, for editors."""
    origin, args = get_origin(kind), get_args(kind)
    if origin in (typing.Union, types.UnionType):
        kinds = [json_schema(a) for a in args if a is not type(None)]
        return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    if origin is Literal:
        return {"enum": list(args)}
    if origin is tuple:
        return {"type": "array", "items": json_schema(args[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": json_schema(args[1])}
    if kind is Size:
        return {"type": ["string", "integer"], "description": "a size: 500kB, 1MiB, 2GB"}
    if hasattr(kind, "_fields"):
        hints = get_type_hints(kind)
        required = [name for name in kind._fields if name not in kind._field_defaults]
        properties = {name: json_schema(hint) for name, hint in hints.items()}
        schema: dict[str, object] = {
            "type": "object",
            "additionalProperties": False,
            "properties": properties,
        }
        return {**schema, "required": required} if required else schema
    return {"type": {bool: "boolean", int: "integer", float: "number", str: "string"}[kind]}
