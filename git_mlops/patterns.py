"""Path patterns of mlops.yaml: the useful part of .gitignore's grammar.

`*.parquet` (no slash) matches a name at any depth; `data/*.csv` is anchored at the top; `*` and `?` stop
at a slash, `**` does not; `models/` and `models/**` match everything below.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether any pattern matches a repository path."""
    return any(_compiled(pattern).fullmatch(path) for pattern in patterns)


def most_specific(path: str, bindings: Mapping[str, T]) -> T | None:
    """What is bound to a path: the path itself wins, then the longest pattern that matches, then the last."""
    if path in bindings:
        return bindings[path]
    found = [pattern for pattern in bindings if matches(path, (pattern,))]
    return bindings[max(reversed(found), key=len)] if found else None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    text = pattern.removeprefix("./")
    below = text.endswith("/")
    text = text.strip("/") if text.startswith("/") or below else text
    anchored = "/" in text or pattern.startswith("/")
    body = "".join(
        _piece(piece) for piece in re.findall(r"\*\*/|/\*\*$|\*\*|\*|\?|\[[^]]+\]|[^*?[]+|\[", text)
    )
    return re.compile(("" if anchored else "(?:.*/)?") + body + ("/.*" if below else ""), re.DOTALL)


def _piece(piece: str) -> str:
    known = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if piece in known:
        return known[piece]
    if piece.startswith("[") and piece.endswith("]") and len(piece) > 2:
        inner = piece[1:-1]
        negated = inner.startswith(("!", "^")) and len(inner) > 1
        escaped = re.sub(r"([\\\[&|~^\]])", r"\\\1", inner[1:] if negated else inner)
        try:
            return re.compile(f"[{'^/' if negated else ''}{escaped}]").pattern
        except re.error:  # `[b-a]`: git matches nothing by it
            return "(?!)"
    return re.escape(piece)
