"""YAML that others wrote: read safely, with the line of every key, and nothing silently lost.

Refused before anything is built: aliases (an exponential document is a few lines with them), deep nesting,
huge files, duplicate keys (YAML keeps the last one in silence) and tags.
"""

from collections.abc import Iterator
from typing import NamedTuple

import yaml

from git_mlops.errors import MlopsError

MOST_BYTES = 4 * 1024 * 1024
_DEEPEST = 20

Key = tuple[str | int, ...]
"""Where something stands: `("columns", "age", "dtype")`."""

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Document(NamedTuple):
    """A parsed file."""

    value: object
    lines: dict[Key, int]
    """1-based line of every key and list item."""


def parse(content: bytes, path: str) -> Document:
    """Read YAML.

    Raises:
        MlopsError: it is no YAML, or holds what a schema never needs; names file and line.
    """
    if len(content) > MOST_BYTES:
        raise MlopsError(f"{path}: {len(content)} bytes are too many for a schema (at most {MOST_BYTES})")
    try:
        _refuse_dangerous(content, path)
        loader = _Loader(content)
        node = loader.get_single_node()
        if node is None:
            return Document(None, {})
        lines = dict(_walk(node, (), path))
        return Document(loader.construct_document(node), lines)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else path
        said = str(getattr(error, "problem", None) or error).splitlines()[0]
        raise MlopsError(f"{where}: not valid YAML: {said}") from error


def _refuse_dangerous(content: bytes, path: str) -> None:
    """Looks at events, not at the tree: constant memory, no recursion."""
    depth = 0
    for event in yaml.parse(content, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        tag = str(getattr(event, "tag", None) or "")
        if isinstance(event, yaml.AliasEvent):
            raise MlopsError(f"{path}:{line}: YAML aliases (`*name`) are not allowed in a schema")
        if tag.startswith("!"):
            raise MlopsError(f"{path}:{line}: the YAML tag `{tag[:40]}` is not allowed in a schema")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise MlopsError(f"{path}:{line}: nested more than {_DEEPEST} deep")


def _walk(node: yaml.Node, key: Key, path: str) -> Iterator[tuple[Key, int]]:
    yield key, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            text = str(name.value)
            line = name.start_mark.line + 1
            if text in seen:
                raise MlopsError(f"{path}:{line}: the key `{text}` stands twice in the same mapping")
            seen.add(text)
            yield from _walk(value, (*key, text), path)
            yield (*key, text), line
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _walk(value, (*key, number), path)
