"""Values out of Python files, which are read and never run. Pure."""

import ast


def assigned(content: bytes) -> dict[str, object]:
    """Constants assigned at the top, in classes and to `self` in `__init__`: what DVC reads as params.

    Raises:
        SyntaxError, ValueError: it is no Python.
    """
    return _assignments(ast.parse(content).body, own=False)


def _assignments(body: list[ast.stmt], *, own: bool) -> dict[str, object]:
    found: dict[str, object] = {}
    for line in body:
        if isinstance(line, ast.ClassDef):
            found[line.name] = _assignments(line.body, own=False)
        elif isinstance(line, ast.FunctionDef) and line.name == "__init__":
            found |= _assignments(line.body, own=True)
        elif isinstance(line, ast.Assign | ast.AnnAssign):
            targets = line.targets if isinstance(line, ast.Assign) else [line.target]
            name = _target(targets[0], own=own) if len(targets) == 1 else None
            if name and line.value is not None:
                found |= _constant(name, line.value)
    return found


def _target(node: ast.expr, *, own: bool) -> str | None:
    if own:
        mine = (
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
        )
        return node.attr if mine and isinstance(node, ast.Attribute) else None
    return node.id if isinstance(node, ast.Name) else None


def _constant(name: str, node: ast.expr) -> dict[str, object]:
    try:
        return {name: ast.literal_eval(node)}
    except (ValueError, TypeError):
        return {}
