"""YAML 1.2 as DVC reads it, and as everybody does.

A module of its own: PyYAML takes 20 ms to import, and most files do without.
"""

import re
from typing import Any

import yaml

from git_mlops.nesting import too_deep

_SHALLOW_BY_SIZE = 4096


class InvalidError(ValueError):
    """Not YAML, or more than is read, and why."""


def load(content: bytes, depth: int, most: int) -> object:
    """The value of a file that a stranger may have written.

    Args:
        depth: levels of nesting that are read.
        most: nodes, with every alias written out.

    Raises:
        InvalidError: not YAML, deeper, or more.
        RecursionError, ValueError, TypeError, OverflowError: a value that Python cannot hold.
    """
    try:
        # libyaml's binding recurses in C: ask for the depth first, or a file of `[[[[…` ends the process
        if len(content) > _SHALLOW_BY_SIZE and too_deep(content, depth):
            raise InvalidError("nested too deeply")
        return _loaded(content, depth, most)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise InvalidError(f"not valid YAML{where}: {getattr(error, 'problem', None) or error}") from error


def _loaded(content: bytes, depth: int, most: int) -> object:
    loader = _Loader(content)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if b"*" in content and _expanded(node, {}, depth) > most:
            raise InvalidError("its aliases multiply")
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _expanded(node: Any, known: dict[int, int], deeper: int) -> int:
    """How many nodes there were if every alias were written out."""
    if deeper < 0:
        raise InvalidError("nested too deeply")
    if id(node) not in known:
        inner = node.value if isinstance(node.value, list) else []
        flat = [part for item in inner for part in (item if isinstance(item, tuple) else (item,))]
        known[id(node)] = 1 + sum(_expanded(part, known, deeper - 1) for part in flat)
    return known[id(node)]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # C where there is one
    """YAML 1.2's scalars, as DVC reads them: `1e-3` is a number, `no` and `012` are not special."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # PyYAML's form


_SCALARS = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9][0-9_]*|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*\.?[0-9_]*)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    ("merge", r"<<", "<"),
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("timestamp", r"\d{4}-\d\d-\d\d", "0123456789"),
)
for _kind, _pattern, _first in _SCALARS:
    _expression = re.compile(f"(?:{_pattern})\\Z")
    _starts = [*_first, ""] if _kind == "null" else [*_first]
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", _expression, _starts)


def _integer(loader: Any, node: Any) -> int:
    return _number(str(loader.construct_scalar(node)))


def _number(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(text[2:] if base != 10 else text.replace("_", ""), base)


def _float(loader: Any, node: Any) -> float:
    text = str(loader.construct_scalar(node)).replace("_", "").lower()
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)


class _Dumper(yaml.SafeDumper):
    """Text in quotes unless it is plainly a word: YAML 1.1 and 1.2 must read the same."""


_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]+")
_SPECIAL = frozenset(("yes", "no", "on", "off", "true", "false", "null"))


def _represented(dumper: Any, value: str) -> Any:
    plain = _WORD.fullmatch(value) is not None and value.lower() not in _SPECIAL
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else '"')


_Dumper.add_representer(str, _represented)


def dump(value: object) -> bytes:
    """A params.yaml that DVC, PyYAML and we read alike."""
    text = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1000)
    return text.encode("utf-8", "replace")
