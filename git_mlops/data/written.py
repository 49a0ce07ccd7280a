"""A pointer's profile by its text alone, without YAML. On the path of every commit: imports `re` alone."""

import re

_SCALAR = (
    r"(?:[^\W\d][\w.-]*(?: [\w.-]+)*|-?\d+(?:\.\d+)?(?:e[+-]\d+)?|-?\.(?:inf|nan)"
    r'|"(?:[^"\\\n]|\\(?:["\\]|u[0-9a-f]{4}|U000[0-9a-f]{5}|U0010[0-9a-f]{4}))*")'
)
_PAIR = rf"{_SCALAR}: {_SCALAR}"
_ENTRY = rf"{_SCALAR}: (?:{_SCALAR}|\{{(?:{_PAIR}(?:, {_PAIR})*)?\}})"
_PROFILE = (
    r'  mlops:\n    version: 1\n    of: (?P<of>[0-9a-f]{32}|"[0-9a-f]{32}")\n    rows: \d+\n'
    rf"(?:    key: \[{_SCALAR}(?:, {_SCALAR})*\]\n)?"
    rf"    columns:(?: \{{\}}\n|\n(?:      {_SCALAR}: \{{{_ENTRY}(?:, {_ENTRY})*\}}\n)+)"
)
_META = b"\nmeta:\n  mlops:\n"


def split(content: bytes) -> tuple[bytes, str | None]:
    """A pointer without the profile at its end, and the hash that this is of.

    Only a profile exactly as we write it is taken away: all of it is YAML that everyone reads alike. The hash
    is None, and nothing is taken away, where there is none.
    """
    at = content.find(_META)
    head = content[: at + 1]
    if at < 0 or head[:6] != b"outs:\n" or b"\n..." in head or b"\n---" in head:
        return content, None
    try:
        meta = content[at + len(b"\nmeta:\n") :].decode()
    except UnicodeDecodeError:
        return content, None
    if not meta.replace("\n", "").isprintable():
        return content, None
    found = re.fullmatch(_PROFILE, meta)
    return (head, found["of"].strip('"')) if found else (content, None)
