"""Which of our own modules a container needs: what its entry imports, and what that imports in turn."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_PACKAGE = "git_mlops"


def needed(entry: str) -> dict[str, bytes]:
    """Path below the directory of the package → content, for everything that `entry` may come to import."""
    found: dict[str, bytes] = {}
    waiting = [entry]
    while waiting:
        file = _file(waiting.pop())
        if file is None or (name := file.relative_to(_ROOT.parent).as_posix()) in found:
            continue
        found[name] = file.read_bytes()
        waiting += _imports(name)
    return dict(sorted(found.items()))


def _file(module: str) -> Path | None:
    """A module's source; None where the name is none of ours, or something in a module."""
    parts = module.split(".")
    if parts[0] != _PACKAGE:
        return None
    place = _ROOT.joinpath(*parts[1:])
    candidates = (place.with_suffix(".py"), place / "__init__.py") if parts[1:] else (_ROOT / "__init__.py",)
    return next((file for file in candidates if file.is_file()), None)


@cache
def _imports(name: str) -> tuple[str, ...]:
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    tree = ast.parse((_ROOT.parent / name).read_bytes())
    parents = module.split(".")
    return (*(".".join(parents[:n]) for n in range(1, len(parents))), *_named(tree))


def _named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
