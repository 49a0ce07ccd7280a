"""The diff driver: a pointer as text for people, so that `git diff` and `git log -p` show what changed."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from git_mlops import ui
from git_mlops.checks.large_file import human


def run(_name: str, arguments: Sequence[str]) -> int:
    """Print the normal form of the file that git hands over."""
    ui.out(normal_form(Path(arguments[0]).read_text(encoding="utf-8", errors="replace")), end="")
    return 0


def normal_form(text: str) -> str:
    """One fact per line, in a fixed order; what is no pointer (or in conflict) stays as it is."""
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506  # a safe loader; text only, nothing is converted
    except (yaml.YAMLError, ValueError):
        return text
    outs = content.get("outs") if isinstance(content, dict) else None
    if not isinstance(outs, list) or not all(isinstance(out, dict) for out in outs):
        return text
    rest = [*_section(text, "deps"), *_section(text, "desc"), *_section(text, "meta")]
    return "\n".join([*(line for out in outs for line in _out(out)), *rest]) + "\n"


class _Loader(yaml.SafeLoader):
    """Every scalar as the text it is: a hash of digits is no number."""


_Loader.yaml_implicit_resolvers = {}


def _out(out: dict[object, object]) -> Iterator[str]:
    known = {"path", "size", "nfiles", "hash", "md5", "etag", "checksum"}
    yield f"path:  {out.get('path')}"
    size = str(out.get("size", ""))
    yield f"size:  {size} ({human(int(size))})" if size.isdigit() else "size:  unknown"
    if "nfiles" in out:
        yield f"files: {out['nfiles']}"
    for name in ("md5", "etag", "checksum"):
        if name in out:
            yield f"{name + ':':6} {out[name]}"
    yield from (f"{name}: {value}" for name, value in out.items() if name not in known)


def _section(text: str, key: str) -> Iterator[str]:
    """The lines of a top-level key as they stand: a profile's line per column stays one line."""
    inside = False
    for line in text.splitlines():
        if line[:1] not in {" ", "-", ""}:
            inside = line.startswith(f"{key}:")
        if inside:
            yield line
