"""The line under `schemas:` in mlops.yaml, written into the user's own text: comments and layout stay."""

import yaml

from git_mlops.errors import MlopsError


def bind(text: str, path: str, schema_path: str) -> str:
    """`text` with `path` bound to `schema_path`; unchanged where it is bound so already.

    Raises:
        MlopsError: the text is no mapping, or its layout cannot be edited safely; nothing is lost then.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        before = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _by_hand("mlops.yaml is not valid YAML", path, schema_path) from error
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise _by_hand("mlops.yaml is not a block of keys", path, schema_path)
    schemas = (before.get("schemas") or {}) if isinstance(before, dict) else {}
    if not isinstance(schemas, dict):
        raise _by_hand("`schemas` in mlops.yaml is not a mapping", path, schema_path)
    if schemas.get(path) == schema_path:
        return text
    edited = _edited(text, root, path, schema_path)
    wanted = before | {"schemas": {**schemas, path: schema_path}}
    try:
        kept = yaml.safe_load(edited) == wanted
    except yaml.YAMLError:
        kept = False
    if not kept:
        raise _by_hand("mlops.yaml cannot be edited safely", path, schema_path)
    return edited


def _by_hand(why: str, path: str, schema_path: str) -> MlopsError:
    line = f"{_scalar(path)}: {_scalar(schema_path)}"
    return MlopsError(why, hint=f"write `{line}` under `schemas:` yourself")


def _scalar(value: str) -> str:
    """As YAML, quoted only where it must be."""
    shown = yaml.safe_dump({value: 0}, allow_unicode=value.isprintable(), width=10**6)
    return shown.removesuffix(": 0\n").removeprefix("? ").rstrip("\n")


def _edited(text: str, root: yaml.MappingNode, path: str, schema_path: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    line = f"{_scalar(path)}: {_scalar(schema_path)}"
    value = next((value for name, value in root.value if name.value == "schemas"), None)
    if value is None:
        end = len(text.rstrip())
        if text[:end].endswith("\n...") or text[:end] == "...":
            end -= 3
        tail = newline if text[end:].strip() == "" else text[end:]
        return text[:end] + f"{newline}{newline}schemas:{newline}  {line}" + tail
    if not isinstance(value, yaml.MappingNode):  # `schemas:` with nothing after it
        at = value.start_mark.index
        key_end = text.index(":", next(n for n, _v in root.value if n.value == "schemas").end_mark.index) + 1
        return text[:key_end] + f"{newline}  {line}" + text[max(at, key_end) + len(_null_text(value)) :]
    for name, bound in value.value:
        if name.value == path:
            start, end = bound.start_mark.index, bound.end_mark.index
            return text[:start] + _scalar(schema_path) + text[end:]
    if value.flow_style:
        at = value.end_mark.index - 1
        return text[:at].rstrip(" ") + (", " if value.value else "") + line + text[at:]
    return _appended(text, value, line, newline)


def _null_text(node: yaml.Node) -> str:
    return str(node.value)


def _appended(text: str, value: yaml.MappingNode, line: str, newline: str) -> str:
    """After the line that holds the last entry, its comment included, with the entries' own indentation."""
    first, _ = value.value[0]
    _, last = value.value[-1]
    end = text.find("\n", last.end_mark.index)
    indent = " " * first.start_mark.column
    if end < 0:
        return f"{text}{newline}{indent}{line}{newline}"
    return text[: end + 1] + f"{indent}{line}{newline}" + text[end + 1 :]
